"""The watch cache: the whole registry in memory, as encoded bytes, fed by one etcd watch.

It answers the reads and the watches of all clients, so that etcd sees one watcher however many there are. One watch
on everything also means that every write moves the revision of every kind: bookmarks and "not older than" cost nothing.

Who wants the changes (`Feed`) is told of each while the lock is held, and begins with `resume` under the same lock: so
there is no gap and no overlap between what had been and what comes, without anybody comparing revisions.

Invariants: the content is that of exactly one revision, `revision`, at any moment; a feed gets every change once and in
order, or is told that some are lost; resourceVersion in the bytes is the revision of the write, and that of a deleted
object the revision of its deletion.

`_lock` guards `_index`, `_ring`, `_revision`, `_refilled` and `_feeds`; `_moved` is its condition, notified when a
revision arrives. Bytes handed out are never changed. Read next: ring.py, splice.py.
"""

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from minik8s.params import REGISTRY_PREFIX, WATCH_CACHE_EVENTS
from minik8s.store.etcd import Store, Watch
from minik8s.store.index import Index
from minik8s.store.model import Compacted, Event, StoreError
from minik8s.store.ring import Change, Ring
from minik8s.store.splice import fill

PAGE = 500
RETRY_S = 0.2
REFILL_TIMEOUT_S = 2.0

log = logging.getLogger(__name__)


class Feed(Protocol):
    """Who is told of every change. Both are called with the cache's lock held: take note and return."""

    def changed(self, changes: Sequence[Change], revision: int) -> None:
        """These changes led to `revision`; none: only the revision has moved."""

    def lost(self, revision: int) -> None:
        """What happened up to `revision` cannot be told: everybody has to list again."""


class Cache:
    """The registry as of `revision`, and its recent changes. Thread-safe."""

    def __init__(self, store: Store, prefix: str = REGISTRY_PREFIX, events: int = WATCH_CACHE_EVENTS) -> None:
        self._store = store
        self._prefix = prefix
        self._events = events
        self._lock = threading.Lock()
        self._moved = threading.Condition(self._lock)
        self._index = Index()
        self._ring = Ring(events, 0)
        self._revision = 0  # 0: nothing is known yet
        self._refilled = False  # whether the changes from before our start are in the ring
        self._feeds: list[Feed] = []
        self._stop = threading.Event()
        self._watch: Watch | None = None
        self._thread = threading.Thread(target=self._run, name="watch-cache", daemon=True)

    def start(self) -> None:
        """Begin to fill and follow, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """End following; what is cached stays readable."""
        self._stop.set()
        if self._watch is not None:
            self._watch.cancel()
        self._thread.join(RETRY_S * 10)

    @property
    def revision(self) -> int:
        """The revision the content is of; 0 before the first fill."""
        return self._revision

    @property
    def alive(self) -> bool:
        """Whether the cache is still being fed; if not, what it says grows old."""
        return self._thread.is_alive()

    @property
    def oldest(self) -> int:
        """The oldest revision a subscriber may resume from."""
        with self._lock:
            return self._ring.floor

    def wait_for(self, revision: int, timeout: float) -> bool:
        """Wait until the content is at least as new as a revision (1: until there is any)."""
        with self._lock:
            return self._moved.wait_for(lambda: self._revision >= revision, timeout)

    def get(self, key: str) -> bytes | None:
        """The object at a key."""
        with self._lock:
            return self._index.get(key)

    def items(self, prefix: str) -> tuple[list[tuple[str, bytes]], int]:
        """The keys and objects under a prefix, in the order of keys, and the revision they are of."""
        with self._lock:
            return self._index.items(prefix), self._revision

    def count(self, kind: str) -> int:
        """How many objects of a kind there are."""
        with self._lock:
            return self._index.count(kind)

    def list(self, prefix: str) -> tuple[list[bytes], int]:
        """The objects under a prefix, in the order of keys, and the revision they are of."""
        found, revision = self.items(prefix)
        return [value for _, value in found], revision

    def listen(self, feed: Feed) -> None:
        """Tell `feed` of every change from now on."""
        with self._lock:
            self._feeds.append(feed)
            feed.changed([], self._revision)

    def resume(self, prefix: str, since: int, then: Callable[[Sequence[Change]], None]) -> None:
        """Call `then` with the changes under a prefix after revision `since`, up to where the feeds stand now.

        Raises Expired when some of them are forgotten. `then` is called with the lock held.
        """
        with self._lock:
            if since < self._ring.floor:  # clients come back at once after our restart: let the ring fill first
                self._moved.wait_for(lambda: self._refilled, REFILL_TIMEOUT_S)
            then(self._ring.since(since, prefix))

    # --- the one thread that writes ---------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                revision = self._fill()
                self._follow(revision)
            except Compacted:
                log.warning("etcd has compacted what we did not see yet: listing again")
            except StoreError as error:
                log.warning("cannot read the registry: %s", error)
                self._stop.wait(RETRY_S)

    def _fill(self) -> int:
        """Read everything at one revision. Those who watched the old content cannot go on without a gap."""
        index, revision, start = Index(), 0, ""
        while True:
            page = self._store.list(self._prefix, limit=PAGE, start=start, revision=revision)
            for kv in page.items:
                index.put(kv.key, fill(kv.value, kv.mod_revision))
            revision = page.revision
            if page.next is None:
                break
            start = page.next
        with self._lock:
            self._index, self._ring, self._revision = index, Ring(self._events, revision), revision
            self._refilled = False
            for feed in self._feeds:
                feed.lost(revision)
            self._moved.notify_all()
        return revision

    def _follow(self, filled: int) -> None:
        """Refill the ring with what happened shortly before the list, then take each change as it comes."""
        since, older = max(0, filled - self._events), Ring(self._events, max(0, filled - self._events))
        while not self._stop.is_set():
            try:
                self._take(since, older, filled)
                return
            except Compacted as error:
                if error.revision <= since or error.revision > filled:
                    raise
                since, older = error.revision, Ring(self._events, error.revision)

    def _take(self, since: int, older: Ring, filled: int) -> None:
        self._watch = self._store.watch(self._prefix, since)
        for revision, events in self._watch:
            if not self._refilled:
                for event in events:
                    if event.kv.mod_revision <= filled:
                        older.append(_past(event))
            fresh = [event for event in events if event.kv.mod_revision > filled]
            with self._lock:
                if revision >= filled and not self._refilled:
                    self._ring, self._refilled = older, True
                changes = self._apply(fresh)
                self._revision = max(self._revision, revision)
                for feed in self._feeds:
                    feed.changed(changes, self._revision)
                self._moved.notify_all()

    def _apply(self, events: Iterable[Event]) -> Sequence[Change]:
        """Take changes into the content and the ring. Called with the lock held."""
        changes = []
        for event in events:
            key, revision = event.kv.key, event.kv.mod_revision
            new = None if event.type == "DELETE" else fill(event.kv.value, revision)
            old = self._index.remove(key) if new is None else self._index.put(key, new)
            if new is None and old is None:
                continue  # somebody deleted what was not there
            change = Change(revision, key, new, old)
            self._ring.append(change)
            changes.append(change)
        return changes


def _past(event: Event) -> Change:
    """A change from before the cache was filled, from what etcd tells about it alone."""
    new = None if event.type == "DELETE" else fill(event.kv.value, event.kv.mod_revision)
    before = event.prev_kv
    return Change(event.kv.mod_revision, event.kv.key, new, fill(before.value, before.mod_revision) if before else None)
