"""The client's end of `exec`: what `minik8s exec` speaks to the API server.

Iterate over an `Exec` in one thread to get what the command writes; feed it from any other thread. Only the
iterating thread touches the socket (a TLS connection cannot be read and written by two threads), the others leave
their wishes in a queue and wake it. Invariant: after the iteration `exit_code` and `message` hold the command's
end. Read next: websocket.py.
"""

import base64
import queue
import selectors
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack

import msgspec

from minik8s.host import clock
from minik8s.streams import handshake, websocket
from minik8s.streams.websocket import ERROR, PROTOCOLS, RESIZE, STDERR, STDIN, STDOUT, Channels, Session

AHEAD = 1024 * 1024
WISHES = 64
LOOK_AGAIN_S = 0.5


class Refused(Exception):
    """The server did not upgrade: the HTTP code and what it said (a Status, mostly)."""

    def __init__(self, code: int, body: bytes) -> None:
        super().__init__(f"{code}: {body.decode(errors='replace')}")
        self.code = code
        self.body = body


def connect(sock: socket.socket, host: str, target: str, headers: Mapping[str, str] | None = None) -> "Exec":
    """Ask for the upgrade on a connected socket. `target` is the path with its query; raises Refused."""
    key = base64.b64encode(bytes.fromhex(clock.uid().replace("-", ""))).decode()  # any 16 bytes
    wanted = {
        "Host": host,
        **(headers or {}),
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": key,
        "Sec-WebSocket-Protocol": ", ".join(PROTOCOLS),
    }
    sock.sendall(handshake.request("GET", target, wanted))
    answer = handshake.read_answer(sock)
    if answer.code != 101:
        raise Refused(answer.code, handshake.whole_body(sock, answer))
    protocol = websocket.choose(answer.headers.get("sec-websocket-protocol", ""))
    if protocol is None or answer.headers.get("sec-websocket-accept") != websocket.accept_key(key):
        raise ConnectionError("the server switched to something that is not our WebSocket")
    return Exec(Session(sock, Channels(server=False, protocol=protocol), answer.early))


class Exec:
    """A running command."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._wishes: queue.Queue[Callable[[], None]] = queue.Queue(WISHES)
        self._over = threading.Event()
        self._waker, self._wakened = socket.socketpair()
        self._waker.setblocking(False)
        self._wakened.setblocking(False)
        self.exit_code: int | None = None  # None: the connection broke before the end was told
        self.message = ""

    def stdin(self, data: bytes) -> None:
        """Give the command input. From any thread; waits while the command takes none."""
        self._wish(lambda: self._session.send(STDIN, data))

    def close_stdin(self) -> None:
        """Tell the command that no more input comes. From any thread."""
        self._wish(lambda: self._session.end(STDIN))

    def resize(self, width: int, height: int) -> None:
        """Tell the command the size of our terminal. From any thread."""
        size = msgspec.json.encode({"Width": width, "Height": height})
        self._wish(lambda: self._session.send(RESIZE, size))

    def close(self) -> None:
        """Hang up. From any thread."""
        self._wish(self._session.close)

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        """What the command writes, as `(STDOUT or STDERR, data)`, until it has ended."""
        with ExitStack() as stack:
            stack.callback(self._session.link.close)
            stack.callback(self._wakened.close)
            stack.callback(self._over.set)
            selector = stack.enter_context(selectors.DefaultSelector())
            selector.register(self._wakened, selectors.EVENT_READ)
            while not self._session.ended:
                for channel, data in self._session.receive():
                    if channel in (STDOUT, STDERR):
                        yield channel, data
                    elif channel == ERROR:
                        self.exit_code, self.message = websocket.exit_code(data)
                self._wait(selector)

    def _wait(self, selector: selectors.BaseSelector) -> None:
        self._grant()
        events = self._session.wants()
        if self._session.ended or not events:
            return
        selector.register(self._session.link.sock, events)
        selector.select()
        selector.unregister(self._session.link.sock)

    def _grant(self) -> None:
        try:
            self._wakened.recv(4096)
        except BlockingIOError:
            pass
        while not self._wishes.empty() and self._session.link.waiting < AHEAD:
            self._wishes.get()()

    def _wish(self, wish: Callable[[], None]) -> None:
        while not self._over.is_set():
            try:
                self._wishes.put(wish, timeout=LOOK_AGAIN_S)
                self._waker.send(b"!")
                return
            except queue.Full:
                continue
            except OSError:
                return  # it is awake already, or over
