"""One Service and its EndpointSlices, on one node: which chains, sets and map elements.

`plan(service, slices, here)` is a pure function; its `ServicePlan` is the Service's whole share of the table.
A Service that gives nothing (headless, ExternalName, another family) has an empty plan, which is how rules of a
Service that changed its type vanish.

For each port, `svc/…` is the chain that chooses. Of N endpoints the first is taken with probability 1/N, else the
second with 1/(N-1), and so on to the last, which takes what is left: each gets exactly 1/N. A trace shows the choice
as one line with the Pod's name. `ext/…` is the way in from outside, through a node port, an external address or a
load balancer's: it marks the packet to be masqueraded, so that the answer comes back through this node. `fw/…` stands
before it where loadBalancerSourceRanges say who may come.

Why no chain for each endpoint, as kube-proxy has it? Same cost for packets, 60 times the work to load ten thousand
Services.

Next: `endpoints.py` (who is in use), `book.py` (all plans together).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from minik8s import params
from minik8s.api import core, discovery
from minik8s.api.meta import key as key_of
from minik8s.nft.ruleset import Chain, Element, Key, Rule, Set, duration
from minik8s.proxy import layout
from minik8s.proxy.endpoints import Choice, Endpoint, Here, choose
from minik8s.proxy.layout import Family, chain_name

# A Service with one of these labels belongs to another proxy, or to none: kube-proxy asks for neither.
NOT_OURS = ("service.kubernetes.io/service-proxy-name", "service.kubernetes.io/headless")

Placed = tuple[str, Element]  # the set or map, and what is in it


@dataclass(frozen=True)
class Maps:
    """Where a way in stands while somebody serves it, and while nobody does."""

    service: str
    refused: str


BY_ADDRESS = Maps(layout.SERVICE_IPS, layout.REFUSED_IPS)
BY_PORT = Maps(layout.SERVICE_NODEPORTS, layout.REFUSED_NODEPORTS)


@dataclass(frozen=True)
class PortPlan:
    """One Service port as planned: what a debug page, the journal and the tracking clean-up need to know."""

    service: str  # namespace/name
    name: str  # the port's name, or its number if it has none
    protocol: str  # tcp, udp, sctp: as nft writes it
    address: str
    port: int
    node_port: int
    external: tuple[str, ...]  # addresses that clients outside use: externalIPs, and those of a load balancer
    choice: Choice
    in_use: tuple[Endpoint, ...]
    outside: tuple[Endpoint, ...] = ()  # in use for what comes from outside
    external_local: bool = False  # only this node's, and the client's address is kept
    affinity: int = 0  # seconds for which a client stays with its endpoint

    @property
    def title(self) -> str:
        return f"{self.service}:{self.name}"

    @property
    def chain(self) -> str:
        return chain_name("svc", self.service, self.name)

    @property
    def external_chain(self) -> str:
        return chain_name("ext", self.service, self.name)


@dataclass(frozen=True)
class ServicePlan:
    """A Service's share of the table."""

    key: str
    ports: tuple[PortPlan, ...] = ()
    chains: tuple[Chain, ...] = ()
    sets: tuple[Set, ...] = ()
    elements: tuple[Placed, ...] = ()
    sources: tuple[tuple[str, str], ...] = ()  # (object, revision) it was made from
    servers: tuple[object, ...] = ()  # what is spread by something else than these rules (virtual/)

    @property
    def rules(self) -> tuple[object, ...]:
        """What the kernel would see: equal for two revisions that differ in nothing that matters here."""
        return self.chains, self.sets, self.elements, self.servers


def plan(
    service: core.Service | None, slices: Iterable[discovery.EndpointSlice], here: Here, key: str = ""
) -> ServicePlan:
    """The share of one Service. Without Service (it was deleted), or if it has no address here: nothing."""
    if service is None:
        return ServicePlan(key)
    given = sorted(slices, key=lambda one: one.metadata.name)
    sources = tuple((f"{one.resource.plural}/{key_of(one)}", one.metadata.resourceVersion) for one in (service, *given))
    address = _address(service, here.family)
    if not address:
        return ServicePlan(key_of(service), sources=sources)
    planned = [
        _Port(service, port, address, choose(given, (port.name, port.protocol), here), here)
        for port in service.spec.ports
    ]
    return ServicePlan(
        key_of(service),
        tuple(one.plan for one in planned),
        tuple(chain for one in planned for chain in one.chains()),
        tuple(each for one in planned for each in one.sets()),
        tuple(sorted({each for one in planned for each in one.elements()}, key=lambda each: (each[0], each[1].key))),
        sources,
    )


def _address(service: core.Service, family: Family) -> str:
    """The Service's address of this family; empty for all that the proxy has nothing to do with."""
    spec = service.spec
    if spec.type == "ExternalName" or not service.metadata.labels.keys().isdisjoint(NOT_OURS):
        return ""
    given = spec.clusterIPs or [spec.clusterIP]
    return next(iter(family.own(one for one in given if one not in ("", "None"))), "")


def _balancers(service: core.Service, family: Family) -> tuple[str, ...]:
    """Addresses that a load balancer announces and leaves to the nodes (KEP-1860: ipMode VIP, or unset)."""
    if service.spec.type != "LoadBalancer":
        return ()
    return family.own(each.ip for each in service.status.loadBalancer.ingress if each.ip and each.ipMode != "Proxy")


class _Port:
    """One Service port on its way to becoming rules."""

    def __init__(
        self,
        service: core.Service,
        port: core.ServicePort,
        address: str,
        choice: Choice,
        here: Here,
    ) -> None:
        spec = service.spec
        self.here, self.family = here, here.family
        family = here.family
        self.choice = choice
        self.internal_local = spec.internalTrafficPolicy == "Local"
        self.external_local = spec.externalTrafficPolicy == "Local"
        self.affinity = _affinity_seconds(spec)
        self.balancers = _balancers(service, family)
        self.ranges = family.own(each.strip() for each in spec.loadBalancerSourceRanges) if self.balancers else ()
        given = {address, *self.balancers}
        self.external_ips = tuple(each for each in family.own(spec.externalIPs) if each not in given)
        self.plan = PortPlan(
            key_of(service),
            port.name or str(port.port),
            port.protocol.lower(),
            address,
            port.port,
            port.nodePort if spec.type in ("NodePort", "LoadBalancer") else 0,
            (*self.external_ips, *self.balancers),
            choice,
            choice.local if self.internal_local else choice.cluster,
            choice.local if self.external_local else choice.cluster,
            self.external_local,
            self.affinity,
        )
        self.firewall = chain_name("fw", self.plan.service, self.plan.name)
        # Under internalTrafficPolicy Local `svc/` holds this node's endpoints only: node ports need a chain with all.
        self.everywhere = chain_name("all" if self.internal_local else "svc", self.plan.service, self.plan.name)

    # --- Chains ------------------------------------------------------------------------------------------------------

    def chains(self) -> list[Chain]:
        made = []
        if self.plan.in_use:
            made.append(Chain(self.plan.chain, tuple(self._svc_rules()), comment=self._title("Service")))
        if self._external():
            made.append(Chain(self.plan.external_chain, tuple(self._ext_rules()), comment=self._title("way in to")))
        if self._external() and self.ranges:
            made.append(Chain(self.firewall, tuple(self._firewall_rules()), comment=self._title("who may use")))
        if self._external() and self.internal_local and self.choice.cluster:
            made.append(Chain(self.everywhere, tuple(self._pick(self.choice.cluster)), comment=self._title("all of")))
        if self.affinity:
            made += [self._endpoint_chain(one) for one in self._chosen()]
        return made

    def _title(self, what: str) -> str:
        # Only what the chain's name says as well: the kernel cannot change a chain's comment.
        return f"{what} {self.plan.service}, port {self.plan.name}"

    def _svc_rules(self) -> Iterable[Rule]:
        ip = self.family.table
        yield Rule(
            f"{ip} daddr @{layout.CLUSTER_IPS} {ip} saddr != @{layout.CLUSTER_PODS} jump {layout.MARK_MASQ}",
            "no Pod asks: the answer must come back this way",
        )
        yield from self._pick(self.plan.in_use)

    def _ext_rules(self) -> Iterable[Rule]:
        if not self.external_local:
            yield Rule(f"jump {layout.MARK_MASQ}", "the answer must come back through this node")
            yield Rule(f"goto {self.everywhere}")
            return
        ip = self.family.table
        yield Rule(f"{ip} saddr @{layout.CLUSTER_PODS} goto {self.everywhere}", "a Pod may use every endpoint")
        yield Rule(f"fib saddr type local jump {layout.MARK_MASQ}")
        yield Rule(f"fib saddr type local goto {self.everywhere}", "so may the node itself")
        yield from self._pick(self.choice.local)

    def _firewall_rules(self) -> Iterable[Rule]:
        for each in self.ranges:
            yield Rule(f"{self.family.table} saddr {each} goto {self.plan.external_chain}", "loadBalancerSourceRanges")
        # Upstream too: where the address is the node's own, a process of the node asks from that very address.
        for each in self.balancers if self.here.within(self.ranges) else ():
            yield Rule(f"{self.family.table} saddr {each} goto {self.plan.external_chain}", "this node is among them")
        yield Rule(f"goto {layout.NOT_ALLOWED}", "nobody else")

    def _pick(self, endpoints: Sequence[Endpoint]) -> Iterable[Rule]:
        """Each of N with probability 1/N; a client that is remembered goes where it went before."""
        if self.affinity:
            for one in endpoints:
                at = self._endpoint_name(one)
                yield Rule(f"{self.family.table} saddr @{layout.AFFINITY}{at} goto ep/{at}", "was here before")
        for left, one in zip(range(len(endpoints), 0, -1), endpoints, strict=True):
            chance = f"numgen random mod {left} 0 " if left > 1 else ""
            if self.affinity:
                yield Rule(f"{chance}goto ep/{self._endpoint_name(one)}", one.who())
            else:
                yield Rule(chance + self._translate(one), one.who())

    def _translate(self, one: Endpoint) -> str:
        return f"counter meta l4proto {self.plan.protocol} dnat to {one.target}"

    # --- sessionAffinity: ClientIP ------------------------------------------------------------------------------------

    def _endpoint_name(self, one: Endpoint) -> str:
        return chain_name(self.plan.service, self.plan.name, one.address, str(one.port))

    def _endpoint_chain(self, one: Endpoint) -> Chain:
        at = self._endpoint_name(one)
        # Two rules: a full set ends the first one, and only memory is lost, not the connection.
        remember = Rule(f"update @{layout.AFFINITY}{at} {{ {self.family.table} saddr }}", "remember this client")
        return Chain(f"ep/{at}", (remember, Rule(self._translate(one), one.who())))

    def sets(self) -> list[Set]:
        if not self.affinity:
            return []
        timeout, flags = duration(self.affinity), ("dynamic", "timeout")
        names = [f"{layout.AFFINITY}{self._endpoint_name(one)}" for one in self._chosen()]
        return [
            Set(name, self.family.type, flags=flags, timeout=timeout, size=params.SESSION_AFFINITY_CLIENTS)
            for name in names
        ]

    def _chosen(self) -> list[Endpoint]:
        """All endpoints that some chain of this port chooses from."""
        if not self._external():
            return list(self.plan.in_use)
        return list(dict.fromkeys([*self.plan.in_use, *self.choice.cluster, *self.choice.local]))

    # --- Elements ----------------------------------------------------------------------------------------------------

    def elements(self) -> Iterable[Placed]:
        plan = self.plan
        yield layout.CLUSTER_IPS, Element((plan.address,), comment=plan.service)
        by_address = (plan.address, plan.protocol, str(plan.port))
        if plan.in_use:
            comment = f"{plan.title} ClusterIP"
            yield layout.SERVICE_IPS, Element(by_address, f"goto {plan.chain}", comment)
        else:
            yield layout.REFUSED_IPS, Element(by_address, self._refusal(self.internal_local), plan.title)
        for each in self.balancers:
            yield layout.BALANCER_IPS, Element((each,), comment=plan.service)
        for key, at, comment, goes in self._ways_in():
            yield from self._way_in(key, at, comment, goes)
        for one in self._chosen():
            if one.local:
                yield layout.HAIRPIN, Element((one.address, one.address))

    def _ways_in(self) -> Iterable[tuple[Key, Maps, str, str]]:
        """What clients outside use: the key of each way, the maps it stands in, a comment, and where it leads."""
        plan = self.plan
        for each in self.external_ips:
            yield (each, plan.protocol, str(plan.port)), BY_ADDRESS, f"{plan.title} ExternalIP", plan.external_chain
        for each in self.balancers:
            goes = self.firewall if self.ranges else plan.external_chain
            yield (each, plan.protocol, str(plan.port)), BY_ADDRESS, f"{plan.title} LoadBalancer", goes
        if plan.node_port:
            yield (plan.protocol, str(plan.node_port)), BY_PORT, plan.title, plan.external_chain

    def _way_in(self, key: Key, maps: Maps, comment: str, goes: str) -> Iterable[Placed]:
        """It may stand in both maps: under policy Local a Pod is served where a client from outside is not."""
        if self._external():
            yield maps.service, Element(key, f"goto {goes}", comment)
        if not (self.choice.local if self.external_local else self.choice.cluster):
            yield maps.refused, Element(key, self._refusal(self.external_local), self.plan.title)

    def _external(self) -> bool:
        """Is there a way in from outside, and anybody to send its packets to?"""
        return bool((self.plan.node_port or self.plan.external) and self.choice.cluster)

    def _refusal(self, local_only: bool) -> str:
        """Silence where another node may still serve (upstream drops too), a refusal where nobody does."""
        return f"goto {layout.NO_LOCAL_ENDPOINT if local_only and self.choice.cluster else layout.REFUSE}"


def _affinity_seconds(spec: core.ServiceSpec) -> int:
    if spec.sessionAffinity != "ClientIP":
        return 0
    config = spec.sessionAffinityConfig
    return (config.clientIP.timeoutSeconds if config and config.clientIP else None) or params.SESSION_AFFINITY_TIMEOUT_S
