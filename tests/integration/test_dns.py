"""The DNS server as it runs on a node: processes that watch a real API server, asked over the sockets of 127.0.0.0/8.

Every case of tests/unit/dns/cases.yaml, both protocols, from objects written through the API; then changes, and what
goes on while the API server, the reader or the server itself goes away.
"""

import json
import random
import signal
import socket
import struct
import threading
from collections.abc import Iterator

import dns.message
import dns.query
import pytest
from dns_messages import RAW, mutated
from dns_wire_checks import CHECKS, check, check_raw
from dns_worlds import CASES, Case, lines, questions
from support.dnsbed import Bed, Served, holds, receive, wait_until

from minik8s import params
from minik8s.api import codec
from minik8s.api.core import Service
from minik8s.host import processes

pytestmark = pytest.mark.system

TTL = {"market": 5, "market, pods verified": 30, "market, pods disabled": 5}
FLAGS = {"market": (), "market, pods verified": ("--dns-pods", "verified", "--dns-ttl", "30")}
FLAGS |= {"market, pods disabled": ("--dns-pods", "disabled")}
WEB = Case("web.shop.svc.cluster.local.", "A", "10.96.1.20")


@pytest.fixture(scope="module")
def servers(dns_bed: Bed) -> dict[str, Served]:
    """One for each way to set it up, all of the same objects."""
    made = {settings: dns_bed.serve(*flags) for settings, flags in FLAGS.items()}
    for server in made.values():
        wait_until(server.ready, what="the first list is in")
    return made


@pytest.fixture(scope="module")
def market(servers: dict[str, Served]) -> Served:
    return servers["market"]


# --- Every case -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", FLAGS)
@pytest.mark.parametrize("protocol", ["udp", "tcp"])
def test_every_case_holds_for_objects_written_through_the_api(servers, settings: str, protocol: str) -> None:
    for _, world, cases in questions():
        for case in cases if world == settings else []:
            check(getattr(servers[settings], protocol), case, TTL[settings])


@pytest.mark.parametrize("holds", CHECKS, ids=[each.__name__ for each in CHECKS])
def test_on_the_wire(market: Served, holds) -> None:
    holds(market.udp)


def test_messages_of_odd_bytes_get_what_they_deserve(market: Served) -> None:
    for data, expected in RAW.values():
        if expected:
            check_raw(market.udp, data, expected)
    silent = [data for data, expected in RAW.values() if not expected]
    query = dns.message.make_query(WEB.name, "A")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(5)
        sock.connect((market.address, params.DNS_PORT))
        for data in (*silent, query.to_wire()):
            sock.send(data)
        assert dns.message.from_wire(sock.recv(4096)).id == query.id  # the first that was answered is the question


@pytest.fixture
def changed(dns_bed: Bed) -> Iterator[Bed]:
    """The bed; afterwards its objects are as they were."""
    before = dict(dns_bed.objects)
    yield dns_bed
    for key in dns_bed.objects.keys() - before.keys():
        dns_bed.remove(key)
    dns_bed.restore(before)


@pytest.mark.parametrize("change", CASES["changes"], ids=[change["promise"] for change in CASES["changes"]])
def test_a_change_through_the_api_is_answered(market: Served, changed: Bed, change: dict) -> None:
    for case in lines(change["before"]):
        holds(market.udp, case)
    for key in change.get("remove", []):
        changed.remove(key)
    changed.put(change.get("put", {}))
    for case in lines(change["after"]):
        holds(market.udp, case)
        check(market.tcp, case)


# --- Changes ----------------------------------------------------------------------------------------------------------


def service(name: str, **spec) -> Service:
    given = {"metadata": {"name": name, "namespace": "shop"}, "spec": {"ports": [{"port": 80}], **spec}}
    return codec.from_dict(Service, given)


def test_no_stale_answer_follows_a_change(market: Served, dns_bed: Bed) -> None:
    """Clients hammer while a name changes. Once somebody was answered with the new, nobody is with the old again."""
    name, over = "turning.shop.svc.cluster.local.", threading.Event()
    seen: list[list[int]] = [[], []]

    def hammer(mine: list[int]) -> None:
        query = dns.message.make_query(name, "CNAME").to_wire()
        while not over.is_set():
            (rrset,) = dns.message.from_wire(market.udp(query)).answer
            mine.append(int(str(rrset[0].target).split(".")[0][1:]))

    dns_bed.client.create(service("turning", type="ExternalName", externalName="n0.example.com"))
    wait_until(lambda: market.answers(name, "CNAME") == ["n0.example.com."], what="the Service is answered")
    clients = [threading.Thread(target=hammer, args=(mine,)) for mine in seen]
    for client in clients:
        client.start()
    for number in range(1, 101):
        dns_bed.client.patch(Service, "turning", "shop", {"spec": {"externalName": f"n{number}.example.com"}})
    wait_until(lambda: market.answers(name, "CNAME") == ["n100.example.com."], what="the last change is answered")
    after = [len(mine) for mine in seen]
    wait_until(lambda: all(len(m) > n + 50 for m, n in zip(seen, after, strict=True)), what="they ask on")
    over.set()
    for client in clients:
        client.join(5)
    dns_bed.client.delete(Service, "turning", "shop")
    for mine, since in zip(seen, after, strict=True):
        assert mine == sorted(mine), "an older answer came after a newer one"
        assert set(mine[since + 1 :]) == {100}, "an old answer came after the last change had been answered"


def test_a_change_is_told_in_the_journal(market: Served, dns_bed: Bed) -> None:
    made = dns_bed.client.create(service("fresh"))
    name = "fresh.shop.svc.cluster.local."
    wait_until(lambda: market.answers(name) == [made.spec.clusterIP], what="the new Service is answered")
    journal = map(json.loads, market.page("/debug/journal").splitlines())
    (entry,) = [each for each in journal if each["objects"] == ["services/shop/fresh"]]
    assert entry["revisions"] == [made.metadata.resourceVersion] and entry["because"] == "Service fresh appeared"
    assert entry["data"] == {"name": name.rstrip("."), "addresses": [made.spec.clusterIP]}
    dns_bed.client.delete(Service, "fresh", "shop")
    wait_until(lambda: market.answers(name) == [], what="the deleted Service is forgotten")


# --- What goes away ---------------------------------------------------------------------------------------------------


def test_before_the_first_list_a_miss_is_no_answer_to_remember(dns_bed: Bed) -> None:
    """An API server that nobody can reach: every name of ours is SERVFAIL, none is NXDOMAIN."""
    lost = dns_bed.serve(api="https://127.0.0.1:9")
    wait_until(lambda: "answering" in lost.log, what="it has started")
    for name in ("nothing.shop.svc.cluster.local.", WEB.name, "1.1.96.10.in-addr.arpa.", "www.example.com."):
        check(lost.udp, Case(name, "A", "SERVFAIL"))
    assert b"[-]synced failed" in lost.page("/readyz", 500)
    lost.close()


def test_it_goes_on_answering_while_the_api_server_is_away(market: Served, dns_bed: Bed) -> None:
    dns_bed.server.kill()
    try:
        for _ in range(20):
            check(market.udp, WEB)
    finally:
        dns_bed.server.start()
    made = dns_bed.client.create(service("back"))
    wait_until(
        lambda: market.answers("back.shop.svc.cluster.local.") == [made.spec.clusterIP], what="the watch goes on"
    )
    dns_bed.client.delete(Service, "back", "shop")


def test_a_question_asked_while_it_starts_waits_for_the_first_list(dns_bed: Bed) -> None:
    """Nobody who asks a server that was just started is told that a name does not exist, or to come again."""
    server = dns_bed.serve()
    wait_until(server.listens, what="it listens")
    check(server.udp, WEB)
    server.signal(signal.SIGKILL)
    server.process.wait()
    server.start()
    wait_until(server.listens, what="it listens again, at the same address")
    check(server.udp, WEB)
    server.close()


def test_neither_the_reader_nor_the_server_outlives_the_other(dns_bed: Bed) -> None:
    server = dns_bed.serve()
    wait_until(server.ready, what="the first list is in")
    (reader,) = server.workers()
    assert processes.command_line(reader) == "minik8s: dns@node-1 reader"
    server.signal(signal.SIGKILL)
    server.process.wait()
    wait_until(lambda: not processes.alive(reader), what="the reader ends with its server")
    server.start()
    wait_until(server.ready, what="the first list is in again")
    processes.kill(server.workers()[0], signal.SIGKILL)
    assert server.process.wait(5) == 1 and "the reader has ended" in server.log


# --- TCP, and what is not nice ----------------------------------------------------------------------------------------


def test_a_truncated_reply_is_whole_over_tcp(market: Served) -> None:
    query = dns.message.make_query("many.pets.svc.cluster.local.", "A", use_edns=0)
    reply, by_tcp = dns.query.udp_with_fallback(query, market.address, port=params.DNS_PORT, timeout=5)
    assert by_tcp and len(reply.answer[0]) == 100


def test_questions_in_one_segment_are_answered_in_order(market: Served) -> None:
    names = [WEB.name, "nothing.shop.svc.cluster.local.", "db.pets.svc.cluster.local."] * 50
    queries = [dns.message.make_query(name, "A") for name in names]
    raw = b"".join(struct.pack("!H", len(wire)) + wire for wire in (query.to_wire() for query in queries))
    with market.connect() as sock:
        sock.sendall(raw[:100])
        sock.sendall(raw[100:])
        replies = [dns.message.from_wire(receive(sock)) for _ in queries]
    assert [reply.id for reply in replies] == [query.id for query in queries]


def test_a_client_that_does_not_read_holds_up_nobody(market: Served) -> None:
    """Twenty megabytes of replies are asked for; what the server keeps of them is bounded."""
    wire = dns.message.make_query("many.pets.svc.cluster.local.", "SRV").to_wire()
    before = processes.pss(market.process.pid)
    with market.connect() as greedy:
        greedy.setblocking(False)
        try:
            for _ in range(3000):
                greedy.send(struct.pack("!H", len(wire)) + wire)
        except BlockingIOError:
            pass
        for _ in range(20):
            check(market.udp, WEB)
        assert processes.pss(market.process.pid) - before < 4e6
        greedy.setblocking(True)
        greedy.settimeout(5)
        for _ in range(100):
            assert len(dns.message.from_wire(receive(greedy)).answer[0]) == 100


def test_a_client_that_breaks_off_is_forgotten(market: Served) -> None:
    for _ in range(20):
        sock = market.connect()
        sock.sendall(b"\0\x20half a mess")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()
    check(market.tcp, WEB)
    check(market.udp, WEB)


def test_mutated_datagrams_leave_the_server_serving(market: Served) -> None:
    query = dns.message.make_query("db.pets.svc.cluster.local.", "A", use_edns=0).to_wire()
    dice = random.Random(1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect((market.address, params.DNS_PORT))
        for i in range(20_000):
            sock.send(mutated(query, dice))
            if i % 100 == 0:  # not more at once than the socket holds: a lost datagram would prove nothing
                check(market.udp, WEB)
    assert b"coredns_panics_total 0\n" in market.page("/metrics")
