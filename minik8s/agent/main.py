"""Wires the agent: informers and Docker's events name Pods, the controller loop settles them; beside it the node's
own affairs.

Nothing is stopped when the agent stops: containers run on and are adopted by the next one. No Pod is judged before
the list of this node's Pods is complete, so that none is taken for deleted. Read next: sync.py.
"""

import logging
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from minik8s import params
from minik8s.agent import addresses, hostports, nodeinfo, reach
from minik8s.agent.dnsprobe import DnsProbe
from minik8s.agent.environment import Sources, referenced
from minik8s.agent.hands import Hands
from minik8s.agent.heartbeat import Ground, Heart, NodeStatus
from minik8s.agent.memory import Memory
from minik8s.agent.observed import Verdict
from minik8s.agent.pages import Pages
from minik8s.agent.projector import Projector
from minik8s.agent.recipe import Home
from minik8s.agent.server import AgentServer, tls
from minik8s.agent.sync import PodSync
from minik8s.agent.telling import Teller
from minik8s.agent.world.docker import Change, Engine, EngineError
from minik8s.agent.world.network import PodNetwork
from minik8s.agent.world.probes import Prober, Watched
from minik8s.agent.world.volumes import Volumes
from minik8s.api.core import ConfigMap, Node, Secret, Service
from minik8s.api.meta import DeleteOptions, Object, Preconditions, key
from minik8s.api.pods import Pod
from minik8s.client.component import Component
from minik8s.client.informer import Informer
from minik8s.client.loop import Controller
from minik8s.client.queue import WorkQueue
from minik8s.client.rest import Client, NotFound, Why
from minik8s.host import namespaces, sysctl

log = logging.getLogger("agent")
_EVENTS_BACKOFF_S = 0.5
T = TypeVar("T", bound=Object)
_ALL = "*"  # the queue's word for "find out which Pods there are"


def main(component: Component) -> None:
    addresses.check_node_ips(component.options.node_ips)
    Agent(component).run()


class Agent:
    """One node's agent."""

    def __init__(self, component: Component) -> None:
        self._component, options, client = component, component.options, component.client
        self._node, self._stop = options.node, component.stop
        self._queue, self._node_queue = WorkQueue(), WorkQueue()
        self._pods: Informer[Pod] = Informer(client, Pod, fields=f"spec.nodeName={options.node}")
        self._services: Informer[Service] = Informer(client, Service)
        self._nodes: Informer[Node] = Informer(client, Node)
        self._memory = Memory()
        self._tell = Teller(component.events, component.journal)
        self._engine = Engine(options.docker_host, Home(cluster=options.cluster, node=options.node))
        self._network = PodNetwork()
        self._prober = Prober(self._engine, self._on_answer, self._on_verdict)
        self._volumes = Volumes(Path(options.state_dir or "/var/lib/minik8s") / "volumes" / options.node)
        self._projector = Projector(client, self._volumes, self._sources)
        machine = nodeinfo.read_machine(options.node, options.node_ips, f"docker://{self._engine.version()}")
        self._status = NodeStatus(client, machine, Ground(self._runtime, self._wires, self._engine.images))
        self._heart = Heart(client, machine, component.timers)

    def run(self) -> None:
        """Until told to stop."""
        options = self._component.options
        self._pods.on_change(lambda old, new: self._queue.add(key(new or old or Pod())))
        self._pods.on_change(self._ports_changed)
        self._nodes.on_change(lambda old, new: self._node_queue.add(self._node))
        self._component.serve_health(extra=reach.pages(self._engine))
        server = AgentServer(
            (options.node_ips[0], params.KUBELET_PORT),
            tls(Path(options.pki_dir), options.node),
            Pages(self._engine, self._pods),
        )
        server.start()
        self._tell.start()
        self._prober.start()
        self._queue.add(_ALL)
        self._node_queue.add(self._node)
        dns = DnsProbe(self._component.client, options.node, options.node_ips[0])
        for work in self._works(dns):
            threading.Thread(target=work, daemon=True).start()
        self._stop.wait()
        self._prober.stop()
        server.shutdown()

    def _works(self, dns: DnsProbe) -> Iterable[Callable[[], None]]:
        pods = PodSync(self._hands(), self._component.client, self._pods, self._memory)

        def settle(name: str) -> float | None:
            return self._everything() if name == _ALL else pods.sync(name)

        informers: list[Informer[Any]] = [self._nodes, self._pods, self._services]
        yield Controller(
            "agent", settle, self._queue, informers=informers, workers=params.POD_WORKERS, stop=self._stop
        ).run
        yield Controller("agent-node", self._settle_node, self._node_queue, [self._nodes], stop=self._stop).run
        yield lambda: self._heart.run(self._stop, lambda: self._nodes.get(self._node))
        yield lambda: dns.run(self._stop)
        yield self._listen

    def _hands(self) -> Hands:
        return Hands(
            home=self._engine.home,
            node_addresses=self._component.options.node_ips,
            engine=self._engine,
            network=self._network,
            prober=self._prober,
            volumes=self._volumes,
            tell=self._tell,
            sources=lambda pod, found: self._sources(pod, found, referenced(pod)),
            project=self._projector.ensure,
            finish=self._finish,
            own_machine=lambda: namespaces.identity("/proc/self/ns/net") == namespaces.identity("/proc/1/ns/net"),
        )

    # --- Which Pods to look at ---

    def _everything(self) -> float:
        """Every Pod that the API binds to this node and every Pod of which something is left here."""
        known = {key(pod): pod.metadata.uid for pod in self._pods.values()}
        left = self._engine.leftovers()
        for name in sorted(known.keys() | set(left.values())):
            self._queue.add(name)
        for uid in self._volumes.uids() - set(known.values()) - left.keys():
            self._volumes.remove(uid)
        self._projector.refresh(self._pods.values())
        return params.AGENT_RESYNC_S

    def _listen(self) -> None:
        """Docker's events: a key for the queue each, and the moment of every death for the journal."""
        while not self._stop.is_set():
            try:
                for change in self._engine.changes():
                    self._heard(change)
            except EngineError as error:
                log.warning("Docker's events ended: %s", error)
            self._node_queue.add(self._node)
            self._stop.wait(_EVENTS_BACKOFF_S)

    def _heard(self, change: Change) -> None:
        self._queue.add(change.key or _ALL)
        if change.action == "die":
            asked = self._memory.was_asked_to_end(change.id)
            what = f"container {change.container}" if change.container else "the sandbox"
            because = f"{what} ended with exit code {change.exit_code}"
            pod = self._pods.get(change.key)
            self._tell.journal(
                "stopped" if asked else "died",
                f"{because}, as it was asked to" if asked else because,
                pod if pod is not None else change.key,
                container=change.container,
                exit_code=change.exit_code,
                at=change.at,
            )

    # --- Probes ---

    def _on_answer(self, watched: Watched, kind: str, passed: bool, message: str) -> None:
        if not passed:
            self._tell.warning(watched.pod, "Unhealthy", f"{kind} probe failed: {message}")

    def _on_verdict(self, watched: Watched, verdict: Verdict) -> None:
        said = "; ".join(f"{kind}: {history.message}" for kind, history in sorted(watched.histories.items()))
        self._tell.journal(
            "probe",
            verdict.condemned or ("it is ready" if verdict.ready else "it is not ready") + f" ({said})",
            watched.pod,
            container=watched.spec.name,
            ready=verdict.ready,
        )
        self._queue.add(key(watched.pod))

    # --- The node ---

    def _settle_node(self, name: str) -> float:
        """Register, build the Pod network, keep routes and status true."""
        node = self._nodes.get(name)
        if node is None:
            self._status.register()
            return 1.0
        cidrs = addresses.pod_cidrs(node, sysctl.ip_families())
        if cidrs and not self._runtime():
            fresh = not self._network.ready
            self._network.configure(cidrs, self._engine.addresses(), hostports.wanted(self._pods.values()))
            changed = self._network.set_routes(addresses.routes(name, self._nodes.values(), sysctl.ip_families()))
            if changed:
                self._component.journal.record("routes", "; ".join(changed))
            if fresh:
                self._queue.add(_ALL)
        self._status.write(node)
        return self._component.timers.node_status_update_frequency

    def _ports_changed(self, old: Pod | None, new: Pod | None) -> None:
        if hostports.wanted([old] if old else []) != hostports.wanted([new] if new else []):
            self._node_queue.add(self._node)

    def _runtime(self) -> str:
        try:
            self._engine.version()
        except EngineError as error:
            return f"container runtime is down: {error}"
        return ""

    def _wires(self) -> str:
        ready = self._network.ready
        return "" if ready else "container runtime network not ready: the node has no podCIDR yet"

    # --- The API ---

    def _sources(self, pod: Pod, addresses: tuple[str, ...], named: tuple[set[str], set[str]]) -> Sources:
        configmaps, secrets = named
        client, namespace = self._component.client, pod.metadata.namespace
        return Sources(
            services=tuple(self._services.values()),
            configmaps=_fetch(client, ConfigMap, namespace, configmaps),
            secrets=_fetch(client, Secret, namespace, secrets),
            pod_ips=addresses,
            host_ips=self._component.options.node_ips,
        )

    def _finish(self, pod: Pod, because: str) -> None:
        meta = pod.metadata
        options = DeleteOptions(gracePeriodSeconds=0, preconditions=Preconditions(uid=meta.uid))
        try:
            why = Why(because, [pod])
            self._component.client.delete(Pod, meta.name, meta.namespace, options=options, why=why)
        except NotFound:
            pass


def _fetch(client: Client, cls: type[T], namespace: str, names: Iterable[str]) -> dict[str, T]:
    found: dict[str, T] = {}
    for name in sorted(names):
        try:
            found[name] = client.get(cls, name, namespace)
        except NotFound:
            continue  # whoever needs it says so
    return found
