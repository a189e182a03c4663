"""Fetches the doctor's facts: objects from the API server, all else from the debug pages of agents, proxies and DNS
servers, through the API server's node proxy. So it works the same from a laptop.

Read only: it opens connections and closes them. What changes between two looks (a slice just written, rules just
committed) is looked at again for a moment, so that a cluster at work is not taken for a broken one. Whatever cannot be
had becomes a text that says why.

Read next: facts.py (what is fetched), ../../agent/reach.py (who tries things out there).
"""

import json
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar
from urllib.parse import urlencode

from minik8s import params
from minik8s.api import times
from minik8s.api.addresses import host_port
from minik8s.api.apps import Deployment
from minik8s.api.coordination import Lease
from minik8s.api.core import Event, Node, Pod, Service, ServicePort
from minik8s.api.discovery import SERVICE_NAME, EndpointSlice
from minik8s.api.meta import key
from minik8s.api.pods import is_terminating
from minik8s.client.rest import ApiError, Client, NotFound, Unreachable
from minik8s.explain import kernelview
from minik8s.explain.doctor import ladder
from minik8s.explain.doctor.facts import Dial, Facts, Listener, Lookup, OnNode, Target, node_addresses, node_is_ready
from minik8s.explain.rulesworld import page
from minik8s.host import clock
from minik8s.nft.parse import NotUnderstood, parse

T = TypeVar("T")
R = TypeVar("R")
LEADER = "kube-controller-manager"  # the Lease of the controllers
WORKERS = 8
SETTLE_S = 1.5  # how long something may be on its way before it counts as missing
AGAIN_S = 0.1
MOST_PODS = 20  # behind one Service, so that a large one is not asked for minutes
DIALS = 6  # to an address that leads to one of several endpoints by chance
_pause = threading.Event().wait


class World:
    """One cluster, looked at for one Service."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def look(self, stage: str, facts: Facts) -> None:
        """Fill in the facts of a stage."""
        stages = {ladder.OBJECTS: self._objects, ladder.PODS: self._pods, ladder.NETWORK: self._network}
        stages[stage](facts)

    # --- Objects ------------------------------------------------------------------------------------------------------

    def _objects(self, facts: Facts) -> None:
        given, facts.nodes = facts.source, self._client.list(Node).items
        facts.services = self._client.list(Service).items
        until = clock.monotonic() + SETTLE_S
        while True:
            facts.slices = self._client.list(
                EndpointSlice, facts.namespace, labels=f"{SERVICE_NAME}={facts.name}"
            ).items
            every = self._client.list(Pod).items
            facts.pods = [pod for pod in every if pod.metadata.namespace == facts.namespace]
            if facts.service is None or listed(facts) or clock.monotonic() > until:
                break
            _pause(AGAIN_S)
        facts.deployments = self._client.list(Deployment, facts.namespace).items
        facts.warnings = self._warnings(facts.namespace)
        facts.now = clock.wall()
        facts.controllers_run = self._controllers_run()
        if given is None:
            facts.source, facts.source_why = choose(facts, every)

    def _controllers_run(self) -> bool:
        """Their leader renews its Lease all the time; one that was killed stops."""
        try:
            lease = self._client.get(Lease, LEADER, "kube-system").spec
        except NotFound:
            return False
        heard = times.parse(lease.renewTime) if lease.renewTime else 0.0
        return clock.wall() - heard < 2 * params.LEASE_RETRY_S

    def _warnings(self, namespace: str) -> dict[str, list[str]]:
        events = [each for each in self._client.list(Event, namespace).items if each.type == "Warning"]
        found: dict[str, list[str]] = {}
        for each in sorted(events, key=lambda event: event.lastTimestamp or event.eventTime or ""):
            found.setdefault(each.involvedObject.name, []).append(each.message)
        return found

    # --- Pods ---------------------------------------------------------------------------------------------------------

    def _pods(self, facts: Facts) -> None:
        own = [target for target in facts.targets if target.pod][:MOST_PODS]
        pods = {target.pod: target for target in own}
        heard = _all(lambda target: self._listeners(target), pods.values())
        facts.listeners = dict(zip(pods, heard, strict=True))
        inside = [Dial(t.node, t.pod, t.name, t.port.protocol) for t in own]
        facts.inside = _all(self._dial, inside)
        beside = [Dial(t.node, "", t.name, t.port.protocol) for t in own]
        node = facts.source.spec.nodeName if facts.source else (facts.of_interest() or [""])[0]
        beside += [Dial(node, "", t.name, t.port.protocol) for t in facts.targets[:MOST_PODS] if not t.pod and node]
        facts.beside = _all(self._dial, beside)

    def _listeners(self, target: Target) -> tuple[Listener, ...] | str:
        found = self._ask(target.node, "/debug/listeners", pod=target.pod)
        return found if isinstance(found, str) else tuple(Listener(**each) for each in found)

    def _dial(self, wanted: Dial, times: int = 1) -> Dial:
        found = self._ask(
            wanted.node,
            "/debug/dial",
            to=wanted.target,
            protocol=wanted.protocol.lower(),
            times=str(times),
            **({"pod": wanted.pod} if wanted.pod else {}),
        )
        outcome, unasked = ("", found) if isinstance(found, str) else (found["outcome"], "")
        return Dial(wanted.node, wanted.pod, wanted.target, wanted.protocol, outcome, unasked)

    def _ask(self, node: str, path: str, **query: str) -> Any:
        """A page of a node's agent as JSON; a text says why it could not be had."""
        try:
            return json.loads(page(self._client, node, "agent", f"{path}?{urlencode(query)}"))
        except (ApiError, Unreachable) as error:
            return str(error)

    # --- The network between ------------------------------------------------------------------------------------------

    def _network(self, facts: Facts) -> None:
        ports = facts.spec.spec.ports
        nodes = facts.of_interest()
        addresses = facts.spec.spec.clusterIPs if facts.has_address else []
        with ThreadPoolExecutor(max_workers=2 * WORKERS) as pool:
            lookup = pool.submit(self._lookup, facts)
            many = lambda dial: self._dial(dial, DIALS)  # noqa: E731
            pairs = [(address, port) for address in addresses for port in ports]
            to_address = [pool.submit(many, each) for pair in pairs for each in dials(facts, *pair)]
            to_nodes = [pool.submit(many, each) for port in ports if port.nodePort for each in from_nodes(facts, port)]
            on_nodes = [pool.submit(self._on_node, facts, node) for node in nodes]
            facts.lookup = lookup.result()
            facts.addresses = [each.result() for each in to_address]
            facts.node_ports = [each.result() for each in to_nodes]
            facts.on_nodes = [each.result() for each in on_nodes]

    def _lookup(self, facts: Facts) -> Lookup | None:
        source = facts.source
        if source is None:
            return None
        here = source.metadata.namespace == facts.namespace
        name = facts.name if here else f"{facts.name}.{facts.namespace}"
        found = self._ask(source.spec.nodeName, "/debug/resolve", pod=key(source), name=name)
        if isinstance(found, str):
            return Lookup(name, unasked=found)
        asked = tuple((each["name"], each["rcode"], tuple(each["addresses"])) for each in found["asked"])
        return Lookup(name, tuple(found["nameservers"]), asked)

    # --- Proxy and DNS of a node --------------------------------------------------------------------------------------

    def _on_node(self, facts: Facts, node: str) -> OnNode:
        agent = self._health(node, "agent")
        if agent:
            return OnNode(node, agent=agent)
        dns, proxy = self._health(node, "dns"), self._health(node, "proxy")
        if proxy:
            return OnNode(node, dns=dns, proxy=proxy)
        until = clock.monotonic() + SETTLE_S
        while True:
            try:
                found = self._rules(facts, node)
            except (ApiError, Unreachable) as error:
                return OnNode(node, dns=dns, proxy=str(error))
            if not any(found) or clock.monotonic() > until:
                return OnNode(node, dns=dns, differences=found[0], stale=found[1])
            _pause(AGAIN_S)

    def _health(self, node: str, component: str) -> str:
        try:
            page(self._client, node, component, "/healthz")
            return ""
        except (ApiError, Unreachable) as error:
            return str(error)

    def _rules(self, facts: Facts, node: str) -> tuple[tuple[kernelview.Difference, ...], tuple[str, ...]]:
        """What differs in the kernel, and which objects the proxy does not know in their present revision."""
        service = f"{facts.namespace}/{facts.name}"
        known = json.loads(page(self._client, node, "proxy", f"/debug/services?service={service}"))
        sources = {each["object"]: each["revision"] for one in known for each in one["sources"]}
        stale = tuple(name for name, revision in self._present(facts).items() if sources.get(name) != revision)
        families = facts.spec.spec.ipFamilies or ["IPv4"]
        return tuple(each for family in families for each in self._differences(service, node, family, stale)), stale

    def _differences(
        self, service: str, node: str, family: str, stale: tuple[str, ...]
    ) -> tuple[kernelview.Difference, ...]:
        """Between what the proxy wants in a family's table and what the kernel has, if it concerns this Service."""
        table = f"table {'ip6' if family == 'IPv6' else 'ip'} minik8s"
        wanted, share, kernel = (
            page(self._client, node, "proxy", f"/debug/{path}family={family}").decode()
            for path in ("rules?", f"rules?service={service}&", "kernel?")
        )
        if not kernel:
            return (kernelview.Difference(table, wanted="the table"),)
        try:
            return tuple(kernelview.concerning(parse(share), kernelview.differences(parse(wanted), parse(kernel))))
        except NotUnderstood as error:
            return () if stale else (kernelview.Difference(table, found=str(error)),)

    def _present(self, facts: Facts) -> dict[str, str]:
        service = self._client.get(Service, facts.name, facts.namespace)
        slices = self._client.list(EndpointSlice, facts.namespace, labels=f"{SERVICE_NAME}={facts.name}").items
        return {f"{one.resource.plural}/{key(one)}": one.metadata.resourceVersion for one in (service, *slices)}


# --- Choices (pure) ---------------------------------------------------------------------------------------------------


def listed(facts: Facts) -> bool:
    """Do the slices list exactly the ready Pods? If not, they may be on their way."""
    ready = {key(pod) for pod in facts.ready}
    return not facts.spec.spec.selector or {target.pod for target in facts.targets} == ready


def choose(facts: Facts, every: Sequence[Pod]) -> tuple[Pod | None, str]:
    """A Pod to ask from, with usual DNS: best one of this namespace that is a client, not a backend."""
    well = {node.metadata.name for node in facts.nodes if node_is_ready(node)}
    able = [
        pod
        for pod in every
        if pod.status.podIP
        and pod.spec.nodeName in well
        and any(each.state.running for each in pod.status.containerStatuses)
        and pod.spec.dnsPolicy in ("", "ClusterFirst")
        and not pod.spec.hostNetwork
        and not is_terminating(pod)
    ]
    if not able:
        return None, "no Pod runs to ask from"
    backends = {key(pod) for pod in facts.selected} if facts.service else set()
    return min(able, key=lambda pod: (pod.metadata.namespace != facts.namespace, key(pod) in backends, key(pod))), ""


def dials(facts: Facts, address: str, port: ServicePort) -> Iterable[Dial]:
    """To the Service's address, from the Pod and from the nodes."""
    target = host_port(address, port.port)
    if facts.source is not None:
        yield Dial(facts.source.spec.nodeName, key(facts.source), target, port.protocol)
    for node in facts.of_interest():
        yield Dial(node, "", target, port.protocol)


def from_nodes(facts: Facts, port: ServicePort) -> Iterable[Dial]:
    """To the node port of every node that answers, from one of them; in each family that the Service has."""
    here = (facts.of_interest() or [""])[0]
    families = facts.spec.spec.ipFamilies or ["IPv4"]
    for node in facts.nodes:
        for address in node_addresses(node) if node_is_ready(node) else ():
            if ("IPv6" if ":" in address else "IPv4") in families:
                yield Dial(here, "", host_port(address, port.nodePort), port.protocol)


def _all(work: Callable[[T], R], given: Iterable[T]) -> list[R]:
    items: Sequence[T] = list(given)
    if not items:
        return []
    with ThreadPoolExecutor(max_workers=WORKERS) as pool:
        return list(pool.map(work, items))
