"""Asks a server through dnspython, an independent parser, and checks its answer against a case; then what must hold on
the wire whatever is asked (`CHECKS`).

Shared with the integration tests.
"""

from collections.abc import Callable

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
from dns_worlds import TTL, Case, absolute

Ask = Callable[[bytes], bytes | None]


def ask(server: Ask, name: str, kind: str, **options: object) -> dns.message.Message:
    """Put one question; the reply must parse, be a reply to it, and bring the question back as it was sent."""
    query = dns.message.make_query(name, kind, **options)
    raw = server(query.to_wire())
    assert raw is not None, f"no reply to {name} {kind}"
    reply = dns.message.from_wire(raw)
    assert reply.id == query.id
    assert reply.flags & dns.flags.QR
    assert str(reply.question[0].name) == name
    return reply


def check(server: Ask, case: Case, ttl: int = TTL) -> None:
    """The whole answer is what the case says: code, records, owners, TTL, and the SOA when nothing was found."""
    reply = ask(server, case.name, case.type)
    *aliases, last = steps(case.expected)
    negative = last in ("NODATA", "NXDOMAIN", "SERVFAIL")
    code = {"NODATA": "NOERROR"}.get(last, last) if negative else "NOERROR"
    assert dns.rcode.to_text(reply.rcode()) == code, f"{case}\n{reply}"
    owner, found = case.name, list(reply.answer)
    for alias in aliases:
        rrset = found.pop(0)
        assert (str(rrset.name), rrset.ttl, rrset.rdtype) == (owner, ttl, dns.rdatatype.CNAME), f"{case}\n{reply}"
        owner = str(rrset[0].target)
        assert owner == absolute(alias), f"{case}\n{reply}"
    if negative:
        assert not found and len(reply.authority) == (0 if last == "SERVFAIL" else 1), f"{case}\n{reply}"
        for rrset in reply.authority:
            assert rrset.rdtype == dns.rdatatype.SOA and (rrset.ttl, rrset[0].minimum) == (ttl, ttl), f"{case}\n{reply}"
        return
    if last == "":
        assert not found
        return
    (rrset,) = found
    assert str(rrset.name) == owner and rrset.ttl == ttl, f"{case}\n{reply}"
    if last != "*":
        assert sorted(map(readable, rrset)) == sorted(wanted(case.type, last)), f"{case}\n{reply}"
    assert not reply.authority


def steps(expected: str) -> list[str]:
    """`-> a, -> b, 1.2.3.4, 1.2.3.5` as [a, b, "1.2.3.4, 1.2.3.5"]."""
    parts = [part.strip() for part in expected.split(",")]
    aliases = [part[3:] for part in parts if part.startswith("-> ")]
    return [*aliases, ", ".join(part for part in parts if not part.startswith("-> "))]


def readable(rdata: object) -> str:
    match rdata.rdtype:  # type: ignore[attr-defined]
        case dns.rdatatype.SRV:
            return f"{rdata.port} {rdata.target}"  # type: ignore[attr-defined]
        case dns.rdatatype.TXT:
            return b"".join(rdata.strings).decode()  # type: ignore[attr-defined]
        case dns.rdatatype.PTR | dns.rdatatype.NS:
            return str(rdata.target)  # type: ignore[attr-defined]
        case _:
            return str(rdata)


def wanted(kind: str, text: str) -> list[str]:
    """The expected data in the same form: names made whole."""
    values = [value.strip() for value in text.split(",")]
    if kind in ("PTR", "NS"):
        return [absolute(value) for value in values]
    if kind == "SRV":
        return [f"{port} {absolute(target)}" for port, target in (value.split() for value in values)]
    return values


# --- On the wire ------------------------------------------------------------------------------------------------------

WEB = "web.shop.svc.cluster.local."


def check_raw(server: Ask, data: bytes, expected: str) -> None:
    """The code that a message deserves; "" is silence."""
    reply = server(data)
    if not expected:
        assert reply is None
        return
    assert reply is not None and reply[:2] == data[:2]
    assert dns.rcode.to_text(dns.message.from_wire(reply).rcode()) == expected
    assert (reply[2] ^ data[2]) & 0x78 == 0  # the operation comes back


def flags_of_the_question_come_back(server: Ask) -> None:
    plain = ask(server, WEB, "A", flags=0)
    asked = ask(server, WEB, "A", flags=dns.flags.RD | dns.flags.CD | dns.flags.AD)
    assert plain.flags == dns.flags.QR | dns.flags.AA | dns.flags.RA
    assert asked.flags == plain.flags | dns.flags.RD | dns.flags.CD


def only_who_speaks_edns_is_answered_in_it(server: Ask) -> None:
    assert ask(server, WEB, "A").edns == -1
    reply = ask(server, f"no{WEB}", "A", use_edns=0, payload=4096, want_dnssec=True)
    assert (reply.edns, reply.payload, reply.rcode()) == (0, 1232, dns.rcode.NXDOMAIN)
    assert reply.ednsflags & dns.flags.DO


def a_version_of_edns_from_the_future_is_bad(server: Ask) -> None:
    reply = ask(server, WEB, "A", use_edns=1)
    assert reply.rcode() == dns.rcode.BADVERS and not reply.answer and reply.edns == 0


def what_does_not_fit_is_cut_and_said_so(server: Ask) -> None:
    for payload, limit in ((None, 512), (100, 512), (512, 512), (900, 900), (1232, 1232), (65535, 1232)):
        options = {} if payload is None else {"use_edns": 0, "payload": payload}
        query = dns.message.make_query("many.pets.svc.cluster.local.", "A", **options)
        raw = server(query.to_wire())
        assert raw is not None and limit - 16 < len(raw) <= limit
        reply = dns.message.from_wire(raw)
        assert reply.flags & dns.flags.TC and len(reply.answer[0]) >= 28
        assert (reply.edns == 0) == (payload is not None)


def servers_come_with_their_addresses(server: Ask) -> None:
    reply = ask(server, "_http._tcp.dual.shop.svc.cluster.local.", "SRV")
    extra = sorted(f"{rrset.name} {rdata}" for rrset in reply.additional for rdata in rrset)
    assert extra == ["dual.shop.svc.cluster.local. 10.96.1.23", "dual.shop.svc.cluster.local. fd00:96::23"]


def the_letters_of_the_question_come_back(server: Ask) -> None:
    reply = ask(server, "wEb.SHOP.svc.Cluster.LOCAL.", "A")
    assert str(reply.answer[0].name) == "wEb.SHOP.svc.Cluster.LOCAL."
    assert ask(server, "eXt-In.shop.svc.cluster.local.", "A").answer[0][0].target.to_text() == WEB


def the_authority_is_as_cluster_dns_has_it(server: Ask) -> None:
    (rrset,) = ask(server, "cluster.local.", "SOA").answer
    soa = rrset[0]
    assert (str(soa.mname), str(soa.rname)) == ("ns.dns.cluster.local.", "hostmaster.cluster.local.")
    assert (soa.refresh, soa.retry, soa.expire, soa.minimum) == (7200, 1800, 86400, rrset.ttl)


CHECKS = (
    flags_of_the_question_come_back,
    only_who_speaks_edns_is_answered_in_it,
    a_version_of_edns_from_the_future_is_bad,
    what_does_not_fit_is_cut_and_said_so,
    servers_come_with_their_addresses,
    the_letters_of_the_question_come_back,
    the_authority_is_as_cluster_dns_has_it,
)
