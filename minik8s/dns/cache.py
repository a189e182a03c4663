"""What other servers answered, kept as long as they allow: TTLs that grow old, misses, failures, and stale answers.

Pure: time is an argument, in seconds of the monotonic clock. What must hold: a record is never given with a longer
TTL than it came with, less its age here; nothing is kept of a reply but the chain that begins at the question; the
cache is bounded.

Sources: RFC 2308 (misses), RFC 9520 (failures), RFC 8767 (stale answers). Read next: upstream.py.
"""

from collections.abc import Callable
from dataclasses import dataclass

from minik8s import params
from minik8s.dns.foreign import Reply
from minik8s.dns.records import ANY, CNAME, SOA, Alias, Answer, Labels, Raw, Record
from minik8s.dns.wire import NOERROR, SERVFAIL

Key = tuple[Labels, int]  # name in small letters, type


@dataclass(slots=True)
class Known:
    """What is known of one question. `fresh_until` passes, then the answer is stale, and used only in need."""

    rcode: int
    answers: list[Record]
    authority: list[Record]
    stored: float
    fresh_until: float
    patient_until: float = 0.0  # it is stale, but asking again has just failed: given as it is until then


class Cache:
    def __init__(self, limit: int = params.DNS_CACHE_ENTRIES) -> None:
        self._limit = limit
        self._known: dict[Key, Known] = {}  # the one stored longest ago first

    def __len__(self) -> int:
        return len(self._known)

    def fresh(self, key: Key, now: float) -> Answer | None:
        """The answer, as long as it may be given without asking again."""
        known = self._known.get(key)
        if known is None:
            return None
        if now < known.fresh_until:
            return _aged(known, now)
        return self.stale(key, now) if now < known.patient_until else None

    def stale(self, key: Key, now: float) -> Answer | None:
        """A former answer, for whoever would have none otherwise."""
        known = self._known.get(key)
        if known is None or known.rcode == SERVFAIL or now > known.fresh_until + params.DNS_STALE_KEPT_S:
            return None
        return _answer(known, lambda record: params.DNS_STALE_TTL_S)

    def store(self, key: Key, reply: Reply, now: float) -> None:
        answers, found = chain(key, reply.answers)
        authority = [] if found else [_soa(record) for record in reply.authority if record.type == SOA][:1]
        most = params.DNS_CACHE_MOST_S if found else params.DNS_CACHE_MOST_NEGATIVE_S
        ttls = [record.ttl for record in (*answers, *authority)]
        # A reply that says neither for how long, nor which zone, is good for those who wait for it, not for others.
        ttl = min([most, *ttls]) if found or authority else 0
        self._put(key, Known(reply.rcode, answers, authority, now, now + max(ttl, params.DNS_CACHE_LEAST_S)))

    def fail(self, key: Key, now: float) -> None:
        """Nobody could answer. That too is remembered for a moment, so that the dead are not asked by everybody."""
        until = now + params.DNS_CACHE_FAILURE_S
        if self.stale(key, now) is not None:
            self._known[key].patient_until = until
        else:
            self._put(key, Known(SERVFAIL, [], [], now, until))

    def _put(self, key: Key, known: Known) -> None:
        self._known.pop(key, None)
        while len(self._known) >= self._limit:
            del self._known[next(iter(self._known))]
        self._known[key] = known


def chain(key: Key, records: list[Record]) -> tuple[list[Record], bool]:
    """The aliases from the question to its records, in order; and whether records of its type are at the end.

    Whatever else the reply says was not asked for, and is not believed.
    """
    (at, qtype), owner = key, key[0]
    kept: list[Record] = []
    for _ in range(params.DNS_MAX_CHAIN):
        here = [record for record in records if lower(record.owner) == at]
        found = [Record(owner, r.ttl, r.type, r.data) for r in here if r.type == qtype or qtype == ANY]
        if found:
            return kept + found, True
        alias = next((record for record in here if record.type == CNAME), None)
        if alias is None or not isinstance(alias.data, Alias):
            return kept, False
        kept.append(Record(owner, alias.ttl, CNAME, alias.data))
        owner = alias.data.target
        at = lower(owner)
    return [], False


def lower(labels: Labels) -> Labels:
    return tuple(label.lower() for label in labels)


def _soa(record: Record) -> Record:
    """RFC 2308: a miss may be remembered as long as the SOA's TTL and its last field both allow."""
    if not isinstance(record.data, Raw) or len(record.data.rdata) < 20:
        return record
    minimum = int.from_bytes(record.data.rdata[-4:], "big")
    return Record(record.owner, min(record.ttl, minimum), SOA, record.data)


def _aged(known: Known, now: float) -> Answer:
    age = int(now - known.stored)
    most = params.DNS_CACHE_MOST_S if known.rcode == NOERROR and known.answers else params.DNS_CACHE_MOST_NEGATIVE_S
    return _answer(known, lambda record: max(0, min(record.ttl, most) - age))


def _answer(known: Known, ttl: Callable[[Record], int]) -> Answer:
    def told(records: list[Record]) -> list[Record]:
        return [Record(r.owner, ttl(r), r.type, r.data) for r in records]

    return Answer(rcode=known.rcode, answers=told(known.answers), authority=told(known.authority), foreign=True)
