"""Decides finalizer and condition of one ServiceCIDR. Pure.

Invariant: a ServiceCIDR that is being deleted goes only when each address in use in it lies in another one too. Read
`main.py` next.
"""

import ipaddress
from collections.abc import Iterable, Sequence

from minik8s.api import codec, times
from minik8s.api.meta import Condition
from minik8s.api.networking import IPAddress, ServiceCIDR
from minik8s.api.pods import condition
from minik8s.controllers.actions import Action, Patch

FINALIZER = "networking.k8s.io/service-cidr-finalizer"
IN_USE = "There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR"


def plan(cidr: ServiceCIDR, others: Iterable[ServiceCIDR], used: Iterable[IPAddress], now: float) -> list[Action]:
    """The writes for one ServiceCIDR; `others` are the rest of them."""
    finalizers = cidr.metadata.finalizers
    if cidr.metadata.deletionTimestamp is None:
        ready = Condition(type="Ready", status="True", message="Kubernetes Service CIDR is ready")
        if FINALIZER not in finalizers:
            return [_finalizers(cidr, [*finalizers, FINALIZER], "addresses of it may come into use")]
        return _say(cidr, ready, now)
    staying = [each for each in others if each.metadata.deletionTimestamp is None]
    stuck = [each for each in used if _lies_in(each, [cidr]) and not _lies_in(each, staying)]
    if stuck:
        ready = Condition(type="Ready", status="False", reason="Terminating", message=IN_USE)
        return _say(cidr, ready, now)
    if FINALIZER not in finalizers:
        return []
    return [_finalizers(cidr, [each for each in finalizers if each != FINALIZER], "no address in it is in use")]


def _lies_in(address: IPAddress, ranges: Sequence[ServiceCIDR]) -> bool:
    each = ipaddress.ip_address(address.metadata.name)
    networks = [ipaddress.ip_network(text) for cidr in ranges for text in cidr.spec.cidrs]
    return any(each.version == network.version and each in network for network in networks)


def _finalizers(cidr: ServiceCIDR, wanted: list[str], because: str) -> Patch:
    meta = {"resourceVersion": cidr.metadata.resourceVersion, "finalizers": wanted or None}
    return Patch(cidr, {"metadata": meta}, because)


def _say(cidr: ServiceCIDR, ready: Condition, now: float) -> list[Action]:
    old = condition(cidr.status.conditions, "Ready")
    if old is not None and (old.status, old.reason) == (ready.status, ready.reason):
        return []
    ready.lastTransitionTime = times.rfc3339(now)
    others = [codec.to_dict(each) for each in cidr.status.conditions if each.type != "Ready"]
    return [Patch(cidr, {"status": {"conditions": [*others, codec.to_dict(ready)]}}, ready.message, "status")]
