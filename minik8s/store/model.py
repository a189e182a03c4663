"""The words of the store: a stored value, a page, a transaction and its guards, an event, and what can go wrong.

Values only, no I/O. A key is a str such as `/registry/core/pods/default/web-1`, a value is bytes. Invariant:
`mod_revision` of a stored value is the `resourceVersion` of the object in it. Read next: etcd.py.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KV:
    """One stored value and the revisions at which its key was created and last written."""

    key: str
    value: bytes
    create_revision: int
    mod_revision: int
    lease: int = 0


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list. For the rest ask again with `start=next, revision=revision`; `next` is None on the last
    page. `count`: how many there are from its start on, in this part and behind it.
    """

    items: list[KV]
    revision: int
    next: str | None
    count: int = 0


@dataclass(frozen=True, slots=True)
class Event:
    """One change of one key. `kv.mod_revision` is the revision of the change, for a deletion too (its value is
    empty then).
    """

    type: str  # PUT or DELETE
    kv: KV
    prev_kv: KV | None


@dataclass(frozen=True, slots=True)
class Absent:
    """Guard: the key does not exist."""

    key: str


@dataclass(frozen=True, slots=True)
class Present:
    """Guard: the key exists, whatever its value."""

    key: str


@dataclass(frozen=True, slots=True)
class Unchanged:
    """Guard: the key was last written at exactly this revision."""

    key: str
    mod_revision: int


Guard = Absent | Present | Unchanged


@dataclass(frozen=True, slots=True)
class Put:
    """Write a value. With `ttl` (seconds) etcd deletes it by itself, never earlier and at most a sixtieth later."""

    key: str
    value: bytes
    ttl: int = 0


@dataclass(frozen=True, slots=True)
class Txn:
    """If all guards hold: all puts and deletes, at one new revision. Else nothing at all."""

    guards: tuple[Guard, ...] = ()
    puts: tuple[Put, ...] = ()
    deletes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Failed:
    """A guard that did not hold, and what stands at its key instead."""

    guard: Guard
    current: KV | None


def holds(guard: Guard, current: KV | None) -> bool:
    """Whether a guard is satisfied by what stands at its key."""
    if isinstance(guard, Absent):
        return current is None
    if isinstance(guard, Present):
        return current is not None
    return current is not None and current.mod_revision == guard.mod_revision


class StoreError(Exception):
    """Everything the store can answer besides a result."""


class Conflict(StoreError):
    """Some guards did not hold; nothing was written. `failed` names them, in the transaction's order."""

    def __init__(self, failed: tuple[Failed, ...], revision: int) -> None:
        super().__init__("changed meanwhile: " + ", ".join(f.guard.key for f in failed))
        self.failed = failed
        self.revision = revision

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of the guards that failed."""
        return tuple(f.guard.key for f in self.failed)


class Unknown(StoreError):
    """etcd went away while a write was under way: it may or may not have happened. Ask `Store.landed` before
    writing again.
    """


class Unavailable(StoreError):
    """etcd does not answer. Nothing was changed."""


class Refused(StoreError):
    """etcd understood and said no: too large, too many operations, no space left."""


class Compacted(StoreError):
    """The revision asked for is forgotten. `revision` is the oldest still known, or 0 where etcd does not say."""

    def __init__(self, revision: int = 0) -> None:
        super().__init__(f"revision is compacted; the oldest is {revision or 'unknown'}")
        self.revision = revision


class FutureRevision(StoreError):
    """The revision asked for has not happened yet."""


class Expired(StoreError):
    """A watch cannot go on without a gap: it asked for events no longer kept, or read too slowly. List again."""

    def __init__(self, revision: int, message: str = "") -> None:
        super().__init__(message or f"events are kept from revision {revision}")
        self.revision = revision
