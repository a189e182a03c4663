"""The last changes, kept so that a watcher can resume where it was.

A change has the object's bytes before and after it, so that a watcher with a selector can tell "it came", "it
changed" and "it went" without remembering anything. Invariant: every change after `floor` is here, in order. Pure;
who uses it holds the lock. Read next: cache.py.
"""

from collections import deque
from dataclasses import dataclass

from minik8s.store.index import kind_of
from minik8s.store.model import Expired
from minik8s.store.splice import refill


@dataclass(frozen=True, slots=True)
class Change:
    """What one revision did to one key. `new` is None for a deletion, `old` is None for a creation."""

    revision: int
    key: str
    new: bytes | None
    old: bytes | None

    @property
    def kind(self) -> str:
        """The kind of the key, as `index.kind_of` names it."""
        return kind_of(self.key)

    @property
    def gone(self) -> bytes:
        """The object as a DELETED event shows it: its last state, with the resourceVersion of this change."""
        return refill(self.old or b"{}", self.revision)


class Ring:
    """A bounded list of changes and the revision after which it is complete."""

    def __init__(self, size: int, floor: int) -> None:
        self._changes: deque[Change] = deque()
        self._size = size
        self.floor = floor

    def append(self, change: Change) -> None:
        """Add the newest change; the oldest makes room."""
        if len(self._changes) >= self._size:
            self.floor = self._changes.popleft().revision
        self._changes.append(change)

    def since(self, revision: int, prefix: str) -> list[Change]:
        """The changes after a revision under a prefix, oldest first; Expired if some of them may be forgotten."""
        if revision < self.floor:
            raise Expired(self.floor, f"too old resource version: {revision} ({self.floor})")
        found = []
        for change in reversed(self._changes):
            if change.revision <= revision:
                break
            if change.key.startswith(prefix):
                found.append(change)
        return found[::-1]
