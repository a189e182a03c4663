"""Asks a server through dnspython, an independent parser, and checks its answer against a case.

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


def check(server: Ask, case: Case) -> None:
    """The whole answer is what the case says: code, records, owners, TTL, and the SOA when nothing was found."""
    reply = ask(server, case.name, case.type)
    *aliases, last = steps(case.expected)
    negative = last in ("NODATA", "NXDOMAIN", "SERVFAIL")
    code = {"NODATA": "NOERROR"}.get(last, last) if negative else "NOERROR"
    assert dns.rcode.to_text(reply.rcode()) == code, f"{case}\n{reply}"
    owner, found = case.name, list(reply.answer)
    for alias in aliases:
        rrset = found.pop(0)
        assert (str(rrset.name), rrset.ttl, rrset.rdtype) == (owner, TTL, dns.rdatatype.CNAME), f"{case}\n{reply}"
        owner = str(rrset[0].target)
        assert owner == absolute(alias), f"{case}\n{reply}"
    if negative:
        assert not found and len(reply.authority) == (0 if last == "SERVFAIL" else 1), f"{case}\n{reply}"
        return
    if last == "":
        assert not found
        return
    (rrset,) = found
    assert str(rrset.name) == owner and rrset.ttl == TTL, f"{case}\n{reply}"
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
