"""One watcher's end of the line: its socket, and what still has to be sent on it.

First comes what was there when it began (`opening`, made piece by piece as it is sent, for it may be large), then the
lines of the changes, shared with other watchers. At most about `CHUNK` bytes are handed to the socket at a time, so
that one watcher who begins with everything keeps nobody waiting.

Invariants: lines leave in the order in which they came; after `end` nothing is added; what waits is bounded. One
thread, the broadcaster's, owns it. Read `streams/link.py` for sockets that never block.
"""

import selectors
import socket
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from minik8s import params
from minik8s.apiserver.serving import instruments
from minik8s.apiserver.watch import channel
from minik8s.host import clock
from minik8s.streams.link import Link

CHUNK = 64 * 1024
LAST_CHUNK = b"0\r\n\r\n"
READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


@dataclass(frozen=True)
class Terms:
    """How a watch is to go on, apart from what it is about."""

    until: float  # on the monotonic clock
    bookmarks: bool
    head: bytes = b""
    opening: Iterator[bytes] = field(default_factory=lambda: iter(()))
    begun: bool = False  # the opening has a line: what comes after it is not the first


class Outlet:
    """A watcher."""

    def __init__(self, sock: socket.socket, terms: Terms, limit: int = params.WATCH_QUEUE_BYTES) -> None:
        self.sock = sock
        self.until, self.bookmarks = terms.until, terms.bookmarks
        self.channel: channel.Channel | None = None
        self.asked = 0  # the events that the selector wakes us for
        self.first = not terms.begun  # no event was sent yet
        self.ending = False
        self._ended = False  # the last chunk is in the link
        self._link = Link(sock)
        self._opening: Iterator[bytes] | None = terms.opening
        self._lines: deque[bytes] = deque()
        self._waiting = 0  # bytes in `_lines`
        self._limit = limit
        self._moved = clock.monotonic()  # when the client last took something, or had nothing to take
        self._link.send(terms.head)

    @property
    def over(self) -> bool:
        """Whether it can be closed: the client is gone, or has been told everything."""
        return self._link.broken or self._link.ended or (self._ended and not self._link.waiting)

    def push(self, line: bytes, revision: int = 0) -> None:
        """Add a line. Who is too far behind is told so instead, after what waits already."""
        if self.ending:
            return
        if self._waiting + len(line) > self._limit:
            if self.channel is not None:
                instruments.dropped(self.channel.question.cls)
            self.expire(revision)
            return
        self.first = False
        self._add(line)

    def expire(self, revision: int) -> None:
        """There is a gap after what waits already."""
        self.end(channel.expired(f"the watch was too slow, or the history before {revision} is gone: list again"))

    def end(self, line: bytes) -> None:
        """Add a last line, and close when all is sent."""
        if self.ending:
            return
        if line:
            self._add(line)
        self.ending = True

    def listen(self) -> None:
        """Read what the client says: after its question only its goodbye is of interest."""
        self._link.receive()

    def flush(self) -> None:
        """Send what the client takes now, up to a chunk."""
        before = self._link.waiting
        self._link.flush()
        if self._link.waiting == 0:
            data = self._gather()
            if data:
                self._link.send(b"%x\r\n%s\r\n" % (len(data), data))
            if self.ending and not self._more() and not self._ended:
                self._ended = True
                self._link.send(LAST_CHUNK)
        if self._link.waiting == 0 or self._link.waiting < before:
            self._moved = clock.monotonic()

    def wants(self) -> int:
        """The events to wait for: the client's goodbye always, and that it takes more while there is more."""
        return READ | self._link.wants(reading=True) | (WRITE if self._more() else 0)

    def stuck(self, now: float) -> bool:
        """Whether the client has taken nothing for so long that it must be gone, whatever TCP believes."""
        return self._left() and now - self._moved > params.SEND_TIMEOUT_S

    def close(self) -> None:
        self._link.close()

    def _add(self, line: bytes) -> None:
        self._lines.append(line)
        self._waiting += len(line)

    def _more(self) -> bool:
        return bool(self._lines) or self._opening is not None

    def _left(self) -> bool:
        return self._more() or self._link.waiting > 0

    def _gather(self) -> bytes:
        """The next lines to send, about a chunk of them."""
        parts, size = [], 0
        while size < CHUNK and self._opening is not None:
            line = next(self._opening, None)
            if line is None:
                self._opening = None
            else:
                parts.append(line)
                size += len(line)
        while size < CHUNK and self._lines:
            parts.append(self._lines.popleft())
            size += len(parts[-1])
            self._waiting -= len(parts[-1])
        return b"".join(parts)
