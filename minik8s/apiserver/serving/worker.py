"""gunicorn's threaded worker, in which only a whole request has a thread.

gunicorn's own gives a thread to every connection that was accepted, and the thread waits for the handshake, the head
and the body: forty-eight silent clients, and nobody else is answered. Here the main thread waits for all of them
(`connection.py`), puts their bytes together (`intake.py`), lets the system's own go first (`lanes.py`) and gives a
thread to what is ready; what a client has not taken of an answer, the main thread sends too. Handshakes cost
processor time, so they have two threads of their own. A client that asks again at once keeps its thread, as long as
nobody waits for the seat: the way over the main thread would cost half as much again as a get. Invariant: a thread of
the pool never waits for a client, except for a moment (`STAY_S`) after an answer, and for streams (logs, exec), which
are counted and leave their seat. Read `http.py` for what a request does then.
"""

import errno
import logging
import ssl
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from gunicorn.http import wsgi
from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine, ParseException
from gunicorn.http.parser import RequestParser
from gunicorn.sock import ssl_context
from gunicorn.workers.gthread import ThreadWorker

from minik8s import params
from minik8s.api import codec
from minik8s.apiserver import errors
from minik8s.apiserver.auth import authn
from minik8s.apiserver.http import LEAVE_SEAT, Taken
from minik8s.apiserver.serving import instruments, lanes
from minik8s.apiserver.serving.connection import Connection, State
from minik8s.host import clock

HANDSHAKERS = 2
LARGE = 64 * 1024  # bytes of an answer from which on a copy costs more than a packet
SWEEP_S = 1.0
STAY_S = 0.001  # a client on the same machine asks again after a tenth of it; threads are too few to wait for others
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
# What becomes of a connection after a request. PARTED: it is kept, but its seat is somebody else's.
TAKEN, KEEP, PARTED, CLOSE = "taken", "keep", "parted", "close"

log = logging.getLogger(__name__)


class Sink:
    """Where gunicorn writes an answer: it is sent when it is whole."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def sendall(self, data: bytes) -> None:
        self.parts.append(data)

    def together(self) -> list[bytes]:
        """What is to be sent, small parts as one."""
        return [b"".join(self.parts)] if sum(map(len, self.parts)) < LARGE else self.parts

    def send(self, data: bytes) -> None:
        """Only a "100 Continue", which has been sent."""


class Worker(ThreadWorker):
    """Serves the connections of this process."""

    at_stop: list[Callable[[], None]] = []  # called when we are told to stop: the open watches end then

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._connections: set[Connection] = set()
        self._lanes: lanes.Lanes[Connection] = lanes.Lanes()
        self._context: ssl.SSLContext | None = None
        self._sweep_at = 0.0
        instruments.follow_lanes(self._lanes)

    def init_process(self) -> None:
        self._context = ssl_context(self.cfg) if self.cfg.is_ssl else None
        self._handshakers = ThreadPoolExecutor(HANDSHAKERS, "handshake")
        super().init_process()

    def get_thread_pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self.cfg.threads, "request")

    def handle_exit(self, sig: int, frame: Any) -> None:
        for call in self.at_stop:
            call()
        super().handle_exit(sig, frame)

    # --- the main thread --------------------------------------------------------------------------------------

    def notify(self) -> None:
        """gunicorn's heartbeat, a file that is touched at every turn: without a timeout nobody looks at it."""

    def accept(self, listener: Any) -> None:
        try:
            sock, client = listener.accept()
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE):
                self._make_room()
            return
        if len(self._connections) >= params.MAX_CONNECTIONS:
            self._make_room()
        now = clock.monotonic()
        connection = Connection(sock, client, listener.getsockname(), now)
        try:
            connection.open(self._context, now)
        except OSError:
            connection.close()
            return
        self._connections.add(connection)
        self.nr_conns = len(self._connections)
        self._wait(connection)

    def _make_room(self) -> None:
        """Close whoever has been waiting for longest, strangers first."""
        at_rest = [each for each in self._connections if each.deadline is not None and not each.busy]
        if at_rest:
            self._drop(min(at_rest, key=lambda each: (not each.user.anonymous, each.deadline)))

    def _wait(self, connection: Connection, events: int = 0) -> None:
        call = partial(self._ready, connection)
        self.poller.register(connection.sock, events or connection.wants(), call)

    def _ready(self, connection: Connection, _: Any) -> None:
        """A connection can go on."""
        self.poller.unregister(connection.sock)
        try:
            if connection.link is None:
                connection.busy = True
                self._handshakers.submit(self._shake, connection)
            elif connection.state is State.WRITING:
                connection.link.flush()
                self._written(connection, CLOSE if connection.link.ended else KEEP)
            elif connection.state is State.CLOSING:
                self._discard(connection)
            else:
                self._read(connection, alive=connection.read())
        except Exception:
            log.exception("a connection failed")
            self._forget(connection)

    def _shaken(self, connection: Connection, wanted: int) -> None:
        connection.busy = False
        if wanted < 0:
            instruments.HANDSHAKE_ERRORS.inc()
            self._forget(connection)
        elif wanted > 0:
            self._wait(connection, wanted)
        else:
            connection.enter(State.READING, clock.monotonic())
            self._read(connection, alive=connection.read())

    def _read(self, connection: Connection, alive: bool) -> None:
        """Go on with what came in: a whole request, a part of one, or nothing more."""
        link, intake = connection.link, connection.intake
        assert link is not None
        try:
            request = intake.take()
        except errors.Failure as failure:
            self._refuse(connection, failure)
            return
        if request is not None:
            self._admit(connection, request)
        elif not alive or link.broken:
            self._forget(connection)
        else:
            if intake.expects:
                intake.expects = False
                connection.send(CONTINUE)
            if intake.begun and connection.state is State.IDLE:
                connection.enter(State.READING, clock.monotonic())
            self._wait(connection)

    def _admit(self, connection: Connection, request: bytes) -> None:
        connection.request = request
        connection.level = lanes.level_of(request, connection.user)
        now = clock.monotonic()
        verdict = self._lanes.arrive(connection.level, connection, now)
        if verdict == "run":
            self._run(connection)
        elif verdict == "wait":
            connection.enter(State.QUEUED, now)
        else:
            self._reject(connection, "queue-full")

    def _reject(self, connection: Connection, reason: str) -> None:
        instruments.REJECTED.inc(priority_level=connection.level, reason=reason)
        connection.level = ""
        self._refuse(connection, errors.too_many_requests("too many requests, please try again later"))

    def _run(self, connection: Connection) -> None:
        connection.enter(State.WORKING, clock.monotonic())
        connection.busy = True
        self.tpool.submit(self._work, connection)

    def _leave_seat(self, connection: Connection) -> None:
        level, connection.level = connection.level, ""
        following = self._lanes.leave(level) if level else None
        if following is not None:
            self._run(following)

    def _worked(self, connection: Connection, outcome: str) -> None:
        connection.busy = False
        self._leave_seat(connection)
        if outcome == TAKEN:
            self._connections.discard(connection)
            self.nr_conns = len(self._connections)
        else:
            self._written(connection, outcome if self.alive else CLOSE)

    def _written(self, connection: Connection, outcome: str) -> None:
        """An answer has been given to the link: wait until it is sent, then for the next request."""
        link, now = connection.link, clock.monotonic()
        assert link is not None
        connection.last = connection.last or outcome == CLOSE
        if link.broken:
            self._forget(connection)
        elif link.waiting:
            connection.enter(State.WRITING, now)
            self._wait(connection)
            self._bound_unsent()
        elif connection.last:
            self._forget(connection)
        else:
            connection.enter(State.READING if connection.intake.begun else State.IDLE, now)
            self._read(connection, alive=not link.ended)

    def _bound_unsent(self) -> None:
        """Answers that nobody takes must not fill the memory: who has taken nothing for longest is cut off."""
        writing = [each for each in self._connections if each.state is State.WRITING and each.link]
        if sum(each.link.waiting for each in writing if each.link) > params.MAX_UNSENT_BYTES:
            self._drop(min(writing, key=lambda each: each.deadline or 0.0))

    def _refuse(self, connection: Connection, failure: errors.Failure) -> None:
        """Answer without a thread, and close. For a moment we still read what comes, so that the answer arrives."""
        link = connection.link
        assert link is not None
        link.send(_answer(failure))
        link.finish()
        connection.enter(State.CLOSING, clock.monotonic())
        self._discard(connection)

    def _discard(self, connection: Connection) -> None:
        link = connection.link
        assert link is not None
        link.flush()
        link.receive()
        if link.ended or link.broken:
            self._forget(connection)
        else:
            self._wait(connection)

    def _forget(self, connection: Connection) -> None:
        self._connections.discard(connection)
        self.nr_conns = len(self._connections)
        connection.close()

    def _drop(self, connection: Connection) -> None:
        """Close one that waits for its client."""
        self.poller.unregister(connection.sock)
        self._forget(connection)

    def murder_keepalived(self) -> None:
        """gunicorn calls this at least once a second: cut off whoever takes too long."""
        now = clock.monotonic()
        if now < self._sweep_at and self.alive:
            return
        self._sweep_at = now + SWEEP_S
        for connection in self._lanes.impatient(now):
            self._reject(connection, "time-out")
        for connection in [each for each in self._connections if each.deadline is not None and not each.busy]:
            late = connection.deadline is not None and connection.deadline <= now
            if late and connection.state is State.READING and connection.intake.begun:
                self.poller.unregister(connection.sock)
                self._refuse(connection, errors.request_timeout())
            elif late or (not self.alive and connection.state is not State.WRITING):
                self._drop(connection)

    # --- threads of the pools ---------------------------------------------------------------------------------

    def _shake(self, connection: Connection) -> None:
        self.method_queue.defer(self._shaken, connection, connection.shake())

    def _work(self, connection: Connection) -> None:
        outcome = self._answered(connection)
        while outcome == KEEP and (following := self._at_once(connection)):
            connection.request = following
            outcome = self._answered(connection)
        self.method_queue.defer(self._worked, connection, outcome)

    def _at_once(self, connection: Connection) -> bytes | None:
        """The next request of a client that does not make us wait, if we are free to answer it here and now."""
        link, level = connection.link, connection.level
        assert link is not None
        if link.waiting or link.broken or level == lanes.EXEMPT or self._lanes.waiting[level] or not self.alive:
            return None
        if not connection.intake.begun and not connection.speaks(STAY_S):
            return None
        connection.read()
        try:
            return connection.intake.take()
        except errors.Failure:
            return None  # the main thread is told the same and answers

    def _answered(self, connection: Connection) -> str:
        """Answer the request that a connection has; returns what becomes of the connection."""
        try:
            return self._serve(connection)
        except Taken:
            return TAKEN
        except (ParseException, OSError) as error:  # gunicorn's: some of its errors in bodies are OSErrors
            connection.send(_answer(_unreadable(error)))
        except Exception as error:
            log.exception("a request failed outside of the application")
            connection.send(_answer(errors.internal(type(error).__name__)))
        return CLOSE

    def _serve(self, connection: Connection) -> str:
        request = next(RequestParser(self.cfg, iter((connection.request,)), connection.client))
        connection.request = b""
        sink = Sink()
        response, environ = wsgi.create(request, sink, connection.client, connection.server, self.cfg)
        environ["gunicorn.socket"] = connection.sock
        environ["wsgi.multithread"] = True
        environ[authn.CERTIFIED] = connection.user
        environ[LEAVE_SEAT] = partial(self.method_queue.defer, self._leave_seat, connection)
        body = self.wsgi(environ, response.start_response)
        try:
            if response.response_length is None and request.method != "HEAD":
                environ[LEAVE_SEAT]()
                return _stream(connection, response, body)
            for item in body:
                response.write(item)
            response.close()
        finally:
            body.close()
        for part in sink.together():
            connection.send(part)
        return CLOSE if response.should_close() else KEEP


def _stream(connection: Connection, response: wsgi.Response, body: Iterable[bytes]) -> str:
    """An answer whose end nobody knows yet is sent as it comes, by this thread, which waits for the client."""
    connection.sock.settimeout(params.SEND_TIMEOUT_S)
    response.sock = connection.sock
    try:
        for item in body:
            response.write(item)
        response.close()
        connection.sock.setblocking(False)
    except Exception as error:
        log.info("a stream was cut off: %r", error)
        return CLOSE  # without a last chunk: the client sees that something is missing
    return CLOSE if response.should_close() else PARTED


def _unreadable(error: Exception) -> errors.Failure:
    if isinstance(error, LimitRequestLine):
        return errors.uri_too_long(params.MAX_REQUEST_LINE)
    if isinstance(error, LimitRequestHeaders):
        return errors.head_too_large(params.MAX_HEAD_BYTES)
    return errors.bad_request(f"the request cannot be read: {error}")


def _answer(failure: errors.Failure) -> bytes:
    """A refusal as HTTP, after which the connection ends."""
    body = codec.encode(failure.status)
    details = failure.status.details
    again = f"Retry-After: {details.retryAfterSeconds}\r\n" if details and details.retryAfterSeconds else ""
    head = (
        f"HTTP/1.1 {failure.code} {failure.status.reason}\r\nContent-Type: application/json\r\n{again}"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body
