"""Decides the EndpointSlices that mirror one Endpoints object. Pure.

One slice for each address family and set of ports. Invariants: slices of other writers are never touched; where nothing
is to be mirrored, no mirror is left; a slice is written only if it differs. Read `main.py` next.
"""

import ipaddress
from collections.abc import Iterable, Sequence

from minik8s.api import codec
from minik8s.api.core import EndpointAddress, Endpoints, EndpointSubset, Service
from minik8s.api.discovery import MANAGED_BY, SERVICE_NAME, Endpoint, EndpointConditions, EndpointPort, EndpointSlice
from minik8s.api.meta import ObjectMeta, owner_of
from minik8s.controllers.actions import Action, Create, Delete, Patch

US = "endpointslicemirroring-controller.k8s.io"
SKIP = "endpointslice.kubernetes.io/skip-mirror"
OURS = "endpoints.kubernetes.io/managed-by"  # the controller `endpoints` has written slices beside them
LEADER = "control-plane.alpha.kubernetes.io/leader"  # an old way to elect leaders: no endpoints at all
NOT_COPIED = {"endpoints.kubernetes.io/last-change-trigger-time", "kubectl.kubernetes.io/last-applied-configuration"}
MOST = 1000  # endpoints of a slice, the API's own limit; what is beyond it is left out

Group = tuple[str, tuple[tuple[object, ...], ...]]


def is_mirror(each: EndpointSlice) -> bool:
    return each.metadata.labels.get(MANAGED_BY) == US


def plan(endpoints: Endpoints | None, service: Service | None, slices: Sequence[EndpointSlice]) -> list[Action]:
    """The writes; `slices` are those with the label of the Service."""
    mirrors = sorted((each for each in slices if is_mirror(each)), key=lambda each: each.metadata.name)
    if endpoints is None or not _wants_mirror(endpoints, service):
        return [Delete(each, "there are no Endpoints by hand to mirror") for each in mirrors]
    wanted = _groups(endpoints)
    actions: list[Action] = []
    for each in mirrors:
        fresh = wanted.pop(_group_of(each), None)
        if fresh is None:
            actions.append(Delete(each, "no subset of the Endpoints has these ports any more"))
        else:
            actions += _update(each, _slice(endpoints, fresh))
    return actions + [
        Create(_slice(endpoints, fresh), f"Endpoints {endpoints.metadata.name} were written by hand", seen=(endpoints,))
        for fresh in wanted.values()
    ]


def _wants_mirror(endpoints: Endpoints, service: Service | None) -> bool:
    meta = endpoints.metadata
    skipped = meta.labels.get(SKIP) == "true" or OURS in meta.labels or LEADER in meta.annotations
    by_hand = service is not None and not service.spec.selector and service.spec.type != "ExternalName"
    return by_hand and not skipped and meta.deletionTimestamp is None


# --- What a slice is to hold -----------------------------------------------------------------------------------------


def _groups(endpoints: Endpoints) -> dict[Group, EndpointSlice]:
    """A slice, without its metadata, for each family and set of ports."""
    found: dict[Group, EndpointSlice] = {}
    for subset in endpoints.subsets:
        for family in ("IPv4", "IPv6"):
            members = [each for each in _members(subset) if _family(each) == family]
            blank = EndpointSlice(addressType=family, ports=_ports(subset))
            if members:
                made = found.setdefault(_group_of(blank), blank)
                made.endpoints = [*made.endpoints, *members][:MOST]
    return found


def _group_of(each: EndpointSlice) -> Group:
    ports = [(port.name or "", port.protocol or "TCP", port.port or 0, port.appProtocol) for port in each.ports]
    return each.addressType, tuple(sorted(ports, key=str))


def _ports(subset: EndpointSubset) -> list[EndpointPort]:
    return [
        EndpointPort(name=p.name, protocol=p.protocol, port=p.port, appProtocol=p.appProtocol) for p in subset.ports
    ]


def _members(subset: EndpointSubset) -> Iterable[Endpoint]:
    for ready, addresses in ((True, subset.addresses), (False, subset.notReadyAddresses)):
        for address in addresses:
            yield _endpoint(address, ready)


def _endpoint(address: EndpointAddress, ready: bool) -> Endpoint:
    return Endpoint(
        addresses=[address.ip],
        conditions=EndpointConditions(ready=ready),
        hostname=address.hostname or None,
        nodeName=address.nodeName,
        targetRef=address.targetRef,
    )


def _family(endpoint: Endpoint) -> str:
    return f"IPv{ipaddress.ip_address(endpoint.addresses[0]).version}"


# --- Objects ---------------------------------------------------------------------------------------------------------


def _slice(endpoints: Endpoints, fresh: EndpointSlice) -> EndpointSlice:
    meta = endpoints.metadata
    fresh.metadata = ObjectMeta(
        generateName=f"{meta.name}-",
        namespace=meta.namespace,
        labels={**meta.labels, SERVICE_NAME: meta.name, MANAGED_BY: US},
        annotations={name: value for name, value in meta.annotations.items() if name not in NOT_COPIED},
        ownerReferences=[owner_of(endpoints)],
    )
    return fresh


def _update(old: EndpointSlice, fresh: EndpointSlice) -> list[Action]:
    change: dict[str, object] = {}
    if old.endpoints != fresh.endpoints:
        change["endpoints"] = [codec.to_dict(each) for each in fresh.endpoints]
    stale: dict[str, object] = {
        name: getattr(fresh.metadata, name)
        for name in ("labels", "annotations")
        if not getattr(fresh.metadata, name).items() <= getattr(old.metadata, name).items()
    }
    if stale:
        change["metadata"] = stale
    return [Patch(old, change, "the Endpoints that it mirrors were changed")] if change else []
