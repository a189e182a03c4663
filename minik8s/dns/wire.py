"""The wire format: bytes to a Question, an Answer to bytes.

Hand-written because questions are tiny and regular, and because this is the path every lookup of the cluster takes.
What must hold: no datagram raises; nothing that is itself an answer is answered; the question comes back as it was
sent, capitals and all; a reply is never longer than the asker allows. Labels are text in latin-1, so that any byte
is a label and a dot inside one is no separator.

Read next: records.py (what an answer is made of), responder.py (who calls this).
"""

import struct
from dataclasses import dataclass

from minik8s import params
from minik8s.dns.records import OPT, Answer, Labels, Record, encode_name, encode_rdata, targets

NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED, BADVERS = 0, 1, 2, 3, 4, 5, 16
IN = 1
IXFR, AXFR = 251, 252

HEADER = struct.Struct("!6H")
FIXED = struct.Struct("!HHIH")  # type, class, ttl, length: what follows the owner of every record
QR, AA, TC, RD, RA, CD = 0x8000, 0x0400, 0x0200, 0x0100, 0x0080, 0x0010
OPCODE = 0x7800
QUESTION_AT = 12  # the question follows the header, so its name is what a pointer to 12 stands for
POINTER = 0xC000
MAX_NAME = 255
MAX_TCP = 65535


@dataclass(slots=True)
class Question:
    """A message that was asked, as far as it could be understood.

    `error` is the code it earns before anyone looks at the name.
    """

    id: int
    flags: int
    labels: Labels = ()
    qtype: int = 0
    qclass: int = IN
    raw: bytes = b""  # the question as sent, to be echoed
    edns_size: int | None = None  # what the asker can take; None: it does not speak EDNS
    edns_do: bool = False
    has_options: bool = False  # EDNS options (cookies) make every message different: not worth remembering
    length: int = 0  # bytes of the message without what trails it
    error: int = NOERROR

    def limit(self, tcp: bool) -> int:
        """The longest reply this asker may be sent."""
        if tcp:
            return MAX_TCP
        if self.edns_size is None:
            return 512
        return min(max(self.edns_size, 512), params.DNS_UDP_SIZE)


class _Malformed(Exception):
    """The message breaks off, or says something a question cannot say."""


def parse(data: bytes) -> Question | None:
    """The question in this message; None for what must not be answered at all: fragments, and answers."""
    if len(data) < HEADER.size:
        return None
    ident, flags, questions, answers, authorities, additionals = HEADER.unpack_from(data)
    if flags & QR:
        return None
    question = Question(ident, flags)
    if flags & OPCODE:
        question.error = NOTIMP
        return question
    if questions != 1 or answers or authorities:
        question.error = FORMERR
        return question
    try:
        at = _question(data, question)
        question.length = _additionals(data, at, additionals, question)
    except _Malformed:
        question.error = FORMERR
    if question.error == NOERROR and (question.qclass != IN or question.qtype in (AXFR, IXFR)):
        question.error = REFUSED
    return question


def _question(data: bytes, question: Question) -> int:
    """Read name, type and class; return where they end.

    A pointer in the first name of a message can only point to nonsense.
    """
    labels = []
    at = QUESTION_AT
    while True:
        if at >= len(data):
            raise _Malformed
        size = data[at]
        if size == 0:
            break
        if size > 63 or at + 1 + size - QUESTION_AT >= MAX_NAME:
            raise _Malformed
        labels.append(data[at + 1 : at + 1 + size].lower().decode("latin-1"))
        at += 1 + size
    end = at + 5
    if end > len(data):
        raise _Malformed
    question.labels = tuple(labels)
    question.qtype, question.qclass = struct.unpack_from("!HH", data, at + 1)
    question.raw = data[QUESTION_AT:end]
    return end


def _additionals(data: bytes, at: int, count: int, question: Question) -> int:
    """Walk over the additional records, taking note of the one OPT there may be; return where they end."""
    for _ in range(count):
        start, at = at, _skip_name(data, at)
        if at + FIXED.size > len(data):
            raise _Malformed
        kind, size, ttl, length = FIXED.unpack_from(data, at)
        at += FIXED.size + length
        if at > len(data):
            raise _Malformed
        if kind != OPT:
            continue
        if question.edns_size is not None or data[start] != 0:
            raise _Malformed  # RFC 6891: one OPT, owned by the root
        question.edns_size = size
        question.edns_do = bool(ttl & 0x8000)
        question.has_options = length > 0
        _walk_options(data, at - length, at)
        if (ttl >> 16) & 0xFF:
            question.error = BADVERS
    return at


def _walk_options(data: bytes, at: int, end: int) -> None:
    """None of them is known here, but each says how long it is, and together they fill the OPT."""
    while at < end:
        if at + 4 > end:
            raise _Malformed
        at += 4 + int.from_bytes(data[at + 2 : at + 4], "big")
    if at != end:
        raise _Malformed


def _skip_name(data: bytes, at: int) -> int:
    while at < len(data):
        size = data[at]
        if size == 0:
            return at + 1
        if size & 0xC0 == 0xC0:
            return at + 2
        if size & 0xC0:
            break
        at += 1 + size
    raise _Malformed


def build(question: Question, answer: Answer, limit: int) -> bytes:
    """The reply. When it does not fit: no additional records, then as many answers as do fit, and the TC bit.

    Keeping what fits matters: musl before 1.2.4 has no TCP and lives with the part it got.
    """
    message = _Message(question, limit)
    counts = [0, 0, 0]
    truncated = False
    for section, records in enumerate((answer.answers, answer.authority, answer.additional)):
        for record in records:
            if not message.add(record):
                truncated = truncated or section < 2
                break
            counts[section] += 1
        if truncated:
            break
    flags = QR | RA | (question.flags & (OPCODE | RD | CD)) | (answer.rcode & 0xF)
    flags |= (AA if answer.authoritative else 0) | (TC if truncated else 0)
    return message.finish(flags, counts, answer.rcode >> 4)


class _Message:
    """A reply under construction: its bytes, and where each name was first written, so that later ones point there."""

    def __init__(self, question: Question, limit: int) -> None:
        self.question = question
        self.buffer = bytearray(HEADER.size) + question.raw
        self.room = limit - (0 if question.edns_size is None else 11)
        self.seen: dict[Labels, int] = {}
        if question.raw:
            at = QUESTION_AT
            for i, label in enumerate(question.labels):
                self.seen[question.labels[i:]] = at
                at += 1 + len(label)

    def add(self, record: Record) -> bool:
        """Append the record, or leave everything as it was and say that it does not fit."""
        owner = self._owner(record.owner)
        rdata = encode_rdata(record.data)
        start = len(self.buffer)
        if start + len(owner) + FIXED.size + len(rdata) > self.room:
            return False
        self.buffer += owner
        self.buffer += FIXED.pack(record.type, IN, record.ttl, len(rdata))
        for name, at in targets(record.data):
            self._remember(name, len(self.buffer) + at)
        self.buffer += rdata
        if len(owner) > 2:
            self._remember(record.owner, start)
        return True

    def _owner(self, labels: Labels) -> bytes:
        """The owner's name: a pointer if the name was written before, or after a pointer's worth of its own labels."""
        for i in range(len(labels)):
            at = self.seen.get(labels[i:])
            if at is not None:
                return encode_name(labels[:i])[:-1] + (POINTER | at).to_bytes(2, "big")
        return encode_name(labels)

    def _remember(self, labels: Labels, at: int) -> None:
        if at < 0x4000:  # a pointer has fourteen bits
            self.seen.setdefault(labels, at)

    def finish(self, flags: int, counts: list[int], extended: int) -> bytes:
        question = self.question
        additional = counts[2]
        if question.edns_size is not None:
            additional += 1
            ttl = (extended << 24) | (0x8000 if question.edns_do else 0)
            self.buffer += b"\0" + FIXED.pack(OPT, params.DNS_UDP_SIZE, ttl, 0)
        HEADER.pack_into(self.buffer, 0, question.id, flags, 1 if question.raw else 0, counts[0], counts[1], additional)
        return bytes(self.buffer)


def failure(data: bytes) -> bytes:
    """SERVFAIL for a message that could not be dealt with at all."""
    return data[:2] + struct.pack("!5H", QR | RA | SERVFAIL, 0, 0, 0, 0)
