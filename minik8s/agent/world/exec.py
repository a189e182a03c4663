"""Commands inside running containers: for probes (answer and exit code) and for `kubectl exec` (a live duplex
socket).

Docker frames the output of a command without a terminal: eight bytes (stream 1 or 2, length) before each piece.
Closing our sending direction is the command's end of input. Talks to Docker through docker.py's client. Read next:
probes.py, server.py.
"""

import socket
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from minik8s.agent.world.docker import Engine, EngineError

_HEADER = struct.Struct(">BxxxL")
_CHUNK = 65536
_KEPT_OUTPUT = 4096  # of a probe's answer


@dataclass
class Exec:
    """A command that runs in a container. `sock` carries stdin in and output out."""

    engine: Engine
    id: str
    sock: socket.socket
    tty: bool
    response: Any  # keeps the connection from being collected

    def output(self) -> Iterator[tuple[int, bytes]]:
        """Pieces of output with their stream (1 or 2), until the command ends."""
        if self.tty:
            while piece := self.sock.recv(_CHUNK):
                yield 1, piece
            return
        while header := self._exactly(_HEADER.size):
            stream, length = _HEADER.unpack(header)
            yield stream, self._exactly(length)

    def _exactly(self, length: int) -> bytes:
        data = b""
        while len(data) < length:
            piece = self.sock.recv(length - len(data))
            if not piece:
                return b""
            data += piece
        return data

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def end_input(self) -> None:
        self.sock.shutdown(socket.SHUT_WR)

    def resize(self, rows: int, columns: int) -> None:
        self.engine._ask(lambda: self.engine.api.exec_resize(self.id, height=rows, width=columns))

    def state(self) -> tuple[int | None, int]:
        """Exit code (None while it runs) and process id on the Engine's machine."""
        answer = self.engine._ask(lambda: self.engine.api.exec_inspect(self.id))
        return answer["ExitCode"], int(answer.get("Pid") or 0)

    def close(self) -> None:
        self.sock.close()
        self.response.close()


def start(engine: Engine, container: str, command: Sequence[str], *, stdin: bool = False, tty: bool = False) -> Exec:
    """Start a command in a container. Raises EngineError when the container does not run."""

    def call() -> Exec:
        made = engine.api.exec_create(container, list(command), stdin=stdin, tty=tty)["Id"]
        raw = engine.api.exec_start(made, tty=tty, socket=True)
        return Exec(engine, made, getattr(raw, "_sock", raw), tty, raw)

    return engine._ask(call)


def ask(engine: Engine, container: str, command: Sequence[str], timeout: float) -> tuple[int, str]:
    """Run a command to its end: exit code and what it wrote. Raises TimeoutError, EngineError."""
    running = start(engine, container, command)
    output = b""
    try:
        running.sock.settimeout(timeout)
        for _, piece in running.output():
            output = (output + piece)[:_KEPT_OUTPUT]
        code, _ = running.state()
    except OSError as error:
        if isinstance(error, TimeoutError):
            raise
        raise EngineError(str(error)) from error
    finally:
        running.close()
    return (code if code is not None else -1), output.decode(errors="replace")
