"""A front end that finds its back end by name: each request to it makes one request to $BACKEND (http://back).

It opens a new connection each time, so that the Service may choose another Pod, and shows who answered. When the back
end cannot be reached it says why, with status 502: a name that is not known, a connection that was refused, and one
that got no answer are three different findings. It listens on $PORT (8080).
"""

import json
import os
import signal
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BACKEND = os.environ.get("BACKEND", "http://back")
TIMEOUT_S = float(os.environ.get("TIMEOUT", "2"))
POD = os.environ.get("POD_NAME") or socket.gethostname()


def ask(path: str) -> tuple[int, dict]:
    """(status for our client, what to tell it)."""
    began = time.monotonic()
    try:
        with urllib.request.urlopen(BACKEND + path, timeout=TIMEOUT_S) as response:
            answer = json.load(response)
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        return 502, {"frontend": POD, "asked": BACKEND, "error": str(reason)}
    took = round((time.monotonic() - began) * 1000, 1)
    return 200, {
        "frontend": POD,
        "asked": BACKEND,
        "answered": answer.get("pod", "?"),
        "took_ms": took,
        "backend": answer,
    }


class Handler(BaseHTTPRequestHandler):
    """One request, one request to the back end."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path in ("/healthz", "/ready"):
            code, value = (
                200,
                {"frontend": POD},
            )  # its own health: not the back end's, or one fault would take down both
        else:
            code, value = ask(self.path)
        body = (json.dumps(value) + "\n").encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        if self.path not in ("/healthz", "/ready"):
            # An IPv4 client of a socket for both families shows as ::ffff:10.0.0.1.
            print(f"{self.client_address[0].removeprefix('::ffff:')} {format % args}", flush=True)


class Server(ThreadingHTTPServer):
    """For both families where the kernel has both, and without the look-up of its own name that the library makes."""

    address_family = socket.AF_INET6 if socket.has_dualstack_ipv6() else socket.AF_INET
    daemon_threads = True
    request_queue_size = 512

    def server_bind(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if self.address_family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = POD, self.socket.getsockname()[1]


def main() -> int:
    """Serve until told to stop."""
    server = Server(("", int(os.environ.get("PORT", "8080"))), Handler)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"{POD} asks {BACKEND} for every request", flush=True)
    server.serve_forever(poll_interval=0.1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
