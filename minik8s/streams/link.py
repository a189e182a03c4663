"""A socket, plain or TLS, that never blocks: bytes go out when the other side can take them, and come in as they
are there.

TLS has three traps, and this is the one place that knows them: decrypted bytes may wait inside the TLS object while the
socket itself is silent; a read may first need to write, and a write to read; and a proper TLS goodbye (`unwrap`) throws
away what the other side is still sending. So `finish` closes our direction of TCP below TLS: the other side sees the
end and we can still read. (A cut-off stream cannot be mistaken for a whole one: WebSocket has its own closing frame.)

Invariant: one thread owns a link. It tells the selector's owner what it waits for (`wants`). Read next: pump.py.
"""

import selectors
import socket
import ssl
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TypeVar

T = TypeVar("T")
CHUNK = 64 * 1024
READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


class Link:
    """One end of a stream."""

    def __init__(self, sock: socket.socket, early: bytes = b"") -> None:
        sock.setblocking(False)
        self.sock = sock
        self.ended = False  # the other side will send nothing more
        self.broken = False  # nothing can be sent any more
        self._early = early  # bytes that came together with the handshake
        self._out = bytearray()
        self._read_waits = READ
        self._write_waits = WRITE
        self._closing = False
        self._finished = False
        self._retry = 0

    @property
    def waiting(self) -> int:
        """How many bytes still have to go out."""
        return len(self._out)

    @property
    def ready(self) -> bool:
        """Whether bytes can be read without the socket being readable."""
        return bool(self._early) or (isinstance(self.sock, ssl.SSLSocket) and self.sock.pending() > 0)

    def wants(self, reading: bool) -> int:
        """For which events the selector must wake us, given whether we are ready to take more in."""
        events = self._read_waits if reading and not self.ended else 0
        return events | (self._write_waits if self._out and not self.broken else 0)

    def receive(self) -> bytes:
        """What is there now: possibly nothing. Sets `ended` at the end of the stream."""
        if self._early:
            early, self._early = self._early, b""
            return early
        if self.ended:
            return b""
        self._read_waits = READ
        data = self._try(lambda: self.sock.recv(CHUNK), lambda event: setattr(self, "_read_waits", event))
        if data == b"":
            self.ended = True
        return data or b""

    def send(self, data: bytes) -> None:
        """Send as much as goes now and keep the rest for `flush`."""
        if self.broken or self._closing:
            return
        rest = memoryview(data)
        if not self._out:  # usually it all goes at once: megabytes need not be copied first
            while rest and (sent := self._give(rest[:CHUNK])) is not None:
                rest = rest[sent:]
        self._out += rest
        self.flush()

    def flush(self) -> None:
        """Send what waits."""
        while self._out and not self.broken:
            # A TLS write that is tried again must be given the same bytes: from the front, and never fewer.
            sent = self._give(bytes(self._out[: self._retry or CHUNK]))
            if sent is None:
                break
            del self._out[:sent]
        if self._closing and not self._out:
            self._half_close()

    def finish(self) -> None:
        """Say that nothing more will come, once all that waits has gone out."""
        self._closing = True
        self.flush()

    def close(self) -> None:
        """Give the connection up."""
        self.broken = self.ended = True
        self._out.clear()
        try:
            self.sock.close()
        except OSError:
            pass

    def _give(self, data: bytes | memoryview) -> int | None:
        """How much of it the socket took; None: nothing now, and the next time it must be as much at least."""
        self._write_waits = WRITE
        sent = self._try(partial(self.sock.send, data), lambda event: setattr(self, "_write_waits", event))
        self._retry = len(data) if sent is None else 0
        return sent

    def _half_close(self) -> None:
        if self.broken or self._finished:
            return
        self._finished = True
        try:
            socket.socket.shutdown(self.sock, socket.SHUT_WR)  # not SSLSocket's own: it would forget the TLS state
        except OSError:
            self.broken = True

    def _try(self, operation: Callable[[], T], wait_for: Callable[[int], None]) -> T | None:
        """An operation's result, or None when it has to wait or the connection is lost."""
        try:
            return operation()
        except ssl.SSLWantReadError:
            wait_for(READ)
        except ssl.SSLWantWriteError:
            wait_for(WRITE)
        except BlockingIOError:
            pass  # a plain socket waits for what it wanted in the first place
        except (OSError, ssl.SSLError):
            self.ended = self.broken = True
        return None


def received(link: Link, feed: Callable[[bytes], tuple[Iterable[T], bytes]]) -> Iterator[T]:
    """All that came, as `feed` understands it, whose replies are sent. Sends what waits, too: call it for any event."""
    link.flush()
    while True:
        data = link.receive()
        if data:
            understood, reply = feed(data)
            link.send(reply)
            yield from understood
        if not link.ready or link.ended:
            return
