"""Answers that go on after their request: upgraded connections, followed logs, large pages of a proxy.

Each has a thread of its own, for it lasts as long as its client likes and the workers' threads are few; how many there
may be at once is bounded (`Carriers`). Invariants: whoever carries closes both sockets, whatever happens; a client
that hangs up ends the other side at once, even if that says nothing; what was cut off never looks whole. Read next:
streams/pump.py.
"""

import logging
import select
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from minik8s import params
from minik8s.apiserver import errors
from minik8s.streams import handshake
from minik8s.streams.link import Link
from minik8s.streams.pump import pump

log = logging.getLogger(__name__)


class Carried(Protocol):
    """What goes on."""

    def carry(self, client: socket.socket) -> None:
        """Answer and carry, to the end; closes both sockets."""

    def close(self) -> None:
        """Hang up without a client."""


class Carriers:
    """Threads for what goes on."""

    def __init__(self, most: int = params.MAX_STREAMS) -> None:
        self._most = most
        self._free = threading.BoundedSemaphore(most)

    def place(self) -> "Place":
        """A place for one more; raises a 429."""
        if not self._free.acquire(blocking=False):
            raise errors.too_many_requests(f"this server carries {self._most} streams already: try again")
        return Place(self._free.release)


class Place:
    """The right to one thread. It is given back by `free`, or at the end of what is carried."""

    def __init__(self, free: Callable[[], None]) -> None:
        self.free = free

    def of(self, carried: Carried, ended: Callable[[], None] = lambda: None) -> "Begun":
        """What waits for its client; `ended` is called when it is over."""
        return Begun(carried, self, ended)


@dataclass(frozen=True)
class Begun:
    """Something that waits for its client's socket: a `request.Stream`."""

    carried: Carried
    place: Place
    ended: Callable[[], None]

    def carry(self, client: socket.socket) -> None:
        threading.Thread(target=self._carry, args=(client,), name="carrier", daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        try:
            self.carried.carry(client)
        except Exception:
            log.exception("carrying failed")
        finally:
            self.carried.close()
            client.close()
            self.place.free()
            self.ended()


class Upgraded:
    """An upgrade that the other side has accepted and that waits for its client."""

    def __init__(self, sock: socket.socket, answer: handshake.Answer) -> None:
        self._sock = sock
        self._answer = answer

    def carry(self, client: socket.socket) -> None:
        """Give the client the other side's answer, then carry bytes until both are done."""
        _keep_alive(client)
        upstream, down = Link(self._sock, self._answer.early), Link(client)
        down.send(self._answer.raw)
        pump(down, upstream)

    def close(self) -> None:
        self._sock.close()


class Streamed:
    """An answer whose body is passed on as it comes. `head` is ours, without the last empty line."""

    def __init__(self, sock: socket.socket, answer: handshake.Answer, head: bytes) -> None:
        self._sock = sock
        self._answer = answer
        self._head = head

    def carry(self, client: socket.socket) -> None:
        """In chunks, so that the client knows the end from a connection that broke."""
        client.settimeout(params.SEND_TIMEOUT_S)
        self._sock.settimeout(None)
        _keep_alive(client)
        _keep_alive(self._sock)
        try:
            client.sendall(self._head + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n")
            for piece in handshake.body(_Watched(self._sock, client), self._answer):
                client.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
            client.sendall(b"0\r\n\r\n")
        except OSError:
            pass  # one of the two is gone; without the last chunk the other knows

    def close(self) -> None:
        self._sock.close()


def _keep_alive(sock: socket.socket) -> None:
    """Who says nothing may be gone: the kernel asks, and ends a connection whose other end does not answer."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if sock.family != socket.AF_UNIX:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, params.STREAM_KEEPALIVE_IDLE_S)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, params.STREAM_KEEPALIVE_IDLE_S)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, params.TCP_KEEPALIVE_PROBES)


class _Watched:
    """A socket to read from, while somebody else may hang up meanwhile."""

    def __init__(self, sock: socket.socket, other: socket.socket) -> None:
        self._sock = sock
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)
        self._poll.register(other, select.POLLIN | select.POLLRDHUP)
        self._other = other.fileno()

    def recv(self, size: int) -> bytes:
        there = isinstance(self._sock, ssl.SSLSocket) and self._sock.pending() > 0
        # After its question the client says nothing: whatever there is to read of it is its goodbye.
        if not there and any(ready == self._other for ready, _ in self._poll.poll()):
            raise ConnectionAbortedError("the client is gone")
        return self._sock.recv(size)
