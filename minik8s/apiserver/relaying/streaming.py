"""The API server as a client of the agents: a question to the agent of a node, and what becomes of its answer.

The control plane has no route to Pods, so everything about a running Pod goes through the agent of its node: TLS to the
node's address, both sides with certificates of the cluster's authority. An agent has pages of its own (logs, exec, …),
and one that connects to any address its node can reach (`dial`): through that the `proxy` subresources speak HTTP with
Pods. Invariant: whoever comes here has been authenticated and authorised, and the Pod exists: an error after the
upgrade could not be told any more. Read next: carrying.py, proxying.py.
"""

import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from minik8s.api.core import Node
from minik8s.apiserver import errors
from minik8s.apiserver.relaying.carrying import Streamed, Upgraded
from minik8s.params import CLIENT_CONNECT_TIMEOUT_S, CLIENT_READ_TIMEOUT_S, KUBELET_PORT, MAX_BODY_BYTES
from minik8s.streams import handshake

# The request headers that make an upgrade; WebSocket's and SPDY's.
UPGRADE_HEADERS = ("Connection", "Upgrade", "X-Stream-Protocol-Version")
UPGRADE_PREFIX = "Sec-WebSocket-"
# Of one connection each, and not of the answer (RFC 9110, section 7.6.1).
HOP_BY_HOP = ("connection", "keep-alive", "proxy-authenticate", "te", "trailer", "transfer-encoding", "upgrade")
_REASONS = {400: "BadRequest", 403: "Forbidden", 404: "NotFound", 500: "InternalError", 503: "ServiceUnavailable"}


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that has wholly come."""

    code: int
    headers: Sequence[tuple[str, str]]
    body: bytes


Outcome = Answer | Streamed | Upgraded


@dataclass(frozen=True, slots=True)
class Question:
    """A request. `target` is the path with its query."""

    target: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a program listens that a node can reach."""

    scheme: str
    host: str
    port: int

    @property
    def netloc(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Manners:
    """What is changed in an answer on its way: its headers, and a body that is text of the web."""

    headers: Callable[[str, str], str] = lambda name, value: value
    body: Callable[[str, bytes], bytes] = lambda kind, body: body


class Agents:
    """How to reach the agents. Thread-safe: every request has a connection of its own."""

    def __init__(self, ca: str | Path, certificate: str | Path, key: str | Path, port: int = KUBELET_PORT) -> None:
        self._context = ssl.create_default_context(cafile=str(ca))
        self._context.load_cert_chain(str(certificate), str(key))
        self._port = port

    def ask(self, node: Node, question: Question) -> Outcome:
        """A page of a node's agent, whatever its answer."""
        sock, answer = self._send(node, question, {"Connection": "close"})
        return outcome(sock, answer, question.method)

    def log(self, node: Node, question: Question) -> Streamed:
        """A log, as long as it lasts. Raises a Failure with the agent's words."""
        sock, answer = self._send(node, question, {"Connection": "close"})
        if answer.code >= 400:
            raise _refused(sock, answer)
        kind = answer.headers.get("content-type", "text/plain")
        return Streamed(sock, answer, _head(answer.code, [("Content-Type", kind), ("Cache-Control", "no-cache")]))

    def upgrade(self, node: Node, question: Question) -> Upgraded:
        """Ask a node's agent for an upgrade. Raises a Failure with the agent's words."""
        sock, answer = self._send(node, question, {})
        if answer.code != 101:
            raise _refused(sock, answer)
        return Upgraded(sock, answer)

    def through(self, node: Node, place: Place, question: Question, manners: Manners) -> Outcome:
        """Ask a program that the node can reach."""
        target = _target(("dial", place.scheme, place.host, str(place.port)), "")
        sock, answer = self._send(node, Question(target, headers={"Connection": "Upgrade", "Upgrade": "tcp"}), {})
        if answer.code != 101:
            because = handshake.whole_body(sock, answer).decode(errors="replace")
            sock.close()
            raise errors.unavailable(f"error trying to reach service: {because}")
        try:
            answer = _asked(sock, question)
        except (OSError, ValueError) as error:
            sock.close()
            raise errors.unavailable(f"error trying to reach service: {error}") from error
        return outcome(sock, answer, question.method, manners)

    def _send(self, node: Node, question: Question, extra: Mapping[str, str]) -> tuple[ssl.SSLSocket, handshake.Answer]:
        """Dial, send a request, read the head of the answer."""
        where = address(node)
        head = {"Host": f"{where}:{self._port}", **question.headers, **extra}
        try:
            sock = handshake.dial((where, self._port), self._context, CLIENT_CONNECT_TIMEOUT_S)
        except OSError as error:
            raise unreachable(node, error) from error
        try:
            sock.settimeout(CLIENT_READ_TIMEOUT_S)
            return sock, _asked(sock, Question(question.target, question.method, head, question.body))
        except (OSError, ValueError) as error:
            sock.close()
            raise unreachable(node, error) from error


def _asked(sock: socket.socket, question: Question) -> handshake.Answer:
    head = dict(question.headers)
    if question.body or question.method in ("POST", "PUT", "PATCH"):
        head["Content-Length"] = str(len(question.body))
    sock.sendall(handshake.request(question.method, question.target, head) + question.body)
    return handshake.read_answer(sock)


def outcome(sock: socket.socket, answer: handshake.Answer, method: str, manners: Manners = Manners()) -> Outcome:
    """What becomes of an answer: whole where it is known to be small, so that the client's connection can go on."""
    if answer.code == 101:
        return Upgraded(sock, answer)
    headers = [
        (name, manners.headers(name, value))
        for name, value in answer.pairs
        if name.lower() not in (*HOP_BY_HOP, "content-length")
    ]
    length = answer.headers.get("content-length", "")
    empty = method == "HEAD" or answer.code in (204, 304)
    if not empty and not (length.isdigit() and int(length) <= MAX_BODY_BYTES):
        return Streamed(sock, answer, _head(answer.code, headers))
    try:
        body = b"" if empty else b"".join(handshake.body(sock, answer))
    except OSError as error:
        raise errors.unavailable(f"the answer broke off: {error}") from error
    finally:
        sock.close()
    if method == "HEAD" and length:
        headers.append(("Content-Length", length))
    return Answer(answer.code, headers, manners.body(answer.headers.get("content-type", ""), body))


def _head(code: int, headers: Sequence[tuple[str, str]]) -> bytes:
    lines = [f"HTTP/1.1 {code} {_REASONS.get(code, 'OK')}", *(f"{name}: {value}" for name, value in headers), ""]
    return "\r\n".join(lines).encode("latin-1")


def _refused(sock: socket.socket, answer: handshake.Answer) -> errors.Failure:
    """An agent says in plain text what is wrong."""
    try:
        words = handshake.whole_body(sock, answer).decode(errors="replace")
    except OSError as error:
        words = str(error)
    finally:
        sock.close()
    return errors.Failure(answer.code, _REASONS.get(answer.code, "InternalError"), words)


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
