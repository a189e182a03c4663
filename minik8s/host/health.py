"""The page on which a component tells how it fares: plain HTTP on 127.0.0.1 of its own namespace.

    /healthz          the process answers
    /readyz           every check is well, else 500 and the ones that are not
    /metrics          Prometheus' text
    /debug/journal    JSON lines; ?since=WALL
    /debug/stacks     what every thread is doing now
    /debug/asked      what a component asked of the API server (client/asked.py)

Nothing here changes anything, so it needs no authentication where only the machine itself can reach it; from
elsewhere it is read through the agent, which asks who is there.
"""

import json
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from minik8s.host.journal import Journal
from minik8s.host.metrics import Registry

Query = dict[str, str]
Check = Callable[[], str]  # "" when all is well, else what is wrong
Page = Callable[[Query], object]  # a string is served as text, anything else as JSON

TEXT = "text/plain; charset=utf-8"
METRICS = "text/plain; version=0.0.4; charset=utf-8"
JSON_LINES = "application/x-ndjson"
JSON = "application/json"
STOP_LOOK_S = 0.5  # how often the thread looks whether it should end: a dozen processes wake for nothing each time


@dataclass
class HealthServer:
    """A thread that serves the page; `port` 0 takes any free one and is set to it by `start`."""

    address: str = "127.0.0.1"
    port: int = 0
    registry: Registry = field(default_factory=Registry)
    journal: Journal = field(default_factory=Journal)
    checks: Mapping[str, Check] = field(default_factory=dict)
    extra: Mapping[str, Page] = field(default_factory=dict)
    _server: ThreadingHTTPServer | None = None

    def start(self) -> None:
        """Listen in the current thread's namespace."""
        owner = self

        class Handler(_Handler):
            pages = owner

        self._server = Server((self.address, self.port), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(STOP_LOOK_S,), name="health", daemon=True).start()

    def stop(self) -> None:
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def answer(self, path: str, query: Query) -> tuple[int, str, str]:
        """Status code, content type and body of a page."""
        if path in self.extra:
            page = self.extra[path](query)
            return (200, TEXT, page) if isinstance(page, str) else (200, JSON, json.dumps(page, default=str))
        if path in ("/healthz", "/livez"):
            return 200, TEXT, "ok"
        if path == "/readyz":
            return self._ready()
        if path == "/metrics":
            return 200, METRICS, self.registry.text()
        if path == "/debug/journal":
            return 200, JSON_LINES, self.journal.text(float(query.get("since") or 0))
        if path == "/debug/stacks":
            return 200, TEXT, stacks()
        return 404, TEXT, f"no page {path}\n"

    def _ready(self) -> tuple[int, str, str]:
        wrong = {name: reason for name, check in sorted(self.checks.items()) if (reason := check())}
        if not wrong:
            return 200, TEXT, "ok"
        return 500, TEXT, "".join(f"[-]{name} failed: {reason}\n" for name, reason in wrong.items())


def stacks() -> str:
    """What every thread is doing now."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    parts = [
        f"--- {names.get(ident, ident)}\n{''.join(traceback.format_stack(frame))}"
        for ident, frame in sys._current_frames().items()
    ]
    return "\n".join(parts)


class Server(ThreadingHTTPServer):
    """A thread for each connection; asks nobody how the machine is called."""

    daemon_threads = True
    allow_reuse_address = True

    def server_bind(self) -> None:
        # The standard library's would ask DNS for our own name, and a node may have none to ask.
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]


class _Handler(BaseHTTPRequestHandler):
    pages: HealthServer
    timeout = 10.0  # a client that connects and says nothing does not keep a thread for ever

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        try:
            code, kind, body = self.pages.answer(parts.path, dict(parse_qsl(parts.query)))
        except Exception as error:  # a door: a broken page is the reader's answer, not the component's end
            code, kind, body = 500, TEXT, f"{type(error).__name__}: {error}\n"
        encoded = body.encode()
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(encoded)))
        self.end_headers()
        self.wfile.write(encoded)

    def log_message(self, format: str, *args: Any) -> None:
        """Probes come every second; their lines would bury what matters."""
