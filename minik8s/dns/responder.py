"""Datagram in, datagram out: the memo of whole answers, and the replies to what is no question for us.

The memo is keyed by the request's bytes without its id. It is cleared as a whole at every change: a Service touches
its own name, its ports', its endpoints', two kinds of PTR, chains through it, and names that did not exist before;
an answer kept too long is a bug nobody finds. What must hold: one thread calls this; `forget` comes after the index
has changed, never before.

Read next: server.py, the sockets around it.
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import cycle

from minik8s import params
from minik8s.dns import wire
from minik8s.dns.plan import Names
from minik8s.dns.records import AAAA, A, Answer, Record
from minik8s.dns.resolve import Outside, Unknown, resolve

ROTATIONS = 8  # several addresses are answered in turn, each first once, so that clients that take the first spread out


# Seconds, doubling, as CoreDNS has them; its last ones are left out, because nothing here takes eight seconds.
BOUNDS = tuple(0.00025 * 2**step for step in range(15))


@dataclass(slots=True)
class Tally:
    """How often questions of one sort were answered in one way."""

    proto: str
    qtype: int
    rcode: int
    count: int = 0


@dataclass(slots=True)
class _Kept:
    replies: Iterator[bytes]  # without their id
    tally: Tally


@dataclass
class Statistics:
    """Plain numbers, because they are counted on the path of every lookup; main.py turns them into metrics."""

    tallies: dict[tuple[str, int, int], Tally] = field(default_factory=dict)
    misses: int = 0  # answers that had to be made
    dropped: int = 0  # datagrams that deserve no answer
    durations: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    seconds: float = 0.0

    def took(self, count: int, seconds: float) -> None:
        """So many questions were answered in one go, in so much time: each is taken to have waited for its share."""
        if count:
            self.durations[bisect_left(BOUNDS, seconds / count)] += count
            self.seconds += seconds

    def tally(self, proto: str, qtype: int, rcode: int) -> Tally:
        sort = qtype if qtype < 256 else 0  # there are 65536 types to ask for, and no need to count each
        return self.tallies.setdefault((proto, sort, rcode), Tally(proto, sort, rcode))


class Responder:
    """Answers messages from one cluster's names."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.outside: Outside | None = None  # knows names of the rest of the world
        self.unknown: Unknown | None = None  # why `reply` had nothing to say: somebody else has to be asked first
        self.synced = False  # until everything was listed once, a miss is not a miss
        self.statistics = Statistics()
        self._memos: dict[bool, dict[bytes, _Kept]] = {False: {}, True: {}}
        self._udp = self._memos[False]
        self._ageing: list[tuple[bool, bytes]] = []  # what in the memo has TTLs that run

    def forget(self) -> None:
        """Something changed: no answer that was made before is given again."""
        for memo in self._memos.values():
            memo.clear()
        self._ageing.clear()

    def age(self) -> None:
        """A second has passed: what came from other servers has to be told with a lower TTL."""
        for tcp, key in self._ageing:
            self._memos[tcp].pop(key, None)
        self._ageing.clear()

    @property
    def remembered(self) -> int:
        return sum(map(len, self._memos.values()))

    def recall(self, question: bytes) -> bytes | None:
        """The reply to a datagram that was asked before, both without their ids; nearly all questions come this way."""
        kept = self._udp.get(question)
        if kept is None:
            return None
        kept.tally.count += 1
        return next(kept.replies)

    def reply(self, data: bytes, tcp: bool = False) -> bytes | None:
        """The reply to a message; None for what must not be answered, or not yet: then `unknown` says why."""
        kept = self._memos[tcp].get(data[2:])
        if kept is None:
            try:
                kept = self._make(data, tcp)
            except Unknown as unknown:
                self.unknown = unknown
                return None
            if kept is None:
                self.statistics.dropped += 1
                return None
        kept.tally.count += 1
        return data[:2] + next(kept.replies)

    def _make(self, data: bytes, tcp: bool) -> _Kept | None:
        question = wire.parse(data)
        if question is None:
            return None
        self.statistics.misses += 1
        answer = Answer(rcode=question.error) if question.error else self.answer(question)
        limit = question.limit(tcp)
        replies = [wire.build(question, turned, limit)[2:] for turned in rotations(answer)]
        tally = self.statistics.tally("tcp" if tcp else "udp", question.qtype, answer.rcode)
        kept = _Kept(cycle(replies), tally)
        if not question.error and not question.has_options and question.length == len(data):
            memo = self._memos[tcp]
            if len(memo) >= params.DNS_MEMO_ENTRIES:
                memo.clear()
            memo[data[2:]] = kept
            if answer.foreign:
                self._ageing.append((tcp, data[2:]))
        return kept

    def answer(self, question: wire.Question) -> Answer:
        """Raises Unknown. Until everything was listed, a miss among our names is not known to be one."""
        ours = self.names.zone(question.labels) is not None
        outside = None if ours and not self.synced else self.outside
        answer = resolve(self.names, question.labels, question.qtype, outside)
        if not self.synced and outside is None and (answer.rcode or not answer.answers):
            return Answer(rcode=wire.SERVFAIL)  # NXDOMAIN would be remembered by whoever asked
        return answer

    def servfail(self, data: bytes, tcp: bool) -> bytes | None:
        """What is said when nobody could find out."""
        question = wire.parse(data)
        if question is None:
            return None
        return wire.build(question, Answer(rcode=wire.SERVFAIL), question.limit(tcp))


def rotations(answer: Answer) -> list[Answer]:
    """The same answer with its addresses turned, so that each of the first few stands first once."""
    split = next((i for i, record in enumerate(answer.answers) if record.type in (A, AAAA)), len(answer.answers))
    head, addresses = answer.answers[:split], answer.answers[split:]
    if len(addresses) < 2:
        return [answer]
    return [_with(answer, head + addresses[i:] + addresses[:i]) for i in range(min(len(addresses), ROTATIONS))]


def _with(answer: Answer, answers: list[Record]) -> Answer:
    return replace(answer, answers=answers)
