"""What an answer is made of: typed record data, records, answers, and their bytes.

Values only. The data of a record is a class per type, so that plan.py reads like the specification; bytes appear
when a reply is written. Names inside data are written out in full and in the object's own letters: compressing SRV
targets is forbidden (RFC 2782), and a pointer into the question would give a name the capitals of whoever asked.

Read next: plan.py, which makes these; wire.py, which writes them.
"""

import struct
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

A, NS, CNAME, SOA, PTR, MX, TXT, AAAA, SRV, OPT, ANY = 1, 2, 5, 6, 12, 15, 16, 28, 33, 41, 255

Labels = tuple[str, ...]


class Address(NamedTuple):
    """A or AAAA, told apart by the length of the address."""

    packed: bytes


class Alias(NamedTuple):
    """CNAME, PTR and NS: a record that is nothing but another name."""

    target: Labels


class Server(NamedTuple):
    """SRV: a port at a host."""

    port: int
    target: Labels
    priority: int = 0
    weight: int = 100


class Text(NamedTuple):
    """TXT with one string."""

    text: str


class Authority(NamedTuple):
    """SOA: says which zone an answer comes from, and how long a miss may be remembered (`minimum`)."""

    mname: Labels
    rname: Labels
    serial: int
    refresh: int
    retry: int
    expire: int
    minimum: int


class Raw(NamedTuple):
    """Bytes of a record that comes from another server; what they mean is between it and who asked."""

    rdata: bytes


Data = Address | Alias | Server | Text | Authority | Raw
Node = dict[int, list[Data]]  # what exists at a name: type → data. An empty node is a name without records (NODATA)


class Record(NamedTuple):
    """A line of an answer."""

    owner: Labels
    ttl: int
    type: int
    data: Data


@dataclass(slots=True)
class Answer:
    """All of a reply but the question."""

    rcode: int = 0
    answers: list[Record] = field(default_factory=list)
    authority: list[Record] = field(default_factory=list)
    additional: list[Record] = field(default_factory=list)
    authoritative: bool = False
    foreign: bool = False  # a part of it comes from another server, and grows old


def name(text: str) -> Labels:
    """`web.shop.` → ("web", "shop")."""
    return tuple(text.lower().rstrip(".").split(".")) if text.strip(".") else ()


@lru_cache(maxsize=4096)
def encode_name(labels: Labels) -> bytes:
    return b"".join(bytes((len(label),)) + label.encode("latin-1") for label in labels) + b"\0"


def encode_rdata(data: Data) -> bytes:
    match data:
        case Address(raw) | Raw(raw):
            return raw
        case Alias(target):
            return encode_name(target)
        case Server(port, target, priority, weight):
            return struct.pack("!3H", priority, weight, port) + encode_name(target)
        case Text(text):
            raw = text.encode()
            return bytes((len(raw),)) + raw
        case Authority():
            return encode_name(data.mname) + encode_name(data.rname) + struct.pack("!5I", *data[2:])


def targets(data: Data) -> list[tuple[Labels, int]]:
    """Names standing in this data, and how far in: later owners may point there."""
    match data:
        case Alias(target):
            return [(target, 0)]
        case Server(target=target):
            return [(target, 6)]
        case _:
            return []
