"""Names of the rest of the world: a DNS server with `--upstream`, and an upstream server of the test's own."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import dns.message
import dns.rcode
import pytest
from dns_wire_checks import ask
from support.apiserver import free_port
from support.dnsbed import Bed, Served, wait_until
from support.dnsupstream import Upstream, upstream

from minik8s import params

pytestmark = pytest.mark.system
EXT = "{}.shop.svc.cluster.local."


@pytest.fixture(scope="module")
def world() -> Iterator[Upstream]:
    with upstream() as made:
        yield made


@pytest.fixture(scope="module")
def server(dns_bed: Bed, world: Upstream) -> Served:
    made = dns_bed.serve("--upstream", world.address)
    wait_until(made.ready, what="the first list is in")
    return made


def told(reply: dns.message.Message) -> list[str]:
    return [f"{rrset.name} {rrset.ttl} {rdata}" for rrset in reply.answer for rdata in rrset]


NX, NODATA = "NXDOMAIN", "NOERROR"
WWW = "www.example.com. 300 192.0.2.53"
CASES = [
    ("www.example.com.", "A", "NOERROR", [WWW]),
    ("WWW.eXample.com.", "A", "NOERROR", ["WWW.eXample.com. 300 192.0.2.53"]),
    ("alias.example.com.", "A", "NOERROR", ["alias.example.com. 120 www.example.com.", WWW]),
    ("mail.example.com.", "MX", "NOERROR", ["mail.example.com. 50 10 mx.mail.example.com."]),
    ("gone.example.com.", "A", NX, []),
    ("v4only.example.com.", "AAAA", NODATA, []),
    (EXT.format("ext"), "A", "NOERROR", [f"{EXT.format('ext')} 5 www.example.com.", WWW]),
    (EXT.format("ext"), "CNAME", "NOERROR", [f"{EXT.format('ext')} 5 www.example.com."]),
    (
        EXT.format("ext-alias"),
        "A",
        "NOERROR",
        [f"{EXT.format('ext-alias')} 5 alias.example.com.", "alias.example.com. 120 www.example.com.", WWW],
    ),
    (EXT.format("ext-gone"), "A", NX, [f"{EXT.format('ext-gone')} 5 gone.example.com."]),
    (EXT.format("ext-v4"), "TXT", NODATA, [f"{EXT.format('ext-v4')} 5 v4only.example.com."]),
    ("8.8.8.8.in-addr.arpa.", "PTR", "NOERROR", ["8.8.8.8.in-addr.arpa. 300 dns.example.com."]),
    ("9.8.8.8.in-addr.arpa.", "PTR", NX, []),
]


@pytest.mark.parametrize("case", CASES, ids=[f"{case[0]} {case[1]}" for case in CASES])
@pytest.mark.parametrize("protocol", ["udp", "tcp"])
def test_a_name_of_the_rest_of_the_world(server: Served, protocol: str, case) -> None:
    name, kind, rcode, expected = case
    reply = ask(getattr(server, protocol), name, kind)
    assert dns.rcode.to_text(reply.rcode()) == rcode and reply.flags & dns.flags.RA
    now = [f"{line.split()[0]} {line.split()[2:]}" for line in told(reply)]
    assert now == [f"{line.split()[0]} {line.split()[2:]}" for line in expected]
    for line, most in zip(told(reply), expected, strict=True):
        assert 0 <= int(line.split()[1]) <= int(most.split()[1])
    if rcode == NX or not expected:
        (soa,) = reply.authority
        assert str(soa.name) == "example.com." and soa.ttl <= 60


def test_our_own_names_are_never_asked_of_others(server: Served, world: Upstream) -> None:
    for name in ("nothing.shop.svc.cluster.local.", "www.example.com.shop.svc.cluster.local.", "x.cluster.local."):
        assert ask(server.udp, name, "A").rcode() == dns.rcode.NXDOMAIN
    assert not [asked for asked in world.asked if asked[0].endswith("cluster.local.")]


def test_answers_are_kept_and_grow_old(server: Served, world: Upstream) -> None:
    first = ask(server.udp, "v4only.example.com.", "A").answer[0].ttl
    count = world.count("v4only.example.com.")
    wait_until(lambda: ask(server.udp, "v4only.example.com.", "A").answer[0].ttl <= first - 2, 5, "two seconds pass")
    assert world.count("v4only.example.com.") == count
    assert b"coredns_forward_requests_total" in server.page("/metrics")


def test_many_who_ask_at_once_are_one_question(server: Served, world: Upstream) -> None:
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: ask(server.udp, "many.example.com.", "A"), range(40)))
    assert {reply.rcode() for reply in replies} == {dns.rcode.NXDOMAIN}
    assert world.count("many.example.com.") == 1


def test_a_reply_that_was_cut_is_asked_for_over_tcp(server: Served, world: Upstream) -> None:
    assert len(ask(server.tcp, "big.example.com.", "A").answer[0]) == 100
    assert [asked[2] for asked in world.asked if asked[0] == "big.example.com."] == ["udp", "tcp"]


def test_a_server_that_understands_no_edns_is_asked_without(server: Served, world: Upstream) -> None:
    assert told(ask(server.udp, "old.example.com.", "A")) == ["old.example.com. 300 192.0.2.57"]
    assert world.count("old.example.com.") == 2


def test_a_forged_reply_is_not_believed(server: Served) -> None:
    assert [str(each) for each in ask(server.udp, "forged.example.com.", "A").answer[0]] == ["192.0.2.56"]


def test_ids_and_source_ports_cannot_be_foreseen(server: Served, world: Upstream) -> None:
    for number in range(20):
        ask(server.udp, f"n{number}.example.com.", "A")
    mine = [asked for asked in world.asked if asked[0].startswith("n") and asked[0][1].isdigit()]
    assert len({asked[3] for asked in mine}) > 15 and len({asked[4] for asked in mine}) > 15


def test_nobody_waits_longer_than_a_stub_resolver_does(server: Served) -> None:
    began = time.monotonic()
    with ThreadPoolExecutor(2) as pool:
        straight = pool.submit(ask, server.udp, "slow.example.com.", "A")
        alias = pool.submit(ask, server.udp, EXT.format("ext-slow"), "A")
        time_of_others = time.monotonic()
        assert ask(server.udp, EXT.format("web"), "A").answer  # nobody else waits at all
        assert time.monotonic() - time_of_others < 1
        replies = [straight.result(), alias.result()]
    assert [reply.rcode() for reply in replies] == [dns.rcode.SERVFAIL] * 2
    assert time.monotonic() - began < 5


def test_a_former_answer_is_better_than_none(dns_bed: Bed) -> None:
    """RFC 8767: the server that knew does not answer any more, and the TTL is over."""
    with upstream() as world:
        server = dns_bed.serve("--upstream", world.address)
        wait_until(server.ready, what="the first list is in")
        assert told(ask(server.udp, "short.example.com.", "A")) == ["short.example.com. 1 192.0.2.55"]
        world.silent = True
        stale = [f"short.example.com. {params.DNS_STALE_TTL_S} 192.0.2.55"]
        wait_until(lambda: told(ask(server.udp, "short.example.com.", "A")) == stale, 5, "the former answer is given")
        server.close()


def test_the_next_server_is_asked_when_one_is_dead_or_silent(dns_bed: Bed, world: Upstream) -> None:
    with upstream() as mute:
        mute.silent = True
        server = dns_bed.serve("--upstream", f"127.0.0.1:{free_port()},{mute.address},{world.address}")
        wait_until(server.ready, what="the first list is in")
        assert told(ask(server.udp, "www.example.com.", "A")) == [WWW]
        assert mute.count("www.example.com.") == 1
        server.close()


def test_a_server_that_asks_us_back_is_found_and_named(dns_bed: Bed) -> None:
    with upstream() as world:
        server = dns_bed.serve("--upstream", world.address)
        world.relay = (server.address, params.DNS_PORT)
        wait_until(server.ready, what="the first list is in")
        wait_until(lambda: "asks us what we ask it" in server.log, 5, "the loop is found")
        assert f"loop: upstream {world.address}" in server.log
        assert ask(server.udp, "www.example.com.", "A").rcode() == dns.rcode.SERVFAIL
        assert b"[-]upstream failed: a loop" in server.page("/readyz", 500)
        assert ask(server.udp, EXT.format("web"), "A").answer
        server.close()


def test_a_loop_by_name_is_refused_at_the_start(dns_bed: Bed) -> None:
    server = dns_bed.serve("--upstream", "127.0.0.53")
    assert server.process.wait(10) == 1
    assert "--upstream 127.0.0.53 is a loop" in server.log
