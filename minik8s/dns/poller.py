"""Waits for sockets, and calls what was said for each. The `selectors` of Python do the same, at several times the cost
for a loop that wakes up for every single question.

What must hold: only the loop's thread calls; a socket that was unregistered by the one before it is not called any
more. Read next: server.py.
"""

import select
import socket
from collections.abc import Callable

READ, WRITE = select.EPOLLIN, select.EPOLLOUT  # with either comes also that the other end has gone


class Poller:
    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._calls: dict[int, Callable[[], None]] = {}

    def register(self, sock: socket.socket, events: int, call: Callable[[], None]) -> None:
        self._epoll.register(sock, events)
        self._calls[sock.fileno()] = call

    def modify(self, sock: socket.socket, events: int, call: Callable[[], None]) -> None:
        """Raises KeyError, as `unregister` does, for a socket that is not waited for."""
        self._calls[sock.fileno()]
        self._epoll.modify(sock, events)
        self._calls[sock.fileno()] = call

    def unregister(self, sock: socket.socket) -> None:
        del self._calls[sock.fileno()]
        self._epoll.unregister(sock)

    def wait(self, timeout: float) -> None:
        """Until something happens, or for `timeout` seconds; then deal with it."""
        for descriptor, _ in self._epoll.poll(timeout):
            call = self._calls.get(descriptor)
            if call is not None:
                call()

    def close(self) -> None:
        self._epoll.close()
