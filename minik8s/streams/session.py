"""What a remote command sees of its client, whichever protocol that speaks: numbered channels on one connection.

`websocket.Session` and `spdysession.SpdySession` are the two there are. Both stand in a selector's loop: register
`link.sock` for `wants()`, call `receive` when it is ready. The server's order at the end: everything on STDOUT and
STDERR, the status on ERROR, `close()`; then go on receiving until `ended`, so that the client has time to read it all,
and `link.close()`.
"""

from typing import Protocol

from minik8s.streams.link import Link

STDIN, STDOUT, STDERR, ERROR, RESIZE = range(5)
CLOSE = 255  # "the channel in this message is at its end": the way stdin says EOF


class BadFrame(Exception):
    """The other side does not speak the protocol that was agreed on."""


class Session(Protocol):
    """Channels on a socket."""

    link: Link

    @property
    def complete(self) -> bool:
        """Whether all channels are there: before that, what is sent could be lost."""

    @property
    def ended(self) -> bool:
        """Whether the other side is done: it closed, or went away."""

    def wants(self, reading: bool = True) -> int:
        """The events to select for; `reading=False` while the program cannot take more."""

    def receive(self) -> list[tuple[int, bytes]]:
        """Everything that came, by channel. Sends what waits, too: call it for any event."""

    def send(self, channel: int, data: bytes) -> None:
        """Send data on a channel; `link.waiting` says how much did not go out yet."""

    def close(self, code: int = 1000) -> None:
        """Say goodbye."""
