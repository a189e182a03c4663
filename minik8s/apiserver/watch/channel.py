"""What a change of an object looks like to those who watch: one line of JSON, made once for all who ask the same. Pure.

A change has the object before and after it, so nothing has to be remembered of what a watcher has seen: what begins to
match its selectors is ADDED, what ceases to is DELETED with the last state that matched, at the revision at which it
ceased to. Invariant: a line is one line, and an ERROR is the last. Read next: outlet.py, broadcast.py.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from minik8s.api import codec
from minik8s.api.meta import Object
from minik8s.apiserver import errors
from minik8s.apiserver.forms import Form
from minik8s.apiserver.selection import Matches
from minik8s.apiserver.serving import instruments
from minik8s.store.index import kind_of
from minik8s.store.ring import Change
from minik8s.store.splice import refill

if TYPE_CHECKING:
    from minik8s.apiserver.watch.outlet import Outlet


@dataclass(frozen=True)
class Question:
    """What a watcher wants to hear of. Equal questions are answered with the same lines."""

    cls: type[Object]
    prefix: str  # of the keys: a kind, or a namespace of it
    selectors: tuple[str, str]  # of labels and of fields, as they were written
    form: Form
    matches: Matches | None = field(compare=False)

    @property
    def kind(self) -> str:
        return kind_of(self.prefix + "/")

    @property
    def scope(self) -> str:
        """Whether it is about all namespaces or one."""
        return "cluster" if self.prefix == self.kind else "namespace"

    def belongs(self, value: bytes | None) -> bool:
        return value is not None and (self.matches is None or self.matches(value))


class Channel:
    """Everybody who asks one question."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self.watchers: set[Outlet] = set()

    def tell(self, change: Change, watchers: Iterable["Outlet"]) -> list["Outlet"]:
        """Put a change's line into the queues of these watchers; returns those who have something to send now."""
        found = event(self.question, change)
        if found is None:
            return []
        told = self._push(found, change.revision, watchers)
        instruments.events_told(self.question.cls, len(told))
        return told

    def bookmark(self, revision: int, watchers: Iterable["Outlet"]) -> list["Outlet"]:
        """Tell these watchers that they have seen everything up to a revision."""
        return self._push(("BOOKMARK", mark(self.question, revision)), revision, watchers)

    def _push(self, found: tuple[str, bytes], revision: int, watchers: Iterable["Outlet"]) -> list["Outlet"]:
        made: dict[bool, bytes] = {}
        told = []
        for outlet in watchers:
            first = outlet.first and not self.question.form.plain
            if first not in made:
                made[first] = line(self.question.form, *found, first)
            outlet.push(made[first], revision)
            told.append(outlet)
        return told


def event(question: Question, change: Change) -> tuple[str, bytes] | None:
    """What a change looks like through the selectors: it came, it changed, it went, or nothing."""
    before = question.belongs(change.old)
    if change.new is not None and question.belongs(change.new):
        return "MODIFIED" if before else "ADDED", change.new
    if before and change.old is not None:
        return "DELETED", refill(change.old, change.revision)
    return None


def lines(question: Question, found: Iterable[tuple[str, bytes]]) -> Iterator[bytes]:
    """The lines with which a stream begins, each made when it is asked for."""
    first = True
    for kind, value in found:
        yield line(question.form, kind, value, first)
        first = False


def line(form: Form, kind: str, value: bytes, first: bool) -> bytes:
    return _line(kind, value if form.plain else form.event(value, first).rstrip())


def mark(question: Question, revision: int, initial: bool = False) -> bytes:
    """A bookmark's object: nothing but "you have seen everything up to here"; at the end of the initial events it says
    that too.
    """
    where = question.cls.resource
    meta: dict[str, object] = {"resourceVersion": str(revision)}
    if initial:
        meta["annotations"] = {"k8s.io/initial-events-end": "true"}
    return codec.encode({"kind": where.kind, "apiVersion": where.apiVersion, "metadata": meta})


def expired(message: str) -> bytes:
    """The last line of a watcher that cannot be told everything: it has to list again."""
    return _line("ERROR", codec.encode(errors.expired(message).status))


def _line(kind: str, value: bytes) -> bytes:
    return b'{"type":"%s","object":%s}\n' % (kind.encode(), value)
