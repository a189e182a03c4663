"""The DNS server over real sockets of 127.0.0.1: every case, both protocols, many at once, while the objects change."""

import os
import random
import socket
import struct
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import dns.message
import dns.query
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "dns"))

from dns_wire_checks import ask, check
from dns_worlds import CASES, Case, World, lines, objects_of, questions
from support.apiserver import free_port, wait_until

from minik8s import params
from minik8s.api import codec
from minik8s.api.core import Namespace, Service
from minik8s.api.discovery import EndpointSlice
from minik8s.api.meta import Object
from minik8s.client.component import Component, Options
from minik8s.client.errors import AlreadyExists
from minik8s.client.events import Recorder
from minik8s.client.rest import Client
from minik8s.dns import main
from minik8s.dns.server import Server
from minik8s.host.journal import Journal
from minik8s.host.metrics import Registry

pytestmark = pytest.mark.system
WORLDS = sorted({world for _, world, _ in questions()})


class Running:
    """A server with its loop in a thread, and the world it answers from."""

    def __init__(self, settings: str = "market") -> None:
        self.world = World(settings)
        self.server = Server(self.world.responder, "127.0.0.1", 0)
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()

    def udp(self, data: bytes) -> bytes:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(5)
            sock.connect(("127.0.0.1", self.server.port))
            sock.send(data)
            return sock.recv(65536)

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.server.port), timeout=5)

    def tcp(self, data: bytes) -> bytes:
        with self.connect() as sock:
            sock.sendall(struct.pack("!H", len(data)) + data)
            return receive(sock)

    def change(self, put: dict | None = None, remove: list[str] | None = None) -> None:
        """Have the loop apply it, and wait until it has."""
        done = threading.Event()

        def apply() -> None:
            for key in remove or []:
                self.world.remove(key)
            self.world.put(put or {})
            done.set()

        self.server.post(apply)
        assert done.wait(5)

    def stop(self) -> None:
        self.server.stop()
        self.thread.join(5)
        assert not self.thread.is_alive()
        self.server.close()


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


@pytest.fixture(scope="module")
def running() -> Iterator[dict[str, Running]]:
    servers = {settings: Running(settings) for settings in WORLDS}
    yield servers
    for each in servers.values():
        each.stop()


@pytest.fixture
def market() -> Iterator[Running]:
    server = Running()
    yield server
    server.stop()


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("protocol", ["udp", "tcp"])
def test_every_case_holds_over_sockets(running: dict[str, Running], world: str, protocol: str) -> None:
    server = running[world]
    for _, settings, cases in questions():
        for case in cases if settings == world else []:
            check(getattr(server, protocol), case)


@pytest.mark.parametrize("change", CASES["changes"], ids=[change["promise"] for change in CASES["changes"]])
def test_every_change_is_answered_at_once(market: Running, change: dict) -> None:
    for case in lines(change["before"]):
        check(market.udp, case)
    market.change(change.get("put"), change.get("remove"))
    for case in lines(change["after"]):
        check(market.udp, case)
        check(market.tcp, case)


def test_a_truncated_reply_is_whole_over_tcp(running: dict[str, Running]) -> None:
    query = dns.message.make_query("many.pets.svc.cluster.local.", "A", use_edns=0)
    port = running["market"].server.port
    reply, by_tcp = dns.query.udp_with_fallback(query, "127.0.0.1", port=port, timeout=5)
    assert by_tcp and len(reply.answer[0]) == 100


def test_questions_in_one_segment_are_answered_in_order(running: dict[str, Running]) -> None:
    names = ["web.shop.svc.cluster.local.", "nothing.shop.svc.cluster.local.", "db.pets.svc.cluster.local."] * 50
    queries = [dns.message.make_query(name, "A") for name in names]
    raw = b"".join(struct.pack("!H", len(wire)) + wire for wire in (query.to_wire() for query in queries))
    with running["market"].connect() as sock:
        sock.sendall(raw[:100])
        sock.sendall(raw[100:])
        replies = [dns.message.from_wire(receive(sock)) for _ in queries]
    assert [reply.id for reply in replies] == [query.id for query in queries]


def test_a_client_that_does_not_read_holds_up_nobody(market: Running) -> None:
    wire = dns.message.make_query("many.pets.svc.cluster.local.", "SRV").to_wire()
    with market.connect() as greedy:
        greedy.setblocking(False)
        try:
            for _ in range(3000):
                greedy.send(struct.pack("!H", len(wire)) + wire)
        except BlockingIOError:
            pass
        for _ in range(20):
            check(market.udp, Case("web.shop.svc.cluster.local.", "A", "10.96.1.20"))
        (held,) = market.server._connections
        assert len(held.outbox) < 256 * 1024
        greedy.setblocking(True)
        greedy.settimeout(5)
        for _ in range(100):
            assert len(dns.message.from_wire(receive(greedy)).answer[0]) == 100


def test_a_client_that_breaks_off_is_forgotten(market: Running) -> None:
    for _ in range(20):
        sock = market.connect()
        sock.sendall(b"\0\x20half a mess")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()
    check(market.tcp, Case("web.shop.svc.cluster.local.", "A", "10.96.1.20"))
    check(market.udp, Case("web.shop.svc.cluster.local.", "A", "10.96.1.20"))


def test_no_stale_answer_follows_a_change(market: Running) -> None:
    """Clients hammer while an address changes: whoever asks after a change is answered with the new one."""
    failures: list[str] = []
    current = [0]
    over = threading.Event()

    def hammer() -> None:
        query = dns.message.make_query("web.shop.svc.cluster.local.", "A").to_wire()
        while not over.is_set():
            least = current[0]
            reply = dns.message.from_wire(market.udp(query))
            got = int(str(reply.answer[0][0]).rsplit(".", 1)[1])
            if got < least:
                failures.append(f"asked after {least}, got {got}")

    market.change({"services": {"shop/web": "10.96.2.0 http:80"}})
    clients = [threading.Thread(target=hammer) for _ in range(2)]
    for client in clients:
        client.start()
    for number in range(1, 200):
        market.change({"services": {"shop/web": f"10.96.2.{number} http:80"}})
        current[0] = number
    over.set()
    for client in clients:
        client.join(5)
    assert failures == []


def test_mutated_datagrams_leave_the_server_serving(market: Running) -> None:
    query = dns.message.make_query("db.pets.svc.cluster.local.", "A", use_edns=0).to_wire()
    dice = random.Random(os.environ.get("SEED", "1"))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(("127.0.0.1", market.server.port))
        for i in range(20_000):
            changed = bytearray(query)
            changed[dice.randrange(len(query))] = dice.randrange(256)
            sock.send(changed)
            if i % 100 == 0:  # not more at once than the socket holds: a lost datagram would prove nothing
                check(market.udp, Case("web.shop.svc.cluster.local.", "A", "10.96.1.20"))
    assert market.server.failures == 0


# --- As a component, with objects written through a real API server ------------------------------------

ADDRESS = "127.0.53.1"


class Deployed:
    """The DNS component as it runs on a node, and a client that writes objects."""

    def __init__(self, api, folder: Path) -> None:
        self.client = self._client(api, folder, "kubernetes-admin", "system:masters")
        self.component = Component(
            options=Options(name="dns", kubeconfig="", node="node-1", node_ip=ADDRESS, health_port=free_port()),
            client=self._client(api, folder, "system:dns:node-1", "system:node-dns"),
            journal=Journal(None, node="node-1", component="dns"),
            metrics=Registry(),
            events=Recorder(self.client, "dns"),
        )
        self.thread = threading.Thread(target=main.main, args=(self.component,), daemon=True)
        self.thread.start()

    @staticmethod
    def _client(api, folder: Path, user: str, *groups: str) -> Client:
        path = api.server.kubeconfig(folder / f"{user.replace(':', '-')}.conf", user, *groups)
        return Client.from_kubeconfig(str(path), user_agent=user)

    def udp(self, data: bytes) -> bytes:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(5)
            sock.connect((ADDRESS, params.DNS_PORT))
            sock.send(data)
            return sock.recv(65536)

    def answers(self, name: str, kind: str = "A") -> list[str]:
        reply = ask(self.udp, name, kind)
        return sorted(str(each) for rrset in reply.answer for each in rrset)

    def create(self, obj: Object) -> None:
        try:
            self.client.create(obj)
        except AlreadyExists:
            pass  # `default` and `kube-system`

    def close(self) -> None:
        self.component.stop.set()
        self.thread.join(5)
        assert not self.thread.is_alive()


@pytest.fixture(scope="module")
def deployed(api, tmp_path_factory) -> Iterator[Deployed]:
    made = Deployed(api, tmp_path_factory.mktemp("dns"))
    yield made
    made.close()


def test_objects_written_through_the_api_are_answered_as_the_cases_say(deployed: Deployed) -> None:
    """The headless Services and their slices, whose addresses no API server chooses."""
    world = CASES["worlds"]["market"]
    for obj in objects_of(world):
        headless = isinstance(obj, Service) and "None" in obj.spec.clusterIPs
        if (
            isinstance(obj, Namespace)
            or headless
            or (isinstance(obj, EndpointSlice) and obj.metadata.namespace == "pets")
        ):
            deployed.create(codec.from_dict(type(obj), codec.to_dict(obj)))
    last = f"{list(world['slices'])[-1].split('/')[1]}.pets.svc.cluster.local."
    wait_until(lambda: len(deployed.answers(last)) > 0, what="the last slice is answered")
    for case in (case for _, settings, cases in questions() for case in cases if settings == "market"):
        if ".pets.svc." in case.name and case.type in ("A", "AAAA", "SRV"):
            check(deployed.udp, case)


def test_a_change_is_answered_and_told_in_the_journal(deployed: Deployed) -> None:
    service = codec.from_dict(
        Service, {"metadata": {"name": "fresh", "namespace": "default"}, "spec": {"ports": [{"port": 80}]}}
    )
    made = deployed.client.create(service)
    name = "fresh.default.svc.cluster.local."
    wait_until(lambda: deployed.answers(name) == [made.spec.clusterIP], what="the new Service is answered")
    (entry,) = [e for e in deployed.component.journal.entries() if e["objects"] == ["services/default/fresh"]]
    assert entry["revisions"] == [made.metadata.resourceVersion]
    assert entry["data"] == {"name": name.rstrip("."), "addresses": [made.spec.clusterIP]}
    deployed.client.delete(Service, "fresh", "default")
    wait_until(lambda: deployed.answers(name) == [], what="the deleted Service is forgotten")


def test_it_goes_on_answering_while_the_api_server_is_away(deployed: Deployed, api) -> None:
    name = "kubernetes-away.default.svc.cluster.local."
    spec = {"metadata": {"name": "kubernetes-away", "namespace": "default"}, "spec": {"ports": [{"port": 80}]}}
    made = deployed.client.create(codec.from_dict(Service, spec))
    wait_until(lambda: deployed.answers(name) == [made.spec.clusterIP], what="the Service is answered")
    api.server.kill()
    try:
        for _ in range(20):
            check(deployed.udp, Case(name, "A", made.spec.clusterIP))
    finally:
        api.server.start()
    deployed.client.delete(Service, "kubernetes-away", "default")
    wait_until(lambda: deployed.answers(name) == [], what="the watch goes on")
