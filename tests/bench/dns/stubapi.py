"""An API server that has ten thousand Services and three times as many endpoints, and changes as many a second as it
is told: list (in pages) and watch over plain HTTP, nothing else. A process of its own: it shares no interpreter.
"""

import json
import multiprocessing
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from urllib.parse import parse_qsl

REVISIONS = count(1000)
PROBE = "probe"


def address(number: int, base: str = "10.96") -> str:
    return f"{base}.{number // 250 % 250}.{number % 250 + 1}"


def service(name: str, cluster_ip: str) -> dict:
    spec = {"clusterIP": cluster_ip, "clusterIPs": [cluster_ip], "ports": [{"name": "http", "port": 80}]}
    meta = {"name": name, "namespace": "bench", "uid": name, "resourceVersion": str(next(REVISIONS))}
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec}


def piece(number: int, ready: bool = True) -> dict:
    name = f"s{number}"
    labels = {"kubernetes.io/service-name": name}
    meta = {"name": f"{name}-a", "namespace": "bench", "uid": f"{name}-a", "labels": labels}
    meta["resourceVersion"] = str(next(REVISIONS))
    endpoints = [
        {"addresses": [address(number * 3 + n, f"10.{100 + n}")], "conditions": {"ready": ready or n > 0}}
        for n in range(3)
    ]
    ports = [{"name": "http", "port": 8080, "protocol": "TCP"}]
    return {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": meta, "addressType": "IPv4"} | {
        "endpoints": endpoints,
        "ports": ports,
    }


class StubApi:
    """`rate` changes a second; `probe` counts up to give the Service `probe` another address, sent at `sent`."""

    def __init__(self, services: int) -> None:
        self.rate, self.probe = multiprocessing.Value("d", 0.0), multiprocessing.Value("i", 0)
        self.sent, self.port = multiprocessing.Value("d", 0.0), multiprocessing.Value("i", 0)
        self.process = multiprocessing.Process(target=self._serve, args=(services,), daemon=True)
        self.process.start()
        while not self.port.value:
            time.sleep(0.05)

    def kubeconfig(self) -> str:
        cluster = {"name": "c", "cluster": {"server": f"http://127.0.0.1:{self.port.value}"}}
        context = {"name": "c", "context": {"cluster": "c", "user": "u"}}
        whole = {"clusters": [cluster], "contexts": [context], "users": [{"name": "u", "user": {}}]}
        return json.dumps(whole | {"current-context": "c", "apiVersion": "v1", "kind": "Config"})

    def close(self) -> None:
        self.process.terminate()
        self.process.join()

    def _serve(self, services: int) -> None:
        bench = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "bench", "resourceVersion": "1"}}
        kinds = {
            "namespaces": [bench],
            "services": [service(f"s{n}", address(n)) for n in range(services)] + [service(PROBE, "10.97.0.1")],
            "endpointslices": [piece(n) for n in range(services)],
        }
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                path, _, words = self.path.partition("?")
                kind, query = path.rpartition("/")[2], dict(parse_qsl(words))
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                if "watch" not in query:
                    body = page(kinds[kind], int(query.get("continue", 0)), int(query.get("limit", 0)))
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                    return
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                changes = {"services": owner._services, "endpointslices": owner._slices}.get(kind)
                try:
                    changes(self.wfile, services) if changes else threading.Event().wait()
                except OSError:
                    self.close_connection = True  # the watcher has gone, and comes again

            def log_message(self, *words) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        self.port.value = server.server_address[1]
        server.serve_forever()

    def _services(self, out, services: int) -> None:
        """Only the probe changes; looked at a thousand times a second."""
        done = self.probe.value
        while True:
            if self.probe.value != done:
                done = self.probe.value
                self.sent.value = time.monotonic()
                send(out, [service(PROBE, f"10.97.{done // 250}.{done % 250 + 1}")])
            time.sleep(0.001)

    def _slices(self, out, services: int) -> None:
        """`rate` changes a second, in steps of ten milliseconds."""
        number, owed, last = 0, 0.0, time.monotonic()
        while True:
            time.sleep(0.01)
            now = time.monotonic()
            owed, last = owed + self.rate.value * (now - last), now
            changed = []
            while owed >= 1:
                owed, number = owed - 1, number + 1
                changed.append(piece(number % services, ready=bool(number // services % 2)))
            send(out, changed)


def page(objects: list[dict], start: int, limit: int) -> bytes:
    end = start + (limit or len(objects))
    meta = {"resourceVersion": "999999"} | ({"continue": str(end)} if end < len(objects) else {})
    return json.dumps({"metadata": meta, "items": objects[start:end]}).encode()


def send(out, objects: list[dict]) -> None:
    if objects:
        lines = b"".join(json.dumps({"type": "MODIFIED", "object": each}).encode() + b"\n" for each in objects)
        out.write(f"{len(lines):x}\r\n".encode() + lines + b"\r\n")
        out.flush()
