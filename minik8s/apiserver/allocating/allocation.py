"""Which addresses and node ports a Service gets, keeps and gives back. Pure.

`plan` fills them into the Service and says which keys must be claimed and which released. The claims stand in the
Service's own etcd transaction (verbs.py), each guarded by "is absent": so no two Services, and no two API servers,
ever hold the same one, and none is lost when a write fails. A claim that somebody else won goes into `lost`, and only
that candidate is chosen anew.

An address is claimed by an IPAddress object (KEP-1880), a node port by a key of its own. A part of each range is kept
for users who choose themselves (KEP-3070, KEP-3668): random choices start beyond it and enter it only when the rest
is used up. Read `services.py` for what a change of type does to them.
"""

import ipaddress
from collections.abc import Container, Sequence
from dataclasses import dataclass, field

from minik8s import params
from minik8s.api.core import Service
from minik8s.api.meta import Object, ObjectMeta, StatusCause
from minik8s.api.networking import IPAddress, IPAddressSpec, ParentReference

NODE_PORTS_PREFIX = f"{params.REGISTRY_PREFIX}allocations/nodeports/"
ADDRESSES_PREFIX = f"{params.REGISTRY_PREFIX}networking.k8s.io/ipaddresses/"
RANGES = {"IPv4": params.SERVICE_CIDR, "IPv6": params.SERVICE_CIDR_V6}

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Refused(Exception):
    """What the user asked for cannot be had; each of `causes` names a field and the reason."""

    def __init__(self, causes: Sequence[StatusCause]) -> None:
        super().__init__("; ".join(cause.message for cause in causes))
        self.causes = list(causes)


def refused(field_: str, message: str) -> Refused:
    return Refused([StatusCause(reason="FieldValueInvalid", message=message, field=field_)])


class Exhausted(Exception):
    """Nothing is left in the range."""


@dataclass(frozen=True)
class Claim:
    """A key that must belong to this Service alone. `given`: the user asked for exactly this one, in that field."""

    key: str
    value: str  # the address or port
    given: str = ""

    @property
    def refusal(self) -> Refused:
        if self.key.startswith(NODE_PORTS_PREFIX):
            return refused(self.given, f"Invalid value: {self.value}: provided port is already allocated")
        message = (
            f'Invalid value: ["{self.value}"]: failed to allocate IP {self.value}: provided IP is already allocated'
        )
        return refused(self.given, message)


@dataclass
class Plan:
    """Keys to take and to give back, in the Service's own transaction."""

    take: list[Claim] = field(default_factory=list)
    release: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class View:
    """What a choice depends on: keys known to be taken, and a random number that says where to start looking."""

    taken: Container[str]
    seed: int


def plan(after: Object | None, before: Object | None, view: View) -> Plan:
    """Complete `after` in place. A side is None when the Service is created or deleted; other kinds need nothing."""
    result = Plan()
    held = held_by(before) if isinstance(before, Service) else {}
    if isinstance(after, Service):
        _addresses(after, held, view, result)
        _ports(after, held, view, result)
        kept = held_by(after)
    else:
        kept = {}
    result.release = sorted(set(held) - set(kept))
    return result


def held_by(service: Service) -> dict[str, str]:
    """Every key this Service holds, and the address or port it stands for."""
    addresses = {ADDRESSES_PREFIX + each: each for each in service.spec.clusterIPs if each != "None"}
    numbers = [port.nodePort for port in service.spec.ports] + [service.spec.healthCheckNodePort]
    return addresses | {f"{NODE_PORTS_PREFIX}{number}": str(number) for number in numbers if number}


def needs_address(service: Service) -> bool:
    return service.spec.type != "ExternalName" and service.spec.clusterIP != "None"


def needs_node_ports(service: Service) -> bool:
    kind = service.spec.type
    return kind == "NodePort" or (kind == "LoadBalancer" and service.spec.allocateLoadBalancerNodePorts is not False)


def needs_health_port(service: Service) -> bool:
    """A load balancer in front of Local Services asks each node whether it has an endpoint."""
    return service.spec.type == "LoadBalancer" and service.spec.externalTrafficPolicy == "Local"


def _addresses(service: Service, held: dict[str, str], view: View, result: Plan) -> None:
    spec = service.spec
    if not needs_address(service):
        return
    for at, family in enumerate(spec.ipFamilies):
        network = ipaddress.ip_network(RANGES[family])
        given = spec.clusterIPs[at] if at < len(spec.clusterIPs) else ""
        if given:
            address = _given_address(network, given)
        else:
            address = choose_address(network, view)
            spec.clusterIPs = [*spec.clusterIPs, address]
        key = ADDRESSES_PREFIX + address
        if key not in held:
            result.take.append(Claim(key, address, "spec.clusterIPs" if given else ""))
    spec.clusterIP = spec.clusterIPs[0]


def _given_address(network: Network, text: str) -> str:
    """The address a user chose, if the range has it. The network's own and the broadcast address are nobody's."""
    address = ipaddress.ip_address(text)
    first, last = _usable(network)
    inside = address in network and first <= int(address) - int(network.network_address) <= last
    if not inside:
        raise refused(
            "spec.clusterIPs",
            f'Invalid value: ["{text}"]: failed to allocate IP {text}: the provided IP ({text}) is not in the valid '
            f"range. The range of valid IPs is {network}",
        )
    return str(address)


def _usable(network: Network) -> tuple[int, int]:
    """First and last usable offset: IPv4 has a broadcast address, IPv6 does not."""
    return 1, network.num_addresses - (2 if network.version == 4 else 1)


def choose_address(network: Network, view: View) -> str:
    """A free address: from the upper part of the range first, the static band last."""
    first, last = _usable(network)
    band = static_band(network.num_addresses)
    base = network.network_address
    for low, high in ((max(first, band), last), (first, min(band, last + 1) - 1)):
        for offset in _round(low, high, view.seed):
            if ADDRESSES_PREFIX + str(base + offset) not in view.taken:
                return str(base + offset)
    raise Exhausted("failed to allocate a serviceIP: range is full")


def static_band(size: int) -> int:
    """KEP-3070: a sixteenth of the range, between 16 and 256 addresses. A range too small for that has none."""
    least, most = params.SERVICE_CIDR_STATIC_MIN, params.SERVICE_CIDR_STATIC_MAX
    return 0 if size <= least else min(max(least, size // 16), most)


def port_band(size: int) -> int:
    """KEP-3668: a thirty-second of the range, between 16 and 128 ports."""
    least, most = params.NODE_PORT_STATIC_BAND
    return 0 if size <= least else min(max(least, size // 32), most)


def _round(low: int, high: int, seed: int) -> list[int] | range:
    """All numbers from low to high, beginning somewhere and going round once."""
    size = high - low + 1
    if size <= 0:
        return []
    start = low + seed % size
    return [*range(start, high + 1), *range(low, start)]


def _ports(service: Service, held: dict[str, str], view: View, result: Plan) -> None:
    """Claim every port that is named, then choose those that are still missing: `held_by` is always what is claimed."""
    spec = service.spec
    # One number may serve two protocols of the same Service (DNS does that); it is claimed once.
    mine: dict[int, set[str]] = {}
    for at, port in enumerate(spec.ports):
        if port.nodePort:
            _take_port(port.nodePort, f"spec.ports[{at}].nodePort", held, result)
            mine.setdefault(port.nodePort, set()).add(port.protocol)
    if spec.healthCheckNodePort:
        _take_port(spec.healthCheckNodePort, "spec.healthCheckNodePort", held, result)
        mine.setdefault(spec.healthCheckNodePort, set()).add("TCP")
    for port in spec.ports if needs_node_ports(service) else ():
        if not port.nodePort:
            port.nodePort = _shared(service, port.port, port.protocol, mine) or choose_port(view, mine)
            _take_port(port.nodePort, "", held, result)
            mine.setdefault(port.nodePort, set()).add(port.protocol)
    if needs_health_port(service) and not spec.healthCheckNodePort:
        spec.healthCheckNodePort = choose_port(view, mine)
        _take_port(spec.healthCheckNodePort, "", held, result)


def _shared(service: Service, number: int, protocol: str, mine: dict[int, set[str]]) -> int:
    """The node port of the same port under another protocol, if there is one."""
    for other in service.spec.ports:
        if other.port == number and other.nodePort and protocol not in mine[other.nodePort]:
            return other.nodePort
    return 0


def _take_port(number: int, given: str, held: dict[str, str], result: Plan) -> None:
    low, high = params.NODE_PORT_RANGE
    if given and not low <= number <= high:
        message = "provided port is not in the valid range. The range of valid ports is"
        raise refused(given, f"Invalid value: {number}: {message} {low}-{high}")
    key = f"{NODE_PORTS_PREFIX}{number}"
    if key not in held and all(claim.key != key for claim in result.take):
        result.take.append(Claim(key, str(number), given))


def choose_port(view: View, mine: Container[int]) -> int:
    """A free node port: beyond the static band first."""
    low, high = params.NODE_PORT_RANGE
    band = low + port_band(high - low + 1)
    for first, last in ((band, high), (low, band - 1)):
        for number in _round(first, last, view.seed):
            if number not in mine and f"{NODE_PORTS_PREFIX}{number}" not in view.taken:
                return number
    raise Exhausted("failed to allocate a nodePort: range is full")


def address_object(claim: Claim, service: Service) -> IPAddress:
    """The IPAddress that says whose address this is."""
    family = "IPv6" if ":" in claim.value else "IPv4"
    labels = {
        "ipaddress.kubernetes.io/ip-family": family,
        "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io",
    }
    parent = ParentReference(resource="services", namespace=service.metadata.namespace, name=service.metadata.name)
    return IPAddress(metadata=ObjectMeta(name=claim.value, labels=labels), spec=IPAddressSpec(parentRef=parent))
