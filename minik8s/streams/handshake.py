"""The HTTP/1.1 head of an upgrade, for the two who ask for one on a bare socket: `minik8s exec` and the API server.

An HTTP library would keep the connection to itself; here the socket is wanted afterwards. Invariant: what the server
sent after its head is kept (`Answer.early`), because frames may follow in the same packet. Read next: websocket.py.
"""

import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass

MOST_HEAD = 64 * 1024
MOST_BODY = 64 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """The head of an answer: parsed, and raw as it came; and the bytes that came with it."""

    code: int
    headers: dict[str, str]  # names in lower case
    raw: bytes
    early: bytes


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
    pairs = (line.split(":", 1) for line in rest if ":" in line)
    headers = {name.strip().lower(): value.strip() for name, value in pairs}
    return Answer(int(words[1]), headers, raw + b"\r\n\r\n", early)


def read_body(sock: socket.socket, answer: Answer) -> bytes:
    """The body of a refusal: bounded, by its Content-Length or to the end of the connection."""
    length = answer.headers.get("content-length", "")
    most = min(int(length), MOST_BODY) if length.isdigit() else MOST_BODY
    body = answer.early
    while len(body) < most:
        data = sock.recv(most - len(body))
        if not data:
            break
        body += data
    return body[:most]
