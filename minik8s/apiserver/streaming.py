"""The API server's side of logs, exec and the node proxy: ask the node's agent, and pass on what it says.

The control plane has no route to Pods, so everything about a running Pod goes through the agent of its node: TLS to the
node's address, both sides with certificates of the cluster's authority. For `exec` the answer to the upgrade is passed
on as it is and from then on only bytes are carried; the API server looks at no frame. Invariant: whoever comes here has
been authenticated and authorised, and the Pod exists: an error after the upgrade could not be told any more.
Read next: streams/pump.py.
"""

import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from minik8s.api.core import Node
from minik8s.apiserver import errors
from minik8s.params import CLIENT_CONNECT_TIMEOUT_S, CLIENT_READ_TIMEOUT_S, KUBELET_PORT
from minik8s.streams import handshake
from minik8s.streams.link import Link
from minik8s.streams.pump import pump

# The request headers that make an upgrade; WebSocket's and SPDY's.
UPGRADE_HEADERS = ("Connection", "Upgrade", "X-Stream-Protocol-Version")
UPGRADE_PREFIX = "Sec-WebSocket-"


@dataclass(frozen=True, slots=True)
class Answer:
    """What an agent answered: the body comes as it is written there."""

    code: int
    content_type: str
    body: Iterator[bytes]


@dataclass(frozen=True, slots=True)
class Question:
    """A request to an agent. `target` is the path with its query."""

    target: str
    method: str = "GET"
    headers: Mapping[str, str] | None = None
    body: bytes = b""


class Upgraded:
    """An exec that the agent has accepted and that waits for its client."""

    def __init__(self, sock: socket.socket, answer: handshake.Answer) -> None:
        self._sock = sock
        self._answer = answer

    def carry(self, client: socket.socket) -> None:
        """Give the client the agent's answer, then carry bytes until both are done. Closes both sockets.

        `client` is `environ["gunicorn.socket"]`. Afterwards the WSGI call has to end by raising StopIteration, outside
        of Flask's own error handling: gunicorn then drops the connection without writing an answer of its own.
        """
        upstream, down = Link(self._sock, self._answer.early), Link(client)
        down.send(self._answer.raw)
        pump(down, upstream)

    def close(self) -> None:
        """Hang up without a client."""
        self._sock.close()


class Agents:
    """How to reach the agents. Thread-safe: every request has a connection of its own."""

    def __init__(self, ca: str | Path, certificate: str | Path, key: str | Path, port: int = KUBELET_PORT) -> None:
        self._context = ssl.create_default_context(cafile=str(ca))
        self._context.load_cert_chain(str(certificate), str(key))
        self._port = port

    def ask(self, node: Node, question: Question, follow: bool = False) -> Answer:
        """Send a request to a node's agent; the body is streamed. With `follow` silence is no failure."""
        sock, answer = self._send(node, question, {"Connection": "close"})
        if follow:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            sock.settimeout(None)
        content_type = answer.headers.get("content-type", "text/plain")
        return Answer(answer.code, content_type, _stream(sock, answer))

    def upgrade(self, node: Node, question: Question) -> Upgraded | Answer:
        """Ask a node's agent for an upgrade; an Answer is its refusal."""
        sock, answer = self._send(node, question, {})
        if answer.code == 101:
            return Upgraded(sock, answer)
        return Answer(answer.code, answer.headers.get("content-type", "text/plain"), _stream(sock, answer))

    def _send(self, node: Node, question: Question, extra: Mapping[str, str]) -> tuple[ssl.SSLSocket, handshake.Answer]:
        """Dial, send a request, read the head of the answer."""
        where = address(node)
        head = {"Host": f"{where}:{self._port}", **(question.headers or {}), **extra}
        if question.body:
            head["Content-Length"] = str(len(question.body))
        try:
            sock = handshake.dial((where, self._port), self._context, CLIENT_CONNECT_TIMEOUT_S)
        except OSError as error:
            raise unreachable(node, error) from error
        try:
            sock.settimeout(CLIENT_READ_TIMEOUT_S)
            sock.sendall(handshake.request(question.method, question.target, head) + question.body)
            return sock, handshake.read_answer(sock)
        except (OSError, ValueError) as error:
            sock.close()
            raise unreachable(node, error) from error


def address(node: Node) -> str:
    """Where a node's agent listens."""
    for found in node.status.addresses:
        if found.type == "InternalIP":
            return found.address
    raise errors.unavailable(f'node "{node.metadata.name}" has not told its address yet')


def unreachable(node: Node, error: Exception) -> errors.Failure:
    """The agent does not answer."""
    return errors.unavailable(f'the agent on node "{node.metadata.name}" does not answer: {error}')


def log_question(place: Sequence[str], query: str) -> Question:
    """The agent's page with a container's log. `place`: namespace, Pod, container."""
    return Question(_target(("containerLogs", *place), query))


def upgrade_question(page: Sequence[str], environ: Mapping[str, Any]) -> Question:
    """The client's own upgrade request, at the agent's page for it."""
    target = _target(page, environ.get("QUERY_STRING", ""))
    return Question(target, environ.get("REQUEST_METHOD", "GET"), upgrade_headers(environ))


def upgrade_headers(environ: Mapping[str, Any]) -> dict[str, str]:
    """The headers of a WSGI request that belong to the upgrade, and no others (credentials stay here)."""
    found = {}
    for key, value in environ.items():
        name = "-".join(word.capitalize() for word in key.removeprefix("HTTP_").split("_"))
        wanted = name in UPGRADE_HEADERS or name.lower().startswith(UPGRADE_PREFIX.lower())
        if key.startswith("HTTP_") and wanted:
            found[name] = value
    return found


def _target(page: Sequence[str], query: str) -> str:
    path = "/" + "/".join(quote(part, safe="") for part in page)
    return f"{path}?{query}" if query else path


def _stream(sock: socket.socket, answer: handshake.Answer) -> Iterator[bytes]:
    """The body piece by piece, as it comes. Closing the generator hangs up, which ends a followed log at the agent."""
    try:
        yield from handshake.body(sock, answer)
    except OSError:
        return  # the node went away in the middle: what came is all there is
    finally:
        sock.close()
