"""HTTP/1.1 on a bare socket, for the two who want the socket afterwards: `minik8s exec` and the API server.

An HTTP library keeps its connections to itself. Invariant: what the server
sent after its head is kept (`Answer.early`), because frames may follow in the same packet. Read next: websocket.py.
"""

import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

MOST_HEAD = 64 * 1024
MOST_BODY = 64 * 1024
PIECE = 64 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """The head of an answer: parsed, and raw as it came; and the bytes that came with it."""

    code: int
    headers: dict[str, str]  # names in lower case
    raw: bytes
    early: bytes

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The headers as they came: a name may be there more than once."""
        return _pairs(self.raw.decode("latin-1").split("\r\n")[1:])


class Source(Protocol):
    """What an answer is read from."""

    def recv(self, size: int) -> bytes: ...


def _pairs(lines: list[str]) -> list[tuple[str, str]]:
    parts = (line.partition(":") for line in lines if ":" in line)
    return [(name.strip(), value.strip()) for name, _, value in parts]


def dial(address: tuple[str, int], context: ssl.SSLContext, timeout: float, name: str = "") -> ssl.SSLSocket:
    """A TLS connection to an address; `name` is what its certificate must say, if not the address itself."""
    plain = socket.create_connection(address, timeout)
    try:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return context.wrap_socket(plain, server_hostname=name or address[0])
    except BaseException:
        plain.close()
        raise


def request(method: str, target: str, headers: Mapping[str, str]) -> bytes:
    """The head of a request."""
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("a line break in a header")
    return "\r\n".join((*lines, "", "")).encode("latin-1")


def read_answer(sock: socket.socket) -> Answer:
    """Read an answer's head; the socket's timeout applies to each read."""
    buffer = b""
    while b"\r\n\r\n" not in buffer:
        data = sock.recv(16 * 1024)
        if not data or len(buffer) > MOST_HEAD:
            raise ConnectionError("the server closed the connection instead of answering")
        buffer += data
    raw, early = buffer.split(b"\r\n\r\n", 1)
    first, *rest = raw.decode("latin-1").split("\r\n")
    words = first.split(" ", 2)
    if len(words) < 2 or not words[0].startswith("HTTP/1.") or not words[1].isdigit():
        raise ConnectionError(f"not an HTTP answer: {first[:80]!r}")
    headers = {name.lower(): value for name, value in _pairs(rest)}
    return Answer(int(words[1]), headers, raw + b"\r\n\r\n", early)


def body(sock: Source, answer: Answer) -> Iterator[bytes]:
    """The body of an answer, piece by piece as it comes: chunked, of a given length, or to the end of the
    connection.
    """
    reader = _Reader(sock, answer.early)
    if answer.headers.get("transfer-encoding", "").lower() == "chunked":
        while (left := _chunk_size(reader.line())) > 0:
            yield from reader.pieces(left)
            reader.line()
        return
    length = answer.headers.get("content-length", "")
    yield from reader.pieces(int(length) if length.isdigit() else None)


def whole_body(sock: socket.socket, answer: Answer) -> bytes:
    """The body of a refusal, at most MOST_BODY of it."""
    found = b""
    for piece in body(sock, answer):
        found += piece
        if len(found) >= MOST_BODY:
            break
    return found[:MOST_BODY]


def _chunk_size(line: bytes) -> int:
    try:
        return int(line.split(b";")[0], 16)
    except ValueError:
        raise ConnectionError(f"not a chunk: {line[:80]!r}") from None


class _Reader:
    """Bytes that came early, then those of the socket."""

    def __init__(self, sock: Source, early: bytes) -> None:
        self._sock = sock
        self._buffer = early

    def line(self) -> bytes:
        while b"\r\n" not in self._buffer:
            if len(self._buffer) > MOST_HEAD or not self._more():
                raise ConnectionError("the answer ended in the middle")
        found, self._buffer = self._buffer.split(b"\r\n", 1)
        return found

    def pieces(self, length: int | None) -> Iterator[bytes]:
        while length is None or length > 0:
            if not self._buffer and not self._more():
                return
            piece = self._buffer[:length]
            self._buffer = self._buffer[len(piece) :]
            length = None if length is None else length - len(piece)
            yield piece

    def _more(self) -> bool:
        data = self._sock.recv(PIECE)
        self._buffer += data
        return bool(data)
