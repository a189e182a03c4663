"""Reads a whole reply: another server's, or one of our own that somebody wants to see.

Nothing in it is trusted. What must hold: whatever the bytes are, it ends, with a Reply or with ValueError; names
inside of data come out whole, because a pointer means nothing outside of its own message. Only types that were there
before RFC 3597 may have pointers in their data; `NAMES` lists them.

Read next: upstream.py, which asks other servers; pages.py, which shows replies.
"""

import ipaddress
import struct
from typing import NamedTuple

from minik8s.dns.records import AAAA, CNAME, MX, NS, OPT, PTR, SOA, SRV, TXT, A, Alias, Data, Labels, Raw, Record
from minik8s.dns.wire import FIXED, FORMERR, HEADER, IN, NOTIMP, QR

MAX_POINTERS = 64
# type → bytes before the first name in its data, and how many names follow.
NAMES = {NS: (0, 1), CNAME: (0, 1), SOA: (0, 2), PTR: (0, 1), MX: (2, 1), SRV: (6, 1)}
MAX_TTL = 0x7FFFFFFF  # RFC 2181: with the highest bit set it counts as zero


class Reply(NamedTuple):
    id: int
    flags: int
    rcode: int  # with the bits that EDNS adds
    labels: Labels  # of the question, in small letters
    qtype: int
    answers: list[Record]
    authority: list[Record]


def read(data: bytes) -> Reply:
    """Raises ValueError for what is no reply to one question of class IN."""
    try:
        ident, flags, questions, answers, authorities, additionals = HEADER.unpack_from(data)
        if not flags & QR or questions != 1:
            raise ValueError("no reply to a question")
        labels, at = name(data, HEADER.size)
        qtype, qclass = struct.unpack_from("!HH", data, at)
        if qclass != IN:
            raise ValueError("a reply of another class")
        found, at = _records(data, at + 4, answers)
        authority, at = _records(data, at, authorities)
        more, at = _records(data, at, additionals)
    except (struct.error, IndexError) as error:
        raise ValueError("the reply breaks off") from error
    extended = next((record.ttl >> 24 for record in more if record.type == OPT), 0)
    lower = tuple(label.lower() for label in labels)
    return Reply(ident, flags, extended << 4 | flags & 0xF, lower, qtype, found, authority)


def is_puzzled(data: bytes, ident: int) -> bool:
    """Does a server say that it does not understand us? Often by a bare header, which `read` refuses (RFC 6891, 7)."""
    if len(data) < HEADER.size:
        return False
    got, flags = HEADER.unpack_from(data)[:2]
    return got == ident and bool(flags & QR) and flags & 0xF in (FORMERR, NOTIMP)


def name(data: bytes, at: int) -> tuple[Labels, int]:
    """A name and where it ends. Pointers may only point backwards, so it ends; and no name is longer than 255."""
    labels: list[str] = []
    end, size, limit = 0, 1, len(data)
    while True:
        length = data[at]
        if length >= 0xC0:
            end = end or at + 2
            target = int.from_bytes(data[at : at + 2], "big") & 0x3FFF
            if target >= min(limit, at):
                raise ValueError("a pointer that does not point backwards")
            at = limit = target
            continue
        if length > 63:
            raise ValueError("a label of a kind nobody knows")
        if length == 0:
            return tuple(labels), end or at + 1
        size += length + 1
        if size > 255 or at + 1 + length > len(data):
            raise ValueError("a name that is too long")
        labels.append(data[at + 1 : at + 1 + length].decode("latin-1"))
        at += length + 1


def _records(data: bytes, at: int, count: int) -> tuple[list[Record], int]:
    found = []
    for _ in range(count):
        owner, at = name(data, at)
        kind, class_, ttl, length = FIXED.unpack_from(data, at)
        at += FIXED.size
        end = at + length
        if end > len(data):
            raise ValueError("a record that breaks off")
        if kind == OPT:
            found.append(Record(owner, ttl, OPT, Raw(b"")))
        elif class_ == IN:
            found.append(Record(owner, ttl if ttl <= MAX_TTL else 0, kind, _data(data, at, end, kind)))
        at = end
    return found, at


def _data(data: bytes, at: int, end: int, kind: int) -> Data:
    if kind not in NAMES:
        return Raw(data[at:end])
    before, count = NAMES[kind]
    whole, at = data[at : at + before], at + before
    labels: Labels = ()
    for _ in range(count):
        labels, at = name(data, at)
        whole += b"".join(bytes((len(each),)) + each.encode("latin-1") for each in labels) + b"\0"
    if at > end:
        raise ValueError("a name that is longer than its record")
    return Alias(labels) if kind == CNAME else Raw(whole + data[at:end])


# --- For people -------------------------------------------------------------------------------------------------------

TYPES = {A: "A", NS: "NS", CNAME: "CNAME", SOA: "SOA", PTR: "PTR", MX: "MX", TXT: "TXT", AAAA: "AAAA", SRV: "SRV"}
TYPES |= {13: "HINFO", 64: "SVCB", 65: "HTTPS", 251: "IXFR", 252: "AXFR", 255: "ANY"}
NUMBERS = {word: number for number, word in TYPES.items()}
RCODES = {0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED", 16: "BADVERS"}


def type_name(kind: int) -> str:
    """`TYPE65280` for what has no name here (RFC 3597)."""
    return TYPES.get(kind, f"TYPE{kind}")


def type_number(word: str) -> int:
    """Raises ValueError for what is no type."""
    word = word.upper()
    number = word.removeprefix("TYPE")
    if word in NUMBERS:
        return NUMBERS[word]
    if number != word and number.isdigit() and int(number) < 65536:
        return int(number)
    raise ValueError(f"there is no record type {word}: {', '.join(NUMBERS)}, or TYPE and its number")


def rcode_name(rcode: int) -> str:
    return RCODES.get(rcode, str(rcode))


def readable(labels: Labels) -> str:
    """A name as people write it, with its final dot. What cannot stand in a name as it is gets RFC 1035's escapes."""
    return ".".join("".join(map(_escaped, label)) for label in labels) + "."


def _escaped(letter: str) -> str:
    if letter in '."\\;()@$':
        return "\\" + letter
    return letter if "!" <= letter <= "~" else f"\\{ord(letter):03d}"


def text(record: Record) -> str:
    """A record's data as a zone file has it."""
    if isinstance(record.data, Alias):
        return readable(record.data.target)
    assert isinstance(record.data, Raw)
    raw = record.data.rdata
    try:
        return _text(record.type, raw)
    except (ValueError, IndexError, struct.error):
        return f"\\# {len(raw)} {raw.hex()}"


def _text(kind: int, raw: bytes) -> str:
    if kind in (A, AAAA):
        return str(ipaddress.ip_address(raw))
    if kind == TXT:
        return " ".join(f'"{each}"' for each in _strings(raw))
    if kind in NAMES:
        return " ".join(_numbers_and_names(raw, *NAMES[kind]))
    raise ValueError("no text for this type")


def _numbers_and_names(raw: bytes, before: int, count: int) -> list[str]:
    words, at = [str(each) for each in struct.unpack_from(f"!{before // 2}H", raw)], before
    for _ in range(count):
        labels, at = name(raw, at)
        words.append(readable(labels))
    return [*words, *map(str, struct.unpack(f"!{(len(raw) - at) // 4}I", raw[at:]))]


def _strings(raw: bytes) -> list[str]:
    found = []
    while raw:
        found.append("".join(map(_escaped, raw[1 : 1 + raw[0]].decode("latin-1"))).replace("\\032", " "))
        raw = raw[1 + raw[0] :]
    return found
