"""What a resolver knows: resolv.conf, the names it tries for a short one, and what an answer to a question says. Pure.

As glibc does it: a name with fewer dots than `ndots` is tried with each search domain first, then as it stands. Only
addresses (types A and AAAA) are read from an answer; names in it are skipped, never followed.

Read next: reach.py, which asks.
"""

import ipaddress
import struct
from dataclasses import dataclass

RCODES = ("NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED")
GO_ON = ("NOERROR", "NXDOMAIN")  # after these, without an address, the next candidate is tried
_LENGTHS = {1: 4, 28: 16}  # of an address, by the type of its record
_FIXED = struct.Struct("!HHIH")  # type, class, ttl, length


@dataclass(frozen=True)
class Resolver:
    """What resolv.conf says."""

    nameservers: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()
    ndots: int = 1


@dataclass(frozen=True)
class Answer:
    """`rcode` in DNS' own word, or why there is none."""

    rcode: str
    addresses: tuple[str, ...] = ()


def parse_resolv_conf(text: str) -> Resolver:
    nameservers: list[str] = []
    searches: list[str] = []
    ndots = 1
    for words in (line.split() for line in text.splitlines() if line.strip()):
        if words[0] == "nameserver":
            nameservers += words[1:2]
        elif words[0] == "search":
            searches = words[1:]
        elif words[0] == "options":
            found = [word.removeprefix("ndots:") for word in words[1:] if word.startswith("ndots:")]
            ndots = int(found[-1]) if found and found[-1].isdigit() else ndots
    return Resolver(tuple(nameservers), tuple(searches), ndots)


def candidates(name: str, conf: Resolver) -> list[str]:
    """The full names to ask for, in order."""
    if name.endswith("."):
        return [name.rstrip(".")]
    with_domain = [f"{name}.{search}" for search in conf.searches if search != "."]
    return [name, *with_domain] if name.count(".") >= conf.ndots else [*with_domain, name]


def read(ident: int, packet: bytes) -> Answer:
    """An answer packet. Whatever cannot be read is told, not raised."""
    try:
        got, flags, questions, answers = struct.unpack_from("!4H", packet)
        if got != ident or not flags & 0x8000:
            return Answer("an answer to another question")
        code = flags & 0xF
        return Answer(RCODES[code] if code < len(RCODES) else str(code), _addresses(packet, questions, answers))
    except (struct.error, IndexError, ValueError):
        return Answer("an answer that breaks off")


def _addresses(packet: bytes, questions: int, answers: int) -> tuple[str, ...]:
    at = 12
    for _ in range(questions):
        at = _skip_name(packet, at) + 4
    found = []
    for _ in range(answers):
        at = _skip_name(packet, at)
        kind, _, _, length = _FIXED.unpack_from(packet, at)
        at += _FIXED.size
        if _LENGTHS.get(kind) == length:
            found.append(str(ipaddress.ip_address(packet[at : at + length])))
        at += length
    return tuple(found)


def _skip_name(packet: bytes, at: int) -> int:
    """Behind a name: labels up to an empty one, or up to a pointer."""
    while packet[at]:
        if packet[at] >= 0xC0:
            return at + 2
        at += packet[at] + 1
    return at + 1
