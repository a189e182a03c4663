"""The older object Endpoints: all addresses of a Service in one list, ready and not ready apart. Pure.

Invariants: a Pod that is being deleted is in neither list (unless the Service publishes such addresses); ports that
are behind the same addresses share a subset; no more than `limit` addresses, ready ones first. Only the first address
family is shown, as upstream. Read `plan.py` next.
"""

from minik8s.api.core import EndpointAddress, EndpointPort, EndpointSubset, Pod, Service
from minik8s.api.pods import is_ready, is_terminating
from minik8s.controllers.endpoints.addresses import (
    Port,
    address_of,
    families,
    members,
    ports_of,
    published_hostname,
    target,
)


def subsets(service: Service, pods: list[Pod], limit: int) -> tuple[list[EndpointSubset], bool]:
    """The lists, and whether some address had to be left out."""
    chosen = _chosen(service, pods)
    kept = chosen[:limit]
    by_port: dict[Port | None, list[tuple[bool, str, Pod]]] = {}
    for entry in kept:
        for port in ports_of(service, entry[2]) or ([None] if not service.spec.ports else []):
            by_port.setdefault(port, []).append(entry)
    return _packed(service, by_port), len(chosen) > limit


def _chosen(service: Service, pods: list[Pod]) -> list[tuple[bool, str, Pod]]:
    """(not ready, address, Pod), so that sorting puts ready ones first."""
    anyway = service.spec.publishNotReadyAddresses
    chosen = []
    for pod in members(service, pods):
        address = address_of(pod, families(service)[0])
        if address and (anyway or not is_terminating(pod)):
            chosen.append((not (anyway or is_ready(pod)), address, pod))
    return sorted(chosen, key=lambda entry: entry[:2])


def _packed(service: Service, by_port: dict[Port | None, list[tuple[bool, str, Pod]]]) -> list[EndpointSubset]:
    """One subset for all ports that have the same addresses."""
    groups: dict[tuple[str, ...], list[Port | None]] = {}
    for port in by_port:
        groups.setdefault(tuple(entry[2].metadata.uid for entry in by_port[port]), []).append(port)
    packed = []
    for ports in groups.values():
        entries = by_port[ports[0]]
        packed.append(
            EndpointSubset(
                addresses=[_address(service, entry) for entry in entries if not entry[0]],
                notReadyAddresses=[_address(service, entry) for entry in entries if entry[0]],
                ports=[EndpointPort(name=p[0], protocol=p[1], port=p[2], appProtocol=p[3]) for p in ports if p],
            )
        )
    return sorted(packed, key=lambda subset: [(port.name, port.port) for port in subset.ports])


def _address(service: Service, entry: tuple[bool, str, Pod]) -> EndpointAddress:
    pod = entry[2]
    return EndpointAddress(
        ip=entry[1],
        hostname=published_hostname(service, pod) or "",
        nodeName=pod.spec.nodeName or None,
        targetRef=target(pod),
    )
