"""Which virtual services, real servers and local addresses the kernel's IPVS shall have, and what to change for it.

`wanted(plans, addresses)` reads them off the plans of `proxy/plan.py`: who is meant, who is chosen and who is refused
is decided there, once for all modes. `plan(wanted, observed)` is the difference, in an order that loses nothing: a
Service gets its new servers before it loses the old ones, and an address becomes local when something stands behind it.

A server that is chosen no longer gets weight 0: new connections go elsewhere, those it has go on, and it leaves with
the last one, as kube-proxy has it. So does the virtual service of a deleted Service, which a new connection is refused
by. UDP flows know no end, so there a server leaves as soon as it serves no longer.

Invariant: pure; once its actions are applied and every connection has ended, the plan is empty.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from minik8s import params
from minik8s.api.addresses import host_port
from minik8s.proxy import layout
from minik8s.proxy.endpoints import Endpoint
from minik8s.proxy.plan import PortPlan, ServicePlan

Target = tuple[str, int]  # a real server: address and port


@dataclass(frozen=True, order=True)
class Key:
    """What a virtual service is known by: a packet's protocol and destination."""

    protocol: str  # tcp, udp, sctp
    address: str
    port: int

    def __str__(self) -> str:
        return f"{self.protocol} {host_port(self.address, self.port)}"


@dataclass(frozen=True)
class Real:
    """One real server as it shall be, or as it was seen."""

    weight: int = 1
    active: int = 0  # seen: established connections
    closing: int = 0  # seen: the others that are remembered, being opened or closed

    @property
    def connections(self) -> int:
        return self.active + self.closing


@dataclass(frozen=True)
class Virtual:
    """One virtual service."""

    persistent: int = 0  # seconds for which a client stays with its server; 0: each connection is spread anew
    scheduler: str = params.IPVS_SCHEDULER
    reals: Mapping[Target, Real] = field(default_factory=dict)
    # Of what is wanted. Which servers may keep the connections they have (None: any); and for people: whose it is, and
    # who they are.
    lingering: frozenset[Target] | None = None
    title: str = ""
    who: Mapping[Target, str] = field(default_factory=dict)

    @property
    def settings(self) -> tuple[int, str]:
        return self.persistent, self.scheduler


@dataclass(frozen=True)
class State:
    """IPVS of one node: its virtual services, and the addresses of `kube-ipvs0`."""

    virtuals: Mapping[Key, Virtual] = field(default_factory=dict)
    addresses: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Action:
    """One request to the kernel: `do` it to the virtual service, to a `real` server of it, or to an `address`."""

    do: str  # add, set, delete
    because: str
    key: Key | None = None
    virtual: Virtual | None = None
    real: Target | None = None
    weight: int = 0
    address: str = ""

    def __str__(self) -> str:
        what = self.address or f"{self.key}{f' -> {host_port(*self.real)}' if self.real else ''}"
        return f"{self.do} {what}: {self.because}"


# --- What shall be ----------------------------------------------------------------------------------------------------


def wanted(plans: Iterable[ServicePlan], node_addresses: Iterable[str]) -> State:
    """For all Services of this node, in one family; `node_addresses` are those that node ports are served on."""
    virtuals: dict[Key, Virtual] = {}
    addresses: set[str] = set()
    local = sorted(node_addresses)
    for plan in sorted(plans, key=lambda one: one.key):
        for key, port, chosen in _entries(plan, local):
            # Two Services never share one; if they do, the first by name has it, as in the rules.
            virtuals.setdefault(key, _virtual(port, chosen))
        addresses |= {element.key[0] for name, element in plan.elements if name in _BY_ADDRESS}
    return State(virtuals, frozenset(addresses))


_BY_ADDRESS = (layout.SERVICE_IPS, layout.REFUSED_IPS)
_BY_NODE_PORT = (layout.SERVICE_NODEPORTS, layout.REFUSED_NODEPORTS)


def _entries(plan: ServicePlan, local: list[str]) -> Iterator[tuple[Key, PortPlan, tuple[Endpoint, ...]]]:
    """Each way to reach each port, with the endpoints that serve there."""
    ports = {(port.protocol, port.port): port for port in plan.ports}
    node_ports = {(port.protocol, port.node_port): port for port in plan.ports if port.node_port}
    for name, element in plan.elements:
        if name in _BY_ADDRESS:
            address, protocol, number = element.key
            port = ports[protocol, int(number)]
            yield Key(protocol, address, port.port), port, port.in_use if address == port.address else port.outside
        elif name in _BY_NODE_PORT:
            protocol, number = element.key
            port = node_ports[protocol, int(number)]
            for address in local:
                yield Key(protocol, address, port.node_port), port, port.outside


def _virtual(port: PortPlan, chosen: Iterable[Endpoint]) -> Virtual:
    reals = {(one.address, one.port): Real() for one in chosen}
    known = {(one.address, one.port): one for one in port.choice.known}
    # A UDP flow knows no end, so only servers that still answer may keep theirs.
    lingering = frozenset(target for target, one in known.items() if one.serving) if port.protocol == "udp" else None
    who = {target: one.who() for target, one in known.items()}
    return Virtual(port.affinity, reals=reals, lingering=lingering, title=port.title, who=who)


def owned(seen: State, want: State) -> State:
    """What of IPVS is the proxy's own: on an address of `kube-ipvs0`, on a node port, or what is wanted now."""
    first, last = params.NODE_PORT_RANGE
    ours = {
        key: one
        for key, one in seen.virtuals.items()
        if key.address in seen.addresses or first <= key.port <= last or key in want.virtuals
    }
    return State(ours, seen.addresses)


# --- What to change ---------------------------------------------------------------------------------------------------


def plan(want: State, seen: State) -> list[Action]:
    """From what is seen to what is wanted. Of `seen`, only what is ours: everything in it may be deleted."""
    keys = sorted(want.virtuals)
    pairs = [(key, want.virtuals[key], seen.virtuals.get(key)) for key in keys]
    orphans = [(key, seen.virtuals[key]) for key in sorted(seen.virtuals.keys() - want.virtuals.keys())]
    kept = {key.address for key, virtual in orphans if _busy(key, virtual)}
    bind, unbind = sorted(want.addresses - seen.addresses), sorted(seen.addresses - want.addresses - kept)
    return [
        *(action for key, virtual, there in pairs for action in _more(key, virtual, there)),
        *(Action("add", "a Service's address: its packets are for this node", address=one) for one in bind),
        *(action for key, virtual, there in pairs for action in _less(key, virtual, there)),
        *(action for key, virtual in orphans for action in _orphan(key, virtual)),
        *(Action("delete", "no Service has this address", address=one) for one in unbind),
    ]


def removal(seen: State) -> list[Action]:
    """Everything away at once, whoever is connected; the addresses go with their link."""
    return [Action("delete", "another proxy mode", key) for key in sorted(seen.virtuals)]


def _more(key: Key, want: Virtual, seen: Virtual | None) -> Iterator[Action]:
    """What is missing for a virtual service that has servers."""
    if not want.reals:
        return
    if seen is None:
        yield Action("add", f"Service port {want.title}", key, want)
    elif seen.settings != want.settings:
        yield Action("set", f"{want.title} has another affinity", key, want)
    there = seen.reals if seen else {}
    for target in sorted(want.reals):
        real, known = want.reals[target], there.get(target)
        if known is None or known.weight != real.weight:
            because = f"{want.title}: {want.who.get(target, '')}"
            yield Action("set" if known else "add", because, key, real=target, weight=real.weight)


def _less(key: Key, want: Virtual, seen: Virtual | None) -> Iterator[Action]:
    """What is too much. Without any server there is no virtual service: the rules refuse."""
    there = seen.reals if seen else {}
    stays = {one for one in there if _stays(want, one, there[one])}
    if seen and not want.reals and not stays:
        yield Action("delete", f"{want.title} has no endpoint: refused", key)
        return
    for target in sorted(there.keys() - want.reals.keys()):
        who = want.who.get(target, "no EndpointSlice names it any more")
        if target not in stays:
            yield Action("delete", f"{want.title}: {who}", key, real=target)
        elif there[target].weight:
            yield Action("set", f"{want.title}: {who}, only the connections it has", key, real=target)


def _stays(want: Virtual, target: Target, real: Real) -> bool:
    """Not chosen any more: until weight 0 was given and the last connection is forgotten."""
    return (want.lingering is None or target in want.lingering) and (real.weight > 0 or real.connections > 0)


def _orphan(key: Key, seen: Virtual) -> Iterator[Action]:
    """No Service port has this address any more: it takes no new connection, and ends with its last open one."""
    if not _busy(key, seen):
        yield Action("delete", "no Service port has this address", key)
        return
    for target in sorted(target for target, real in seen.reals.items() if real.weight):
        yield Action("set", "its Service is gone, only the connections it has", key, real=target)


def _busy(key: Key, seen: Virtual) -> bool:
    return key.protocol != "udp" and any(real.active for real in seen.reals.values())


# --- What is known between two looks ----------------------------------------------------------------------------------


def after(seen: State, actions: Iterable[Action]) -> State:
    """What is there after these actions. Every server may have got connections since it was looked at."""
    virtuals, addresses = dict(seen.virtuals), set(seen.addresses)
    for one in actions:
        if one.address:
            (addresses.add if one.do == "add" else addresses.discard)(one.address)
        elif one.key and one.real:
            virtuals[one.key] = _with_real(virtuals[one.key], one.real, one)
        elif one.key and one.do == "delete":
            del virtuals[one.key]
        elif one.key and one.virtual:
            known = virtuals.get(one.key, Virtual())
            virtuals[one.key] = Virtual(one.virtual.persistent, one.virtual.scheduler, known.reals)
    return State(virtuals, frozenset(addresses))


def _with_real(virtual: Virtual, target: Target, action: Action) -> Virtual:
    reals = {each: real for each, real in virtual.reals.items() if each != target}
    if action.do != "delete":
        reals[target] = Real(action.weight, active=1)
    return replace(virtual, reals=reals)


def busy(seen: State) -> State:
    """As `seen`, with a connection at every server: what must be assumed a moment later."""
    return State({key: replace(one, reals=_all_busy(one)) for key, one in seen.virtuals.items()}, seen.addresses)


def _all_busy(virtual: Virtual) -> dict[Target, Real]:
    return {target: Real(real.weight, active=1) for target, real in virtual.reals.items()}


def part(seen: State, touched: Iterable[Key | str]) -> State:
    """What is known of these virtual services and addresses."""
    names = set(touched)
    virtuals = {key: seen.virtuals[key] for key in names if isinstance(key, Key) and key in seen.virtuals}
    return State(virtuals, frozenset(one for one in names if isinstance(one, str) and one in seen.addresses))
