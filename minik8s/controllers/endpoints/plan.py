"""Decides what a Service's EndpointSlices and Endpoints should be, and the writes that lead there. Pure.

Invariants: an empty plan means that they are right; a Service has slices of each of its address families, and Endpoints
of the first; only slices that carry our mark are changed or deleted; a Service without selector is its owner's own
business and is left alone; one changed Pod costs one patch of one slice. Read `main.py` next.
"""

from typing import Any

from minik8s import params
from minik8s.api import codec, patch
from minik8s.api.core import Endpoints, Pod, Service
from minik8s.api.discovery import MANAGED_BY, SERVICE_NAME, Endpoint, EndpointSlice
from minik8s.api.meta import ObjectMeta, owner_of
from minik8s.controllers.actions import Action, Create, Delete, Patch
from minik8s.controllers.endpoints import reasons, subsets
from minik8s.controllers.endpoints.addresses import address_of, endpoint, families, members, ports_of, slice_ports
from minik8s.controllers.endpoints.slices import Group, Sheet, spread, surplus

MANAGER = "endpointslice-controller.k8s.io"
ENDPOINTS_MANAGED_BY, ENDPOINTS_MANAGER = "endpoints.kubernetes.io/managed-by", "endpoint-controller"
HEADLESS = "service.kubernetes.io/headless"
TRIGGER_TIME = "endpoints.kubernetes.io/last-change-trigger-time"
OVER_CAPACITY = "endpoints.kubernetes.io/over-capacity"


def plan(
    service: Service | None,
    pods: list[Pod],
    slices: list[EndpointSlice],
    endpoints: Endpoints | None,
) -> list[Action]:
    """The writes for one Service. `slices` are those labelled with its name, `pods` those of its namespace."""
    ours = sorted((each for each in slices if is_ours(each)), key=lambda each: each.metadata.name)
    if service is None or service.spec.type == "ExternalName":
        because = (
            "the Service is gone" if service is None else "the Service is an ExternalName now: it has no endpoints"
        )
        marked = endpoints is not None and endpoints.metadata.labels.get(ENDPOINTS_MANAGED_BY) == ENDPOINTS_MANAGER
        doomed = [*ours, endpoints] if endpoints is not None and marked else ours
        return [Delete(each, because) for each in doomed if each.metadata.deletionTimestamp is None]
    if not service.spec.selector or service.metadata.deletionTimestamp is not None:
        return []
    return _plan_slices(service, pods, ours) + _plan_endpoints(service, pods, endpoints)


def is_ours(each: EndpointSlice) -> bool:
    return each.metadata.labels.get(MANAGED_BY) == MANAGER


# --- EndpointSlices --------------------------------------------------------------------------------------------------


def wanted_endpoints(service: Service, pods: list[Pod]) -> dict[Group, list[Endpoint]]:
    """Endpoints by what can share a slice. Pods whose named ports have other numbers come apart here."""
    wanted: dict[Group, list[Endpoint]] = {}
    for family in families(service):
        for pod in members(service, pods):
            address = address_of(pod, family)
            if address:
                wanted.setdefault((family, ports_of(service, pod)), []).append(endpoint(service, pod, address))
        if not any(group[0] == family for group in wanted):
            wanted[family, ()] = []
    return wanted


def _plan_slices(service: Service, pods: list[Pod], ours: list[EndpointSlice]) -> list[Action]:
    alive = [each for each in ours if each.metadata.deletionTimestamp is None]
    sheets = spread(wanted_endpoints(service, pods), alive, params.MAX_ENDPOINTS_PER_SLICE)
    doomed = surplus(sheets)
    actions: list[Action] = []
    for sheet in sheets:
        if sheet not in doomed:
            actions += _write(service, sheet, pods)
        elif sheet.old is not None:
            actions.append(Delete(sheet.old, _why_gone(service, sheet.old)))
    return actions


def _why_gone(service: Service, old: EndpointSlice) -> str:
    if old.addressType not in families(service):
        return f"the Service has no {old.addressType} address any more"
    return reasons.describe(old.endpoints, []) or "no endpoints are left in it"


def _write(service: Service, sheet: Sheet, pods: list[Pod]) -> list[Action]:
    old = sheet.old
    before = old.endpoints if old else []
    because = reasons.describe(before, sheet.endpoints)
    changed = reasons.changed_pods(before, sheet.endpoints, pods)
    annotations = dict(old.metadata.annotations) if old else {}
    if because:
        annotations.pop(TRIGGER_TIME, None)
        moment = reasons.trigger_time(changed)
        annotations.update({TRIGGER_TIME: moment} if moment else {})
    wanted = EndpointSlice(
        metadata=ObjectMeta(
            namespace=service.metadata.namespace,
            labels=_labels(service, {SERVICE_NAME: service.metadata.name, MANAGED_BY: MANAGER}),
            annotations=annotations,
            ownerReferences=[owner_of(service)],
        ),
        addressType=sheet.group[0],
        endpoints=sheet.endpoints,
        ports=slice_ports(sheet.group[1]),
    )
    if old is None:
        wanted.metadata.generateName = f"{service.metadata.name}-"
        because = because or "the Service has no slice: an empty one says that it has no endpoints"
        return [Create(wanted, because, seen=changed)]
    change = _difference(old, wanted, ("endpoints", "ports"))
    because = because or "the Service's ports or labels changed"
    return [Patch(old, change, because, seen=changed)] if change else []


def _labels(service: Service, own: dict[str, str]) -> dict[str, str]:
    labels = {name: value for name, value in service.metadata.labels.items() if name != HEADLESS}
    headless = {HEADLESS: ""} if service.spec.clusterIP == "None" else {}
    return labels | headless | own


def _difference(old: Any, new: Any, fields: tuple[str, ...]) -> dict[str, Any]:
    """A merge patch of these fields and of the labels, annotations and owners."""
    before, after = codec.to_dict(old), codec.to_dict(new)
    meta = ("labels", "annotations", "ownerReferences")
    change = patch.diff({k: before[k] for k in fields if k in before}, {k: after[k] for k in fields if k in after})
    change_meta = patch.diff(
        {k: before["metadata"][k] for k in meta if k in before["metadata"]},
        {k: after["metadata"][k] for k in meta if k in after["metadata"]},
    )
    return change | ({"metadata": change_meta} if change_meta else {})


# --- Endpoints -------------------------------------------------------------------------------------------------------


def _plan_endpoints(service: Service, pods: list[Pod], old: Endpoints | None) -> list[Action]:
    lists, truncated = subsets.subsets(service, pods, params.MAX_ENDPOINTS)
    wanted = Endpoints(
        metadata=ObjectMeta(
            name=service.metadata.name,
            namespace=service.metadata.namespace,
            labels=_labels(service, {ENDPOINTS_MANAGED_BY: ENDPOINTS_MANAGER}),
            annotations={OVER_CAPACITY: "truncated"} if truncated else {},
        ),
        subsets=lists,
    )
    if old is None:
        return [Create(wanted, "the Service has no Endpoints object")]
    kept = {k: v for k, v in old.metadata.annotations.items() if k != OVER_CAPACITY}
    wanted.metadata.annotations = kept | wanted.metadata.annotations
    wanted.metadata.ownerReferences = old.metadata.ownerReferences
    change = _difference(old, wanted, ("subsets",))
    return [Patch(old, change, "the addresses behind the Service changed")] if change else []
