"""A watch: the stream of changes of a collection, one JSON line each.

Invariants: the headers leave before the first event (clients wait for them); every change after the revision asked
for is told once and in order, as the watcher's selectors see it: what begins to match is ADDED, what ceases to is
DELETED; a bookmark is sent only when everything before it was. When the history is gone the stream says 410 and ends;
the client lists again. Read `store/cache.py` for where the changes come from.
"""

import threading
from collections.abc import Callable, Iterator, Mapping

from minik8s import params
from minik8s.api import codec
from minik8s.api.meta import Object
from minik8s.apiserver import errors, forms, reads, selection
from minik8s.apiserver.admission import whole
from minik8s.apiserver.registry import Registry
from minik8s.apiserver.request import Answer, Request
from minik8s.host import clock
from minik8s.store.cache import Subscription
from minik8s.store.model import Expired
from minik8s.store.ring import Change
from minik8s.store.splice import refill

# How often a quiet watch looks whether its client is still there. An idle cluster holds forty watches, and each look
# costs: at one a second they were half of the server's idle time. That the server wants to stop wakes them at once.
LOOK_S = 5.0


class Watches:
    """All open watches of this server. `_lock` guards `_open`."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._lock = threading.Lock()
        self._open = 0
        self.stopping = threading.Event()

    def watch(self, request: Request, gone: Callable[[], bool]) -> Answer:
        """Begin a stream. Everything that can be refused is refused here, before the headers."""
        query = request.query
        matches = selection.matcher(request.cls, query)
        since = _since(query)
        if since > 0:
            self._registry.wait_for(since)
        elif query.get("resourceVersion", "") == "":
            self._registry.wait_fresh()
        with self._lock:
            if self._open >= params.MAX_WATCHES:
                raise errors.too_many_requests(f"this server holds {params.MAX_WATCHES} watches already: try again")
            self._open += 1
        stream = _Stream(request, matches, gone)
        return Answer(200, stream=self._guarded(stream, since))

    def _guarded(self, stream: "_Stream", since: int) -> Iterator[bytes]:
        try:
            yield b""  # makes the server send the headers now
            yield from stream.lines(self._registry, since, self.stopping)
        finally:
            with self._lock:
                self._open -= 1


def _since(query: Mapping[str, str]) -> int:
    """The revision to go on from; 0: begin with what is there."""
    return whole(query.get("resourceVersion") or "0", "resourceVersion")


class _Stream:
    """One watcher's view of the changes."""

    def __init__(self, request: Request, matches: selection.Matches | None, gone: Callable[[], bool]) -> None:
        query = request.query
        self._request = request
        self._form = forms.of(request)
        self._first = True  # nothing was sent yet
        self._matches = matches
        self._gone = gone
        self._bookmarks = query.get("allowWatchBookmarks") in ("true", "1")
        self._initial = query.get("sendInitialEvents") in ("true", "1")
        seconds = whole(query.get("timeoutSeconds") or "0", "timeoutSeconds")
        self._until = clock.monotonic() + (seconds or params.WATCH_TIMEOUT_S)

    def lines(self, registry: Registry, since: int, stopping: threading.Event) -> Iterator[bytes]:
        try:
            if since == 0 or self._initial:
                found, since = registry.cache.items(reads.scope(self._request))
                yield from (self._line("ADDED", value) for _, value in found if self._belongs(value))
                if self._initial and self._bookmarks:
                    yield self._line("BOOKMARK", _bookmark(self._request.cls, since, initial=True))
            limit = params.WATCH_QUEUE_EVENTS
            with registry.cache.subscribe(reads.scope(self._request), since, limit) as subscription:
                yield from self._follow(subscription, stopping)
        except Expired as error:
            yield self._line("ERROR", codec.encode(errors.expired(str(error)).status))

    def _follow(self, subscription: Subscription, stopping: threading.Event) -> Iterator[bytes]:
        next_bookmark = clock.monotonic() + params.BOOKMARK_PERIOD_S
        while not stopping.is_set():
            now = clock.monotonic()
            if now >= self._until:
                return
            change = subscription.next(min(LOOK_S, self._until - now))
            if change is not None:
                yield from self._events(change)
            elif self._gone():
                return
            if self._bookmarks and clock.monotonic() >= next_bookmark:
                revision = subscription.progress()
                if revision is not None:
                    yield self._line("BOOKMARK", _bookmark(self._request.cls, revision))
                    next_bookmark = clock.monotonic() + params.BOOKMARK_PERIOD_S

    def _events(self, change: Change) -> Iterator[bytes]:
        """What a change looks like through the selectors: it came, it changed, it went, or nothing."""
        before = change.old is not None and self._belongs(change.old)
        after = change.new is not None and self._belongs(change.new)
        if after and change.new is not None:
            yield self._line("MODIFIED" if before else "ADDED", change.new)
        elif before and change.old is not None:
            yield self._line("DELETED", refill(change.old, change.revision))

    def _line(self, kind: str, obj: bytes) -> bytes:
        first, self._first = self._first, False
        return b'{"type":"%s","object":%s}\n' % (kind.encode(), self._form.event(obj, first))

    def _belongs(self, value: bytes) -> bool:
        return self._matches is None or self._matches(value)


def _bookmark(cls: type[Object], revision: int, initial: bool = False) -> bytes:
    """No object, just "you have seen everything up to here"; after the initial events it also says that they end."""
    where = cls.resource
    meta: dict[str, object] = {"resourceVersion": str(revision)}
    if initial:
        meta["annotations"] = {"k8s.io/initial-events-end": "true"}
    return codec.encode({"kind": where.kind, "apiVersion": where.apiVersion, "metadata": meta})
