"""Three indexes over the objects: Services by name, slices by Service, and who owns an address.

An object is reduced to a small view when it arrives, so that answering reads nothing but tuples. What must hold: a
view is never changed, only replaced; an event of one kind never waits for one of another (a slice may come before
its Service); when a slice's label names another Service, both the old and the new one have changed.

Read next: plan.py, which resolves names over these.
"""

import ipaddress
from dataclasses import dataclass, field
from typing import NamedTuple

from minik8s.api.core import Pod, Service
from minik8s.api.discovery import SERVICE_NAME, EndpointSlice

ServiceKey = tuple[str, str]  # namespace, name


class Port(NamedTuple):
    name: str
    protocol: str  # as in DNS names: tcp, udp, sctp
    number: int


class ServiceView(NamedTuple):
    """What DNS needs of a Service."""

    namespace: str
    name: str
    headless: bool
    external: str | None  # the name that an ExternalName Service stands for
    addresses: tuple[bytes, ...]
    ports: tuple[Port, ...]
    revision: str


class EndpointView(NamedTuple):
    name: str  # the first label of the endpoint's own name
    address: bytes


class SliceView(NamedTuple):
    """What DNS needs of an EndpointSlice: its ports, and the endpoints that are ready."""

    service: ServiceKey
    name: str
    ports: tuple[Port, ...]
    endpoints: tuple[EndpointView, ...]
    revision: str


def packed(address: str) -> bytes | None:
    """The address as bytes, in either family; None for what is no address."""
    try:
        return ipaddress.ip_address(address).packed
    except ValueError:
        return None


def dashed(address: str) -> str:
    """An address as a label: 10.244.1.5 → 10-244-1-5. No label ends in a dash, so fd00:: becomes fd00--0."""
    label = str(ipaddress.ip_address(address)).replace(".", "-").replace(":", "-")
    if label.startswith("-"):
        label = "0" + label
    return label + "0" if label.endswith("-") else label


def view_service(service: Service) -> ServiceView:
    spec = service.spec
    given = spec.clusterIPs or [spec.clusterIP]
    external = spec.externalName.lower().rstrip(".") if spec.type == "ExternalName" else None
    addresses = [packed(each) for each in given] if external is None else []
    ports = tuple(Port(p.name, p.protocol.lower(), p.port) for p in spec.ports)
    return ServiceView(
        namespace=service.metadata.namespace,
        name=service.metadata.name,
        headless=external is None and "None" in given,
        external=external,
        addresses=tuple(each for each in addresses if each is not None),
        ports=ports,
        revision=service.metadata.resourceVersion,
    )


def view_slice(piece: EndpointSlice) -> SliceView | None:
    """The slice's view; None when it belongs to no Service. Unset `ready` counts as ready: nobody said otherwise."""
    service = piece.metadata.labels.get(SERVICE_NAME)
    if not service:
        return None
    ports = tuple(Port(p.name or "", (p.protocol or "TCP").lower(), p.port) for p in piece.ports if p.port is not None)
    endpoints = []
    for endpoint in piece.endpoints:
        if endpoint.conditions.ready is False:
            continue
        for text in endpoint.addresses:
            address = packed(text)
            if address is not None:
                endpoints.append(EndpointView((endpoint.hostname or "").lower() or dashed(text), address))
    key = (piece.metadata.namespace, service)
    return SliceView(key, piece.metadata.name, ports, tuple(endpoints), piece.metadata.resourceVersion)


@dataclass
class Index:
    """All that DNS knows. Owned by the server's loop; nobody else touches it."""

    services: dict[ServiceKey, ServiceView] = field(default_factory=dict)
    slices: dict[ServiceKey, dict[str, SliceView]] = field(default_factory=dict)
    owners: dict[bytes, dict[ServiceKey, int]] = field(default_factory=dict)  # address → Service → how often it has it
    namespaces: set[str] = field(default_factory=set)
    pods: dict[tuple[str, bytes], int] = field(default_factory=dict)  # (namespace, address) → Pods; verified mode only
    serial: int = 1

    def set_service(self, old: Service | None, new: Service | None) -> set[ServiceKey]:
        """Take in a change of a Service; return the Services whose names it may touch."""
        touched: set[ServiceKey] = set()
        if old is not None:
            key = (old.metadata.namespace, old.metadata.name)
            gone = self.services.pop(key, None)
            if gone is not None:
                self._disown(key, gone.addresses)
            touched.add(key)
        if new is not None:
            view = view_service(new)
            key = (view.namespace, view.name)
            before = self.services.get(key)
            if before is not None:
                self._disown(key, before.addresses)
            self.services[key] = view
            self._own(key, view.addresses)
            touched.add(key)
        return touched

    def set_slice(self, old: EndpointSlice | None, new: EndpointSlice | None) -> set[ServiceKey]:
        """Take in a change of a slice; return the Services whose names it may touch, the one it left included."""
        touched: set[ServiceKey] = set()
        if old is not None:
            service = old.metadata.labels.get(SERVICE_NAME, "")
            touched |= self._drop_slice((old.metadata.namespace, service), old.metadata.name)
        view = view_slice(new) if new is not None else None
        if view is not None:
            touched |= self._drop_slice(view.service, view.name)
            self.slices.setdefault(view.service, {})[view.name] = view
            self._own(view.service, [each.address for each in view.endpoints])
            touched.add(view.service)
        return touched

    def _drop_slice(self, service: ServiceKey, name: str) -> set[ServiceKey]:
        pieces = self.slices.get(service, {})
        gone = pieces.pop(name, None)
        if gone is None:
            return set()
        self._disown(service, [each.address for each in gone.endpoints])
        if not pieces:
            del self.slices[service]
        return {service}

    def set_namespace(self, name: str, exists: bool) -> None:
        if exists:
            self.namespaces.add(name)
        else:
            self.namespaces.discard(name)

    def set_pod(self, old: Pod | None, new: Pod | None) -> None:
        for pod, step in ((old, -1), (new, 1)):
            address = packed(pod.status.podIP) if pod is not None else None
            if pod is None or address is None:
                continue
            key = (pod.metadata.namespace, address)
            self.pods[key] = self.pods.get(key, 0) + step
            if self.pods[key] <= 0:
                del self.pods[key]

    def ready(self, service: ServiceKey) -> list[tuple[EndpointView, SliceView]]:
        """The ready endpoints of a Service, each with its slice, in the order of the slices' names."""
        pieces = self.slices.get(service, {})
        return [(endpoint, pieces[name]) for name in sorted(pieces) for endpoint in pieces[name].endpoints]

    def _own(self, service: ServiceKey, addresses: tuple[bytes, ...] | list[bytes]) -> None:
        for address in addresses:
            owners = self.owners.setdefault(address, {})
            owners[service] = owners.get(service, 0) + 1

    def _disown(self, service: ServiceKey, addresses: tuple[bytes, ...] | list[bytes]) -> None:
        for address in addresses:
            owners = self.owners.get(address, {})
            count = owners.get(service, 0) - 1
            if count > 0:
                owners[service] = count
                continue
            owners.pop(service, None)
            if not owners:
                self.owners.pop(address, None)
