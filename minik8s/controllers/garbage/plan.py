"""Decides what becomes of an object whose owners are gone, or which waits for its dependents. Pure.

Invariants: an object is deleted only when *every* owner it names is certainly absent (looked up at the API server
itself, by uid); an owner of a kind we do not know counts as present; an object without owners is never touched. Read
`main.py` next.
"""

from collections.abc import Collection, Sequence

from minik8s.api import codec
from minik8s.api.meta import Object, OwnerReference, key
from minik8s.api.pods import Pod, is_terminating
from minik8s.controllers.actions import Action, Delete, Patch

FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"


def plan(obj: Object, dependents: Sequence[Object], absent: Collection[str]) -> list[Action]:
    """The writes for one object. `absent` are the uids of its owners that certainly do not exist."""
    if obj.metadata.deletionTimestamp is not None:
        if ORPHAN in obj.metadata.finalizers:
            return _orphan(obj, dependents)
        if FOREGROUND in obj.metadata.finalizers:
            return _foreground(obj, dependents)
        return []
    return _collect(obj, absent)


def _collect(obj: Object, absent: Collection[str]) -> list[Action]:
    owners = obj.metadata.ownerReferences
    present = [owner for owner in owners if owner.uid not in absent]
    gone = [owner for owner in owners if owner.uid in absent]
    if not gone:
        return []
    names = ", ".join(f"{owner.kind} {owner.name}" for owner in gone)
    if present:
        return [_keep(obj, present, f"its owner {names} is gone, another is still there")]
    finalizers = obj.metadata.finalizers
    # An object whose own children are to be kept, or to go first, is deleted in that same way.
    propagation = "Orphan" if ORPHAN in finalizers else "Foreground" if FOREGROUND in finalizers else "Background"
    return [Delete(obj, f"its owner {names} is gone", propagation=propagation)]


def _keep(obj: Object, owners: Sequence[OwnerReference], because: str) -> Patch:
    references = [codec.to_dict(owner) for owner in owners] or None
    meta = {"resourceVersion": obj.metadata.resourceVersion, "ownerReferences": references}
    return Patch(obj, {"metadata": meta}, because)


def _foreground(obj: Object, dependents: Sequence[Object]) -> list[Action]:
    """Children first. Only those that say `blockOwnerDeletion` are waited for."""
    because = f"{obj.kind} {key(obj)} is being deleted, its dependents first"
    uid = obj.metadata.uid
    actions: list[Action] = [
        Delete(each, because, propagation="Foreground")
        for each in dependents
        if each.metadata.deletionTimestamp is None
    ]
    blocking = [
        each for each in dependents if any(o.uid == uid and o.blockOwnerDeletion for o in each.metadata.ownerReferences)
    ]
    return (
        actions if blocking else [*actions, _release(obj, FOREGROUND, "no dependent is left that blocks its deletion")]
    )


def _orphan(obj: Object, dependents: Sequence[Object]) -> list[Action]:
    """Children stay, and belong to nobody from now on."""
    uid = obj.metadata.uid
    freed = [
        _keep(
            each,
            [owner for owner in each.metadata.ownerReferences if owner.uid != uid],
            f"{obj.kind} {key(obj)} is deleted and leaves it behind",
        )
        for each in dependents
    ]
    return [*freed, _release(obj, ORPHAN, "its dependents were set free")]


def _release(obj: Object, finalizer: str, because: str) -> Patch:
    left = [each for each in obj.metadata.finalizers if each != finalizer] or None
    meta = {"resourceVersion": obj.metadata.resourceVersion, "finalizers": left}
    return Patch(obj, {"metadata": meta}, because)


def plan_pods(pods: Sequence[Pod], absent_nodes: Collection[str]) -> list[Action]:
    """Pods that no agent will ever finish: their Node is gone, or they never had one and are being deleted."""
    actions: list[Action] = []
    for pod in sorted(pods, key=key):
        node = pod.spec.nodeName
        if node in absent_nodes:
            actions.append(Delete(pod, f"Node {node} does not exist any more", grace=0))
        elif not node and is_terminating(pod) and not pod.metadata.finalizers:
            actions.append(Delete(pod, "it was never on a node, so nobody has to stop it", grace=0))
    return actions
