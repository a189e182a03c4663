"""The loop that carries connections: accept, ask where the client wanted to go, connect to an endpoint, pass bytes on.

    client ── redirected by its Pod's rules ──> listener on 127.0.0.1:15001 of the Pod ── accept
      SO_ORIGINAL_DST: 10.96.0.7:80 ── pick ──> socket made in the Pod's namespace ── connect ──> 10.244.2.5:8080
                                                refused, unreachable, or no answer in time: another one

Nothing is read from the client before an endpoint has answered, so trying again can neither lose nor repeat anything.
The endpoint sees the Pod's own address, because the socket to it is made in the Pod's namespace; only the source port
is another one.

One thread, which owns all of this; others put functions into its inbox (`tell`, `ask`). Invariant: a connection is
closed on both ends or on none, and every open one is counted with its endpoint. Next: `connection.py`.
"""

import contextlib
import errno
import logging
import os
import selectors
import socket
import struct
import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import partial
from queue import Empty, SimpleQueue
from typing import TypeVar

from minik8s import params
from minik8s.host import clock
from minik8s.host.journal import Journal
from minik8s.host.namespaces import Visitor
from minik8s.proxy.endpoints import Endpoint
from minik8s.proxy.sidecar.connection import READ, WRITE, Connection, Pipes, Side, carry, close, drop, flush, wants
from minik8s.proxy.sidecar.metrics import Metrics
from minik8s.proxy.sidecar.plan import Address, Served, pick
from minik8s.proxy.sidecar.world import Place

T = TypeVar("T")
log = logging.getLogger(__name__)
ACCEPT_BATCH = 64  # connections accepted before others have their turn
ANSWER_S = 5.0  # how long a page waits for the loop
_ORIGINAL_DST = 80  # SO_ORIGINAL_DST, IP6T_SO_ORIGINAL_DST
_WHY = {errno.ECONNREFUSED: "refused", errno.ETIMEDOUT: "timeout"}


class Relay:
    """All connections of all Pods that this process serves."""

    def __init__(self, journal: Journal, metrics: Metrics, ended: Callable[[str], None]) -> None:
        """`ended` is told the uid of a Pod whose sandbox has ended."""
        self._journal, self._metrics, self._ended = journal, metrics, ended
        self._selector = selectors.DefaultSelector()
        self._inbox: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._bell, self._ring = socket.socketpair()
        self._services: Mapping[Address, Served] = {}
        self._places: dict[str, Place] = {}
        self._connections: dict[str, set[Connection]] = {}  # by the Pod's uid
        self._sandboxes: dict[str, int] = {}  # pidfd by the Pod's uid, of those with a place or a connection
        self.open = 0  # how many there are
        self._busy: Counter[str] = Counter()  # open connections by target
        self._aside: dict[str, float] = {}  # target → until when it comes last
        self._affinity: dict[tuple[str, Address], tuple[str, float]] = {}  # → target, and when it was used last
        self._deadlines: deque[tuple[float, Connection, Side]] = deque()
        self._pipes = Pipes()
        self._running = True
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)
        self.failure: BaseException | None = None

    # --- For other threads --------------------------------------------------------------------------------------------

    def start(self) -> None:
        self._bell.setblocking(False)
        self._ring.setblocking(False)
        self._thread.start()

    def stop(self) -> None:
        self.tell(lambda: setattr(self, "_running", False))
        self._thread.join(ANSWER_S)

    def tell(self, fn: Callable[[], None]) -> None:
        """Have the loop do this."""
        self._inbox.put(fn)
        with contextlib.suppress(BlockingIOError):  # rung often enough
            self._ring.send(b"!")

    def ask(self, fn: Callable[[], T]) -> T:
        """Have the loop do this, and wait for what it says. TimeoutError: the loop does not answer."""
        answer: Future[T] = Future()

        def work() -> None:
            try:
                answer.set_result(fn())
            except Exception as error:  # it belongs to whoever asked
                answer.set_exception(error)

        self.tell(work)
        return answer.result(ANSWER_S)

    def serve(self, services: Mapping[Address, Served]) -> None:
        """What stands behind each address from now on."""
        self.tell(lambda: setattr(self, "_services", services))

    def add(self, place: Place) -> None:
        self.ask(lambda: self._add(place))

    def remove(self, uid: str) -> None:
        """Accept nothing more from this Pod; afterwards the place may be closed."""
        self.ask(lambda: self._remove(uid))

    def connections(self) -> list[Connection]:
        return self.ask(lambda: [each for found in self._connections.values() for each in found])

    def aside(self) -> list[str]:
        now = clock.monotonic()
        return sorted(target for target, until in list(self._aside.items()) if until > now)

    # --- The loop -----------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._visitor = Visitor()
            self._selector.register(self._bell, READ, lambda _: self._read_inbox())
            while self._running:
                for key, events in self._selector.select(self._patience()):
                    key.data(events)
                self._expire()
        except BaseException as error:  # the end of this thread is the end of the component: `main` raises it
            self.failure = error
            log.exception("the relay broke")
            self._ended("")

    def _read_inbox(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._bell.recv(4096):
                pass
        with contextlib.suppress(Empty):
            while True:
                self._inbox.get_nowait()()

    def _patience(self) -> float | None:
        return max(0.0, self._deadlines[0][0] - clock.monotonic()) if self._deadlines else None

    def _expire(self) -> None:
        now = clock.monotonic()
        while self._deadlines and self._deadlines[0][0] <= now:
            _, connection, side = self._deadlines.popleft()
            if connection.far is side and not connection.established and not connection.closed:
                self._failed(connection, errno.ETIMEDOUT)
                self._connect(connection)

    # --- Pods ---------------------------------------------------------------------------------------------------------

    def _add(self, place: Place) -> None:
        uid = place.client.uid
        self._places[uid] = place
        self._connections.setdefault(uid, set())
        if uid not in self._sandboxes:
            self._sandboxes[uid] = os.dup(place.process)
            self._selector.register(self._sandboxes[uid], READ, lambda _: self._sandbox_ended(uid))
        for listener in place.listeners:
            self._selector.register(listener, READ, partial(self._accept, place, listener))

    def _remove(self, uid: str) -> None:
        place = self._places.pop(uid, None)
        if place:
            for listener in place.listeners:
                self._selector.unregister(listener)
        self._affinity = {key: value for key, value in self._affinity.items() if key[0] != uid}
        self._forget(uid)

    def _forget(self, uid: str) -> None:
        """If nothing of this Pod is left."""
        if uid not in self._places and uid in self._sandboxes and not self._connections[uid]:
            sandbox = self._sandboxes.pop(uid)
            self._selector.unregister(sandbox)
            os.close(sandbox)
            del self._connections[uid]

    def _sandbox_ended(self, uid: str) -> None:
        """All that is left in the Pod's namespace goes now, so that the kernel can end it."""
        for connection in list(self._connections.get(uid, ())):
            self._end(connection, reset=True)
        self._remove(uid)
        self._ended(uid)

    # --- A connection's life ------------------------------------------------------------------------------------------

    def _accept(self, place: Place, listener: socket.socket, _events: int) -> None:
        for _ in range(ACCEPT_BATCH):
            if place.client.uid not in self._places:  # released a moment ago
                return
            try:
                sock, _peer = listener.accept()
            except OSError:  # nobody more, or the one who came has gone again
                return
            sock.setblocking(False)
            address = original_destination(sock)
            served = self._services.get(address) if address else None
            if served is None or address is None or self.open >= params.SIDECAR_CONNECTIONS:
                close(sock, reset=True)
                continue
            connection = Connection(place.client, address, served, Side(sock), clock.monotonic())
            self._connections[place.client.uid].add(connection)
            self.open += 1
            self._connect(connection)

    def _connect(self, connection: Connection) -> None:
        """Begin to connect to an endpoint that was not tried yet; give up when there is none, or it took too many."""
        while len(connection.tried) < params.SIDECAR_ATTEMPTS and (endpoint := self._choose(connection)):
            connection.tried.append(endpoint)
            code = self._dial(connection, endpoint)
            if code in (0, errno.EINPROGRESS):
                return
            self._failed(connection, code)
        self._metrics.failed(connection.served.service)
        self._end(connection, reset=True)

    def _choose(self, connection: Connection) -> Endpoint | None:
        served = self._services.get(connection.address, connection.served)
        now = clock.monotonic()
        left = [one for one in served.endpoints if one not in connection.tried]
        if served.affinity:
            target, used = self._affinity.get((connection.client.uid, connection.address), ("", 0.0))
            before = next((one for one in left if one.target == target), None)
            if before and now - used < served.affinity:
                return before
        self._aside = {target: until for target, until in self._aside.items() if until > now}
        return pick(left, self._busy, self._aside, clock.fraction)

    def _dial(self, connection: Connection, endpoint: Endpoint) -> int:
        """A socket in the Pod's namespace, on its way to the endpoint. The error number; EINPROGRESS is well."""
        self._busy[endpoint.target] += 1
        place = self._places.get(connection.client.uid)
        if place is None:
            return errno.ENETDOWN
        try:
            sock = self._visitor.call(place.namespace, partial(_outgoing, endpoint.address))
        except OSError as error:
            return error.errno or errno.EIO
        side = connection.far = Side(sock)
        code = sock.connect_ex((endpoint.address, endpoint.port))
        if code in (0, errno.EINPROGRESS):
            side.watched = WRITE
            self._selector.register(sock, WRITE, partial(self._answered, connection, side))
            self._deadlines.append((clock.monotonic() + params.SIDECAR_CONNECT_TIMEOUT_S, connection, side))
        return code

    def _answered(self, connection: Connection, side: Side, _events: int) -> None:
        """The endpoint took the connection, or did not."""
        if connection.closed or connection.far is not side:
            return
        code = side.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            self._failed(connection, code)
            self._connect(connection)
            return
        connection.established = True
        self._metrics.established(connection.served.service)
        if connection.served.affinity:
            key = connection.client.uid, connection.address
            self._affinity[key] = connection.endpoint.target, clock.monotonic()
        self._unwatch(side)
        for each in (connection.near, side):
            each.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            each.watched = READ
            self._selector.register(each.sock, READ, partial(self._ready, connection, each))

    def _failed(self, connection: Connection, code: int) -> None:
        """This endpoint did not answer: it comes last for a while, for everybody."""
        endpoint, served = connection.endpoint, connection.served
        why = _WHY.get(code, "unreachable")
        self._metrics.retried(served.service, why)
        self._leave(endpoint)
        if connection.far:
            self._unwatch(connection.far)
            connection.far.sock.close()
            connection.far = None
        if endpoint.target not in self._aside:
            because = f"endpoint {endpoint.target} of {served.title}: {os.strerror(code)}"
            log.info("%s; it comes last for %g s", because, params.SIDECAR_ASIDE_S)
            objects = [f"services/{served.service}", f"pods/{connection.client.key}"]
            self._journal.record("sidecar", f"{because}; another one is tried", objects, target=endpoint.target)
        self._aside[endpoint.target] = clock.monotonic() + params.SIDECAR_ASIDE_S

    def _leave(self, endpoint: Endpoint) -> None:
        self._busy[endpoint.target] -= 1
        if not self._busy[endpoint.target]:
            del self._busy[endpoint.target]

    def _ready(self, connection: Connection, side: Side, events: int) -> None:
        """One end can be read, or has room again."""
        other = connection.other(side)
        if connection.closed or other is None:
            return
        try:
            if events & WRITE and side.waiting:
                flush(other, side, self._pipes)
            if events & READ and wants(side, other) & READ:
                carry(side, other, self._pipes)
        except OSError:
            self._end(connection, reset=True)
            return
        if connection.done:
            self._end(connection, reset=False)
            return
        self._watch(connection, side, other)
        self._watch(connection, other, side)

    def _watch(self, connection: Connection, side: Side, other: Side) -> None:
        events = wants(side, other)
        if events == side.watched:
            return
        if not side.watched:
            self._selector.register(side.sock, events, partial(self._ready, connection, side))
        elif events:
            self._selector.modify(side.sock, events, partial(self._ready, connection, side))
        else:
            self._selector.unregister(side.sock)
        side.watched = events

    def _unwatch(self, side: Side) -> None:
        if side.watched:
            self._selector.unregister(side.sock)
            side.watched = 0

    def _end(self, connection: Connection, reset: bool) -> None:
        connection.closed = True
        self.open -= 1
        for side in (connection.near, connection.far):
            if side:
                self._unwatch(side)
                drop(side, self._pipes, reset)
        if connection.far:
            self._leave(connection.endpoint)
            self._metrics.carried(connection.near.carried, connection.far.carried)
        self._connections[connection.client.uid].discard(connection)
        self._forget(connection.client.uid)


def original_destination(sock: socket.socket) -> Address | None:
    """Where the client wanted to go before the rules led it here. None: it was not led here, it came by itself."""
    six = sock.family == socket.AF_INET6
    try:
        raw = sock.getsockopt(socket.IPPROTO_IPV6 if six else socket.SOL_IP, _ORIGINAL_DST, 28 if six else 16)
    except OSError:
        return None
    port = struct.unpack_from("!H", raw, 2)[0]
    packed = raw[8:24] if six else raw[4:8]
    return socket.inet_ntop(sock.family, packed), port


def _outgoing(address: str) -> socket.socket:
    """A socket of the namespace we are in, with the mark that leads it past the rules."""
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    sock.setblocking(False)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, params.MARK_SIDECAR)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, params.SIDECAR_KEEPALIVE_IDLE_S)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, params.SIDECAR_KEEPALIVE_INTERVAL_S)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, params.SIDECAR_KEEPALIVE_PROBES)
    return sock
