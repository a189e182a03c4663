"""Which node announces which load balancer address: what this node does about it now. Pure.

Each address has a Lease. Whoever holds it answers for the address on the LAN; the others wait until it is free: never
taken, given back, or not renewed for its whole duration on *their* clock. They stand in line for it: the node that
announces least comes first and takes it at once, each further one waits a moment longer, in case those before it are
dead. Nobody takes an address from a holder that renews, so a node that comes back does not fight.

Invariants: all nodes that see the same Leases see the same line; a node announces only what it holds the Lease of;
under externalTrafficPolicy Local only nodes with a ready endpoint stand in line, as long as there is one.

Read next: `announce.py`, which does it.
"""

import ipaddress
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from minik8s import params
from minik8s.api.core import Node, Service
from minik8s.api.discovery import Endpoint, EndpointSlice
from minik8s.api.meta import key
from minik8s.api.pods import condition

EXCLUDED = "node.kubernetes.io/exclude-from-external-load-balancers"
STEP_S = 0.5  # how much longer each further node in line waits
TAKE, RENEW, RELEASE = "take", "renew", "release"
NEW = "nobody announced it"


@dataclass(frozen=True)
class Wanted:
    """An address that a Service has, and the nodes that may announce it, sorted."""

    address: str
    service: str  # namespace/name
    nodes: tuple[str, ...]
    local: bool = False  # only those with a ready endpoint


@dataclass(frozen=True)
class Seen:
    """A Lease as we know it. `since`: when, on our clock, it became so."""

    holder: str = ""
    since: float = 0.0
    duration: float = 0.0  # seconds it is good for without being renewed
    before: str = ""  # who held it until then, if we saw that

    def free_at(self) -> float:
        return self.since + self.duration if self.holder else self.since


@dataclass(frozen=True)
class Act:
    """Take, renew or give back the Lease of an address."""

    verb: str
    address: str
    because: str


@dataclass(frozen=True)
class Me:
    """This node: when it renewed which address, what time it is, and how often it renews. Seconds."""

    node: str
    renewed: Mapping[str, float]
    now: float
    interval: float


def plan(me: Me, wanted: Sequence[Wanted], leases: Mapping[str, Seen]) -> tuple[list[Act], float | None]:
    """What to do now, by address, and when on our clock to look again."""
    acts: list[Act] = []
    dates: list[float] = []
    line = _Line(wanted, leases, me.now)
    named = {each.address: each for each in wanted}
    mine = [address for address, lease in leases.items() if lease.holder == me.node]
    due = any(me.now - me.renewed.get(each, -me.interval) >= me.interval for each in mine)
    for address in sorted({*named, *mine}):
        want, lease = named.get(address), leases.get(address, Seen())
        if address in mine:
            reason = _leaving(me.node, want, address)
            # All together, so that the kernel's clock for them runs out together as well.
            acts += [Act(RELEASE, address, reason)] if reason else [Act(RENEW, address, "announcing")] if due else []
            dates.append(me.renewed.get(address, me.now) + me.interval)
        elif want is not None and me.node in want.nodes:
            turn = lease.free_at() + STEP_S * line.place(want, me.node)
            acts += [Act(TAKE, address, _free(lease))] if turn <= me.now else []
            dates.append(turn if turn > me.now else me.now + STEP_S)
    return acts, min(dates, default=None)


def _leaving(node: str, want: Wanted | None, address: str) -> str:
    """Why the holder should give the address back; empty if it should not."""
    if want is None:
        return f"no Service has {address} any more"
    if node in want.nodes or not want.nodes:
        return ""
    return f"no endpoint of {want.service} is ready on {node}" if want.local else f"{node} is not ready"


def _free(lease: Seen) -> str:
    """Why somebody else may have it."""
    if lease.holder:
        return f"{lease.holder} was lost: it had not renewed its Lease for {lease.duration:g} s"
    return f"{lease.before} gave it back" if lease.before else NEW


class _Line:
    """Who is next for each address that is free: the node that announces least, then by name."""

    def __init__(self, wanted: Sequence[Wanted], leases: Mapping[str, Seen], now: float) -> None:
        self._leases = leases
        free = {each.address for each in wanted if leases.get(each.address, Seen()).free_at() <= now}
        self._load = Counter(lease.holder for address, lease in leases.items() if lease.holder and address not in free)
        self._orders: dict[str, list[str]] = {}
        for each in sorted(wanted, key=lambda each: each.address):
            self._orders[each.address] = order = self._order(each)
            if order and each.address in free:
                self._load[order[0]] += 1

    def _order(self, want: Wanted) -> list[str]:
        lease = self._leases.get(want.address, Seen())
        last = lease.holder or lease.before  # whoever lost it or gave it back has its reasons
        return sorted(want.nodes, key=lambda node: (node == last, self._load[node], node))

    def place(self, want: Wanted, node: str) -> int:
        return self._orders[want.address].index(node)


# --- What is wanted ---------------------------------------------------------------------------------------------------


def wanted(service: Service, slices: Iterable[EndpointSlice], nodes: Iterable[Node]) -> list[Wanted]:
    """The addresses of one Service that a node has to announce: those of our own pool. Another's are not ours."""
    spec = service.spec
    if spec.type != "LoadBalancer" or spec.loadBalancerClass not in (None, "", params.LOAD_BALANCER_CLASS):
        return []
    ready = sorted(node.metadata.name for node in nodes if able(node))
    local = spec.externalTrafficPolicy == "Local"
    found = []
    for address in [each.ip for each in service.status.loadBalancer.ingress if each.ip and each.ipMode != "Proxy"]:
        if not in_pool(address):
            continue
        serving = _serving(slices, "IPv6" if ":" in address else "IPv4") if local else set()
        may = [node for node in ready if node in serving]
        # With no endpoint at all every node refuses the same way, and a refusal is kinder than silence.
        found.append(Wanted(address, key(service), tuple(may or ready), bool(may)))
    return found


def in_pool(address: str) -> bool:
    """Is this one of the LAN's addresses for load balancers? A status written by hand may name a node's own."""
    ranges = (params.LOAD_BALANCER_RANGE, params.LOAD_BALANCER_RANGE_V6)
    number = ipaddress.ip_address(address)
    ends = [tuple(map(ipaddress.ip_address, each)) for each in ranges]
    return any(first.version == number.version and int(first) <= int(number) <= int(last) for first, last in ends)


def able(node: Node) -> bool:
    """May this node announce anything at all?"""
    ready = condition(node.status.conditions, "Ready")
    excluded = EXCLUDED in node.metadata.labels or node.metadata.deletionTimestamp is not None
    return ready is not None and ready.status == "True" and not excluded


def _serving(slices: Iterable[EndpointSlice], family: str) -> set[str]:
    """The nodes with a ready endpoint; with none anywhere, those where one still serves while it terminates."""
    endpoints = [each for one in slices if one.addressType == family for each in one.endpoints]
    return _nodes(endpoints, "ready") or _nodes(endpoints, "serving")


def _nodes(endpoints: Iterable[Endpoint], state: str) -> set[str]:
    return {each.nodeName for each in endpoints if each.nodeName and getattr(each.conditions, state) is not False}
