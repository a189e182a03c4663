"""DNS over TCP: connections, each with what it sent and was not answered yet, and what it was answered and has not
taken yet (RFC 7766).

All whole messages of one read are answered with one write. What must hold: a client that sends without reading costs
a bounded amount of memory and holds up nobody; a client that says nothing is let go.

Read next: server.py, whose loop this lives in.
"""

import socket
from collections.abc import Callable
from dataclasses import dataclass, field

from minik8s import params
from minik8s.dns.poller import READ, WRITE, Poller
from minik8s.host import clock

MOST = 65536
HELD_BACK = 128 * 1024  # replies waiting for one client; with more, its next questions wait as well

# The reply to a message, or None. What cannot be answered yet is answered later through the second argument.
Answer = Callable[[bytes, "Connection"], bytes | None]


@dataclass(eq=False)
class Connection:
    sock: socket.socket
    peer: tuple[str, int]
    heard: float
    inbox: bytearray = field(default_factory=bytearray)
    outbox: bytearray = field(default_factory=bytearray)
    done: bool = False  # it will send no more
    owed: int = 0  # replies that are still being found out
    closed: bool = False


class Connections:
    """All TCP clients of one listening socket."""

    def __init__(self, listener: socket.socket, poller: Poller, answer: Answer) -> None:
        self._listener, self._poller, self._answer = listener, poller, answer
        self._all: set[Connection] = set()

    def accept(self) -> None:
        try:
            sock, peer = self._listener.accept()
        except OSError:
            return  # gone before it was greeted
        if len(self._all) >= params.DNS_TCP_CONNECTIONS:
            self._close(min(self._all, key=lambda each: each.heard))
        sock.setblocking(False)
        connection = Connection(sock, peer, clock.monotonic())
        self._all.add(connection)
        self._poller.register(sock, READ, lambda: self._serve(connection))

    def reply(self, connection: Connection, reply: bytes | None) -> None:
        """Send what was found out later."""
        connection.owed -= 1
        if connection.closed:
            return
        if reply is not None:
            connection.outbox += len(reply).to_bytes(2, "big") + reply
        self._serve(connection, read=False)

    def close_idle(self) -> None:
        oldest = clock.monotonic() - params.DNS_TCP_IDLE_S
        for connection in [each for each in self._all if each.heard < oldest]:
            self._close(connection)

    def close(self) -> None:
        for connection in list(self._all):
            self._close(connection)

    def _serve(self, connection: Connection, read: bool = True) -> None:
        """Read what came, answer it, send what goes."""
        try:
            if read and not connection.outbox and not connection.done:
                self._read(connection)
            while True:
                progress = self._answer_whole_messages(connection)
                if connection.outbox:
                    sent = connection.sock.send(connection.outbox)
                    del connection.outbox[:sent]
                if connection.outbox or not progress:
                    break
        except BlockingIOError:
            pass
        except OSError:
            self._close(connection)
            return
        if connection.done and not connection.outbox and not connection.owed:
            self._close(connection)
            return
        self._wait(connection)

    def _wait(self, connection: Connection) -> None:
        """For what comes next. A client that will send no more is not read from, or it would wake us for ever."""
        waiting = WRITE if connection.outbox else 0 if connection.done else READ
        try:
            if waiting:
                self._poller.modify(connection.sock, waiting, lambda: self._serve(connection))
            else:
                self._poller.unregister(connection.sock)
        except KeyError:  # it was not waited for
            if waiting:
                self._poller.register(connection.sock, waiting, lambda: self._serve(connection))

    def _read(self, connection: Connection) -> None:
        data = connection.sock.recv(MOST)
        connection.inbox += data
        connection.done = not data
        connection.heard = clock.monotonic()

    def _answer_whole_messages(self, connection: Connection) -> bool:
        """Move messages from inbox to outbox; was there any?"""
        inbox, at = connection.inbox, 0
        while len(inbox) >= at + 2 and len(connection.outbox) < HELD_BACK:
            end = at + 2 + int.from_bytes(inbox[at : at + 2], "big")
            if len(inbox) < end:
                break
            reply = self._answer(bytes(inbox[at + 2 : end]), connection)
            if reply is not None:
                connection.outbox += len(reply).to_bytes(2, "big") + reply
            at = end
        del inbox[:at]
        return at > 0

    def _close(self, connection: Connection) -> None:
        self._all.discard(connection)
        connection.closed = True
        try:
            self._poller.unregister(connection.sock)
        except KeyError:
            pass  # it was not waited for
        connection.sock.close()
