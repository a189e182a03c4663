"""Requests to an API server, typed. The one door to the HTTP library.

Nothing is retried here but reading from another server address: a failed request raises, and the loop (`loop.py`)
comes again. Every write says why: `Why` becomes the headers X-Minik8s-Because and X-Minik8s-From. Thread-safe. Errors:
`errors.py`.

Source: Kubernetes API concepts. Read `informer.py` next.
"""

import os
import re
import socket
import ssl
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode, urlsplit

import msgspec
import urllib3
from urllib3.exceptions import HTTPError, NewConnectionError
from urllib3.exceptions import TimeoutError as TookTooLong

from minik8s import params
from minik8s.api import codec
from minik8s.api.meta import DeleteOptions, ListMeta, Object, Status, ref
from minik8s.client import kubeconfig
from minik8s.client.errors import (
    AlreadyExists,
    ApiError,
    Conflict,
    Gone,
    Invalid,
    NotFound,
    Unreachable,
    from_body,
    from_status,
)

__all__ = [
    "AlreadyExists",
    "ApiError",
    "Client",
    "Conflict",
    "Gone",
    "Invalid",
    "Listing",
    "NotFound",
    "Response",
    "Unreachable",
    "WatchEvent",
    "Why",
]

T = TypeVar("T", bound=Object)
MERGE_PATCH = "application/merge-patch+json"
_WARNING = re.compile(r'299 \S+ "((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True)
class Why:
    """The reason for a write, in words, and the objects that were looked at when it was decided."""

    because: str = ""
    seen: Sequence[Object | str] = ()

    def headers(self) -> dict[str, str]:
        refs = [each if isinstance(each, str) else ref(each) for each in self.seen[:20]]
        values = {"X-Minik8s-Because": " ".join(self.because.split())[:1000], "X-Minik8s-From": ",".join(refs)}
        # Header values are ASCII; a reason in another script keeps its place, if not its letters.
        return {name: value.encode("ascii", "replace").decode() for name, value in values.items() if value}


NO_REASON = Why()


@dataclass
class Listing(Generic[T]):
    items: list[T]
    resourceVersion: str
    continue_: str = ""


@dataclass
class WatchEvent(Generic[T]):
    """`type` is ADDED, MODIFIED, DELETED or BOOKMARK; a bookmark's object has only a resourceVersion."""

    type: str
    object: T


class _Frame(msgspec.Struct):
    type: str
    object: msgspec.Raw


class _List(msgspec.Struct):
    metadata: ListMeta = msgspec.field(default_factory=ListMeta)
    items: list[msgspec.Raw] | None = None


_frames = msgspec.json.Decoder(_Frame)
_lists = msgspec.json.Decoder(_List)

_SOCKET_OPTIONS = [
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, params.TCP_KEEPALIVE_IDLE_S),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, params.TCP_KEEPALIVE_INTERVAL_S),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, params.TCP_KEEPALIVE_PROBES),
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, params.TCP_USER_TIMEOUT_MS),
]


class Response:
    """An answer. `data` reads the whole body, `lines()` reads it as it comes."""

    def __init__(self, raw: urllib3.BaseHTTPResponse) -> None:
        self._raw = raw
        self.status = raw.status
        self.headers: Mapping[str, str] = raw.headers
        found = _WARNING.findall(", ".join(raw.headers.getlist("Warning")))
        self.warnings = [re.sub(r"\\(.)", r"\1", each) for each in found]

    @property
    def data(self) -> bytes:
        try:
            return self._raw.data
        except HTTPError as error:
            raise Unreachable(str(error)) from error

    def chunks(self) -> Iterator[bytes]:
        try:
            yield from self._raw.stream(65536)
        except (HTTPError, OSError, AttributeError) as error:  # AttributeError: shut down by another thread meanwhile
            raise Unreachable(f"the stream broke: {error}") from error
        finally:
            self._raw.close()

    def lines(self) -> Iterator[bytes]:
        rest = b""
        for chunk in self.chunks():
            *whole, rest = (rest + chunk).split(b"\n")
            yield from whole
        if rest:
            yield rest

    def shut(self) -> None:
        """End the stream from another thread: whoever reads it sees its end at once."""
        try:
            self._raw.shutdown()
        except (ValueError, OSError, RuntimeError, AttributeError):
            pass  # it ended by itself


def _tls(access: kubeconfig.Access) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=access.ca.decode() if access.ca else None)
    if access.certificate:
        # ssl reads key pairs from files only; this one never gets a name that others could open.
        with tempfile.NamedTemporaryFile() as pair:
            os.fchmod(pair.fileno(), 0o600)
            pair.write(access.certificate + b"\n" + access.private_key)
            pair.flush()
            context.load_cert_chain(pair.name)
    return context


def _words(failure: Exception | None) -> str:
    """What happened; urllib3 names its own classes and pools, which help nobody at a shell."""
    if isinstance(failure, TookTooLong) and not isinstance(failure, NewConnectionError):
        return "no answer in time"
    chain = (failure, failure.__cause__, failure.__context__, *failure.args) if failure else ()
    known = (each.strerror for each in chain if isinstance(each, OSError) and each.strerror)
    return next((text.lower() for text in known), str(failure))


class Client:
    """A connection pool to one API server, or to several of which the first that answers is used."""

    def __init__(self, access: kubeconfig.Access, *, user_agent: str = "minik8s", pool: int = 32) -> None:
        if not access.servers:
            raise ValueError("no API server address given")
        self.access = access
        self._servers = access.servers  # the one to ask first in front; replaced whole, because threads share it
        self._headers = {"User-Agent": user_agent, "Accept": "application/json"}
        if access.token:
            self._headers["Authorization"] = f"Bearer {access.token}"
        self._tls = _tls(access)
        self._pool = urllib3.PoolManager(
            socket_options=_SOCKET_OPTIONS, maxsize=pool, ssl_context=self._tls, retries=False
        )
        # Called after each request: method, path, status, and the content type of what was sent (`asked.py`).
        self.observer: Callable[[str, str, int, str], None] | None = None
        self.warned: Callable[[str], None] | None = None  # called with each of the server's warnings

    @classmethod
    def from_kubeconfig(cls, path: str, user_agent: str = "minik8s") -> "Client":
        return cls(kubeconfig.load(path), user_agent=user_agent)

    # --- Any request -------------------------------------------------------------------------------------------------

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        stream_timeout: float | None = None,
    ) -> Response:
        """Send one request; raises ApiError for any answer from 400 on.

        With `stream_timeout` (seconds between two pieces) the body is left unread.
        """
        sent = {**self._headers, **(headers or {})}
        data = body if body is None or isinstance(body, bytes) else codec.encode(body)
        if data is not None:
            sent.setdefault("Content-Type", "application/json")
        raw = self._send(method, path, data, sent, stream_timeout)
        response = Response(raw)
        if self.observer:
            self.observer(method, path, raw.status, sent.get("Content-Type", ""))
        if self.warned:
            for text in response.warnings:
                self.warned(text)
        if raw.status >= 400:
            raise from_body(raw.status, response.data)
        return response

    def _send(
        self, method: str, path: str, data: bytes | None, headers: Mapping[str, str], stream: float | None
    ) -> urllib3.BaseHTTPResponse:
        timeout = urllib3.Timeout(connect=params.CLIENT_CONNECT_TIMEOUT_S, read=stream or params.CLIENT_READ_TIMEOUT_S)
        failure: Exception | None = None
        for _ in range(len(self._servers)):
            server = self._servers[0]
            url = server + path
            try:
                return self._pool.request(
                    method, url, body=data, headers=headers, timeout=timeout, preload_content=stream is None
                )
            except (HTTPError, OSError) as error:
                failure = error
                self._servers = (*(each for each in self._servers if each != server), server)
                if method != "GET":
                    break  # the write may have taken place: the caller must look before it tries again
        raise Unreachable(f"{method} {url}: {_words(failure)}") from failure

    def open_socket(self) -> tuple[socket.socket, str]:
        """A connection of one's own to the API server, and the Host header for it: for what stops being HTTP."""
        url = urlsplit(self._servers[0])
        try:
            plain = socket.create_connection((url.hostname, url.port or 443), timeout=params.CLIENT_CONNECT_TIMEOUT_S)
            sock = self._tls.wrap_socket(plain, server_hostname=url.hostname) if url.scheme == "https" else plain
        except OSError as error:
            raise Unreachable(f"{self._servers[0]}: {error}") from error
        sock.settimeout(params.CLIENT_READ_TIMEOUT_S)
        return sock, url.netloc

    @property
    def headers(self) -> dict[str, str]:
        """What every request carries: who we are, and the token if we have one."""
        return dict(self._headers)

    # --- Reading -----------------------------------------------------------------------------------------------------

    def get(self, cls: type[T], name: str, namespace: str = "") -> T:
        return codec.decode(cls, self.request("GET", cls.resource.path(namespace, name)).data)

    def list(
        self, cls: type[T], namespace: str = "", *, labels: str = "", fields: str = "", **query: str
    ) -> Listing[T]:
        """All objects of a kind; `namespace` "" means all namespaces."""
        path = cls.resource.path(namespace) + _query(labelSelector=labels, fieldSelector=fields, **query)
        found = _lists.decode(self.request("GET", path).data)
        items = [codec.decode(cls, bytes(raw)) for raw in found.items or ()]
        return Listing(items, found.metadata.resourceVersion, found.metadata.continue_)

    def open_watch(self, cls: type[T], namespace: str = "", **query: str) -> Response:
        """The raw stream of a watch, so that another thread can end it (`Response.shut`)."""
        path = cls.resource.path(namespace) + _query(watch="true", allowWatchBookmarks="true", **query)
        return self.request("GET", path, stream_timeout=params.WATCH_READ_TIMEOUT_S)

    def watch(
        self, cls: type[T], namespace: str = "", *, resourceVersion: str = "", labels: str = "", fields: str = ""
    ) -> Iterator[WatchEvent[T]]:
        """Changes after `resourceVersion`. Ends when the server ends it; raises Gone when it must be listed again."""
        stream = self.open_watch(
            cls, namespace, resourceVersion=resourceVersion, labelSelector=labels, fieldSelector=fields
        )
        return read_watch(cls, stream)

    # --- Writing -----------------------------------------------------------------------------------------------------

    def create(self, obj: T, *, why: Why = NO_REASON, query: str = "") -> T:
        path = obj.resource.path(obj.metadata.namespace) + query
        return codec.decode(type(obj), self.request("POST", path, obj, headers=why.headers()).data)

    def replace(self, obj: T, *, subresource: str = "", why: Why = NO_REASON) -> T:
        """PUT the whole object. Only for objects we made ourselves: fields we do not know would be lost."""
        path = obj.resource.path(obj.metadata.namespace, obj.metadata.name, subresource)
        return codec.decode(type(obj), self.request("PUT", path, obj, headers=why.headers()).data)

    def patch(  # noqa: PLR0913  (what, where, and why: as the URL has them)
        self,
        cls: type[T],
        name: str,
        namespace: str,
        patch: dict[str, Any],
        *,
        subresource: str = "",
        why: Why = NO_REASON,
    ) -> T:
        """Apply a JSON merge patch (RFC 7386); `api.patch.diff` makes one."""
        path = cls.resource.path(namespace, name, subresource)
        headers = {"Content-Type": MERGE_PATCH, **why.headers()}
        return codec.decode(cls, self.request("PATCH", path, patch, headers=headers).data)

    def delete(
        self,
        cls: type[T],
        name: str,
        namespace: str = "",
        *,
        options: DeleteOptions | None = None,
        why: Why = NO_REASON,
    ) -> dict[str, Any]:
        """Delete; the answer is a Status, or the object when it goes only later."""
        path = cls.resource.path(namespace, name)
        return msgspec.json.decode(self.request("DELETE", path, options, headers=why.headers()).data)

    def post(  # noqa: PLR0913  (as `patch`)
        self, cls: type[T], name: str, namespace: str, subresource: str, body: Any, *, why: Why = NO_REASON
    ) -> dict[str, Any]:
        """POST to a subresource, such as a Pod's `binding`."""
        path = cls.resource.path(namespace, name, subresource)
        return msgspec.json.decode(self.request("POST", path, body, headers=why.headers()).data)


def read_watch(cls: type[T], stream: Response) -> Iterator[WatchEvent[T]]:
    """The events of an open watch. An ERROR event is raised as the error it tells of."""
    for line in stream.lines():
        if not line:
            continue
        frame = _frames.decode(line)
        if frame.type == "ERROR":
            stream.shut()
            raise from_status(codec.decode(Status, bytes(frame.object)))
        yield WatchEvent(frame.type, codec.decode(cls, bytes(frame.object)))


def _query(**parts: str) -> str:
    given = {name: value for name, value in parts.items() if value}
    return f"?{urlencode(given)}" if given else ""
