"""The health-check node port: a load balancer asks each node whether it has an endpoint of the Service.

Under externalTrafficPolicy Local a node sends packets from outside to its own endpoints alone, so a load balancer must
not choose a node without. It asks `http://<node>:<spec.healthCheckNodePort>/`: 200 while there is a ready endpoint on
the node, 503 when there is none, or when the proxy has not written its rules yet. Our own announcer looks at the same
endpoints and need not ask; a load balancer before the cluster does.

Source: kube-proxy's healthcheck.ServiceHealthServer, whose JSON and headers these are.
"""

import json
import socket
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any

from minik8s.api.core import Service
from minik8s.api.discovery import EndpointSlice
from minik8s.client.component import Component
from minik8s.client.loop import Controller
from minik8s.host.health import Server
from minik8s.proxy.followed import Followed, Sources

RETRY_S = 5.0  # how soon a port that somebody else has, or a node without addresses, is tried again
_STOP_LOOK_S = 0.5  # how often a server looks whether it should end


def asked(service: Service) -> bool:
    """Has this Service such a port?"""
    spec = service.spec
    return spec.type == "LoadBalancer" and spec.externalTrafficPolicy == "Local" and bool(spec.healthCheckNodePort)


def local_endpoints(service: Service, slices: Iterable[EndpointSlice], node: str) -> int:
    """How many endpoints of the Service are ready on this node."""
    families = service.spec.ipFamilies or ["IPv4"]  # of two, the first: a Pod with two addresses is one endpoint
    known = [each for one in slices if one.addressType == families[0] for each in one.endpoints]
    ready = [each for each in known if each.nodeName == node and each.conditions.ready is not False]
    return len({tuple(each.addresses) for each in ready})


@dataclass(frozen=True)
class Told:
    """What a server knows of its Service."""

    service: Service
    local: int
    well: Callable[[], bool]  # has the proxy written its rules?

    @property
    def code(self) -> int:
        return 200 if self.local and self.well() else 503

    def body(self) -> bytes:
        meta = self.service.metadata
        said = {
            "service": {"namespace": meta.namespace, "name": meta.name},
            "localEndpoints": self.local,
            "serviceProxyHealthy": self.well(),
        }
        return json.dumps(said).encode()


class HealthChecks:
    """The servers of one node, by port. One thread calls `sync`."""

    def __init__(self, component: Component, sources: Sources, well: Callable[[], bool]) -> None:
        self._component, self._sources, self._well = component, sources, well
        self._followed = Followed(sources, asked)
        self._servers: dict[int, list[_Server]] = {}

    def start(self) -> threading.Thread:
        """Serve until the component stops."""
        thread = threading.Thread(target=self._run, name="healthchecks", daemon=True)
        thread.start()
        return thread

    def _run(self) -> None:
        stop = self._component.stop
        Controller("healthcheck", self.sync, self._followed.queue, self._sources.informers, stop=stop).run()
        for port in list(self._servers):
            self._close(port)

    def sync(self, _key: str) -> float | None:
        """Serve what is asked for, and nothing else."""
        node = self._component.options.node
        wanted = {each.spec.healthCheckNodePort: each for each in self._followed.services()}
        for port in self._servers.keys() - wanted.keys():
            self._close(port)
        for port, service in wanted.items():
            told = Told(service, local_endpoints(service, self._followed.slices(service), node), self._well)
            if port not in self._servers:
                self._open(port, told)
            for server in self._servers.get(port, ()):
                server.told = told
        return RETRY_S if wanted.keys() - self._servers.keys() else None

    def _open(self, port: int, told: Told) -> None:
        opened = []
        for address in self._sources.addresses(self._component.options.node):
            try:
                opened.append(_Server(address, port, told))
            except OSError as error:
                message = f"the health check on {address} port {port} could not be opened: {error}"
                self._component.events.warning(told.service, "FailedToStartServiceHealthcheck", message)
        if opened:
            self._servers[port] = opened

    def _close(self, port: int) -> None:
        for server in self._servers.pop(port):
            server.shutdown()
            server.server_close()


class _Server(Server):
    def __init__(self, address: str, port: int, told: Told) -> None:
        self.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.told = told
        super().__init__((address, port), _Handler)
        threading.Thread(target=self.serve_forever, args=(_STOP_LOOK_S,), name="healthcheck", daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 5.0  # a client that connects and says nothing does not keep a thread for ever

    def do_GET(self) -> None:
        told = self.server.told
        body = told.body()
        self.send_response(told.code)
        self.send_header("Content-Type", "application/json")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("X-Load-Balancing-Endpoint-Weight", str(told.local))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Load balancers ask every few seconds."""
