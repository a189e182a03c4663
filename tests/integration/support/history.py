"""Judges what clients saw of a server against what really happened. Pure.

The truth is the store's own history: every change of every key, by revision. `what_is_wrong` takes it together with
what each client did and was answered, and with what each watcher was told, and names every contradiction:

- a watcher was not told of a change of its selection, or twice, or in another order, or as something else;
- a write that was acknowledged is not in the history where the answer said, or one that was refused is;
- a counter that is only ever raised by one was raised by something else: somebody's update was lost;
- two Services that existed at the same time had one address or node port.

A write whose answer never came (`unknown`) may have happened once or not at all.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

OK, REFUSED, UNKNOWN = "ok", "refused", "unknown"


@dataclass(frozen=True)
class Event:
    """One change of one key: the object before and after it, None where there was none."""

    revision: int
    key: str
    old: Mapping[str, Any] | None
    new: Mapping[str, Any] | None


@dataclass(frozen=True)
class Write:
    """What a client did. `token` stands in the object's data, so that the write can be found again."""

    key: str
    token: str
    outcome: str
    revision: int = 0


@dataclass(frozen=True)
class Told:
    """An event as a watcher heard it."""

    type: str
    name: str
    revision: int


@dataclass(frozen=True)
class Watched:
    """A watcher: whose changes it asked for, from which revision on, and what it was told."""

    name: str
    prefix: str
    matches: Callable[[Mapping[str, Any]], bool]
    since: int
    told: Sequence[Told]


@dataclass(frozen=True)
class Run:
    """All that is known of a run."""

    truth: Sequence[Event]
    writes: Sequence[Write]
    watchers: Sequence[Watched]


def what_is_wrong(run: Run) -> list[str]:
    """Every contradiction, in words; empty: the server kept its promises."""
    return [
        *(line for watcher in run.watchers for line in _watch(run.truth, watcher)),
        *_writes(run.truth, run.writes),
        *_counters(run.truth),
        *_doubled(run.truth),
    ]


def expected(truth: Iterable[Event], watcher: Watched) -> list[Told]:
    """What a watcher has to be told, in this order."""
    found = []
    for event in truth:
        if event.revision <= watcher.since or not event.key.startswith(watcher.prefix):
            continue
        before = event.old is not None and watcher.matches(event.old)
        after = event.new is not None and watcher.matches(event.new)
        if before or after:
            kind = ("MODIFIED" if before else "ADDED") if after else "DELETED"
            found.append(Told(kind, event.key.rpartition("/")[2], event.revision))
    return found


def _watch(truth: Sequence[Event], watcher: Watched) -> Iterator[str]:
    wanted = expected(truth, watcher)
    if list(watcher.told) == wanted:
        return
    yield from (f"{watcher.name} was never told {each}" for each in wanted if each not in set(watcher.told))
    yield from (
        f"{watcher.name} was told {each}, which did not happen" for each in watcher.told if each not in set(wanted)
    )
    if len(set(watcher.told)) < len(watcher.told):
        yield f"{watcher.name} was told something twice"
    if sorted(watcher.told, key=lambda each: each.revision) != list(watcher.told):
        yield f"{watcher.name} was told in another order than things happened"


def _token(obj: Mapping[str, Any] | None) -> str:
    return ((obj or {}).get("data") or {}).get("token", "")


def _writes(truth: Sequence[Event], writes: Iterable[Write]) -> Iterator[str]:
    done: dict[tuple[str, str], list[int]] = {}
    for event in truth:
        token = _token(event.new)
        if token and token != _token(event.old):
            done.setdefault((event.key, token), []).append(event.revision)
    for write in writes:
        revisions = done.get((write.key, write.token), [])
        if write.outcome == OK and revisions != [write.revision]:
            yield f"{write.token} was acknowledged at {write.revision} and happened at {revisions}"
        if write.outcome == REFUSED and revisions:
            yield f"{write.token} was refused and happened at {revisions}"
        if write.outcome == UNKNOWN and len(revisions) > 1:
            yield f"{write.token} happened {len(revisions)} times"


def _counters(truth: Iterable[Event]) -> Iterator[str]:
    for event in truth:
        new = ((event.new or {}).get("data") or {}).get("count")
        old = ((event.old or {}).get("data") or {}).get("count")
        if new is not None and old is not None and int(new) != int(old) + 1:
            yield f"{event.key} went from {old} to {new} at {event.revision}: an update was lost"


def _doubled(truth: Iterable[Event]) -> Iterator[str]:
    holder: dict[str, str] = {}
    for event in truth:
        for claim in _claims(event.old):
            if holder.get(claim) == event.key:
                del holder[claim]
        for claim in _claims(event.new):
            if claim in holder:
                yield f"{claim} belongs to {holder[claim]} and at {event.revision} to {event.key} too"
            holder[claim] = event.key


def _claims(obj: Mapping[str, Any] | None) -> Iterator[str]:
    if obj is None or obj.get("kind") != "Service":
        return
    spec = obj.get("spec") or {}
    yield from (address for address in spec.get("clusterIPs") or [] if address != "None")
    yield from (f"node port {port['nodePort']}" for port in spec.get("ports") or [] if port.get("nodePort"))
