"""WebSocket as Kubernetes uses it: the handshake, and frames whose first byte is the number of a channel.

Both ends of `exec` are here, without I/O: `Channels` turns bytes from the network into `(channel, data)` and back, and
`Session` joins it to a socket (`link.py`). Invariants: exactly one offered protocol is chosen; a message that comes in
pieces is passed on piece by piece for data (a file may be large) and whole for a status or a size; pings are answered.
Read next: client.py, and the agent's server for the other end.
"""

import base64
import hashlib
import socket
from collections.abc import Collection, Iterable, Mapping

import msgspec
from wsproto.connection import Connection, ConnectionState, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, TextMessage
from wsproto.utilities import RemoteProtocolError

from minik8s.streams.link import Link, received
from minik8s.streams.session import CLOSE, ERROR, RESIZE, STDERR, STDIN, STDOUT, BadFrame

__all__ = ["CLOSE", "ERROR", "RESIZE", "STDERR", "STDIN", "STDOUT", "BadFrame", "Channels", "Session"]

V5, V4 = "v5.channel.k8s.io", "v4.channel.k8s.io"
PROTOCOLS = (V5, V4)  # what we speak, best first

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3
_WHOLE = (ERROR, RESIZE, CLOSE)
_MOST_WHOLE = 64 * 1024


# --- Handshake --------------------------------------------------------------------------------------------------------


def is_upgrade(headers: Mapping[str, str]) -> bool:
    """Whether a request asks for WebSocket. Header names in any case."""
    low = {name.lower(): value.lower() for name, value in headers.items()}
    tokens = [token.strip() for token in low.get("connection", "").split(",")]
    return "upgrade" in tokens and low.get("upgrade") == "websocket" and "sec-websocket-key" in low


def choose(offered: str) -> str | None:
    """The protocol to speak, of a Sec-WebSocket-Protocol header; None: none of ours was offered."""
    names = [name.strip() for name in offered.split(",")]
    return next((name for name in PROTOCOLS if name in names), None)


def accept_key(key: str) -> str:
    """Sec-WebSocket-Accept for a Sec-WebSocket-Key: the proof that the server understood."""
    return base64.b64encode(hashlib.sha1(key.strip().encode() + _GUID).digest()).decode()


def switching(key: str, protocol: str) -> bytes:
    """The answer of the server, after which frames follow."""
    lines = (
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Accept: {accept_key(key)}",
        *([f"Sec-WebSocket-Protocol: {protocol}"] if protocol else []),
    )
    return "\r\n".join((*lines, "", "")).encode()


# --- Frames -----------------------------------------------------------------------------------------------------------


class Messages:
    """One side of a connection after the handshake, without I/O: binary messages, as they come in pieces."""

    def __init__(self, server: bool) -> None:
        self._frames = Connection(ConnectionType.SERVER if server else ConnectionType.CLIENT)
        self.closed = False  # the other side has said goodbye

    def feed(self, data: bytes) -> tuple[list[tuple[bytes, bool]], bytes]:
        """Bytes from the network → pieces of messages, each with whether it is the last of its message; and bytes to
        answer.
        """
        if self._frames.state is ConnectionState.CLOSED:
            return [], b""
        found: list[tuple[bytes, bool]] = []
        reply = b""
        try:
            self._frames.receive_data(data)
            for event in self._frames.events():
                reply += self._answer(event)
                if isinstance(event, BytesMessage | TextMessage):
                    piece = event.data.encode() if isinstance(event, TextMessage) else bytes(event.data)
                    found.append((piece, event.message_finished))
        except RemoteProtocolError as error:
            raise BadFrame(str(error)) from error
        return found, reply

    def message(self, data: bytes) -> bytes:
        """The frame of one whole message."""
        return self._frames.send(BytesMessage(data)) if self._open() else b""

    def close(self, code: int = 1000) -> bytes:
        """The closing frame."""
        return self._frames.send(CloseConnection(code)) if self._open() else b""

    def _open(self) -> bool:
        return self._frames.state is ConnectionState.OPEN

    def _answer(self, event: Event) -> bytes:
        if isinstance(event, Ping):
            return self._frames.send(event.response())
        if isinstance(event, CloseConnection):
            self.closed = True
            if self._frames.state is ConnectionState.REMOTE_CLOSING:
                return self._frames.send(event.response())
            # Still open: nobody said goodbye, the frames make no sense. Say so (code 1002) and stop listening.
            return self._frames.send(event) if self._open() else b""
        return b""


class Channels:
    """Messages whose first byte is the number of a channel. `whole`: those whose messages are passed on whole."""

    def __init__(self, server: bool, protocol: str = V5, whole: Collection[int] = _WHOLE) -> None:
        self._messages = Messages(server)
        self._protocol = protocol
        self._whole = whole
        self._channel: int | None = None  # of the message that is coming in pieces
        self._parts = bytearray()

    @property
    def closed(self) -> bool:
        """Whether the other side has said goodbye."""
        return self._messages.closed

    def feed(self, data: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
        """Bytes from the network → the channel data in them (CLOSE: data is the channel that ended), bytes to
        answer.
        """
        pieces, reply = self._messages.feed(data)
        return [found for piece, last in pieces for found in self._piece(piece, last)], reply

    def message(self, channel: int, data: bytes) -> bytes:
        """The frame of some data on a channel."""
        return self._messages.message(bytes([channel]) + data)

    def end(self, channel: int) -> bytes:
        """The frame that ends one channel; nothing in v4, which cannot say it."""
        return self.message(CLOSE, bytes([channel])) if self._protocol == V5 else b""

    def close(self, code: int = 1000) -> bytes:
        """The closing frame."""
        return self._messages.close(code)

    def _piece(self, data: bytes, last: bool) -> Iterable[tuple[int, bytes]]:
        if self._channel is None:
            if not data:
                return
            self._channel, data = data[0], data[1:]
        channel = self._channel
        if last:
            self._channel = None
        if channel not in self._whole:
            if data:
                yield channel, data
            return
        self._parts += data
        if len(self._parts) > _MOST_WHOLE:
            raise BadFrame(f"too much on channel {channel}")
        if last:
            whole, self._parts = bytes(self._parts), bytearray()
            yield channel, whole


# --- What the channels carry ------------------------------------------------------------------------------------------


def status(code: int) -> bytes:
    """The final word on channel ERROR: where kubectl takes its own exit code from."""
    if code == 0:
        return msgspec.json.encode({"metadata": {}, "status": "Success"})
    cause = {"reason": "ExitCode", "message": str(code)}
    return msgspec.json.encode(
        {
            "metadata": {},
            "status": "Failure",
            "reason": "NonZeroExitCode",
            "message": f"command terminated with non-zero exit code: exit status {code}",
            "details": {"causes": [cause]},
        }
    )


def failure(message: str) -> bytes:
    """The final word when the command could not be run at all."""
    return msgspec.json.encode(
        {"metadata": {}, "status": "Failure", "reason": "InternalError", "code": 500, "message": message}
    )


def exit_code(data: bytes) -> tuple[int, str]:
    """The exit code and the message in a final Status."""
    found = msgspec.json.decode(data)
    if found.get("status") == "Success":
        return 0, ""
    causes = (found.get("details") or {}).get("causes") or []
    codes = [cause["message"] for cause in causes if cause.get("reason") == "ExitCode"]
    return (int(codes[0]) if codes else 1), found.get("message", "")


def size(data: bytes) -> tuple[int, int]:
    """Width and height in a message on channel RESIZE."""
    found = msgspec.json.decode(data)
    return int(found["Width"]), int(found["Height"])


class Session:
    """Channels on a socket, as `session.py` describes them."""

    complete = True  # all channels are there from the beginning

    def __init__(self, sock: socket.socket, channels: Channels, early: bytes = b"") -> None:
        self.link = Link(sock, early)
        self._channels = channels

    @property
    def ended(self) -> bool:
        """Whether the other side is done: it closed, or went away."""
        return self._channels.closed or self.link.ended

    def wants(self, reading: bool = True) -> int:
        """The events to select for; `reading=False` while the program cannot take more."""
        return self.link.wants(reading)

    def receive(self) -> list[tuple[int, bytes]]:
        """Everything that came, by channel. Sends what waits, too: call it for any event."""
        return list(received(self.link, self._channels.feed))

    def send(self, channel: int, data: bytes) -> None:
        """Send data on a channel; `link.waiting` says how much did not go out yet."""
        self.link.send(self._channels.message(channel, data))

    def end(self, channel: int) -> None:
        """Say that a channel is at its end (v5)."""
        self.link.send(self._channels.end(channel))

    def close(self, code: int = 1000) -> None:
        """Say goodbye."""
        self.link.send(self._channels.close(code))


class Tunnel(Link):
    """A link whose bytes travel in WebSocket's messages: for SPDY, which kubectl since 1.31 wraps so."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock)
        self._messages = Messages(server=True)

    def receive(self) -> bytes:
        data = super().receive()
        pieces, reply = self._messages.feed(data) if data else ([], b"")
        super().send(reply)
        self.ended = self.ended or self._messages.closed
        return b"".join(piece for piece, _ in pieces)

    def send(self, data: bytes) -> None:
        if data:
            super().send(self._messages.message(data))

    def finish(self) -> None:
        """WebSocket has no half-closing: this is goodbye."""
        super().send(self._messages.close())
