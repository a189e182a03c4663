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

from dns_wire_checks import check
from dns_worlds import CASES, Case, World, lines, questions

from minik8s.dns.server import Server

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
