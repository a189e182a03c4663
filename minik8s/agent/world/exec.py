"""Commands inside running containers, for probes (answer and exit code) and for `kubectl exec` (a live duplex
socket); and their main processes, for `kubectl attach`.

Docker frames the output of a command without a terminal: eight bytes (stream 1 or 2, length) before each piece.
Closing our sending direction is the command's end of input. Talks to Docker through docker.py's client. Read next:
probes.py, server.py.
"""

import signal
import socket
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from minik8s.agent.world.docker import Engine, EngineError
from minik8s.host import processes

_HEADER = struct.Struct(">BxxxL")
_CHUNK = 65536
_KEPT_OUTPUT = 4096  # of a probe's answer


class Frames:
    """Takes Docker's frames apart as they come, in whatever pieces they come. Pure."""

    def __init__(self, tty: bool) -> None:
        self._tty = tty
        self._rest = b""

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        if self._tty:
            return [(1, data)]
        self._rest += data
        found = []
        while len(self._rest) >= _HEADER.size:
            stream, length = _HEADER.unpack_from(self._rest)
            end = _HEADER.size + length
            if len(self._rest) < end:
                break
            found.append((stream, self._rest[_HEADER.size : end]))
            self._rest = self._rest[end:]
        return found


class Running(Protocol):
    """A process that a client talks to. `sock` carries stdin in and output out."""

    @property
    def sock(self) -> socket.socket: ...

    @property
    def tty(self) -> bool:
        """Whether the output comes from a terminal: then Docker does not frame it."""

    def resize(self, rows: int, columns: int) -> None:
        """The client's terminal has another size now."""

    def exit_code(self) -> int:
        """What to tell the client when the output has ended."""

    def close(self) -> None: ...


@dataclass
class Exec:
    """A command that runs in a container."""

    engine: Engine
    id: str
    sock: socket.socket
    tty: bool
    response: Any  # keeps the connection from being collected

    def output(self) -> Iterator[tuple[int, bytes]]:
        """Pieces of output with their stream (1 or 2), until the command ends."""
        frames = Frames(self.tty)
        while data := self.sock.recv(_CHUNK):
            yield from frames.feed(data)

    def resize(self, rows: int, columns: int) -> None:
        self.engine.ask(lambda: self.engine.api.exec_resize(self.id, height=rows, width=columns))

    def state(self) -> tuple[int | None, int]:
        """Exit code (None while it runs) and process id on the Engine's machine."""
        answer = self.engine.ask(lambda: self.engine.api.exec_inspect(self.id))
        return answer["ExitCode"], int(answer.get("Pid") or 0)

    def exit_code(self) -> int:
        code, _ = self.state()
        return 137 if code is None else code  # its output is closed and yet it runs: its container is being killed

    def close(self) -> None:
        self.sock.close()
        self.response.close()


@dataclass
class Attached:
    """The main process of a container, joined while it runs. Its end is no failure of the joining."""

    engine: Engine
    container: str
    sock: socket.socket
    tty: bool
    response: Any

    def resize(self, rows: int, columns: int) -> None:
        self.engine.ask(lambda: self.engine.api.resize(self.container, height=rows, width=columns))

    def exit_code(self) -> int:
        return 0

    def close(self) -> None:
        self.sock.close()
        self.response.close()


def start(engine: Engine, container: str, command: Sequence[str], *, stdin: bool = False, tty: bool = False) -> Exec:
    """Start a command in a container. Raises EngineError when the container does not run."""

    def call() -> Exec:
        made = engine.api.exec_create(container, list(command), stdin=stdin, tty=tty)["Id"]
        raw = engine.api.exec_start(made, tty=tty, socket=True)
        return Exec(engine, made, getattr(raw, "_sock", raw), tty, raw)

    return engine.ask(call)


def attach(engine: Engine, container: str, *, stdin: bool = False) -> Attached:
    """Join a container's main process: what it writes from now on, and its input if that was left open for us.
    Raises EngineError when the container does not run.
    """

    def call() -> Attached:
        wanted = {"stdin": int(stdin), "stdout": 1, "stderr": 1, "stream": 1}
        raw = engine.api.attach_socket(container, params=wanted)
        # Docker also joins what has ended, and then says nothing, not even that it is over. So this is asked last.
        known = engine.api.inspect_container(container)
        joined = Attached(engine, container, getattr(raw, "_sock", raw), bool(known["Config"]["Tty"]), raw)
        if not known["State"]["Running"]:
            joined.close()
            raise EngineError("the container has ended")
        return joined

    return engine.ask(call)


def ask(engine: Engine, container: str, command: Sequence[str], timeout: float) -> tuple[int, str]:
    """Run a command to its end: exit code and what it wrote. Raises TimeoutError, EngineError."""
    running = start(engine, container, command)
    output = b""
    try:
        running.sock.settimeout(timeout)
        for _, piece in running.output():
            output = (output + piece)[:_KEPT_OUTPUT]
        code, _ = running.state()
    except TimeoutError:
        pid = running.state()[1]
        if pid:  # Docker has no word for it, and such commands would pile up
            processes.kill(pid, signal.SIGKILL)
        raise
    except OSError as error:
        raise EngineError(str(error)) from error
    finally:
        running.close()
    return (code if code is not None else -1), output.decode(errors="replace")
