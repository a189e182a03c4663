"""A DNS server killed under questions refuses none: they wait in sockets that the zygote holds, for the next
server. One that hangs keeps its questions, so its node's agent takes it out of the rules."""

import signal
import socket
import struct
import threading
from collections import Counter

import dns.message
import dns.rcode
import pytest
from support.cluster import Cluster, until
from support.dnsbed import receive

from minik8s import params
from minik8s.cluster import registry, topology
from minik8s.host import clock, namespaces

pytestmark = pytest.mark.system

NODE, ASKS_FROM = "node-1", "node-2"
TRIES, TRY_S = 5, 1.0  # of a resolver, which asks again what was not answered


class Asker:
    """Asks one node's server from another node, one question after the other, until it is over."""

    def __init__(self, cluster: Cluster) -> None:
        self.namespace = registry.namespace(cluster.name, f"dns@{ASKS_FROM}")
        self.query = dns.message.make_query("kubernetes.default.svc.cluster.local.", "A").to_wire()
        self.outcomes: list[str] = []
        self.slowest = 0.0
        self.over = threading.Event()

    def run(self) -> None:
        while not self.over.is_set():
            for ask in (self.udp, self.udp, self.udp, self.tcp):
                began = clock.monotonic()
                try:
                    self.outcomes.append(dns.rcode.to_text(dns.message.from_wire(ask()).rcode()))
                except Exception as error:
                    self.outcomes.append(repr(error))
                self.slowest = max(self.slowest, clock.monotonic() - began)

    def connect(self, kind: int) -> socket.socket:
        sock = namespaces.in_ns(self.namespace, lambda: socket.socket(socket.AF_INET, kind))
        sock.settimeout(TRY_S if kind == socket.SOCK_DGRAM else TRIES * TRY_S)
        sock.connect((topology.node_address(NODE), params.DNS_PORT))
        return sock

    def udp(self) -> bytes:
        with self.connect(socket.SOCK_DGRAM) as sock:
            for _ in range(TRIES):
                sock.send(self.query)
                try:
                    return sock.recv(65536)
                except TimeoutError:
                    continue  # the one who died had taken it in
        raise TimeoutError

    def tcp(self) -> bytes:
        """A connection that ends without an answer was the dead server's own: resolvers connect once more."""
        for _ in range(2):
            with self.connect(socket.SOCK_STREAM) as sock:
                try:
                    sock.sendall(struct.pack("!H", len(self.query)) + self.query)
                    return receive(sock)
                except (AssertionError, ConnectionResetError):
                    continue
        raise ConnectionResetError

    def wait_more(self, count: int) -> None:
        enough = len(self.outcomes) + count
        until(lambda: len(self.outcomes) >= enough, f"{count} more questions are answered")


def test_a_server_that_is_killed_refuses_no_question(cluster: Cluster) -> None:
    asker = Asker(cluster)
    thread = threading.Thread(target=asker.run)
    thread.start()
    try:
        for _ in range(2):
            asker.wait_more(40)
            old = cluster.kill(f"dns@{NODE}")
            until(lambda old=old: cluster.pids().get(f"dns@{NODE}", old) != old, "it was started again")
        asker.wait_more(40)
    finally:
        asker.over.set()
        thread.join()
    print(f"\n{len(asker.outcomes)} questions over two kills, the slowest answered after {asker.slowest:.2f} s")
    assert set(asker.outcomes) == {"NOERROR"}, Counter(asker.outcomes)


def test_a_server_that_hangs_leaves_the_rules_of_its_node_and_returns(cluster: Cluster) -> None:
    """Only there it stands in them: whoever has a server of their own asks no other."""
    address = topology.node_address(NODE)
    began = clock.wall()
    cluster.signal([f"dns@{NODE}"], signal.SIGSTOP)
    try:
        gone = cluster.wait_rules(began, [NODE], removed=address)
    finally:
        woken = clock.wall()
        cluster.signal([f"dns@{NODE}"], signal.SIGCONT)
    back = cluster.wait_rules(woken, [NODE], added=address)
    print(f"\nout of the rules after {gone[NODE] - began:.2f} s, back after {back[NODE] - woken:.2f} s")
    change = cluster.rules(NODE, began, removed=address)
    assert change and any(topology.node_address(ASKS_FROM) in target for target in change["data"]["added"]), (
        "others serve instead"
    )
