"""The broadcaster: one thread that serves the sockets of all watches, however many there are.

A watch begins in a worker thread like any request; once its answer's head is decided the thread hands the socket over
and is free. From then on the changes come from the cache in order (`changed`), each is turned into a line once for all
watchers that ask the same question (`channel.py`), and the line is sent as fast as each watcher takes it. Who takes
nothing for a while, or is too far behind, is told 410 and dropped: the client lists again.

Invariant: everything that a watcher is told passes through `_inbox` in the order of the cache, so it hears every change
once and in order. One thread owns the watchers; others only append to `_inbox` and wake it. Read next: channel.py.
"""

import heapq
import itertools
import logging
import os
import selectors
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from minik8s import params
from minik8s.apiserver.serving import instruments
from minik8s.apiserver.watch.channel import Channel, Question
from minik8s.apiserver.watch.outlet import Outlet
from minik8s.host import clock
from minik8s.store.ring import Change

log = logging.getLogger(__name__)


class Broadcaster:
    """All open watches of this server. It is the `Feed` of the cache."""

    def __init__(self, limit: int = params.MAX_WATCHES) -> None:
        self._limit = limit
        self._inbox: deque[Callable[[], None]] = deque()
        self._bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._rung = False  # the loop will look into the inbox anyway
        # Everything below belongs to the loop's thread.
        self._stopping = False
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._bell, selectors.EVENT_READ)
        self._channels: dict[Question, Channel] = {}
        self._by_kind: dict[str, set[Channel]] = {}
        self._watchers: set[Outlet] = set()
        self._deadlines: list[tuple[float, int, Outlet]] = []
        self._numbers = itertools.count()
        self._bookmark_at = clock.monotonic() + params.BOOKMARK_PERIOD_S
        self._revision = 0

    # --- any thread -------------------------------------------------------------------------------------------

    @property
    def full(self) -> bool:
        """Whether this server holds as many watches as it may."""
        return len(self._watchers) >= self._limit

    def watchers(self) -> int:
        """How many watches are open."""
        return len(self._watchers)

    def start(self) -> None:
        threading.Thread(target=self._run, name="broadcaster", daemon=True).start()

    def stop(self) -> None:
        """End every watch; their clients come back to the next server. May be called from a signal handler."""
        self._post(partial(setattr, self, "_stopping", True))

    def changed(self, changes: Sequence[Change], revision: int) -> None:
        self._post(partial(self._spread, changes, revision))

    def lost(self, revision: int) -> None:
        self._post(partial(self._expire_all, revision))

    def enter(self, question: Question, outlet: Outlet, missed: Sequence[Change]) -> None:
        """Begin to tell a watcher, first what it missed. Called with the cache's lock held, between two changes."""
        self._post(partial(self._enter, question, outlet, missed))

    def refuse(self, outlet: Outlet, line: bytes) -> None:
        """Tell a watcher only why it cannot be told anything."""
        self._post(partial(self._refuse, outlet, line))

    def _post(self, call: Callable[[], None]) -> None:
        self._inbox.append(call)
        if not self._rung:
            self._rung = True
            os.eventfd_write(self._bell, 1)

    # --- the loop ---------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stopping:
            try:
                self._turn()
            except Exception:
                # Whatever went wrong with one of them: none may wait for changes that will not come.
                log.exception("a watch failed: all are dropped, and come back")
                self._drop_all()
                self._post(lambda: None)  # what came behind the one that failed still stands in the inbox
        self._drop_all()

    def _turn(self) -> None:
        for key, events in self._selector.select(self._pause()):
            if key.data is None:
                self._read_inbox()
            else:
                self._serve(key.data, events)
        now = clock.monotonic()
        if now >= self._bookmark_at:
            self._bookmark_at = now + params.BOOKMARK_PERIOD_S
            self._bookmark(now)
        while self._deadlines and self._deadlines[0][0] <= now:
            self._finish(heapq.heappop(self._deadlines)[2])

    def _pause(self) -> float | None:
        if not self._watchers:
            return None
        until = min(self._bookmark_at, self._deadlines[0][0] if self._deadlines else self._bookmark_at)
        return max(0.0, until - clock.monotonic())

    def _read_inbox(self) -> None:
        os.eventfd_read(self._bell)
        self._rung = False
        while self._inbox:
            self._inbox.popleft()()

    def _serve(self, outlet: Outlet, events: int) -> None:
        if events & selectors.EVENT_READ:
            outlet.listen()
        self._flush([outlet])

    def _flush(self, outlets: Iterable[Outlet]) -> None:
        """Send what each takes now; ask to be woken for the rest."""
        for outlet in outlets:
            outlet.flush()
            if outlet.over:
                self._leave(outlet)
            elif (wanted := outlet.wants()) != outlet.asked:
                outlet.asked = wanted
                self._selector.modify(outlet.sock, wanted, outlet)

    # --- what happens to watchers -------------------------------------------------------------------------------

    def _enter(self, question: Question, outlet: Outlet, missed: Sequence[Change]) -> None:
        channel = self._channels.get(question)
        if channel is None:
            channel = self._channels[question] = Channel(question)
            self._by_kind.setdefault(question.kind, set()).add(channel)
        channel.watchers.add(outlet)
        outlet.channel = channel
        instruments.watch_began(question.cls, question.scope)
        self._admit(outlet)
        for change in missed:
            channel.tell(change, [outlet])
        heapq.heappush(self._deadlines, (outlet.until, next(self._numbers), outlet))
        self._flush([outlet])

    def _refuse(self, outlet: Outlet, line: bytes) -> None:
        self._admit(outlet)
        outlet.end(line)
        self._flush([outlet])

    def _admit(self, outlet: Outlet) -> None:
        self._watchers.add(outlet)
        outlet.asked = selectors.EVENT_READ
        self._selector.register(outlet.sock, outlet.asked, outlet)

    def _leave(self, outlet: Outlet) -> None:
        if outlet not in self._watchers:
            return
        self._watchers.discard(outlet)
        self._selector.unregister(outlet.sock)
        outlet.close()
        channel = outlet.channel
        if channel is None:
            return
        channel.watchers.discard(outlet)
        instruments.watch_ended(channel.question.cls, channel.question.scope)
        if not channel.watchers:
            self._channels.pop(channel.question, None)
            self._by_kind[channel.question.kind].discard(channel)

    def _finish(self, outlet: Outlet) -> None:
        """Its time is over. A last bookmark lets the client go on from here."""
        if outlet in self._watchers and outlet.channel is not None and not outlet.ending:
            if outlet.bookmarks and self._revision:
                outlet.channel.bookmark(self._revision, [outlet])
            outlet.end(b"")
            self._flush([outlet])

    def _spread(self, changes: Sequence[Change], revision: int) -> None:
        touched: set[Outlet] = set()
        for change in changes:
            for channel in self._by_kind.get(change.kind, ()):
                if change.key.startswith(channel.question.prefix):
                    touched.update(channel.tell(change, channel.watchers))
        self._revision = revision
        self._flush(touched)

    def _bookmark(self, now: float) -> None:
        for outlet in [each for each in self._watchers if each.stuck(now)]:
            self._leave(outlet)
        if self._revision:
            for channel in list(self._channels.values()):
                asked = [outlet for outlet in channel.watchers if outlet.bookmarks]
                self._flush(channel.bookmark(self._revision, asked))

    def _expire_all(self, revision: int) -> None:
        self._revision = revision
        for channel in list(self._channels.values()):
            for outlet in channel.watchers:
                outlet.expire(revision)
            self._flush(list(channel.watchers))

    def _drop_all(self) -> None:
        for outlet in list(self._watchers):
            outlet.end(b"")
            outlet.flush()
            self._leave(outlet)
        self._deadlines.clear()


def head() -> bytes:
    """The head of a watch's answer. Clients wait for it before the first event."""
    return (
        f"HTTP/1.1 200 OK\r\nDate: {clock.http_date()}\r\nContent-Type: application/json\r\n"
        "Cache-Control: no-cache, private\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    ).encode()
