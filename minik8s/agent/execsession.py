"""The agent's end of `kubectl exec` and `attach`: a client's channels on one side, a command's stdin and output on the
other. One thread.

Neither side is taken from faster than the other takes it, and nothing is written before all of the client's channels
are there. When the command has ended, its exit code goes out on the channel ERROR, after all its output. Read next:
server.py, and streams/session.py for the channels.
"""

import selectors
from collections.abc import Set

from minik8s import params
from minik8s.agent.world.docker import EngineError
from minik8s.agent.world.exec import Frames, Running
from minik8s.host import clock
from minik8s.streams import websocket
from minik8s.streams.link import Link
from minik8s.streams.session import CLOSE, ERROR, RESIZE, STDERR, STDIN, STDOUT, BadFrame, Session

AHEAD = 256 * 1024
LINGER_S = 2.0  # how long the client gets to read the last words and say goodbye
_STREAMS = {1: STDOUT, 2: STDERR}


def carry(session: Session, running: Running, wanted: Set[int]) -> None:
    """Carry input and output until the command or the client ends; closes both. `wanted`: the client's channels."""
    command, frames = Link(running.sock), Frames(running.tty)
    deadline = clock.monotonic() + params.STREAM_CREATION_TIMEOUT_S
    try:
        with selectors.DefaultSelector() as selector:
            while not session.ended and not (command.ended and session.complete):
                left = None if session.complete else deadline - clock.monotonic()
                if left is not None and left <= 0:
                    return  # the client never opened all of its streams
                _wait(selector, session, command, left)
                _input(session, command, running)
                _output(session, command, frames, wanted)
            if command.ended:
                session.send(ERROR, _last_word(running))
                session.close()
                _linger(selector, session)
    except BadFrame:
        session.close(1002)
    finally:
        command.close()
        running.close()
        session.link.close()


def _wait(selector: selectors.BaseSelector, session: Session, command: Link, timeout: float | None) -> None:
    if session.link.ready and command.waiting < AHEAD:
        return
    watched = [
        (session.link.sock, session.wants(reading=command.waiting < AHEAD)),
        (command.sock, command.wants(reading=_takes(session))),
    ]
    for sock, events in watched:
        if events:
            selector.register(sock, events)
    selector.select(timeout)
    for key in list(selector.get_map().values()):
        selector.unregister(key.fileobj)


def _takes(session: Session) -> bool:
    """Whether the client is there for more output."""
    return session.complete and session.link.waiting < AHEAD


def _input(session: Session, command: Link, running: Running) -> None:
    command.flush()
    if command.waiting >= AHEAD:
        session.link.flush()
        return
    for channel, data in session.receive():
        if channel == STDIN:
            command.send(data)
        elif channel == CLOSE and data[:1] == bytes([STDIN]):
            command.finish()
        elif channel == RESIZE:
            _resize(running, data)


def _resize(running: Running, data: bytes) -> None:
    try:
        width, height = websocket.size(data)
    except (ValueError, KeyError, TypeError) as error:
        raise BadFrame(f"not a terminal's size: {error}") from error
    try:
        running.resize(height, width)
    except EngineError:
        pass  # it ended just now


def _output(session: Session, command: Link, frames: Frames, wanted: Set[int]) -> None:
    if not _takes(session):
        return
    for stream, data in frames.feed(command.receive()):
        channel = _STREAMS.get(stream, STDOUT)
        if channel in wanted:
            session.send(channel, data)


def _last_word(running: Running) -> bytes:
    try:
        return websocket.status(running.exit_code())
    except EngineError as error:
        return websocket.failure(str(error))


def _linger(selector: selectors.BaseSelector, session: Session) -> None:
    deadline = clock.monotonic() + LINGER_S
    while not session.ended and (left := deadline - clock.monotonic()) > 0:
        selector.register(session.link.sock, session.wants())
        selector.select(left)
        selector.unregister(session.link.sock)
        session.receive()
