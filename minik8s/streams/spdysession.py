"""`exec` and `attach` over SPDY: a stream for each of stdin, stdout, stderr, the terminal's size and the final status.

The client opens them one by one and says in each one's headers what it is for; nothing may be sent before all of them
are there. Seen from the command it is the same as WebSocket's channels (`session.py`). Invariant: at the end each
stream is ended by itself, and the connection is left to the client to close: it still reads. Read next: spdy.py.
"""

from collections.abc import Iterable

from minik8s.streams import spdy
from minik8s.streams.link import Link, received
from minik8s.streams.session import CLOSE, ERROR, RESIZE, STDERR, STDIN, STDOUT, BadFrame

CHANNELS = {"stdin": STDIN, "stdout": STDOUT, "stderr": STDERR, "error": ERROR, "resize": RESIZE}
_MOST_SIZE = 1024  # bytes of one message about the terminal's size


class SpdySession:
    """One client; `channels` are those that it will open."""

    def __init__(self, link: Link, channels: Iterable[int]) -> None:
        self.link = link
        self._frames = spdy.Frames()
        self._expected = frozenset(channels)
        self._streams: dict[int, int] = {}  # by channel
        self._size = b""

    @property
    def complete(self) -> bool:
        return self._expected <= self._streams.keys()

    @property
    def ended(self) -> bool:
        return self._frames.closed or self.link.ended

    def wants(self, reading: bool = True) -> int:
        return self.link.wants(reading)

    def receive(self) -> list[tuple[int, bytes]]:
        return [each for event in received(self.link, self._frames.feed) for each in self._told(event)]

    def _told(self, event: spdy.Event) -> list[tuple[int, bytes]]:
        if isinstance(event, spdy.Opened):
            self._open(event)
            return []
        channel = next((channel for channel, stream in self._streams.items() if stream == event.stream), None)
        if channel is None:
            return []
        if isinstance(event, spdy.Data):
            return self._sizes(event.data) if channel == RESIZE else [(channel, event.data)]
        return [(CLOSE, bytes([channel]))]

    def _open(self, event: spdy.Opened) -> None:
        channel = CHANNELS.get(event.headers.get("streamtype", ""))
        if channel not in self._expected or channel in self._streams:
            self.link.send(self._frames.reset(event.stream, spdy.REFUSED_STREAM))
        else:
            self._streams[channel] = event.stream

    def _sizes(self, data: bytes) -> list[tuple[int, bytes]]:
        """One JSON document for each line."""
        *whole, self._size = (self._size + data).split(b"\n")
        if len(self._size) > _MOST_SIZE:
            raise BadFrame("a terminal's size has no end")
        return [(RESIZE, line) for line in whole if line]

    def send(self, channel: int, data: bytes) -> None:
        if channel in self._streams:
            self.link.send(self._frames.data(self._streams[channel], data))

    def close(self, code: int = 1000) -> None:
        for channel in (STDOUT, STDERR, ERROR, STDIN, RESIZE):
            if channel in self._streams:
                self.link.send(self._frames.end(self._streams[channel]))
