"""The loop: one thread that owns the sockets and every change of what is answered.

The reader's words (reader.py) arrive on a socket like everything else and are taken in between two questions; so the
index needs no lock, and no answer is made from half a change. Other threads (the health page) hand over work with
`post`. What must hold: no message, no peer and no flood of changes keeps the loop from answering; a reply that the
network does not take is dropped, as DNS expects.

Read next: datagrams.py, responder.py (what is answered), tcp.py, upstream.py (names of the rest of the world).
"""

import logging
import socket
from collections import deque
from collections.abc import Callable
from functools import partial

from minik8s import params
from minik8s.dns import views, wire
from minik8s.dns.datagrams import PLACE, Datagrams, Peer
from minik8s.dns.poller import READ, Poller
from minik8s.dns.questions import Tap
from minik8s.dns.responder import Responder
from minik8s.dns.servers import Server as Address
from minik8s.dns.tcp import Connection, Connections
from minik8s.dns.upstream import Forwarder, OpenSocket
from minik8s.host import clock

log = logging.getLogger("dns")

MOST = 65536
TICK_S = 1.0

Sockets = tuple[socket.socket, socket.socket]  # UDP, and TCP that listens


def listen(address: str, port: int) -> Sockets:
    """The sockets of a server; port 0 takes a free one."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    udp = socket.socket(family, socket.SOCK_DGRAM)
    udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, params.DNS_RECEIVE_BUFFER)
    udp.bind((address, port))
    return udp, socket.create_server((address, udp.getsockname()[1]), family=family, backlog=128)


class Server:
    """Answers over both protocols, in the thread that calls `run`."""

    def __init__(self, responder: Responder, sockets: Sockets) -> None:
        self.responder = responder
        self.failures = 0
        self.tap: Tap | None = None  # who watches the questions, if anybody does
        self.on_tick: Callable[[], None] = lambda: None
        self.forwarder: Forwarder | None = None
        self._udp, self._tcp = sockets
        self._batch = Datagrams(self._udp, params.DNS_BATCH)
        self._recall: Callable[[bytes], bytes | None] = responder.recall
        self.port: int = self._udp.getsockname()[1]
        self._bell, self._listener = socket.socketpair()
        self._posted: deque[Callable[[], None]] = deque()  # appended by any thread, taken by the loop
        self._stopping = False
        self._words = bytearray()  # of the reader, not taken in yet
        self._apply: Callable[[views.Word], None] = lambda word: None
        self._poller = Poller()
        self._connections = Connections(self._tcp, self._poller, self._answer_tcp)
        for sock in (self._udp, self._tcp, self._bell, self._listener):
            sock.setblocking(False)
        self._poller.register(self._listener, READ, self._take_posted)

    def follow(self, source: socket.socket, apply: Callable[[views.Word], None]) -> None:
        """Take in the words that come from this socket. When it ends, so does the server."""
        self._apply = apply
        source.setblocking(False)
        self._poller.register(source, READ, lambda: self._read_words(source))

    def forward(self, servers: tuple[Address, ...], open_socket: OpenSocket) -> None:
        """Ask these for names of the rest of the world."""
        self.forwarder = Forwarder(servers, self._poller, open_socket)
        self.responder.outside = self.forwarder.outside

    # --- For other threads --------------------------------------------------------------------------------------------

    def post(self, work: Callable[[], None]) -> None:
        """Have the loop call this soon, in the order posted."""
        self._posted.append(work)
        try:
            self._bell.send(b"\0")
        except BlockingIOError:
            pass  # the bell rings already

    def stop(self) -> None:
        def last() -> None:
            self._stopping = True

        self.post(last)

    # --- The loop -----------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Serve until `stop`, or until the reader's end.

        Questions wait in the sockets until the first full list is in, a moment at most: whoever asks while the server
        is started anew gets an answer, and not a SERVFAIL.
        """
        patience = clock.monotonic() + params.DNS_START_PATIENCE_S
        while not self._stopping and not self.responder.synced and clock.monotonic() < patience:
            self._turn(patience)
        self._poller.register(self._udp, READ, self._datagrams)
        self._poller.register(self._tcp, READ, self._connections.accept)
        due = clock.monotonic() + TICK_S
        while not self._stopping:
            self._turn(due)
            if clock.monotonic() >= due:
                due = clock.monotonic() + TICK_S
                self._each_second()

    def close(self) -> None:
        self._connections.close()
        for sock in (self._udp, self._tcp, self._bell, self._listener):
            sock.close()
        self._poller.close()

    def _turn(self, until: float) -> None:
        """Wait for something to do, and do a bounded amount of each."""
        waiting = len(self._words) > views.LENGTH and self._take_words()
        timeout = 0.0 if waiting else max(0.0, until - clock.monotonic())
        forwarder = self.forwarder
        if forwarder is not None and forwarder.busy:
            timeout = min(timeout, params.DNS_FORWARD_LOOK_S)
        self._poller.wait(timeout)
        if forwarder is not None and forwarder.busy:
            forwarder.tick()

    def _each_second(self) -> None:
        self._connections.close_idle()
        self.responder.age()
        if self.forwarder is not None:
            self.forwarder.probe()
        self.on_tick()

    def _take_posted(self) -> None:
        self._listener.recv(4096)
        while self._posted:
            self._posted.popleft()()

    # --- Changes ------------------------------------------------------------------------------------------------------

    def _read_words(self, source: socket.socket) -> None:
        if len(self._words) > params.DNS_WORDS_HELD:
            return  # it waits, and so does the reader
        data = source.recv(MOST)
        if not data:
            log.error("the reader has ended; so does the server, to be started again with a new one")
            self._stopping = True
            self._poller.unregister(source)
        self._words += data
        self._take_words()

    def _take_words(self) -> bool:
        """Take in some words; were there as many as may be taken at once?"""
        count = 0
        for word in views.decode(self._words, params.DNS_WORDS_BATCH):
            self._apply(word)
            count += 1
        return count == params.DNS_WORDS_BATCH

    # --- Questions ----------------------------------------------------------------------------------------------------

    def _datagrams(self) -> None:
        """Answer what has arrived, a bounded number, so that changes and TCP have their turn."""
        batch, recall, statistics = self._batch, self._recall, self.responder.statistics
        count = batch.receive()
        began = clock.monotonic()
        memory, lengths = batch.memory, batch.lengths
        first = at = 0
        for n, size in enumerate(batch.sizes):
            reply = recall(memory[at + 2 : at + size]) or self._make_reply(memory[at : at + size], batch.peer(n))
            if reply is None:
                statistics.dropped += batch.send(first, n)
                first = n + 1
            else:  # over the question, whose id stays where it is
                memory[at + 2 : at + 2 + len(reply)] = reply
                lengths[n] = len(reply) + 2
            at += PLACE
        statistics.dropped += batch.send(first, count)
        statistics.took(count, clock.monotonic() - began)

    def watch(self, tap: Tap | None) -> None:
        """Have every question written down, or no more. Nothing is recalled meanwhile."""
        self.tap = tap
        self._recall = self.responder.recall if tap is None else _nothing

    def _make_reply(self, data: bytes, peer: Peer) -> bytes | None:
        """The reply without its id; None for what is not answered, or not yet."""
        reply = self._answer(data, False)
        if self.responder.unknown is not None:
            self._find_out(data, False, partial(self._send_late, data, peer))
        elif self.tap is not None:
            self.tap.saw(data, reply, peer, "udp")
        return reply and reply[2:]

    def _send_late(self, data: bytes, peer: Peer, reply: bytes | None) -> None:
        try:
            if reply is not None:
                self._udp.sendto(reply, peer)
        except OSError:
            self.responder.statistics.dropped += 1
        if self.tap is not None:
            self.tap.saw(data, reply, peer, "udp")

    def _find_out(self, data: bytes, tcp: bool, send: Callable[[bytes | None], None]) -> None:
        """Another server has to be asked first; the reply goes out when it has answered, or has not."""
        unknown, self.responder.unknown = self.responder.unknown, None
        assert unknown is not None and self.forwarder is not None

        def known() -> None:
            reply = self._answer(data, tcp)
            if self.responder.unknown is not None:
                self.responder.unknown = None
                reply = self.responder.servfail(data, tcp)
            send(reply)

        self.forwarder.ask(unknown.key, known)

    def _answer(self, data: bytes, tcp: bool) -> bytes | None:
        """The door: whatever goes wrong with one question, the others are answered."""
        try:
            return self.responder.reply(data, tcp)
        except Exception:
            self.failures += 1
            log.exception("question %s failed", data[:512].hex())
            return wire.failure(data)

    def _answer_tcp(self, data: bytes, connection: Connection) -> bytes | None:
        reply = self._answer(data, True)
        if self.responder.unknown is not None:
            connection.owed += 1
            self._find_out(data, True, partial(self._connections.reply, connection))
        elif self.tap is not None:
            self.tap.saw(data, reply, connection.peer, "tcp")
        return reply


def _nothing(question: bytes) -> None:
    return None
