"""What the doctor knows when it judges, as plain values; and the questions that several judges ask of them. Pure.

Facts come in stages, because what is asked later depends on what was found before: first the objects, then what the
Pods behind the Service do, then the network between. A fact that could not be had is a text that says why.

Read next: ladder.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from minik8s.api import selectors
from minik8s.api.addresses import host_port
from minik8s.api.apps import Deployment
from minik8s.api.core import Node, Pod, Service, ServicePort
from minik8s.api.discovery import EndpointSlice
from minik8s.api.pods import condition, is_ready, is_terminal, is_terminating
from minik8s.explain.kernelview import Difference

OPEN, ANSWERED, SILENT = "open", "answered", "silent"  # outcomes that show that somebody is there, or may be


@dataclass(frozen=True)
class Listener:
    """A socket in a Pod that waits for clients."""

    protocol: str
    address: str
    port: int

    def __str__(self) -> str:
        return f"{host_port(self.address, self.port)}/{self.protocol}"


@dataclass(frozen=True)
class Dial:
    """An attempt to connect. `pod` is empty when the node itself tried. `unasked`: why nobody could try."""

    node: str
    pod: str  # namespace/name
    target: str  # 10.244.1.2:8080
    protocol: str
    outcome: str = ""
    unasked: str = ""

    @property
    def ok(self) -> bool:
        return self.outcome in (OPEN, ANSWERED, SILENT)

    @property
    def origin(self) -> str:
        return f"Pod {self.pod.partition('/')[2]}" if self.pod else self.node


@dataclass(frozen=True)
class Lookup:
    """What the Pod's own resolver found: (full name, DNS' word, addresses) for each name it tried."""

    name: str
    nameservers: tuple[str, ...] = ()
    asked: tuple[tuple[str, str, tuple[str, ...]], ...] = ()
    unasked: str = ""

    @property
    def addresses(self) -> tuple[str, ...]:
        return self.asked[-1][2] if self.asked else ()


@dataclass(frozen=True)
class OnNode:
    """The proxy and the DNS server of one node. Texts say what is wrong; empty is well."""

    node: str
    agent: str = ""
    proxy: str = ""
    dns: str = ""
    differences: tuple[Difference, ...] = ()  # the kernel's rules against the proxy's
    stale: tuple[str, ...] = ()  # objects that the proxy knows in an older revision, or not at all


@dataclass(frozen=True)
class Target:
    """One endpoint of one port of the Service."""

    port: ServicePort
    address: str
    number: int
    node: str
    pod: str = ""  # namespace/name; empty for an endpoint written by hand
    ready: bool = True

    @property
    def name(self) -> str:
        return host_port(self.address, self.number)

    @property
    def who(self) -> str:
        return f"Pod {self.pod.partition('/')[2]}" if self.pod else f"endpoint {self.address}"


@dataclass
class Facts:
    """All of it. The objects of the whole cluster, and of the Service's namespace."""

    namespace: str
    name: str
    from_given: bool = False  # did the user say from which Pod?
    source: Pod | None = None  # the Pod to ask from
    source_why: str = ""  # why this one, or why none
    services: list[Service] = field(default_factory=list)
    pods: list[Pod] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)
    slices: list[EndpointSlice] = field(default_factory=list)
    deployments: list[Deployment] = field(default_factory=list)
    warnings: dict[str, list[str]] = field(default_factory=dict)  # Pod's name → what Events warn of, newest last
    now: float = 0.0  # when the objects were looked at, in seconds of the wall clock
    controllers_run: bool = False  # was their Lease renewed a moment ago?
    # --- stage "pods": by Pod (namespace/name); a text says why it could not be asked
    listeners: dict[str, tuple[Listener, ...] | str] = field(default_factory=dict)
    inside: list[Dial] = field(default_factory=list)  # each Pod to itself
    beside: list[Dial] = field(default_factory=list)  # each Pod's node to it
    # --- stage "network"
    lookup: Lookup | None = None
    addresses: list[Dial] = field(default_factory=list)  # to the ClusterIP
    node_ports: list[Dial] = field(default_factory=list)
    on_nodes: list[OnNode] = field(default_factory=list)

    @property
    def service(self) -> Service | None:
        return next((each for each in self.services if self.is_meant(each)), None)

    def is_meant(self, service: Service) -> bool:
        return (service.metadata.namespace, service.metadata.name) == (self.namespace, self.name)

    @property
    def spec(self) -> Service:
        """The Service, on the rungs where it is known to exist."""
        found = self.service
        assert found is not None
        return found

    @property
    def selected(self) -> list[Pod]:
        """The Pods that the selector matches, without those that have ended for good."""
        selector = self.spec.spec.selector
        return [
            pod
            for pod in self.pods
            if selector and selectors.matches(selector, pod.metadata.labels) and not is_terminal(pod)
        ]

    @property
    def ready(self) -> list[Pod]:
        return [pod for pod in self.selected if is_ready(pod) and not is_terminating(pod)]

    @property
    def targets(self) -> list[Target]:
        """The ready endpoints of all ports, in order."""
        return [target for port in self.spec.spec.ports for target in targets_of(port, self.slices) if target.ready]

    @property
    def has_address(self) -> bool:
        spec = self.spec.spec
        return spec.type != "ExternalName" and spec.clusterIP not in ("", "None")

    def node(self, name: str) -> OnNode | None:
        return next((each for each in self.on_nodes if each.node == name), None)

    def of_interest(self) -> list[str]:
        """The nodes that are looked at: the asking Pod's when the user named one, else all."""
        if self.from_given and self.source is not None:
            return [self.source.spec.nodeName]
        return sorted(node.metadata.name for node in self.nodes)


def targets_of(port: ServicePort, slices: Sequence[EndpointSlice]) -> list[Target]:
    """The endpoints that slices list for a port."""
    found = {
        (endpoint.addresses[0], one.port): Target(
            port,
            endpoint.addresses[0],
            one.port or 0,
            endpoint.nodeName or "",
            f"{endpoint.targetRef.namespace}/{endpoint.targetRef.name}" if endpoint.targetRef else "",
            endpoint.conditions.ready is not False,
        )
        for each in slices
        for one in each.ports
        if (one.name or "", one.protocol or "TCP") == (port.name, port.protocol)
        for endpoint in each.endpoints
        if endpoint.addresses
    }
    return [found[key] for key in sorted(found)]


def node_addresses(node: Node) -> list[str]:
    return [each.address for each in node.status.addresses if each.type == "InternalIP"]


def node_is_ready(node: Node) -> bool:
    found = condition(node.status.conditions, "Ready")
    return found is not None and found.status == "True"
