"""The watch cache: the whole registry in memory, as encoded bytes, fed by one etcd watch.

It answers the reads and the watches of all clients, so that etcd sees one watcher however many there are. One watch
on everything also means that every write moves the revision of every kind: bookmarks and "not older than" cost nothing.

Invariants: the content is that of exactly one revision, `revision`, at any moment; a subscriber gets every change
after the revision it asked for once and in order, or `Expired`; resourceVersion in the bytes is the revision of the
write, and that of a deleted object the revision of its deletion.

`_lock` guards `_index`, `_ring`, `_revision`, `_refilled` and `_subscriptions`; `_moved` is its condition, notified
when a revision arrives. Bytes handed out are never changed. Read next: ring.py, splice.py.
"""

import logging
import queue
import threading
from collections.abc import Iterable, Iterator

from minik8s.params import REGISTRY_PREFIX, WATCH_CACHE_EVENTS
from minik8s.store.etcd import Store, Watch
from minik8s.store.index import Index
from minik8s.store.model import Compacted, Event, Expired, StoreError
from minik8s.store.ring import Change, Ring
from minik8s.store.splice import fill

PAGE = 500
RETRY_S = 0.2
REFILL_TIMEOUT_S = 2.0

log = logging.getLogger(__name__)


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
        self._subscriptions: set[Subscription] = set()
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

    def list(self, prefix: str) -> tuple[list[bytes], int]:
        """The objects under a prefix, in the order of keys, and the revision they are of."""
        found, revision = self.items(prefix)
        return [value for _, value in found], revision

    def subscribe(self, prefix: str, since: int, limit: int) -> "Subscription":
        """All changes under a prefix after revision `since`; at most `limit` may wait to be read."""
        with self._lock:
            if since < self._ring.floor:  # clients come back at once after our restart: let the ring fill first
                self._moved.wait_for(lambda: self._refilled, REFILL_TIMEOUT_S)
            subscription = Subscription(self, prefix, limit)
            for change in self._ring.since(since, prefix):
                subscription.offer(change)
            self._subscriptions.add(subscription)
            return subscription

    def unsubscribe(self, subscription: "Subscription") -> None:
        """Send no more changes."""
        with self._lock:
            self._subscriptions.discard(subscription)

    def progress(self, subscription: "Subscription") -> int | None:
        """The revision up to which a subscriber that has handled all it took is complete; None: it is behind."""
        with self._lock:
            return self._revision if subscription.empty() else None

    def wake(self) -> None:
        """Let every subscriber look around: whoever waits in `next` gets None now."""
        with self._lock:
            for subscription in self._subscriptions:
                subscription.wake()

    def subscribers(self) -> int:
        """How many watches are open."""
        with self._lock:
            return len(self._subscriptions)

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
            self._expire(self._subscriptions, revision)
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
                self._apply(fresh)
                self._revision = max(self._revision, revision)
                self._moved.notify_all()

    def _apply(self, events: Iterable[Event]) -> None:
        """Take changes into the content, the ring and every subscription. Called with the lock held."""
        for event in events:
            key, revision = event.kv.key, event.kv.mod_revision
            new = None if event.type == "DELETE" else fill(event.kv.value, revision)
            old = self._index.remove(key) if new is None else self._index.put(key, new)
            if new is None and old is None:
                continue  # somebody deleted what was not there
            change = Change(revision, key, new, old)
            self._ring.append(change)
            self._expire([s for s in self._subscriptions if not s.offer(change)], revision)

    def _expire(self, subscriptions: Iterable["Subscription"], revision: int) -> None:
        for subscription in list(subscriptions):
            subscription.expire(revision)
            self._subscriptions.discard(subscription)


class Subscription:
    """One watcher's queue. The cache puts changes in; one thread takes them out. `close()` it, or use it in a
    `with`.
    """

    def __init__(self, cache: Cache, prefix: str, limit: int) -> None:
        self._cache = cache
        self._prefix = prefix
        self._limit = limit
        self._queue: queue.SimpleQueue[Change | Expired | None] = queue.SimpleQueue()

    def offer(self, change: Change) -> bool:
        """Put a change in, if it is one of ours. False: the queue is full. Called with the cache's lock held."""
        if not change.key.startswith(self._prefix):
            return True
        if self._queue.qsize() >= self._limit:
            return False
        self._queue.put(change)
        return True

    def expire(self, revision: int) -> None:
        """After what is waiting, tell the reader that there is a gap."""
        self._queue.put(Expired(revision, "the watch was too slow or the history is gone: list again"))

    def wake(self) -> None:
        """Let who waits in `next` have None now."""
        self._queue.put(None)

    def empty(self) -> bool:
        """Whether all that came has been taken."""
        return self._queue.empty()

    def progress(self) -> int | None:
        """For a bookmark: the revision up to which the reader has seen everything; None while changes wait."""
        return self._cache.progress(self)

    def next(self, timeout: float) -> Change | None:
        """The next change; None when there was none in time, or after `wake` and `close`. Raises Expired at a gap."""
        try:
            found = self._queue.get(timeout=timeout)
        except queue.Empty:
            return None
        if isinstance(found, Expired):
            raise found
        return found

    def __iter__(self) -> Iterator[Change]:
        """Changes until `close`; raises Expired at a gap."""
        while (found := self._queue.get()) is not None:
            if isinstance(found, Expired):
                raise found
            yield found

    def close(self) -> None:
        """End the subscription and wake its reader."""
        self._cache.unsubscribe(self)
        self.wake()

    def __enter__(self) -> "Subscription":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _past(event: Event) -> Change:
    """A change from before the cache was filled, from what etcd tells about it alone."""
    new = None if event.type == "DELETE" else fill(event.kv.value, event.kv.mod_revision)
    before = event.prev_kv
    return Change(event.kv.mod_revision, event.kv.key, new, fill(before.value, before.mod_revision) if before else None)
