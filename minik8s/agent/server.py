"""The agent's own server, https://<node>:10250: how the API server reaches what runs on this node.

A client needs a certificate of the cluster's authority whose group is system:masters; nobody else gets as far as a
page. Each connection has a thread and is closed after one answer. Read next: pages.py for the answers, upgrades.py for
exec and its kin.
"""

import logging
import socket
import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from minik8s.agent import upgrades
from minik8s.agent.pages import Pages, Query, Refused
from minik8s.agent.world.docker import EngineError

log = logging.getLogger("agent")
MASTERS = "system:masters"
_IDLE_S = 30.0  # a client that connects and says nothing does not keep a thread for ever


def tls(pki: Path, node: str) -> ssl.SSLContext:
    """Our certificate, and the demand for theirs."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(pki / "ca.crt"))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(str(pki / f"{node}.crt"), str(pki / f"{node}.key"))
    return context


def groups(certificate: Any) -> list[str]:
    """The groups a client certificate speaks for: its subject's organisations."""
    subject = certificate.get("subject", ()) if certificate else ()
    return [value for part in subject for name, value in part if name == "organizationName"]


class AgentServer(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], context: ssl.SSLContext, pages: Pages) -> None:
        super().__init__(address, _Handler)
        self.context, self.pages = context, pages

    def start(self) -> None:
        threading.Thread(target=self.serve_forever, args=(0.5,), name="server", daemon=True).start()

    def finish_request(self, request: Any, client_address: Any) -> None:
        """In the connection's own thread, so that a slow handshake keeps nobody waiting."""
        request.settimeout(_IDLE_S)
        try:
            secured = self.context.wrap_socket(request, server_side=True)
        except (ssl.SSLError, OSError):
            return  # no certificate of ours, or no TLS at all
        try:
            super().finish_request(secured, client_address)
        finally:
            _hang_up(secured)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up in the middle is nobody's error; anything else is ours."""
        if not isinstance(sys.exception(), OSError):
            log.exception("a request from %s failed", client_address)


def _hang_up(connection: socket.socket) -> None:
    """Close for certain: a thread that still watches the connection would keep a plain `close` from being sent."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # the other side was first
    connection.close()


class _Handler(BaseHTTPRequestHandler):
    server: AgentServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.close_connection = True
        parts = urlsplit(self.path)
        path, query = unquote(parts.path), parse_qs(parts.query, keep_blank_values=True)
        try:
            if MASTERS not in groups(self.connection.getpeercert()):  # type: ignore[attr-defined]
                raise Refused(403, f"only clients of the group {MASTERS} are served")
            if upgrades.meant(path):
                upgrades.serve(self.server.pages, upgrades.Asked(path, query, self._joined_headers()), self.connection)
            else:
                self._page(path, query)
        except Refused as error:
            self._refuse(error.code, str(error))
        except EngineError as error:
            self._refuse(500, str(error))

    do_POST = do_GET

    def _page(self, path: str, query: Query) -> None:
        page = self.server.pages.get(path, query, self.connection)
        self.send_response(200)
        self.send_header("Content-Type", page.content_type)
        self.send_header("Connection", "close")
        self.connection.settimeout(None)  # a reader may be as slow as it likes
        if isinstance(page.body, bytes):
            self.send_header("Content-Length", str(len(page.body)))
            self.end_headers()
            self.wfile.write(page.body)
            return
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in page.body:
            if piece:  # an empty chunk would be the end
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def _joined_headers(self) -> dict[str, str]:
        """A header that came several times is a list with commas; kubectl sends its protocols that way."""
        return {name: ", ".join(self.headers.get_all(name, [])) for name in self.headers}

    def _refuse(self, code: int, message: str) -> None:
        body = message.encode()
        self.send_response(code)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """The API server's audit has every request already."""
