"""Which endpoints of a Service port get new connections on this node, and why the others do not.

Upstream's order (CategorizeEndpoints in pkg/proxy/topology.go):

1. The ready ones count. If every ready one carries hints and one of them is for this node, only those
   (PreferSameNode); else the same with the node's zone; else all: a hint is advice, an endpoint anywhere is better
   than none here.
2. None ready: those that are terminating but still serve, so that a rolling update of one Pod loses nothing. Hints
   are not asked.
3. None at all: the caller refuses.

For traffic policy Local the same is asked of this node's endpoints alone.

Invariant: pure; the result is sorted, so the order in which slices arrive changes nothing. An address that is none,
or a port out of range, is left out with a reason: one bad endpoint of a hand-written slice must not spoil the
Service, or the table.
"""

import ipaddress
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from minik8s.api import discovery
from minik8s.api.addresses import host_port
from minik8s.proxy.layout import IPV4, Family

# What only the machine itself means by an address, or nobody: loopback, unspecified, and by the first byte multicast.
_LENGTHS = {"IPv4": 4, "IPv6": 16}
_OWN = (bytes(4), bytes(16), bytes(15) + b"\1")
_NOBODYS = {"IPv4": {127, *range(224, 240)}, "IPv6": {255}}
READY, NOT_READY, TERMINATING, DYING = "ready", "not ready", "terminating, still serving", "terminating"


@dataclass(frozen=True)
class Here:
    """What the proxy must know of its own node."""

    node: str
    family: Family = IPV4
    zone: str = ""
    pod_cidrs: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()

    def within(self, ranges: Iterable[str]) -> bool:
        """Do these ranges have an address of this node?"""
        networks = [ipaddress.ip_network(each, strict=False) for each in ranges]
        return any(ipaddress.ip_address(each) in network for each in self.addresses for network in networks)

    def has(self, address: str) -> bool:
        """Is this an address of the node's own Pod range?"""
        ip = ipaddress.ip_address(address)
        return any(ip in ipaddress.ip_network(cidr) for cidr in self.pod_cidrs)


@dataclass(frozen=True)
class Endpoint:
    """One address and port that a slice names."""

    address: str
    port: int
    pod: str = ""  # namespace/name
    state: str = READY
    local: bool = False
    for_nodes: frozenset[str] = frozenset()
    for_zones: frozenset[str] = frozenset()

    @property
    def target(self) -> str:
        """How nft writes it: `10.244.1.5:8080`, `[fd00:244:1::5]:8080`."""
        return host_port(self.address, self.port)

    @property
    def serving(self) -> bool:
        return self.state in (READY, TERMINATING)

    def who(self) -> str:
        named = f"pod {self.pod}" if self.pod else "endpoint without Pod"
        return named if self.state == READY else f"{named}, {self.state}"


@dataclass(frozen=True)
class Choice:
    """The endpoints of one Service port: all that are known, those in use, and what did not count."""

    known: tuple[Endpoint, ...] = ()
    cluster: tuple[Endpoint, ...] = ()  # in use under policy Cluster
    local: tuple[Endpoint, ...] = ()  # in use under policy Local
    because: str = ""
    bad: tuple[str, ...] = field(default=())


def choose(slices: Iterable[discovery.EndpointSlice], port: tuple[str, str], here: Here) -> Choice:
    """The endpoints for a port (its name and protocol)."""
    found: dict[tuple[str, int], Endpoint] = {}
    bad: list[str] = []
    for one in slices:
        if one.addressType != here.family.name:
            continue
        for endpoint in _of_slice(one, port, here, bad):
            known = found.get((endpoint.address, endpoint.port))
            if known is None or _rank(endpoint) < _rank(known):  # twice, while a Pod moves between slices
                found[endpoint.address, endpoint.port] = endpoint
    every = tuple(sorted(found.values(), key=lambda one: (_packed(one.address), one.port)))
    cluster, because = _in_use(every, here)
    local, _ = _in_use([one for one in every if one.local], Here(""))
    return Choice(every, tuple(cluster), tuple(local), because, tuple(sorted(bad)))


def _in_use(known: Sequence[Endpoint], here: Here) -> tuple[Sequence[Endpoint], str]:
    ready = [one for one in known if one.state == READY]
    if not ready:
        terminating = [one for one in known if one.state == TERMINATING]
        return terminating, "no endpoint is ready; those still serving while they terminate" if terminating else ""
    on_node = [one for one in ready if here.node in one.for_nodes]
    if on_node and all(one.for_nodes for one in ready):
        return on_node, "hints prefer this node"
    in_zone = [one for one in ready if here.zone and here.zone in one.for_zones]
    if in_zone and all(one.for_zones for one in ready):
        return in_zone, f"hints prefer zone {here.zone}"
    return ready, ""


def _of_slice(one: discovery.EndpointSlice, wanted: tuple[str, str], here: Here, bad: list[str]) -> Iterable[Endpoint]:
    for port in one.ports:
        if (port.name or "", port.protocol or "TCP") != wanted:
            continue
        for endpoint in one.endpoints:
            wrong = _wrong(endpoint, port.port, one.addressType)
            if wrong:
                bad.append(f"{one.metadata.name}: {wrong}")
            else:
                yield _endpoint(endpoint, port.port or 0, here)


def _wrong(endpoint: discovery.Endpoint, port: int | None, family: str) -> str:
    """Why this endpoint cannot be used; empty if it can."""
    if not port or not 0 < port < 65536:
        return f"port {port} is no port"
    address = endpoint.addresses[0] if endpoint.addresses else ""
    try:
        packed = _packed(address)
    except (OSError, ValueError):  # ValueError: a zero byte in it
        return f"address {address!r} is no address"
    if len(packed) != _LENGTHS.get(family):
        return f"address {address} is not {family}"
    if packed in _OWN or packed[0] in _NOBODYS[family]:
        return f"address {address} cannot be reached from elsewhere"
    return ""


def _endpoint(endpoint: discovery.Endpoint, port: int, here: Here) -> Endpoint:
    # The first address only: upstream's proxies read the list as "the same endpoint, pick any".
    packed = _packed(endpoint.addresses[0])
    address = socket.inet_ntop(socket.AF_INET6 if len(packed) > 4 else socket.AF_INET, packed)
    ref, hints = endpoint.targetRef, endpoint.hints
    return Endpoint(
        address,
        port,
        f"{ref.namespace}/{ref.name}" if ref and ref.kind == "Pod" else "",
        _state(endpoint.conditions),
        endpoint.nodeName == here.node if endpoint.nodeName else here.has(address),
        frozenset(one.name for one in hints.forNodes) if hints else frozenset(),
        frozenset(one.name for one in hints.forZones) if hints else frozenset(),
    )


def _packed(address: str) -> bytes:
    """The bytes of an address, by a function of the C library's: ten times as fast as `ipaddress`, which matters for
    thirty thousand endpoints. OSError if it is none.
    """
    return socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)


def _state(conditions: discovery.EndpointConditions) -> str:
    """Unset `ready` and `serving` count as true, as upstream reads them."""
    if conditions.ready is None or conditions.ready:
        return READY
    if not conditions.terminating:
        return NOT_READY
    return DYING if conditions.serving is False else TERMINATING


def _rank(endpoint: Endpoint) -> int:
    return (READY, TERMINATING, DYING, NOT_READY).index(endpoint.state)
