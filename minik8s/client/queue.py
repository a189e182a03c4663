"""A queue of keys: each key at most once, one worker a key, fair, with delays.

Invariants: a key added while it waits is not added again; a key added while it is being worked on is handed out once
more when that work is done; keys come out in the order they came in. `_lock` (a Condition) guards everything.

Source: client-go's workqueue. Read `loop.py` next.
"""

import heapq
import itertools
import threading
from collections import deque

from minik8s import params
from minik8s.host import clock


class WorkQueue:
    """Keys of objects to look at again."""

    def __init__(self) -> None:
        self._lock = threading.Condition()
        self._ready: deque[str] = deque()
        self._waiting: set[str] = set()  # in `_ready`, or to be put there when its work is done
        self._working: set[str] = set()
        self._later: list[tuple[float, int, str]] = []
        self._due: dict[str, float] = {}
        self._count = itertools.count()
        self._failures: dict[str, int] = {}
        self._closed = False

    def add(self, key: str) -> None:
        """Look at `key` as soon as possible."""
        with self._lock:
            self._put(key)

    def _put(self, key: str) -> None:
        if self._closed or key in self._waiting:
            return
        self._waiting.add(key)
        if key not in self._working:
            self._ready.append(key)
            self._lock.notify()

    def add_after(self, key: str, seconds: float) -> None:
        """Look at `key` in `seconds` from now, or earlier if that was asked for already."""
        due = clock.monotonic() + seconds
        with self._lock:
            # One date for each key: a loop that looks again every second must not get a second rhythm from each event.
            if due < self._due.get(key, float("inf")):
                self._due[key] = due
                heapq.heappush(self._later, (due, next(self._count), key))
                self._lock.notify()

    def add_rate_limited(self, key: str) -> float:
        """Look at `key` again after a delay that doubles with each failure in a row. Returns the delay in seconds."""
        least, most = params.QUEUE_BACKOFF_S
        with self._lock:
            failures = self._failures.get(key, 0)
            self._failures[key] = failures + 1
        delay = min(least * 2 ** min(failures, 30), most)
        self.add_after(key, delay)
        return delay

    def forget(self, key: str) -> None:
        """`key` went well: its failures are forgiven."""
        with self._lock:
            self._failures.pop(key, None)

    def get(self) -> str | None:
        """The next key, waiting for one; None when the queue is shut down. Call `done` afterwards."""
        with self._lock:
            while True:
                pause = self._move_due()
                if self._ready:
                    key = self._ready.popleft()
                    self._waiting.discard(key)
                    self._working.add(key)
                    return key
                if self._closed:
                    return None
                self._lock.wait(pause)

    def _move_due(self) -> float | None:
        """Move what is due to the ready ones; the seconds until the next is due, or None."""
        now = clock.monotonic()
        while self._later and self._later[0][0] <= now:
            due, _, key = heapq.heappop(self._later)
            if self._due.get(key) == due:  # else an earlier date has taken its place
                del self._due[key]
                self._put(key)
        return self._later[0][0] - now if self._later else None

    def done(self, key: str) -> None:
        with self._lock:
            self._working.discard(key)
            if key in self._waiting:
                self._ready.append(key)
                self._lock.notify()

    def shut_down(self) -> None:
        with self._lock:
            self._closed = True
            self._lock.notify_all()

    def __len__(self) -> int:
        with self._lock:
            return len(self._ready)
