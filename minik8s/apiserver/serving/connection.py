"""One client's connection: what state it is in, and until when it may stay in it.

    SHAKING → READING → QUEUED → WORKING → WRITING → READING …, and from anywhere → CLOSING → closed

Only in WORKING does it have a thread, which may see to more than one request. SHAKING is TLS' handshake, done in steps
as the client's bytes come; WRITING is what the client has not taken yet of an answer; CLOSING reads on for a moment,
for closing on unread bytes would destroy the answer that is under way. Invariant: each state but QUEUED and WORKING has
a deadline, whatever the client does. The worker's main thread owns it, in WORKING the thread that works for it. Read
next: worker.py.
"""

import contextlib
import select
import selectors
import socket
import ssl
from enum import Enum
from typing import Any

from minik8s import params
from minik8s.apiserver.auth import authn
from minik8s.apiserver.serving.intake import Intake
from minik8s.streams.link import Link

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
PLAIN_HTTP = b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"


class State(Enum):
    """How far a connection is, and how many seconds it may stay so. None: it depends on us, not on the client."""

    SHAKING = "SHAKING", params.HANDSHAKE_TIMEOUT_S
    READING = "READING", params.REQUEST_TIMEOUT_S
    IDLE = "IDLE", params.KEEPALIVE_S
    QUEUED = "QUEUED", None
    WORKING = "WORKING", None
    WRITING = "WRITING", params.SEND_TIMEOUT_S
    CLOSING = "CLOSING", params.LINGER_S


class Connection:
    """A socket and what is known of who is behind it."""

    def __init__(self, sock: socket.socket, client: Any, server: Any, now: float) -> None:
        sock.setblocking(False)
        self.sock = sock
        self.client, self.server = client, server
        self.user = authn.ANONYMOUS
        self.level = ""  # the seat that its request holds
        self.request = b""
        self.intake = Intake()
        self.link: Link | None = None  # None: the handshake is not over
        self.last = False  # after the answer that is under way it ends
        self.busy = False  # a thread of the pool uses the socket
        self.enter(State.READING, now)

    def enter(self, state: State, now: float) -> None:
        self.state = state
        seconds = state.value[1]
        self.deadline = None if seconds is None else now + seconds

    def open(self, context: ssl.SSLContext | None, now: float) -> None:
        """Begin, with TLS if there is a context. Raises OSError when the client has gone already."""
        if context is None:
            self.link = Link(self.sock)
            return
        self.sock = context.wrap_socket(self.sock, server_side=True, do_handshake_on_connect=False)
        self.enter(State.SHAKING, now)

    def shake(self) -> int:
        """A step of the handshake; what to wait for before the next. 0: it is done; -1: it has failed."""
        assert isinstance(self.sock, ssl.SSLSocket)
        try:
            self.sock.do_handshake()
            self.user = authn.subject(self.sock.getpeercert())
        except ssl.SSLWantReadError:
            return READ
        except ssl.SSLWantWriteError:
            return WRITE
        except ssl.SSLError as error:
            if error.reason == "HTTP_REQUEST":
                with contextlib.suppress(OSError):
                    socket.socket.send(self.sock, PLAIN_HTTP)
            return -1
        except (OSError, ValueError):
            return -1
        self.link = Link(self.sock)
        return 0

    def wants(self) -> int:
        """The events that bring it on."""
        if self.link is None:
            return READ
        return self.link.wants(reading=self.state is not State.WRITING) or READ

    def speaks(self, seconds: float) -> bool:
        """Wait for a moment: does the client send anything, or leave?"""
        waiting = select.poll()
        waiting.register(self.sock, select.POLLIN)
        return bool(waiting.poll(seconds * 1000))

    def read(self) -> bool:
        """Take in what is there. False: the client will send nothing more."""
        assert self.link is not None
        while data := self.link.receive():
            self.intake.feed(data)
            if not self.link.ready:
                break
        return not self.link.ended

    def send(self, data: bytes) -> None:
        """Send what goes now; the rest waits in the link."""
        assert self.link is not None
        self.link.send(data)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.sock.close()
