"""A namespace with the ingress's HAProxy in it, and backends as threads of the test. No cluster, no Docker.

    lo    10.99.0.1       the node: HAProxy on ports 80 and 443
          10.99.1.1-9     Pods: a server on port 8080 of each that says its own name

Objects are given by hand; what a controller would find in caches stands in `objects`.
"""

import contextlib
import json
import os
import shutil
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from minik8s import params
from minik8s.api import codec, defaults
from minik8s.api.core import Secret, Service
from minik8s.api.discovery import EndpointSlice
from minik8s.api.networking import CONTROLLER, DEFAULT_CLASS, IngressClass
from minik8s.host import namespaces, processes
from minik8s.host.journal import Journal
from minik8s.ingress.plan import Objects
from minik8s.ingress.rules import Trouble
from minik8s.ingress.sync import Syncer
from minik8s.ingress.world import World

NODE, NODE6, POD6 = "10.99.0.1", "fd00:99::1", "fd00:99:1::1"
TIMEOUT_S = 5.0
CLASS = codec.from_dict(
    IngressClass,
    {"metadata": {"name": "minik8s", "annotations": {DEFAULT_CLASS: "true"}}, "spec": {"controller": CONTROLLER}},
)


def pod(number: int) -> str:
    return f"10.99.1.{number}"


class Handler(BaseHTTPRequestHandler):
    """Answers with its own address, the path it was asked for, and what the proxy added."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        told = {name: self.headers.get(name, "") for name in ("Host", "X-Forwarded-For", "X-Forwarded-Proto")}
        body = json.dumps({"pod": self.server.server_address[0], "path": self.path, **told}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        if self.server.leaving:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


class Backend(ThreadingHTTPServer):
    """A Pod. `leaving`: it answers, and asks its clients to come no more."""

    def handle_error(self, request: object, client_address: object) -> None:
        """The proxy closed a connection that it kept: no news."""

    daemon_threads = True
    request_queue_size = 128
    leaving = False

    def server_bind(self) -> None:
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = self.server_address[:2]


class Backend6(Backend):
    address_family = socket.AF_INET6


@dataclass
class Bed:
    """HAProxy, and the ways to ask it."""

    ns: str
    root: Path
    syncer: Syncer
    troubles: list[Trouble]
    objects: Objects
    backends: list[Backend]

    def apply(self, **objects: object) -> None:
        self.objects = replace(self.objects, **objects)
        namespaces.in_ns(self.ns, lambda: self.syncer.sync(self.objects))

    def haproxy(self) -> tuple[int, int]:
        """Its pid and start time."""
        pid = int((self.root / "haproxy.pid").read_text())
        return pid, processes.start_time(pid) or 0

    def serve(self, address: str) -> Backend:
        """Start a Pod."""
        cls = Backend6 if ":" in address else Backend
        made = namespaces.in_ns(self.ns, lambda: cls((address, 8080), Handler))
        threading.Thread(target=made.serve_forever, args=(0.05,), daemon=True).start()
        self.backends.append(made)
        return made

    def connect(self, port: int = 80, node: str = NODE) -> socket.socket:
        return namespaces.in_ns(self.ns, lambda: socket.create_connection((node, port), TIMEOUT_S))

    def ask(self, host: str, path: str = "/", sock: socket.socket | None = None) -> tuple[int, dict]:
        """Status and what the backend said; {} when the proxy answered itself."""
        with contextlib.closing(self.client(sock)) as connection:
            return get(connection, host, path)

    def client(self, sock: socket.socket | None = None) -> HTTPConnection:
        """A connection that is never opened again by itself: that would be in the host's own namespace."""
        connection = HTTPConnection(NODE)
        connection.auto_open = 0
        connection.sock = sock or self.connect()
        return connection

    def tls(self, name: str) -> tuple[socket.socket, bytes]:
        """A TLS connection with this SNI, and the certificate that was shown (DER)."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        sock = context.wrap_socket(self.connect(443), server_hostname=name)
        return sock, sock.getpeercert(binary_form=True) or b""


def get(connection: HTTPConnection, host: str, path: str = "/") -> tuple[int, dict]:
    connection.putrequest("GET", path, skip_host=True)
    connection.putheader("Host", host)
    connection.endheaders()
    response = connection.getresponse()
    body = response.read().decode()
    return response.status, json.loads(body) if response.status == 200 else {}


@contextlib.contextmanager
def bed() -> Iterator[Bed]:
    ns = f"mk8s-t-ingress{os.getpid()}"
    root = Path(params.RUN_DIRECTORY) / f"test-{os.getpid()}"
    namespaces.create(ns)
    lines = ["link set lo up", *(f"addr add {each}/32 dev lo" for each in (NODE, *map(pod, range(1, 10))))]
    lines += [f"addr add {each}/128 dev lo" for each in (NODE6, POD6)]
    processes.run(["ip", "-batch", "-"], ns=ns, input="\n".join(lines) + "\n")
    troubles: list[Trouble] = []
    syncer = Syncer(World(root, (NODE, NODE6)), Journal(), troubles.append)
    made = Bed(ns, root, syncer, troubles, Objects(classes=[CLASS]), [])
    try:
        yield made
    finally:
        namespaces.in_ns(ns, syncer.world.end)
        for each in made.backends:
            each.shutdown()
            each.server_close()
        namespaces.delete(ns)
        shutil.rmtree(root, ignore_errors=True)


# --- Objects ---------------------------------------------------------------------------------------------------------


def services(**pods: list[int]) -> dict[str, object]:
    """Services on port 80 (named http), and their Pods by number: for `Bed.apply`."""
    found = {}
    slices = []
    for name, numbers in pods.items():
        meta = {"name": name, "namespace": "default"}
        spec = {"ports": [{"name": "http", "port": 80}]}
        found[f"default/{name}"] = codec.from_dict(Service, {"metadata": meta, "spec": spec})
        labels = {"kubernetes.io/service-name": name}
        endpoints = [{"addresses": [pod(number)], "conditions": {"ready": True}} for number in numbers]
        slices.append(
            codec.from_dict(
                EndpointSlice,
                {
                    "metadata": {**meta, "labels": labels},
                    "addressType": "IPv4",
                    "endpoints": endpoints,
                    "ports": [{"name": "http", "port": 8080}],
                },
            )
        )
    return {"services": found.get, "slices": slices}


def secrets(**pairs: tuple[str, str]) -> dict[str, object]:
    """Secrets of type kubernetes.io/tls from (certificate, key) in PEM: for `Bed.apply`."""
    found = {}
    for name, (certificate, key) in pairs.items():
        data = {"tls.crt": certificate, "tls.key": key}
        secret = codec.from_dict(Secret, {"metadata": {"name": name, "namespace": "default"}, "stringData": data})
        defaults.set_defaults(secret)
        found[f"default/{name}"] = secret
    return {"secrets": found.get}
