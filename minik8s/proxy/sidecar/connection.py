"""One connection that the sidecar carries: its two ends, and the bytes between them.

Each end takes only what the other has room for, so a slow reader slows the writer down and memory stays bounded. When
one end has said all it had to say (FIN), the other is told so once everything before it has been passed on, and may go
on talking. Who breaks off (RST) has the other end reset too: a client must be able to tell the two apart.

Bytes go from socket to socket through a pipe, by splice(2): the kernel passes the pages on, and this process never has
them in its memory. That takes half the time of reading and writing them.

Invariant: no byte is lost, doubled or moved past another. Next: `relay.py`, whose loop calls this.
"""

import contextlib
import fcntl
import os
import selectors
import socket
import struct
from dataclasses import dataclass, field

from minik8s import params
from minik8s.proxy.endpoints import Endpoint
from minik8s.proxy.sidecar.plan import Address, Client, Served

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
_AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends RST
_SPLICE = os.SPLICE_F_MOVE | os.SPLICE_F_NONBLOCK
SPARE_PIPES = 16  # kept when nothing waits in them

Pipe = tuple[int, int]  # descriptors to read and to write


class Pipes:
    """One is enough while every end takes all it is given; an end that is slow keeps its own until it has."""

    def __init__(self) -> None:
        self._spare: list[Pipe] = []

    def take(self) -> Pipe:
        """An empty one. OSError: there are too many files open."""
        if self._spare:
            return self._spare.pop()
        pipe = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        with contextlib.suppress(OSError):  # the machine allows less: more rounds
            fcntl.fcntl(pipe[1], fcntl.F_SETPIPE_SZ, params.SIDECAR_PIPE)
        return pipe

    def give(self, pipe: Pipe, empty: bool = True) -> None:
        """Back."""
        if empty and len(self._spare) < SPARE_PIPES:
            self._spare.append(pipe)
        else:
            for descriptor in pipe:
                os.close(descriptor)


@dataclass(eq=False)
class Side:
    """One end. `waiting`: bytes that came from the other end and have not found room here yet; they are in `pipe`."""

    sock: socket.socket
    waiting: int = 0
    pipe: Pipe | None = None
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


def carry(source: Side, sink: Side, pipes: Pipes) -> None:
    """Something can be read: pass on what there is. OSError: one of the two broke off."""
    pipe = pipes.take()
    try:
        count = os.splice(source.sock.fileno(), pipe[1], params.SIDECAR_PIPE, flags=_SPLICE)
    except OSError as error:
        pipes.give(pipe)
        if isinstance(error, BlockingIOError):
            return
        raise
    if count == 0:
        pipes.give(pipe)
        source.ended = True
        _pass_on_the_end(source, sink)
        return
    source.carried += count
    sink.pipe, sink.waiting = pipe, count
    flush(source, sink, pipes)


def flush(source: Side, sink: Side, pipes: Pipes) -> None:
    """There may be room: pass on what waits. OSError: the sink broke off."""
    if sink.pipe:
        with contextlib.suppress(BlockingIOError):
            sink.waiting -= os.splice(sink.pipe[0], sink.sock.fileno(), sink.waiting, flags=_SPLICE)
        if not sink.waiting:
            pipes.give(sink.pipe)
            sink.pipe = None
    _pass_on_the_end(source, sink)


def wants(side: Side, other: Side) -> int:
    """Which events of this end matter now."""
    reads = READ if not side.ended and not other.waiting else 0
    return reads | (WRITE if side.waiting else 0)


def drop(side: Side, pipes: Pipes, reset: bool) -> None:
    """End this end, with what still waits for it."""
    if side.pipe:
        pipes.give(side.pipe, empty=False)
        side.pipe = None
    close(side.sock, reset)


def close(sock: socket.socket, reset: bool) -> None:
    """End a socket: with FIN, or at once with RST."""
    if reset:
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        except OSError:  # it is broken already
            pass
    sock.close()


def _pass_on_the_end(source: Side, sink: Side) -> None:
    if source.ended and not sink.waiting and not sink.told:
        sink.told = True
        sink.sock.shutdown(socket.SHUT_WR)
