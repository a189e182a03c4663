"""Asks other servers for the names of the rest of the world, within the server's own loop.

A question that several clients ask at once is asked once. Each try has a socket of its own, so that the kernel draws
a new source port, and a new random id (RFC 5452); only a reply from there, with that id, to that question counts. A
reply that was cut is asked for again over TCP, and a server that does not understand EDNS is asked without it. What
must hold: every question is answered within DNS_FORWARD_BUDGET_S, with what was found, with what was known before, or
with SERVFAIL: stub resolvers give up after five seconds; what is out at once is bounded.

Read next: cache.py, where replies are kept.
"""

import logging
import socket
import struct
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from minik8s import params
from minik8s.dns import foreign
from minik8s.dns.cache import Cache, Key
from minik8s.dns.poller import READ, WRITE, Poller
from minik8s.dns.records import OPT, Answer, Labels, encode_name
from minik8s.dns.servers import Server, shown
from minik8s.dns.wire import FIXED, HEADER, IN, NOERROR, NXDOMAIN, RD, SERVFAIL, TC
from minik8s.host import clock

log = logging.getLogger("dns")
HINFO = 13
OpenSocket = Callable[[int, int], socket.socket]  # family, type: a new socket, where servers can be reached from


@dataclass(eq=False)
class Lookup:
    """One question that is out."""

    key: Key
    began: float
    due: float  # when the present try is given up
    waiting: list[Callable[[], None]] = field(default_factory=list)
    tried: int = 0
    ident: int = 0
    server: Server = ("", 0)
    sock: socket.socket | None = None
    inbox: bytearray | None = None  # over TCP: what has arrived
    plain: bool = False  # without EDNS, which this server does not understand
    overdue: bool = False  # whoever asks is given what was known before


class Forwarder:
    """The servers, what is out, and what they have answered."""

    def __init__(self, servers: tuple[Server, ...], poller: Poller, open_socket: OpenSocket) -> None:
        self.servers, self.cache = servers, Cache()
        self.asked: Counter[str] = Counter()  # by server
        self.answered: Counter[tuple[str, int]] = Counter()  # by server and code
        self.loop = ""  # which server asks us back; "" while none does
        self._poller, self._open = poller, open_socket
        self._out: dict[Key, Lookup] = {}
        self._best = 0  # the server that answered last
        self._probe: Labels = ()
        self._probe_due = 0.0

    # --- For the responder --------------------------------------------------------------------------------------------

    def outside(self, labels: Labels, qtype: int) -> Answer | None:
        """What is known; None when it must be asked first."""
        if labels == self._probe:
            self._found_loop()
        if self.loop or len(self._out) >= params.DNS_FORWARD_MOST:
            return Answer(rcode=SERVFAIL, foreign=True)
        key, now = (labels, qtype), clock.monotonic()
        found = self.cache.fresh(key, now)
        lookup = self._out.get(key)
        if found is None and lookup is not None and lookup.overdue:
            return self.cache.stale(key, now)
        return found

    def ask(self, key: Key, done: Callable[[], None]) -> None:
        """Find out, and call `done` when `outside` knows."""
        lookup = self._out.get(key)
        if lookup is None:
            now = clock.monotonic()
            lookup = self._out[key] = Lookup(key, now, now)
            self._try(lookup)
        if key in self._out:
            lookup.waiting.append(done)
        else:
            done()  # nobody could even be asked

    # --- Time ---------------------------------------------------------------------------------------------------------

    @property
    def busy(self) -> bool:
        return bool(self._out)

    def tick(self) -> None:
        """Give up tries that take too long, and hand out what was known before. Called often while `busy`."""
        now = clock.monotonic()
        for lookup in list(self._out.values()):
            if not lookup.overdue and now - lookup.began >= params.DNS_STALE_AFTER_S:
                lookup.overdue = self.cache.stale(lookup.key, now) is not None
                if lookup.overdue:
                    self._release(lookup)
            if now - lookup.began >= params.DNS_FORWARD_BUDGET_S:
                self._fail(lookup)
            elif now >= lookup.due:
                self._try(lookup)

    # --- A try --------------------------------------------------------------------------------------------------------

    def _try(self, lookup: Lookup, tcp: bool = False, plain: bool = False) -> None:
        """Ask the next server, or the same again: over TCP, or without EDNS."""
        self._drop_socket(lookup)
        now = clock.monotonic()
        if not tcp and not plain:
            lookup.plain = False
            lookup.server = self.servers[(self._best + lookup.tried) % len(self.servers)]
            lookup.tried += 1
        lookup.due = min(now + params.DNS_FORWARD_TRY_S, lookup.began + params.DNS_FORWARD_BUDGET_S)
        lookup.ident, lookup.inbox = clock.random_bits(16), bytearray() if tcp else None
        self.asked[shown(lookup.server)] += 1
        family = socket.AF_INET6 if ":" in lookup.server[0] else socket.AF_INET
        try:
            sock = self._open(family, socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM)
            lookup.sock = sock
            sock.setblocking(False)
            sock.connect(lookup.server)
        except BlockingIOError:
            pass  # TCP: it is on its way
        except OSError as error:
            self._refused(lookup, error)
            return
        if tcp:
            self._poller.register(sock, WRITE, lambda: self._send_tcp(lookup))
            return
        self._poller.register(sock, READ, lambda: self._receive(lookup))
        try:
            sock.send(question(lookup))
        except OSError as error:
            self._refused(lookup, error)

    def _refused(self, lookup: Lookup, error: OSError) -> None:
        """This server cannot be asked: the next one, as long as there are others."""
        log.warning("upstream %s: %s", shown(lookup.server), error.strerror or error)
        self._next(lookup)

    def _next(self, lookup: Lookup) -> None:
        if lookup.tried < len(self.servers):
            self._try(lookup)
        else:
            self._fail(lookup)

    def _receive(self, lookup: Lookup) -> None:
        data = self._arrived(lookup)
        if data is not None:
            self._read(lookup, data)

    def _arrived(self, lookup: Lookup) -> bytes | None:
        """What has come. None: nothing, or this server cannot be asked, which has been seen to."""
        assert lookup.sock is not None
        try:
            return lookup.sock.recv(65536)
        except BlockingIOError:
            return None
        except OSError as error:
            self._refused(lookup, error)
            return None

    def _send_tcp(self, lookup: Lookup) -> None:
        """Connected: the question, which is far smaller than what the kernel takes at once."""
        assert lookup.sock is not None
        message = question(lookup)
        try:
            lookup.sock.send(len(message).to_bytes(2, "big") + message)
        except OSError as error:
            self._refused(lookup, error)
            return
        self._poller.modify(lookup.sock, READ, lambda: self._receive_tcp(lookup))

    def _receive_tcp(self, lookup: Lookup) -> None:
        data = self._arrived(lookup)
        if data is None:
            return
        assert lookup.inbox is not None
        lookup.inbox += data
        size = int.from_bytes(lookup.inbox[:2], "big")
        if len(lookup.inbox) >= 2 + size and len(lookup.inbox) > 2:
            self._read(lookup, bytes(lookup.inbox[2 : 2 + size]))
        elif not data:
            self._next(lookup)

    def _read(self, lookup: Lookup, data: bytes) -> None:
        """Take a reply in, if it is one to this very question; anything else may be somebody's forgery."""
        if not lookup.plain and foreign.is_puzzled(data, lookup.ident):
            lookup.plain = True
            self._try(lookup, plain=True)
            return
        try:
            reply = foreign.read(data)
        except ValueError:
            return
        if (reply.id, reply.labels, reply.qtype) != (lookup.ident, *lookup.key):
            return
        if reply.flags & TC and lookup.inbox is None:
            self._try(lookup, tcp=True)
            return
        self.answered[shown(lookup.server), reply.rcode] += 1
        if reply.rcode not in (NOERROR, NXDOMAIN):
            self._next(lookup)
            return
        self._best = self.servers.index(lookup.server)
        self.cache.store(lookup.key, reply, clock.monotonic())
        self._end(lookup)

    # --- The end ------------------------------------------------------------------------------------------------------

    def _fail(self, lookup: Lookup) -> None:
        self.cache.fail(lookup.key, clock.monotonic())
        self._best = (self._best + 1) % len(self.servers)
        self._end(lookup)

    def _end(self, lookup: Lookup) -> None:
        self._drop_socket(lookup)
        self._out.pop(lookup.key, None)
        self._release(lookup)

    def _release(self, lookup: Lookup) -> None:
        waiting, lookup.waiting = lookup.waiting, []
        for done in waiting:
            done()

    def _drop_socket(self, lookup: Lookup) -> None:
        if lookup.sock is None:
            return
        try:
            self._poller.unregister(lookup.sock)
        except KeyError:
            pass  # it was not waited for yet
        lookup.sock.close()
        lookup.sock = None

    # --- Loops --------------------------------------------------------------------------------------------------------

    def probe(self) -> None:
        """Ask for a name that nobody has, drawn anew each time. If that question comes to us, we are being asked back.

        As CoreDNS' plugin `loop` does it. Called once a second; asks rarely.
        """
        now = clock.monotonic()
        if now < self._probe_due:
            return
        self._probe_due = now + params.DNS_LOOP_PROBE_S
        was, self.loop = self.loop, ""
        self._probe = (f"{clock.random_bits(48):012x}", f"{clock.random_bits(48):012x}")
        self.ask((self._probe, HINFO), lambda: None)
        if was:
            log.warning("looking whether upstream %s still asks us back", was)

    def _found_loop(self) -> None:
        if self.loop:
            return
        self.loop = " or ".join(map(shown, self.servers))
        log.error(
            "loop: upstream %s asks us what we ask it. Names of the rest of the world are answered SERVFAIL until "
            "--upstream names a server that does not",
            self.loop,
        )


def question(lookup: Lookup) -> bytes:
    labels, qtype = lookup.key
    edns = b"" if lookup.plain else b"\0" + FIXED.pack(OPT, params.DNS_UDP_SIZE, 0, 0)
    header = HEADER.pack(lookup.ident, RD, 1, 0, 0, 1 if edns else 0)
    return header + encode_name(labels) + struct.pack("!HH", qtype, IN) + edns
