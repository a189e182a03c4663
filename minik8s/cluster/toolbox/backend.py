"""A backend that says who it is: which Pod, on which node, and who asked.

    GET  /           {pod, node, server, client, method, path, headers} as JSON, on every path not named below
    GET  /healthz    200 while healthy         POST /healthz?on=0 makes it 503 (liveness), on=1 heals
    GET  /ready      200 while ready           POST /ready?on=0 makes it 503 (readiness)
    GET  /env        the environment           GET  /slow?s=2 answers after two seconds

It listens on TCP and UDP on each port of $PORT ("8080" or "80,8080"); a datagram is answered with the same JSON plus
what it said. How it ends is the lesson: told to stop (SIGTERM) it goes on accepting for $LINGER seconds (2), because
the rules that send clients here need a moment to change on every node; it closes kept-alive connections as it answers,
then finishes what it began and exits 0. With ABRUPT=1 it exits at once, as most programs do, and a client can count the
difference.
"""

import contextlib
import json
import os
import signal
import socket
import socketserver
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

POD = os.environ.get("POD_NAME") or socket.gethostname()
NODE = os.environ.get("NODE_NAME", "")
LINGER = float(os.environ.get("LINGER", "2"))

switches = {"/healthz": True, "/ready": True}
stopping = threading.Event()


def plain(address: str) -> str:
    """An IPv4 client of a socket for both families shows as ::ffff:10.0.0.1."""
    return address.removeprefix("::ffff:")


class Handler(BaseHTTPRequestHandler):
    """One connection: its requests, one after another."""

    protocol_version = "HTTP/1.1"
    server_version = "minik8s-backend"
    wbufsize = -1  # headers and body leave in one packet

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path in switches:
            if self.command == "POST":
                switches[url.path] = parse_qs(url.query).get("on", ["0"])[0] in ("1", "true")
            on = switches[url.path]
            self.reply(200 if on or self.command == "POST" else 503, {url.path[1:]: on})
        elif url.path == "/env":
            self.reply(200, dict(sorted(os.environ.items())))
        else:
            if url.path == "/slow":
                time.sleep(float(parse_qs(url.query).get("s", ["1"])[0]))
            self.reply(200, self.who())

    do_POST = do_PUT = do_DELETE = do_HEAD = do_GET

    def who(self) -> dict:
        """The answer most requests get."""
        server, client = self.connection.getsockname(), self.client_address
        return {
            "pod": POD,
            "node": NODE,
            "server": f"{plain(server[0])}:{server[1]}",
            "client": f"{plain(client[0])}:{client[1]}",
            "method": self.command,
            "path": self.path,
            "headers": dict(self.headers.items()),
        }

    def reply(self, code: int, value: dict) -> None:
        """Answer; a body sent along is read first, so that it is not taken for the next request."""
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = (json.dumps(value) + "\n").encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if stopping.is_set():
            self.send_header("Connection", "close")  # also makes this handler end after the answer
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """One line on stdout for each request: `kubectl logs` shows it. Probes would drown the rest."""
        if not self.path.startswith(("/healthz", "/ready")):
            print(f"{plain(self.client_address[0])} {format % args}", flush=True)


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """A thread for each connection; knows which are open, so that idle ones can be told to end."""

    address_family = socket.AF_INET6
    allow_reuse_address = True
    request_queue_size = 512
    daemon_threads = False
    block_on_close = True  # server_close() waits for what was begun

    def __init__(self, port: int) -> None:
        self.open: set[socket.socket] = set()  # guarded by the interpreter: add and discard are atomic
        super().__init__(("::", port), Handler)

    def server_bind(self) -> None:
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()

    def process_request(self, request: Any, client_address: Any) -> None:
        self.open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exc_info()[1]
        if not isinstance(error, ConnectionError):
            print(f"{client_address[0]}: {error!r}", flush=True)

    def drain(self) -> None:
        """Take no more connections; end those that are idle, let the others finish."""
        self.shutdown()
        self.socket.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:  # who came in time and waits in the queue would be reset by closing it
                connection, client = self.socket.accept()
                connection.setblocking(True)
                self.process_request(connection, client)
        for connection in list(self.open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RD)  # a handler waiting for the next request sees the end
        self.server_close()


class IPv4Server(Server):
    """Where the kernel has no IPv6."""

    address_family = socket.AF_INET

    def __init__(self, port: int) -> None:
        self.open = set()
        socketserver.TCPServer.__init__(self, ("0.0.0.0", port), Handler)

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(self)


def serve_udp(sock: socket.socket) -> None:
    """Datagrams: the same answer, and what was said."""
    with sock:
        while True:
            data, client = sock.recvfrom(65535)
            said = data.decode(errors="replace").strip()
            answer = {"pod": POD, "node": NODE, "client": f"{plain(client[0])}:{client[1]}", "said": said}
            sock.sendto((json.dumps(answer) + "\n").encode(), client)


def udp_socket(port: int) -> socket.socket:
    """A socket for datagrams of both families where the kernel has both."""
    if not socket.has_dualstack_ipv6():
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind(("0.0.0.0", port))
        return sock
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    sock.bind(("::", port))
    return sock


def listen(port: int) -> Server:
    """A server for both families where the kernel has both."""
    try:
        return Server(port)
    except OSError as error:
        if error.errno in (97, 99):  # address family not supported, address not available
            return IPv4Server(port)
        raise


def main() -> int:
    """Serve until told to stop, then leave in good order."""
    # A signal may arrive anywhere, also just before we begin to wait: the interpreter itself writes it into this pipe.
    told, tell = os.pipe()
    os.set_blocking(tell, False)
    signal.set_wakeup_fd(tell)
    abrupt = os.environ.get("ABRUPT", "") not in ("", "0")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os._exit(143) if abrupt else None)
    ports = [int(word) for word in os.environ.get("PORT", "8080").split(",")]
    servers = [listen(port) for port in ports]
    sockets = [udp_socket(port) for port in ports]  # before anybody is told that it listens
    for server, datagrams in zip(servers, sockets, strict=True):
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
        threading.Thread(target=serve_udp, args=(datagrams,), daemon=True).start()
    print(f"{POD} listens on {', '.join(map(str, ports))}", flush=True)
    os.read(told, 1)
    stopping.set()
    print(f"{POD} told to stop: accepts for {LINGER:g} s more", flush=True)
    time.sleep(LINGER)
    for server in servers:
        server.drain()
    print(f"{POD} drained", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
