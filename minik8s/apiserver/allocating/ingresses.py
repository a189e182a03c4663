"""What the server adds to a new Ingress, and what it tells its author: which class it is of, and whether anybody serves
that.

Upstream's admission plugin DefaultIngressClass fills in the class; a class that is named is taken as it is, whether it
exists or not. Invariant: an Ingress that nobody serves is taken, because somebody may come to serve it, but its author
hears of it.
"""

from minik8s.api import codec, times
from minik8s.api.coordination import Lease
from minik8s.api.meta import Object
from minik8s.api.networking import CONTROLLER, LEASE_PREFIX, OLD_CLASS, Ingress, IngressClass, class_of
from minik8s.apiserver.registry import Registry, prefix_of
from minik8s.apiserver.request import Request
from minik8s.host import clock

HOW = "`minik8s up --ingress` starts what serves Ingresses"


def admit(registry: Registry, request: Request, draft: Object) -> None:
    """Complete a new Ingress, in place; warnings go into the request. Any other kind is left alone."""
    if not isinstance(draft, Ingress):
        return
    registry.wait_fresh()
    classes = [codec.decode(IngressClass, value) for _, value in registry.cache.items(prefix_of(IngressClass))[0]]
    found = class_of(draft, classes)
    if found and draft.spec.ingressClassName is None and OLD_CLASS not in draft.metadata.annotations:
        draft.spec.ingressClassName = found.metadata.name
    request.warnings.extend(_unserved(registry, draft, found))


def _unserved(registry: Registry, draft: Ingress, found: IngressClass | None) -> list[str]:
    if found is None:
        named = draft.spec.ingressClassName or draft.metadata.annotations.get(OLD_CLASS)
        what = f"there is no IngressClass {named}" if named else "there is no default IngressClass"
        return [f"spec.ingressClassName: {what}, so nobody serves this Ingress; {HOW}"]
    if found.spec.controller == CONTROLLER and not _served(registry):
        return [f"spec.ingressClassName: no node serves the class {found.metadata.name} just now; {HOW}"]
    return []


def _served(registry: Registry) -> bool:
    """Does an instance of our own say that it lives?"""
    prefix = prefix_of(Lease, "kube-system") + LEASE_PREFIX
    return any(_lives(codec.decode(Lease, value)) for _, value in registry.cache.items(prefix)[0])


def _lives(lease: Lease) -> bool:
    spec = lease.spec
    age = clock.wall() - times.parse(spec.renewTime) if spec.renewTime else None
    return bool(spec.holderIdentity) and age is not None and age <= (spec.leaseDurationSeconds or 0)
