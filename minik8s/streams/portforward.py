"""The client's side of `kubectl port-forward`: many connections to ports of one Pod, over one connection.

There are two dialects. In SPDY the client opens two streams for each of its connections, one for data and one for what
goes wrong, and names the port and a number of its own in their headers (`Streams`). In the form of the Python clients
the ports stand in the query and each is one connection from the beginning, with channel 2i for data and 2i+1 for what
goes wrong (`Ports`). Seen from the agent both are the same: somebody wants a connection, called by a key; bytes come
for it; it is done. Invariant: after `end` or `fail` nothing is told of a key any more. Read next: the agent's
forwarding.py.
"""

import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from minik8s.streams import spdy
from minik8s.streams.link import Link, received
from minik8s.streams.websocket import Channels


@dataclass(frozen=True, slots=True)
class Wanted:
    """A connection to a port."""

    key: str
    port: int


@dataclass(frozen=True, slots=True)
class Bytes:
    key: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Done:
    """The client sends nothing more on this connection; it still listens."""

    key: str


@dataclass(frozen=True, slots=True)
class Gone:
    """The client has given this connection up."""

    key: str


Event = Wanted | Bytes | Done | Gone


class Client(Protocol):
    """Who forwards. Register `link.sock`, and call `receive` for any event."""

    link: Link

    @property
    def ended(self) -> bool:
        """Whether the client is gone, with all its connections."""

    def receive(self) -> list[Event]:
        """What the client wants. Sends what waits, too."""

    def send(self, key: str, data: bytes) -> None:
        """What the Pod says on a connection."""

    def fail(self, key: str, because: str) -> None:
        """The connection could not be made, or broke."""

    def end(self, key: str) -> None:
        """The Pod says nothing more on a connection: it is over."""


def port_of(text: str) -> int:
    """A port's number; 0 is no port."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 and int(text) < 1 << 16 else 0


# --- SPDY -------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Pair:
    """The two streams of one connection; 0: not yet opened."""

    port: str
    data: int = 0
    error: int = 0


class Streams:
    """SPDY, over a plain link or one that is wrapped in WebSocket."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self._frames = spdy.Frames()
        self._pairs: dict[str, _Pair] = {}
        self._keys: dict[int, str] = {}  # by the number of the data stream

    @property
    def ended(self) -> bool:
        return self._frames.closed or self.link.ended

    def receive(self) -> list[Event]:
        return [each for event in received(self.link, self._frames.feed) for each in self._told(event)]

    def _told(self, event: spdy.Event) -> list[Event]:
        if isinstance(event, spdy.Opened):
            return self._open(event)
        key = self._keys.get(event.stream)
        if key is None:
            return []
        if isinstance(event, spdy.Data):
            return [Bytes(key, event.data)]
        return [Gone(key) if isinstance(event, spdy.Reset) else Done(key)]

    def _open(self, event: spdy.Opened) -> list[Event]:
        kind, port = event.headers.get("streamtype", ""), event.headers.get("port", "")
        key = event.headers.get("requestid", "")
        pair = self._pairs.setdefault(key, _Pair(port))
        if kind not in ("data", "error") or pair.port != port or getattr(pair, kind):
            self.link.send(self._frames.reset(event.stream, spdy.REFUSED_STREAM))
            return []
        setattr(pair, kind, event.stream)
        if kind == "data":
            self._keys[event.stream] = key
        return [Wanted(key, port_of(port))] if pair.data and pair.error else []

    def send(self, key: str, data: bytes) -> None:
        if key in self._pairs:
            self.link.send(self._frames.data(self._pairs[key].data, data))

    def fail(self, key: str, because: str) -> None:
        if key in self._pairs:
            self.link.send(self._frames.data(self._pairs[key].error, because.encode()))
        self.end(key)

    def end(self, key: str) -> None:
        pair = self._pairs.pop(key, None)
        if pair is not None:
            self._keys.pop(pair.data, None)
            self.link.send(self._frames.end(pair.data) + self._frames.end(pair.error))


# --- Channels of WebSocket --------------------------------------------------------------------------------------------


@dataclass
class Ports:
    """The ports of a query, a connection each. When the last of them is over, so is all."""

    link: Link
    ports: Sequence[int]
    _channels: Channels = field(default_factory=lambda: Channels(server=True, protocol="", whole=()))
    _open: set[int] = field(default_factory=set)
    _begun: bool = False

    @classmethod
    def on(cls, sock: socket.socket, ports: Sequence[int]) -> "Ports":
        return cls(Link(sock), ports)

    @property
    def ended(self) -> bool:
        return self._channels.closed or self.link.ended

    def receive(self) -> list[Event]:
        self.link.flush()
        found: list[Event] = [] if self._begun else self._begin()
        while True:
            data = self.link.receive()
            if data:
                messages, reply = self._channels.feed(data)
                self.link.send(reply)
                # What a client says on an error channel means nothing.
                found += [Bytes(str(channel // 2), data) for channel, data in messages if channel % 2 == 0]
            if not self.link.ready or self.link.ended:
                return found

    def _begin(self) -> list[Event]:
        """Each channel opens with its port, so that the client can tell them apart."""
        self._begun, self._open = True, set(range(len(self.ports)))
        for at, port in enumerate(self.ports):
            for channel in (2 * at, 2 * at + 1):
                self.link.send(self._channels.message(channel, struct.pack("<H", port)))
        return [Wanted(str(at), port) for at, port in enumerate(self.ports)]

    def send(self, key: str, data: bytes) -> None:
        self.link.send(self._channels.message(2 * int(key), data))

    def fail(self, key: str, because: str) -> None:
        self.link.send(self._channels.message(2 * int(key) + 1, because.encode()))
        self.end(key)

    def end(self, key: str) -> None:
        self._open.discard(int(key))
        if not self._open:
            self.link.send(self._channels.close())
