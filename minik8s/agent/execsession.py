"""The agent's end of `kubectl exec`: channels of a WebSocket on one side, a command's stdin and output on the other.
One thread.

Neither side is taken from faster than the other takes it. When the command has ended, its exit code goes out on
channel 3, after all its output. Read next: server.py, and streams/websocket.py for the channels.
"""

import selectors

from minik8s.agent.world.docker import EngineError
from minik8s.agent.world.exec import Exec, Frames
from minik8s.host import clock
from minik8s.streams import websocket
from minik8s.streams.link import Link

AHEAD = 256 * 1024
LINGER_S = 2.0  # how long the client gets to read the last words and say goodbye
_STREAMS = {1: websocket.STDOUT, 2: websocket.STDERR}


def carry(session: websocket.Session, running: Exec) -> None:
    """Carry input and output until the command or the client ends; closes both."""
    command, frames = Link(running.sock), Frames(running.tty)
    try:
        with selectors.DefaultSelector() as selector:
            while not command.ended and not session.ended:
                _wait(selector, session, command)
                _input(session, command, running)
                for stream, data in frames.feed(command.receive()):
                    session.send(_STREAMS.get(stream, websocket.STDOUT), data)
            if command.ended:
                session.send(websocket.ERROR, _last_word(running))
                session.close()
                _linger(selector, session)
    except websocket.BadFrame:
        session.close(1002)
    finally:
        command.close()
        running.close()
        session.link.close()


def _wait(selector: selectors.BaseSelector, session: websocket.Session, command: Link) -> None:
    if session.link.ready or command.ready:
        return
    watched = [
        (session.link.sock, session.wants(reading=command.waiting < AHEAD)),
        (command.sock, command.wants(reading=session.link.waiting < AHEAD)),
    ]
    for sock, events in watched:
        if events:
            selector.register(sock, events)
    selector.select()
    for key in list(selector.get_map().values()):
        selector.unregister(key.fileobj)


def _input(session: websocket.Session, command: Link, running: Exec) -> None:
    command.flush()
    for channel, data in session.receive():
        if channel == websocket.STDIN:
            command.send(data)
        elif channel == websocket.CLOSE and data[:1] == bytes([websocket.STDIN]):
            command.finish()
        elif channel == websocket.RESIZE:
            width, height = websocket.size(data)
            try:
                running.resize(height, width)
            except EngineError:
                pass  # it ended just now


def _last_word(running: Exec) -> bytes:
    try:
        code, _ = running.state()
    except EngineError as error:
        return websocket.failure(str(error))
    return websocket.status(code if code is not None else 137)


def _linger(selector: selectors.BaseSelector, session: websocket.Session) -> None:
    deadline = clock.monotonic() + LINGER_S
    while not session.ended and (left := deadline - clock.monotonic()) > 0:
        selector.register(session.link.sock, session.wants())
        selector.select(left)
        selector.unregister(session.link.sock)
        session.receive()
