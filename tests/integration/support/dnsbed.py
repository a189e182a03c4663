"""DNS as it runs on a node: processes of their own on 127.X.Y.N, fed by a real API server that objects are written to.

`Bed` is the API server with its etcd, `Served` is one `minik8s run dns`. Everything is on 127.0.0.0/8.
"""

import itertools
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3

sys.path.insert(0, str(Path(__file__).parents[2] / "unit" / "dns"))

from dns_wire_checks import Ask, ask, check
from dns_worlds import CASES, Case, key_of, objects_of
from support.apiserver import Certificates, Etcd, Server, free_port, wait_until

from minik8s import params
from minik8s.api import codec
from minik8s.api.core import Namespace, Service
from minik8s.api.meta import Object
from minik8s.api.pods import Pod
from minik8s.client.errors import AlreadyExists
from minik8s.client.rest import Client

# The port is always the same, so each server has an address of its own; and each run of the tests, by its pid.
HOSTS = (f"127.{64 + os.getpid() // 256 % 128}.{os.getpid() % 256}.{number}" for number in itertools.count(1))


def receive(sock: socket.socket) -> bytes:
    """One message of a TCP stream."""
    size = struct.unpack("!H", exactly(sock, 2))[0]
    return exactly(sock, size)


def exactly(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = sock.recv(size - len(data))
        assert piece, "the server closed the connection"
        data += piece
    return data


class Bed:
    """An API server, and the objects that were written to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.etcd = Etcd(folder)
        self.server = Server(folder, self.etcd, Certificates(folder))
        self.client = Client.from_kubeconfig(str(self.kubeconfig("kubernetes-admin", "system:masters")))
        self.objects: dict[str, Object] = {}
        self.served: list[Served] = []

    def kubeconfig(self, user: str, *groups: str) -> Path:
        return self.server.kubeconfig(self.folder / f"{user.replace(':', '-')}.conf", user, *groups)

    def serve(self, *flags: str, api: str = "") -> "Served":
        """Start a server; `api` is where it believes the API server to be."""
        conf = self.kubeconfig("system:dns:node-1", "system:node-dns")
        if api:
            lost = conf.with_name("lost.conf")
            lost.write_text(conf.read_text().replace(self.server.url, api))
            conf = lost
        self.served.append(Served(self.folder, conf, *flags))
        return self.served[-1]

    def put(self, world: dict[str, Any]) -> None:
        """Write objects; one that is there with other addresses is made anew, because addresses cannot be changed."""
        for obj in objects_of(world):
            obj = codec.from_dict(type(obj), codec.to_dict(obj))
            known = self.objects.get(key_of(obj))
            if isinstance(known, Service):
                self.remove(key_of(obj))
                known = None
            if known is None:
                self._create(obj)
            else:
                obj.metadata.resourceVersion = self.client.get(type(obj), *_place(obj)).metadata.resourceVersion
                self.client.replace(obj)
            self.objects[key_of(obj)] = obj

    def restore(self, before: dict[str, Object]) -> None:
        """Make the objects what they were; those of the bed are never changed in place."""
        for key, obj in before.items():
            if self.objects.get(key) is not obj:
                if key in self.objects:
                    self.remove(key)
                self._create(codec.from_dict(type(obj), codec.to_dict(obj)))
                self.objects[key] = obj

    def _create(self, obj: Object) -> None:
        if isinstance(obj, Pod):
            status, obj.spec = obj.status, _somewhere()
            made = self.client.create(obj)
            made.status = status
            self.client.replace(made, subresource="status")
            return
        try:
            self.client.create(obj)
        except AlreadyExists:
            assert isinstance(obj, Namespace)  # `default` and `kube-system`

    def remove(self, key: str) -> None:
        obj = self.objects.pop(key)
        self.client.delete(type(obj), *_place(obj))
        if isinstance(obj, Namespace):  # its end is a controller's work, and none runs here
            self.client.request("PUT", f"/api/v1/namespaces/{obj.metadata.name}/finalize", _finalized(obj))

    def close(self) -> None:
        for served in self.served:
            served.close()
        self.server.close()
        self.etcd.close()


def _place(obj: Object) -> tuple[str, str]:
    return obj.metadata.name, obj.metadata.namespace


def _somewhere() -> Any:
    spec = {"nodeName": "node-1", "containers": [{"name": "main", "image": "minik8s/toolbox:1"}]}
    return codec.from_dict(Pod, {"spec": spec}).spec


def _finalized(obj: Object) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": obj.metadata.name},
        "spec": {"finalizers": []},
    }


class Served:
    """One DNS server, started as everybody starts one."""

    def __init__(self, folder: Path, conf: Path, *flags: str) -> None:
        self.address, self.health = next(HOSTS), free_port()
        self.folder = folder / self.address
        self.folder.mkdir()
        self._argv = [sys.executable, "-m", "minik8s.cli.main", "run", "dns", "--kubeconfig", str(conf)]
        self._argv += ["--node", "node-1", "--node-ip", self.address, "--health-port", str(self.health)]
        self._argv += ["--state-dir", str(self.folder), *flags]
        self.start()

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(self._argv, stdout=log, stderr=log)

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def page(self, path: str, code: int = 200) -> bytes:
        answer = urllib3.request("GET", f"http://127.0.0.1:{self.health}{path}", timeout=5, retries=False)
        assert answer.status == code, answer.data
        return answer.data

    def ready(self) -> bool:
        assert self.process.poll() is None, self.log
        try:
            return self.page("/readyz") == b"ok"
        except (urllib3.exceptions.HTTPError, AssertionError):
            return False

    def listens(self) -> bool:
        assert self.process.poll() is None, self.log
        with socket.socket() as sock:
            return sock.connect_ex((self.address, params.DNS_PORT)) == 0

    def workers(self) -> list[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in children.read_text().split()]

    def udp(self, data: bytes, timeout: float = 5) -> bytes:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(timeout)
            sock.connect((self.address, params.DNS_PORT))
            sock.send(data)
            return sock.recv(65536)

    def connect(self) -> socket.socket:
        return socket.create_connection((self.address, params.DNS_PORT), timeout=5)

    def tcp(self, data: bytes) -> bytes:
        with self.connect() as sock:
            sock.sendall(struct.pack("!H", len(data)) + data)
            return receive(sock)

    def answers(self, name: str, kind: str = "A") -> list[str]:
        reply = ask(self.udp, name, kind)
        return sorted(str(each) for rrset in reply.answer for each in rrset)

    def signal(self, number: int) -> None:
        os.kill(self.process.pid, number)

    def close(self) -> None:
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def holds(way: Ask, case: Case, seconds: float = 10) -> None:
    """Wait until a case holds: words of several watches come in any order. Fails as the case fails."""
    until = time.monotonic() + seconds
    while True:
        try:
            check(way, case)
            return
        except AssertionError:
            if time.monotonic() > until:
                raise
        time.sleep(0.01)


@pytest.fixture(scope="session")
def dns_bed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    """An API server with the market's objects."""
    bed = Bed(tmp_path_factory.mktemp("dnsbed"))
    bed.put(CASES["worlds"]["market"])
    yield bed
    bed.close()


__all__ = ["CASES", "Bed", "Served", "dns_bed", "holds", "receive", "wait_until"]
