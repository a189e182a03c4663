"""Other servers' replies: what is believed, how long it is kept, and that no reply harms."""

import random

import dns.message
import dns.rrset
import pytest
from dns_messages import mutated

from minik8s import params
from minik8s.dns import foreign, servers
from minik8s.dns.cache import Cache
from minik8s.dns.records import Answer

WWW = (("www", "example", "com"), 1)
SOA = "example.com. 600 IN SOA ns.example.com. host.example.com. 1 7200 900 86400 20"


def reply(*answers: str, name: str = "www.example.com.", rcode: str = "NOERROR", authority: str = "") -> foreign.Reply:
    query = dns.message.make_query(name, "A", use_edns=0)
    made = dns.message.make_response(query)
    made.answer = [dns.rrset.from_text(*each.split(None, 4)) for each in answers]
    made.authority = [dns.rrset.from_text(*authority.split(None, 4))] if authority else []
    made.set_rcode(getattr(dns.rcode, rcode))
    return foreign.read(made.to_wire())


def told(answer: Answer | None) -> list[str]:
    assert answer is not None and answer.foreign
    return [f"{foreign.readable(r.owner)} {r.ttl} {foreign.text(r)}" for r in (*answer.answers, *answer.authority)]


A = "www.example.com. 300 IN A 192.0.2.53"


def test_ttls_grow_old_and_end() -> None:
    cache = Cache()
    cache.store(WWW, reply(A), 1000.0)
    assert told(cache.fresh(WWW, 1000.0)) == ["www.example.com. 300 192.0.2.53"]
    assert told(cache.fresh(WWW, 1120.5)) == ["www.example.com. 180 192.0.2.53"]
    assert cache.fresh(WWW, 1300.0) is None


def test_the_lowest_ttl_of_a_chain_is_that_of_the_whole() -> None:
    cache = Cache()
    cache.store(WWW, reply("www.example.com. 20 IN CNAME web.example.net.", "web.example.net. 300 IN A 192.0.2.1"), 0.0)
    expected = ["www.example.com. 15 web.example.net.", "web.example.net. 295 192.0.2.1"]
    assert told(cache.fresh(WWW, 5.0)) == expected
    assert cache.fresh(WWW, 20.0) is None


@pytest.mark.parametrize(("rcode", "code"), [("NXDOMAIN", 3), ("NOERROR", 0)])
def test_a_miss_is_kept_as_long_as_its_soa_says(rcode: str, code: int) -> None:
    cache = Cache()
    cache.store(WWW, reply(rcode=rcode, authority=SOA), 0.0)
    found = cache.fresh(WWW, 4.0)
    assert found is not None and found.rcode == code
    assert told(found) == ["example.com. 16 ns.example.com. host.example.com. 1 7200 900 86400 20"]
    assert cache.fresh(WWW, 20.0) is None


def test_a_miss_without_soa_is_good_for_those_who_wait_only() -> None:
    cache = Cache()
    cache.store(WWW, reply(rcode="NXDOMAIN"), 0.0)
    assert cache.fresh(WWW, 0.5) is not None and cache.fresh(WWW, 1.0) is None


def test_what_was_not_asked_for_is_not_believed() -> None:
    cache = Cache()
    cache.store(WWW, reply(A, "bank.example.org. 300 IN A 192.0.2.66", "www.example.com. 300 IN TXT x"), 0.0)
    assert told(cache.fresh(WWW, 0.0)) == ["www.example.com. 300 192.0.2.53"]


def test_a_former_answer_is_kept_for_need() -> None:
    cache = Cache()
    cache.store(WWW, reply(A), 0.0)
    assert told(cache.stale(WWW, 301.0)) == ["www.example.com. 30 192.0.2.53"]
    cache.fail(WWW, 301.0)
    assert told(cache.fresh(WWW, 305.0)) == ["www.example.com. 30 192.0.2.53"]  # nobody is asked again for a moment
    assert cache.fresh(WWW, 306.5) is None
    assert cache.stale(WWW, 301.0 + params.DNS_STALE_KEPT_S) is None


def test_a_failure_is_remembered_for_a_moment() -> None:
    cache = Cache()
    cache.fail(WWW, 0.0)
    found = cache.fresh(WWW, 4.9)
    assert found is not None and found.rcode == 2
    assert cache.fresh(WWW, 5.0) is None and cache.stale(WWW, 1.0) is None


def test_the_cache_is_bounded() -> None:
    cache = Cache(limit=3)
    for number in range(10):
        cache.fail(((str(number),), 1), 0.0)
    assert len(cache) == 3 and cache.fresh((("9",), 1), 0.0) is not None


def test_no_reply_harms() -> None:
    """Mutated replies: each is read, or refused with ValueError, and in either case it ends."""
    query = dns.message.make_query("www.example.com.", "MX", use_edns=0)
    made = dns.message.make_response(query)
    made.answer = [
        dns.rrset.from_text("www.example.com.", 300, "IN", "CNAME", "web.example.com."),
        dns.rrset.from_text("web.example.com.", 300, "IN", "MX", "10 mail.example.com.", "20 mail.web.example.com."),
    ]
    made.authority = [dns.rrset.from_text(*SOA.split(None, 4))]
    raw, dice, refused = made.to_wire(), random.Random(1), 0
    told = sorted(foreign.text(record) for record in foreign.read(raw).answers)
    assert told == ["10 mail.example.com.", "20 mail.web.example.com.", "web.example.com."]
    for _ in range(20_000):
        try:
            for record in foreign.read(mutated(raw, dice)).answers:
                assert foreign.text(record) if record.type != 41 else True
        except ValueError:
            refused += 1
    assert 0 < refused < 20_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("192.0.2.1", (("192.0.2.1", 53),)),
        ("192.0.2.1:5353, 2001:db8::1", (("192.0.2.1", 5353), ("2001:db8::1", 53))),
        ("[2001:db8::1]:54", (("2001:db8::1", 54),)),
        ("192.168.56.11", (("192.168.56.11", 53),)),
    ],
)
def test_servers_are_addresses_with_ports(text: str, expected: tuple) -> None:
    assert servers.parse(text, ["192.168.56.11"]) == expected


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("dns.example.com", "not an address"),
        ("192.0.2.1:0", "not an address"),
        ("127.0.0.53", "loop: it is a machine's own stub resolver"),
        ("10.96.0.10", "loop: that is the cluster's own DNS"),
        ("192.168.56.11:10053", "loop: that is the cluster's own DNS"),
    ],
)
def test_what_can_be_no_upstream_server_is_refused_by_name(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=r"--upstream .*" + says):
        servers.parse(text, ["192.168.56.11"])
