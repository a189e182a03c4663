"""The sockets: one loop that owns UDP, TCP and every change of what is answered.

Watches live in other threads. They hand their changes over with `post`, and the loop applies them between two
questions; so the index needs no lock and no answer is made from half a change. What must hold: no message, and no
peer, stops the loop; a reply that the network does not take is dropped, as DNS expects; a slow TCP client costs a
bounded amount of memory.

Read next: responder.py (what is answered), main.py (who posts).
"""

import logging
import selectors
import socket
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from minik8s import params
from minik8s.dns import wire
from minik8s.dns.responder import Responder
from minik8s.host import clock

log = logging.getLogger(__name__)

RECEIVE = 4096  # a question is at most 255 bytes of name, a header and an OPT with its options
READ = 65536
TICK_S = 1.0
HELD_BACK = 128 * 1024  # replies waiting for one TCP client; with more, its next questions wait as well


@dataclass(eq=False)
class _Connection:
    """A TCP client: what it sent and was not answered yet, what it was answered and has not taken yet."""

    sock: socket.socket
    heard: float
    inbox: bytearray = field(default_factory=bytearray)
    outbox: bytearray = field(default_factory=bytearray)
    done: bool = False  # it will send no more


class Server:
    """Answers on one address and port over both protocols, in the thread that calls `run`."""

    def __init__(self, responder: Responder, address: str, port: int) -> None:
        self.responder = responder
        self.failures = 0
        self.on_tick: Callable[[], None] = lambda: None
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._udp = socket.socket(family, socket.SOCK_DGRAM)
        self._udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, params.DNS_RECEIVE_BUFFER)
        self._udp.bind((address, port))
        self.port: int = self._udp.getsockname()[1]
        self._tcp = socket.create_server((address, self.port), family=family, backlog=128)
        self._bell, self._listener = socket.socketpair()
        self._posted: deque[Callable[[], None]] = deque()  # appended by any thread, taken by the loop
        self._stopping = False
        self._connections: set[_Connection] = set()
        self._selector = selectors.DefaultSelector()
        for sock, callback in (
            (self._udp, self._datagrams),
            (self._tcp, self._accept),
            (self._listener, self._changes),
        ):
            sock.setblocking(False)
            self._selector.register(sock, selectors.EVENT_READ, callback)
        self._bell.setblocking(False)

    # --- for other threads ------------------------------------------------------------------------------------

    def post(self, change: Callable[[], None]) -> None:
        """Have the loop call this soon, in the order posted."""
        self._posted.append(change)
        try:
            self._bell.send(b"\0")
        except BlockingIOError:
            pass  # the bell rings already

    def stop(self) -> None:
        def last() -> None:
            self._stopping = True

        self.post(last)

    # --- the loop ---------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Serve until `stop`."""
        due = clock.monotonic() + TICK_S
        while not self._stopping:
            for key, _ in self._selector.select(max(0.0, due - clock.monotonic())):
                if isinstance(key.data, _Connection):
                    self._serve(key.data)
                else:
                    key.data()
            if clock.monotonic() >= due:
                due = clock.monotonic() + TICK_S
                self._close_idle()
                self.on_tick()

    def close(self) -> None:
        for connection in list(self._connections):
            self._close(connection)
        for sock in (self._udp, self._tcp, self._bell, self._listener):
            sock.close()
        self._selector.close()

    def _changes(self) -> None:
        self._listener.recv(4096)
        while self._posted:
            self._posted.popleft()()

    def _datagrams(self) -> None:
        """Answer what has arrived, a bounded number, so that changes and TCP have their turn."""
        for _ in range(params.DNS_BATCH):
            try:
                data, peer = self._udp.recvfrom(RECEIVE)
            except BlockingIOError:
                return
            reply = self._answer(data, tcp=False)
            if reply is None:
                continue
            try:
                self._udp.sendto(reply, peer)
            except OSError:
                self.responder.statistics.dropped += 1  # full, or no way back: whoever asked asks again

    def _answer(self, data: bytes, tcp: bool) -> bytes | None:
        """The door: whatever goes wrong with one question, the others are answered."""
        try:
            return self.responder.reply(data, tcp)
        except Exception:
            self.failures += 1
            log.exception("question %s failed", data[:512].hex())
            return wire.failure(data)

    # --- TCP --------------------------------------------------------------------------------------------------

    def _accept(self) -> None:
        try:
            sock, _ = self._tcp.accept()
        except OSError:
            return  # gone before it was greeted
        if len(self._connections) >= params.DNS_TCP_CONNECTIONS:
            self._close(min(self._connections, key=lambda each: each.heard))
        sock.setblocking(False)
        connection = _Connection(sock, clock.monotonic())
        self._connections.add(connection)
        self._selector.register(sock, selectors.EVENT_READ, connection)

    def _serve(self, connection: _Connection) -> None:
        """Read what came, answer it, send what goes: all whole messages of one read with one write."""
        try:
            if not connection.outbox and not connection.done:
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
        if connection.done and not connection.outbox:
            self._close(connection)
            return
        events = selectors.EVENT_WRITE if connection.outbox else selectors.EVENT_READ
        self._selector.modify(connection.sock, events, connection)

    def _read(self, connection: _Connection) -> None:
        data = connection.sock.recv(READ)
        connection.inbox += data
        connection.done = not data
        connection.heard = clock.monotonic()

    def _answer_whole_messages(self, connection: _Connection) -> bool:
        """Move messages from inbox to outbox; was there any?"""
        inbox, at = connection.inbox, 0
        while len(inbox) >= at + 2 and len(connection.outbox) < HELD_BACK:
            end = at + 2 + int.from_bytes(inbox[at : at + 2], "big")
            if len(inbox) < end:
                break
            reply = self._answer(bytes(inbox[at + 2 : end]), tcp=True)
            if reply is not None:
                connection.outbox += len(reply).to_bytes(2, "big") + reply
            at = end
        del inbox[:at]
        return at > 0

    def _close_idle(self) -> None:
        oldest = clock.monotonic() - params.DNS_TCP_IDLE_S
        for connection in [each for each in self._connections if each.heard < oldest]:
            self._close(connection)

    def _close(self, connection: _Connection) -> None:
        self._connections.discard(connection)
        self._selector.unregister(connection.sock)
        connection.sock.close()
