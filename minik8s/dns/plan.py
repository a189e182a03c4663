"""Which records exist at a name: the specification as one pure function.

    node(labels) → {type: [data]}   the name exists, with these records. A type that is missing is NODATA
    node(labels) → None             the name does not exist: NXDOMAIN

Because every answer starts from here, all types of a name agree about whether it exists. That agreement is as much a
part of the service as the addresses: stub resolvers go on searching after NXDOMAIN and stop at NODATA.

The names of a zone `cluster.local`, read from the right, label by label; a Service may well be called `svc`:

    (the zone)                              SOA, NS
    dns-version                             TXT: the version of the specification
    ns.dns                                  A: where this server is asked
    svc  NAMESPACE.svc                      exist, empty
    SERVICE.NAMESPACE.svc                   A of the cluster addresses, or of every ready endpoint (headless);
                                            SRV of all ports; or nothing but a CNAME (ExternalName)
    ENDPOINT.SERVICE.NAMESPACE.svc          A of one ready endpoint: its hostname, else its address with dashes
    _PROTO.SERVICE.NAMESPACE.svc            exists, empty, if a named port below it does
    _PORT._PROTO.SERVICE.NAMESPACE.svc      SRV of a named port
    pod  NAMESPACE.pod                      exist, empty
    1-2-3-4.NAMESPACE.pod                   A 1.2.3.4: believed (insecure), looked up (verified), or none (disabled)

and of the reverse trees: PTR of a cluster address to its Service, else of an endpoint's address to each of its names.
A headless Service without a ready endpoint does not exist at all, for any type.

Nothing is prebuilt: a name is resolved when it is asked for, from the views in index.py. Read next: resolve.py.
"""

from collections.abc import Iterable
from typing import TypeVar

from minik8s.dns.addresses import REVERSE_V4, REVERSE_V6, packed, prefix, undashed
from minik8s.dns.index import Index
from minik8s.dns.records import (
    AAAA,
    CNAME,
    NS,
    PTR,
    SOA,
    SRV,
    TXT,
    A,
    Address,
    Alias,
    Authority,
    Data,
    Labels,
    Node,
    Server,
    Text,
    name,
)
from minik8s.dns.views import Port, ServiceKey, ServiceView

T = TypeVar("T")

SPECIFICATION = "1.1.0"
# Where the cluster's own DNS is found, by the name every Kubernetes installation gives it.
DNS_SERVICE: ServiceKey = ("kube-system", "kube-dns")
REFRESH_S, RETRY_S, EXPIRE_S = 7200, 1800, 86400  # for secondary servers, of which there are none; CoreDNS' numbers


class Names:
    """The zones of one cluster. Holds the index it reads and three settings, and no state of its own."""

    def __init__(self, index: Index, domain: str, ttl: int, pods: str = "insecure") -> None:
        self.index = index
        self.domain = name(domain)
        self.ttl = ttl
        self.pods = pods

    # --- zones ------------------------------------------------------------------------------------------------

    def zone(self, labels: Labels) -> Labels | None:
        """The zone of ours that a name lies in; None for names of the rest of the world."""
        for zone in (self.domain, REVERSE_V4, REVERSE_V6):
            if labels[-len(zone) :] == zone:
                return zone
        return None

    def above(self, labels: Labels) -> bool:
        """Does one of our zones lie below this name? Then it exists, although we know no record of it (RFC 8020)."""
        zones = (self.domain, REVERSE_V4, REVERSE_V6)
        return any(zone[len(zone) - len(labels) :] == labels for zone in zones if len(labels) < len(zone))

    def soa(self) -> Authority:
        return Authority(
            mname=("ns", "dns", *self.domain),
            rname=("hostmaster", *self.domain),
            serial=self.index.serial,
            refresh=REFRESH_S,
            retry=RETRY_S,
            expire=EXPIRE_S,
            minimum=self.ttl,
        )

    def node(self, labels: Labels) -> Node | None:
        """The records at a name of our zones, or None if it does not exist."""
        zone = self.zone(labels)
        if zone is None:
            return None
        below = labels[: -len(zone)]
        if not below:
            return {SOA: [self.soa()], NS: [Alias(("ns", "dns", *self.domain))]}
        return self._forward(below) if zone == self.domain else self._reverse(below, zone)

    # --- cluster.local ----------------------------------------------------------------------------------------

    def _forward(self, labels: Labels) -> Node | None:
        match labels:
            case (*below, "svc"):
                return self._below_svc(tuple(below))
            case (*below, "pod"):
                return self._below_pod(tuple(below))
            case ("dns-version",):
                return {TXT: [Text(SPECIFICATION)]}
            case ("dns",):
                return {}
            case ("ns", "dns"):
                service = self.index.service(DNS_SERVICE)
                return addresses(service.addresses) if service else {}
        return None

    def _below_svc(self, labels: Labels) -> Node | None:
        if not labels:
            return {}
        namespace = labels[-1]
        if len(labels) == 1:
            return {} if self.index.namespace(namespace) else None
        service = self.index.service((namespace, labels[-2]))
        if service is None:
            return None
        return self._service(service, labels[:-2])

    def _service(self, service: ServiceView, below: Labels) -> Node | None:
        """A Service's own name (`below` is empty), or a name below it."""
        if service.external is not None:
            return self._external(service.external) if not below else None
        if service.headless and not self.index.ready(service.key):
            return None
        match below:
            case ():
                return self._service_itself(service)
            case (label,) if self._has_protocol(service, label):
                return {}
            case (label,):
                return self._endpoint(service, label)
            case (port, protocol):
                servers = [
                    s
                    for p, s in self._servers(service)
                    if p.name and (f"_{p.name}", f"_{p.protocol}") == (port, protocol)
                ]
                return {SRV: servers} if servers else None
        return None

    def _external(self, target: str) -> Node | None:
        """ExternalName is a DNS name. Digits that look like an address, or labels no name can have, give no record."""
        labels = name(target)
        if packed(target) is not None or not all(0 < len(label) < 64 for label in labels) or len(target) > 253:
            return None
        return {CNAME: [Alias(labels)]} if labels else None

    def _service_itself(self, service: ServiceView) -> Node:
        if service.headless:
            ready = self.index.ready(service.key)
            node = addresses(endpoint.address for endpoint, _ in ready)
        else:
            node = addresses(service.addresses)
        servers = unique(server for _, server in self._servers(service))
        if servers:
            node[SRV] = servers
        return node

    def _servers(self, service: ServiceView) -> list[tuple[Port, Data]]:
        """Every port with the server it stands for.

        Headless: the slice's port at each endpoint; else the Service's at its name.
        """
        own = (service.name, service.namespace, "svc", *self.domain)
        if not service.headless:
            return [(port, Server(port.number, own)) for port in service.ports]
        found: dict[tuple[Port, Data], None] = {}
        for endpoint, piece in self.index.ready(service.key):
            for port in piece.ports:
                found[port, Server(port.number, (endpoint.name, *own))] = None
        return list(found)

    def _has_protocol(self, service: ServiceView, label: str) -> bool:
        return label.startswith("_") and any(p.name and f"_{p.protocol}" == label for p, _ in self._servers(service))

    def _endpoint(self, service: ServiceView, label: str) -> Node | None:
        ready = self.index.ready(service.key)
        return addresses(endpoint.address for endpoint, _ in ready if endpoint.name == label) or None

    def _below_pod(self, labels: Labels) -> Node | None:
        """A convention older than the specification: a Pod's address with dashes is a name in its namespace."""
        if self.pods == "disabled":
            return None
        if not labels:
            return {}
        if self.index.namespace(labels[-1]) is None or len(labels) > 2:
            return None
        if len(labels) == 1:
            return {}
        address = undashed(labels[0])
        if address is None or (self.pods == "verified" and not self.index.has_pod(labels[-1], address)):
            return None
        return addresses([address])

    # --- the reverse trees ------------------------------------------------------------------------------------

    def _reverse(self, labels: Labels, tree: Labels) -> Node | None:
        """A whole address has PTRs; a part of one exists, empty, if an address that begins so does."""
        said = prefix(labels, tree)
        if said is None:
            return None
        start, half = said
        size = 4 if tree == REVERSE_V4 else 16
        if len(start) < size or half:
            return {} if self.index.begins(start, half, size) else None
        targets = self._names_of(start)
        return {PTR: targets} if targets else None

    def _names_of(self, address: bytes) -> list[Data]:
        """A cluster address belongs to its Service; any other to each endpoint name that has it ready."""
        owners = [service for service in map(self.index.service, self.index.owners(address)) if service is not None]
        services = [service for service in owners if address in service.addresses]
        if services:
            return [Alias((s.name, s.namespace, "svc", *self.domain)) for s in services]
        found: list[Data] = []
        for s in owners:
            labels = [endpoint.name for endpoint, _ in self.index.ready(s.key) if endpoint.address == address]
            found += [Alias((label, s.name, s.namespace, "svc", *self.domain)) for label in labels]
        return unique(found)


def addresses(given: Iterable[bytes]) -> Node:
    """The node of some addresses, each family under its type."""
    node: Node = {}
    for address in unique(given):
        node.setdefault(A if len(address) == 4 else AAAA, []).append(Address(address))
    return node


def unique(values: Iterable[T]) -> list[T]:
    """The values in their order, each once."""
    return list(dict.fromkeys(values))
