"""A real API server for tests: etcd on loopback, certificates of its own, the server as a process of its own.

Everything lives in one temporary folder and on free ports of 127.0.0.1; `close` ends what was started, by pid.
"""

import contextlib
import itertools
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import pytest
import urllib3

from minik8s.apiserver.options import ServerOptions
from minik8s.cluster import pki, state
from minik8s.store import find
from minik8s.store.etcd import Store

RUN = """
import json, sys
from minik8s import params
for name, value in json.loads(sys.argv[2]).items():
    setattr(params, name, value)
from minik8s.apiserver.main import main
from minik8s.apiserver.options import ServerOptions
given = json.loads(sys.argv[1])
main(ServerOptions(**{name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}))
"""
READY_S = 20
SLOWNESS = int(os.environ.get("MINIK8S_TEST_SLOWNESS", "1"))  # a machine that is emulated takes so many times longer
NUMBERS = itertools.count(1)
_given: set[int] = set()  # ports, which whoever got them may not have opened yet


def free_port() -> int:
    """A port that nobody has open, and that was not given before."""
    while True:
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            port = sock.getsockname()[1]
        if port not in _given:
            _given.add(port)
            return port


def wait_until(condition, seconds: float = READY_S, what: str = "") -> None:
    """Poll the outside world; fails with what was waited for."""
    until = time.monotonic() + seconds * SLOWNESS
    while not condition():
        assert time.monotonic() < until, f"not within {seconds * SLOWNESS} s: {what or condition}"
        time.sleep(0.02)


class Etcd:
    def __init__(self, folder: Path) -> None:
        candidate, _ = find.find()
        where = state.Paths(folder)
        where.pki.mkdir(exist_ok=True)
        pki.ensure_etcd(where)
        self.port = free_port()
        self.endpoint = f"127.0.0.1:{self.port}"
        self.tls, self.own = (
            find.Pair(str(where.pki / f"{who}.crt"), str(where.pki / f"{who}.key"), str(where.pki / "etcd-ca.crt"))
            for who in ("apiserver-etcd-client", "etcd")
        )
        member = find.Member(str(folder / "etcd"), self.port, free_port(), fsync=False, tls=self.own)
        self._argv = find.arguments(candidate.path, member)
        self._log = folder / "etcd.log"
        self.start()

    def start(self) -> None:
        """Until it listens. One that does not is ended, and its last words are the failure's."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._argv, stderr=log, env=find.environment_here())
        try:
            wait_until(lambda: self._process.poll() is not None or _open(self.port), what="etcd listens")
            assert self._process.poll() is None, f"etcd ended with {self._process.returncode}"
        except AssertionError as error:
            self.kill()
            raise AssertionError(f"{error}: {self._log.read_text()[-2000:]}") from None

    def store(self) -> Store:
        """The store itself, as the API server opens it."""
        return Store(self.endpoint, tls=self.tls)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    close = kill


class Certificates:
    """An authority and who it vouches for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "pki").mkdir(exist_ok=True)
        self.authority = pki.ensure_authority(state.Paths(folder))
        self.ca = self._write("ca.crt", self.authority.pem)
        self.server = self._pair("server", pki.Identity("kube-apiserver"), ("127.0.0.1", "localhost"))

        self.signer = str(pki.ensure_signer(state.Paths(folder)))
        self.agents_client = self.client("kube-apiserver-kubelet-client", "system:masters")

    def serving(self, name: str, address: str) -> tuple[str, str]:
        return self._pair(name, pki.Identity(f"system:node:{name}", ("system:nodes",)), (address,))

    def client(self, user: str, *groups: str) -> tuple[str, str]:
        return self._pair(user.replace(":", "-"), pki.Identity(user, groups))

    def _pair(self, name: str, identity: pki.Identity, names: tuple[str, ...] = ()) -> tuple[str, str]:
        certificate, key = pki.issue(self.authority, identity, names)
        return self._write(f"{name}.crt", certificate), self._write(f"{name}.key", key)

    def _write(self, name: str, content: bytes) -> str:
        path = self.folder / name
        path.write_bytes(content)
        return str(path)


class Server:
    """One API server process."""

    def __init__(
        self,
        folder: Path,
        etcd: Etcd,
        certificates: Certificates,
        name: str = "one",
        listener: socket.socket | None = None,
        **limits: object,
    ) -> None:
        self._listener = listener
        self._limits = limits  # what this server has in its params instead of what stands there
        self.port = listener.getsockname()[1] if listener else free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        self.certificates = certificates
        self.options = ServerOptions(
            etcd=(etcd.endpoint,),
            etcd_cafile=etcd.tls.authority,
            etcd_certfile=etcd.tls.certificate,
            etcd_keyfile=etcd.tls.key,
            listen=(f"fd://{listener.fileno()}" if listener else f"127.0.0.1:{self.port}",),
            tls_cert_file=certificates.server[0],
            tls_private_key_file=certificates.server[1],
            client_ca_file=certificates.ca,
            service_account_signing_key_file=certificates.signer,
            audit_file=str(folder / f"audit-{name}.jsonl"),
            kubelet_client_certificate=certificates.agents_client[0],
            kubelet_client_key=certificates.agents_client[1],
        )
        self._log = folder / f"apiserver-{name}.log"
        self.start()

    def start(self) -> None:
        with self._log.open("ab") as log:
            argv = [sys.executable, "-c", RUN, json.dumps(asdict(self.options)), json.dumps(self._limits)]
            inherited = (self._listener.fileno(),) if self._listener else ()
            self._process = subprocess.Popen(argv, stderr=log, stdout=log, pass_fds=inherited)
        anonymous = Http(self)
        wait_until(lambda: self._alive() and anonymous.ready(), what="the API server is ready")

    def _alive(self) -> bool:
        assert self._process.poll() is None, self._log.read_text()
        return True

    def workers(self) -> list[int]:
        """The pids of gunicorn's worker; none for a moment after one died."""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        return [int(pid) for pid in children.read_text().split()]

    def kill_worker(self) -> None:
        """SIGKILL; the arbiter makes another."""
        (old,) = self.workers()
        os.kill(old, signal.SIGKILL)
        wait_until(lambda: old not in self.workers(), what="the worker is gone")

    def wait_gone(self, pid: int) -> None:
        wait_until(lambda: not Path(f"/proc/{pid}").exists(), 5, f"process {pid} ends")

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)

    def close(self) -> None:
        if self._process.poll() is None:
            try:
                self.stop()
            except subprocess.TimeoutExpired:
                self.kill()

    def log(self) -> str:
        return self._log.read_text()

    def kubeconfig(self, path: Path, user: str, *groups: str) -> Path:
        pems = [Path(name).read_bytes() for name in (self.certificates.ca, *self.certificates.client(user, *groups))]
        path.write_text(pki.kubeconfig("test", self.url, user, (pems[0], pems[1], pems[2])))
        return path


class Http:
    """Requests as one user, with nothing between: status, headers and JSON as they come."""

    def __init__(self, server: Server, user: str = "", *groups: str) -> None:
        pair = server.certificates.client(user, *groups) if user else (None, None)
        self._url = server.url
        self._address = ("127.0.0.1", server.port)
        self._pair = pair
        self._ca = server.certificates.ca
        self._pool = urllib3.PoolManager(
            ca_certs=server.certificates.ca, cert_file=pair[0], key_file=pair[1], retries=False, maxsize=32
        )

    def ask(self, method: str, path: str, body=None, **headers):
        content = {} if body is None else {"Content-Type": "application/json"}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        return self._pool.request(method, self._url + path, body=data, headers=content | named, timeout=15)

    def json(self, method: str, path: str, body=None, code: int | None = None, **headers):
        answer = self.ask(method, path, body, **headers)
        if code is not None:
            assert answer.status == code, (method, path, answer.status, answer.data[:500])
        return json.loads(answer.data)

    def get(self, path: str, code: int = 200):
        return self.json("GET", path, code=code)

    def post(self, path: str, body, code: int = 201, **headers):
        return self.json("POST", path, body, code, **headers)

    def put(self, path: str, body, code: int = 200):
        return self.json("PUT", path, body, code)

    def merge(self, path: str, body, code: int = 200):
        return self.json("PATCH", path, body, code, Content_Type="application/merge-patch+json")

    def delete(self, path: str, body=None, code: int = 200):
        return self.json("DELETE", path, body, code)

    def ready(self) -> bool:
        try:
            return self.ask("GET", "/readyz").status == 200
        except urllib3.exceptions.HTTPError:
            return False

    def raw(self) -> ssl.SSLSocket:
        """A connection on which anything can be said."""
        context = ssl.create_default_context(cafile=self._ca)
        if self._pair[0]:
            context.load_cert_chain(*self._pair)
        return context.wrap_socket(socket.create_connection(self._address, 15), server_hostname="localhost")

    def watch(self, path: str, timeout: float = 15) -> "Watch":
        return Watch(self._pool.request("GET", self._url + path, preload_content=False, timeout=timeout))


class Watch:
    """An open watch, line by line."""

    def __init__(self, response) -> None:
        self.response = response
        self._rest = b""
        self._chunks = response.stream(65536, decode_content=False)

    def next(self):
        """The next event; None when the server has ended the stream."""
        while b"\n" not in self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return None
            self._rest += chunk
        line, _, self._rest = self._rest.partition(b"\n")
        return json.loads(line)

    def seen(self, count: int) -> list[tuple[str, str]]:
        """The next events as (type, name)."""
        events = [self.next() for _ in range(count)]
        return [(event["type"], event["object"]["metadata"].get("name", "")) for event in events]

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.response.close()


def _open(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


class Api:
    """One etcd, two API servers on it, and whoever is asked for as a client."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.certificates = Certificates(folder)
        self.etcd = Etcd(folder)
        self.server = Server(folder, self.etcd, self.certificates)
        self.other = Server(folder, self.etcd, self.certificates, "two")
        self.admin = Http(self.server, "kubernetes-admin", "system:masters")
        self.anonymous = Http(self.server)

    def user(self, name: str, *groups: str) -> Http:
        return Http(self.server, name, *groups)

    def at_other(self) -> Http:
        return Http(self.other, "kubernetes-admin", "system:masters")

    def close(self) -> None:
        for part in (self.server, self.other, self.etcd):
            part.close()


@pytest.fixture(scope="session")
def api(tmp_path_factory):
    """Two real API servers over one real etcd."""
    made = Api(tmp_path_factory.mktemp("api"))
    yield made
    made.close()


@pytest.fixture
def namespace(api, request):
    """A namespace of the test's own."""
    words = re.sub("[^a-z0-9]+", "-", request.node.name.lower()).strip("-")[:50].strip("-")
    name = f"{words}-{next(NUMBERS)}"
    api.admin.post("/api/v1/namespaces", {"metadata": {"name": name}})
    return name


def pod(name: str, **more):
    """A Pod as small as it can be; `spec` and `metadata` may be added to."""
    spec = {"containers": [{"name": "main", "image": "minik8s/toolbox:1"}], **more.pop("spec", {})}
    metadata = {"name": name, **more.pop("metadata", {})}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, **more}


def service(name: str, **spec):
    given = {"selector": {"app": name}, "ports": [{"port": 80}], **spec}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": given}


def config(name: str, **data):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}
