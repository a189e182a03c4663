"""The sidecar's relay and rules in namespaces without a cluster: what only goes wrong now and then, made to happen.

Pod `a` of `support/proxynet.py` is served; its sandbox is a process that sleeps. Servers answer in `b` and `c`.
"""

import contextlib
import hashlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from support import proxynet
from support.cluster import until
from support.proxynet import ns

from minik8s import params
from minik8s.host import clock, namespaces, processes
from minik8s.host.journal import Journal
from minik8s.host.metrics import Registry
from minik8s.proxy.endpoints import Endpoint
from minik8s.proxy.sidecar import world
from minik8s.proxy.sidecar.metrics import Metrics
from minik8s.proxy.sidecar.plan import Client, Served
from minik8s.proxy.sidecar.relay import Relay

pytestmark = pytest.mark.system

SERVICE = ("10.96.0.5", 80)
CLIENT = Client("default/a", "uid-a", (proxynet.PODS["a"][0],))
B, C, SILENT = "10.244.1.3:8080", "10.244.2.2:8080", "10.244.1.99:8080"
REFUSING = "10.244.1.3:9"


@dataclass
class Bed:
    """A relay that serves Pod `a`."""

    sandbox: "processes.Popen[bytes]"
    journal: Journal = field(default_factory=Journal)
    registry: Registry = field(default_factory=Registry)
    ended: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        self.relay = Relay(self.journal, Metrics(self.registry), lambda uid: self.ended.set())
        self.relay.start()
        self.place = world.enter(CLIENT, world.find([CLIENT])[CLIENT.uid])
        self.relay.add(self.place)

    def serve(self, *targets: str, affinity: int = 0) -> None:
        endpoints = [target.rpartition(":") for target in targets]
        known = tuple(Endpoint(address, int(port)) for address, _, port in endpoints)
        services = {SERVICE: Served("default/web", "default/web:http", known, affinity)}
        self.relay.serve(services)
        assert not world.redirect([self.place], services)

    def connect(self, address: tuple[str, int] = SERVICE) -> socket.socket:
        return namespaces.in_ns(ns("a"), lambda: socket.create_connection(address, 10))

    def ask(self) -> str:
        """Who answered, and whom it saw."""
        with self.connect() as sock:
            return proxynet.talk(sock)

    def expect_reset(self, address: tuple[str, int] = SERVICE) -> None:
        """It may come before the client has even noticed that it is connected."""
        with pytest.raises(ConnectionResetError), self.connect(address) as sock:
            sock.recv(1)

    def release(self) -> None:
        self.relay.remove(CLIENT.uid)
        self.place.close()


@pytest.fixture(scope="module")
def net() -> Iterator[None]:
    proxynet.build()
    servers = proxynet.Servers()
    yield
    servers.close()
    for name in namespaces.names(proxynet.PREFIX):
        namespaces.delete(name)


@pytest.fixture
def bed(net: None) -> Iterator[Bed]:
    found = Bed(processes.pipe(["sleep", "600"], ns=ns("a")))
    namespaces.in_ns(ns("n1"), found.start)
    yield found
    until(lambda: found.relay.open == 0, "every connection has ended")
    found.release()
    found.relay.stop()
    found.sandbox.kill()
    found.sandbox.wait()
    assert found.relay.failure is None


def test_whoever_is_silent_costs_the_first_connection_some_time_and_the_next_none(bed: Bed) -> None:
    bed.serve(SILENT)
    began = clock.monotonic()
    with pytest.raises(ConnectionResetError):
        bed.ask()
    assert clock.monotonic() - began >= params.SIDECAR_CONNECT_TIMEOUT_S
    bed.serve(SILENT, B)
    began = clock.monotonic()
    assert {bed.ask() for _ in range(20)} == {f"b {CLIENT.addresses[0]}"}
    assert clock.monotonic() - began < params.SIDECAR_CONNECT_TIMEOUT_S, "it comes last for a while"
    assert 'retries_total{service="default/web",why="timeout"} 1' in bed.registry.text()
    assert [each["data"]["target"] for each in bed.journal.entries()] == [SILENT]


def test_a_client_is_reset_when_nobody_takes_its_connection(bed: Bed) -> None:
    bed.serve(REFUSING)
    bed.expect_reset()
    assert 'failed_connections_total{service="default/web"} 1' in bed.registry.text()


def test_a_pod_reaches_itself_and_is_refused_by_itself(bed: Bed) -> None:
    bed.serve(f"{CLIENT.addresses[0]}:8080")
    assert bed.ask() == f"a {CLIENT.addresses[0]}"
    bed.serve(f"{CLIENT.addresses[0]}:9", B)
    assert {bed.ask() for _ in range(10)} == {f"b {CLIENT.addresses[0]}"}, "that refusal comes at once"
    bed.serve("198.51.100.1:80")
    processes.run(["ip", "route", "add", "unreachable", "198.51.100.0/24"], ns=ns("a"))
    bed.expect_reset()


def test_an_endpoint_that_breaks_off_is_heard_as_that(bed: Bed) -> None:
    with namespaces.in_ns(ns("b"), lambda: socket.create_server(("10.244.1.3", 8090))) as server:
        bed.serve("10.244.1.3:8090")
        with bed.connect() as sock:
            end, _ = server.accept()
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, bytes([1, 0, 0, 0, 0, 0, 0, 0]))
            end.close()
            with pytest.raises(ConnectionResetError):
                sock.recv(1)


def test_a_long_answer_to_a_slow_reader_arrives_whole(bed: Bed) -> None:
    block = bytes(range(251)) * 4000
    with namespaces.in_ns(ns("b"), lambda: socket.create_server(("10.244.1.3", 8091))) as server:

        def pour() -> None:
            with server.accept()[0] as end:
                for _ in range(20):
                    end.sendall(block)

        threading.Thread(target=pour, daemon=True).start()
        bed.serve("10.244.1.3:8091")
        with bed.connect() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            sock.shutdown(socket.SHUT_WR)
            got = hashlib.sha256()
            while data := sock.recv(30_000):
                got.update(data)
    assert got.digest() == hashlib.sha256(block * 20).digest()


def test_a_client_stays_with_its_endpoint_until_that_refuses(bed: Bed) -> None:
    bed.serve(B, C, affinity=10800)
    first = bed.ask()
    assert {bed.ask() for _ in range(10)} == {first}
    bed.serve(REFUSING, C if first.startswith("b") else B, affinity=10800)
    second = bed.ask()
    assert second != first and {bed.ask() for _ in range(10)} == {second}


def test_long_connections_are_spread_evenly(bed: Bed) -> None:
    bed.serve(B, C)
    socks = [bed.connect() for _ in range(20)]
    answers = [proxynet.talk(sock)[0] for sock in socks]
    assert answers.count("b") == answers.count("c") == 10
    for sock in socks:
        sock.close()
    until(lambda: bed.relay.open == 0, "all have ended")


def test_one_connection_too_many_is_reset_at_once(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    bed.serve(B)
    monkeypatch.setattr(params, "SIDECAR_CONNECTIONS", 2)
    with bed.connect() as first, bed.connect() as second:
        assert proxynet.talk(first) == proxynet.talk(second)
        bed.expect_reset()
    until(lambda: bed.relay.open == 0, "the two have ended")
    bed.ask()
    until(lambda: bed.relay.open == 0, "so has the one that had room again")


def test_who_comes_to_the_listener_by_itself_is_sent_away(bed: Bed) -> None:
    bed.serve(B)
    bed.expect_reset(("127.0.0.1", params.SIDECAR_PORT))


def test_the_rules_go_with_whoever_made_them_and_come_again(net: None) -> None:
    """Twice, because the second round finds what the first one left."""
    for _ in range(2):
        sandbox = processes.pipe(["sleep", "600"], ns=ns("a"))
        bed = Bed(sandbox)
        namespaces.in_ns(ns("n1"), bed.start)
        bed.serve(B)
        assert "redirect to :15001" in listed()
        with bed.connect() as sock:
            proxynet.talk(sock)
            bed.place.nft.close()  # what the kernel does for a process that dies
            assert "redirect" not in listed()
            assert proxynet.talk(sock).startswith("b"), "what is open is still translated"
        until(lambda bed=bed: bed.relay.open == 0, "and ends as it should")
        bed.place.nft = None
        bed.release()
        bed.relay.stop()
        sandbox.kill()
        sandbox.wait()


def listed() -> str:
    return processes.run(["nft", "list", "ruleset"], ns=ns("a")).stdout


def test_what_is_open_ends_with_the_sandbox_even_after_the_pod_was_released(bed: Bed) -> None:
    bed.serve(B)
    with contextlib.ExitStack() as stack:
        sock = stack.enter_context(bed.connect())
        proxynet.talk(sock)
        bed.relay.remove(CLIENT.uid)
        assert proxynet.talk(sock).startswith("b"), "it goes on"
        bed.sandbox.kill()
        assert bed.ended.wait(5)
        with pytest.raises(ConnectionResetError):
            sock.recv(1)
    assert bed.relay.connections() == []
