"""One connection that the sidecar carries: its two ends, and the bytes between them.

Each end takes only what the other has room for, so a slow reader slows the writer down and memory stays bounded. When
one end has said all it had to say (FIN), the other is told so once everything before it has been passed on, and may go
on talking. Who breaks off (RST) has the other end reset too: a client must be able to tell the two apart.

Invariant: no byte is lost, doubled or moved past another. Next: `relay.py`, whose loop calls this.
"""

import selectors
import socket
import struct
from dataclasses import dataclass, field

from minik8s.proxy.endpoints import Endpoint
from minik8s.proxy.sidecar.plan import Address, Client, Served

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
_AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends RST


@dataclass(eq=False)
class Side:
    """One end. `waiting`: what came from the other end and has not found room here yet."""

    sock: socket.socket
    waiting: bytes = b""
    ended: bool = False  # it will say no more
    told: bool = False  # it has been told that the other says no more
    carried: int = 0  # bytes that came from here
    watched: int = 0  # the events its loop asks for


@dataclass(eq=False)
class Connection:
    """Between a client Pod and an endpoint, or on the way there."""

    client: Client
    address: Address  # whom the client thinks it talks to
    served: Served
    near: Side  # the client
    began: float
    far: Side | None = None  # the endpoint
    tried: list[Endpoint] = field(default_factory=list)  # the last one is the one in use
    established: bool = False
    closed: bool = False

    @property
    def endpoint(self) -> Endpoint:
        return self.tried[-1]

    def other(self, side: Side) -> Side | None:
        return self.far if side is self.near else self.near

    @property
    def done(self) -> bool:
        return bool(self.far and self.near.told and self.far.told)


def carry(source: Side, sink: Side, buffer: bytearray) -> None:
    """Something can be read: pass on what there is. OSError: one of the two broke off."""
    try:
        count = source.sock.recv_into(buffer)
    except BlockingIOError:
        return
    if count == 0:
        source.ended = True
        _pass_on_the_end(source, sink)
        return
    source.carried += count
    with memoryview(buffer)[:count] as data:
        sent = _send(sink.sock, data)
        sink.waiting = bytes(data[sent:])


def flush(source: Side, sink: Side) -> None:
    """There is room again: pass on what waits. OSError: the sink broke off."""
    sent = _send(sink.sock, memoryview(sink.waiting))
    sink.waiting = sink.waiting[sent:]
    _pass_on_the_end(source, sink)


def wants(side: Side, other: Side) -> int:
    """Which events of this end matter now."""
    reads = READ if not side.ended and not other.waiting else 0
    return reads | (WRITE if side.waiting else 0)


def close(sock: socket.socket, reset: bool) -> None:
    """End a socket: with FIN, or at once with RST."""
    if reset:
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        except OSError:  # it is broken already
            pass
    sock.close()


def _send(sock: socket.socket, data: memoryview) -> int:
    try:
        return sock.send(data)
    except BlockingIOError:
        return 0


def _pass_on_the_end(source: Side, sink: Side) -> None:
    if source.ended and not sink.waiting and not sink.told:
        sink.told = True
        sink.sock.shutdown(socket.SHUT_WR)
