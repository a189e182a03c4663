"""What every component is started with: its options, its client, its journal, its metrics, and the word to stop.

A component is a module with `main(component)`, which returns when `component.stop` is set. It learns nothing from
anywhere else, so that it runs the same from the zygote, from systemd, by hand in a lab, and against any other
Kubernetes API server.
"""

import _thread
import gc
import logging
import signal
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from minik8s import params
from minik8s.client.asked import Asked
from minik8s.client.events import Recorder
from minik8s.client.rest import Client
from minik8s.host.health import Check, HealthServer, Page
from minik8s.host.journal import Journal
from minik8s.host.metrics import Registry


@dataclass(frozen=True)
class Options:
    """What `minik8s run COMPONENT` can be told. Empty means: does not apply."""

    name: str
    kubeconfig: str
    node: str = ""
    node_ip: str = ""  # of each family one, with a comma between them, as the kubelet has it
    cluster: str = "default"
    profile: str = params.DEFAULT_PROFILE
    proxy_mode: str = params.DEFAULT_PROXY_MODE
    dns_ttl: int = params.DNS_TTL_S
    dns_pods: str = params.DNS_DEFAULT_POD_MODE
    listen: tuple[str, ...] = ()  # sockets it was handed, as fd://N; none: it makes its own
    upstream: str = ""  # DNS servers for names of the rest of the world; none: there is no such world
    upstream_netns: str = ""  # the network namespace they are asked from; none: our own
    docker_host: str = ""
    pki_dir: str = ""
    state_dir: str = ""
    supervisor: str = ""  # the socket of whoever keeps processes running, for those who may need another one
    controllers: str = "*"
    identity: str = ""  # in leader election; the same after a restart, so that the Lease is taken over at once
    health_port: int = 0  # 0: the component's own of params.HEALTH_PORTS

    @property
    def node_ips(self) -> tuple[str, ...]:
        """The node's own family first."""
        return tuple(each.strip() for each in self.node_ip.split(",") if each.strip())

    @property
    def title(self) -> str:
        return f"{self.name}@{self.node}" if self.node else self.name


@dataclass
class Component:
    """A running component's surroundings."""

    options: Options
    client: Client
    journal: Journal
    metrics: Registry
    events: Recorder
    asked: Asked = field(default_factory=Asked)
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def timers(self) -> params.Timers:
        return params.PROFILES[self.options.profile]

    @property
    def log(self) -> logging.Logger:
        return logging.getLogger(self.options.name)

    def serve_health(
        self,
        checks: Mapping[str, Check] | None = None,
        extra: Mapping[str, Page] | None = None,
    ) -> HealthServer:
        """Serve /healthz, /metrics and the debug pages on 127.0.0.1 of this namespace."""
        port = self.options.health_port or params.HEALTH_PORTS[self.options.name]
        more = {"/debug/asked": lambda _query: self.asked.page(), **(extra or {})}
        server = HealthServer("127.0.0.1", port, self.metrics, self.journal, checks or {}, more)
        server.start()
        return server


def start(options: Options) -> Component:
    """Build the surroundings of a component and let SIGTERM and SIGINT stop it.

    Raises ValueError for a bad kubeconfig.
    """
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s"
    )
    gc.set_threshold(*params.GC_THRESHOLD)
    client = Client.from_kubeconfig(options.kubeconfig, user_agent=f"minik8s-{options.title}")
    file = Path(options.state_dir) / "journal" / f"{options.title}.jsonl" if options.state_dir else None
    component = Component(
        options=options,
        client=client,
        journal=Journal(file, node=options.node, component=options.name),
        metrics=Registry(),
        events=Recorder(client, f"minik8s-{options.name}", options.node),
    )
    client.observer = component.asked.note
    for number in (signal.SIGTERM, signal.SIGINT):
        # From a thread of its own: the handler interrupts the main thread, which may just hold the Event's lock.
        signal.signal(number, lambda *_: _thread.start_new_thread(component.stop.set, ()) and None)
    return component
