"""Who belongs to whom: an owner claims what its selector matches and lets go what it no longer matches. Pure.

Invariants: an object has one controller at most; what another controller owns is never touched; an owner that is
being deleted adopts nothing (the garbage collector is after its children already). Used by ReplicaSets (for Pods) and
Deployments (for ReplicaSets). Source: Kubernetes' ControllerRefManager.
"""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from minik8s.api import codec, selectors
from minik8s.api.meta import LabelSelector, Object, OwnerReference, controller_of, key, owner_of
from minik8s.controllers.actions import Action, Patch

T = TypeVar("T", bound=Object)


def owned(owner: Object, candidates: Sequence[T]) -> list[T]:
    """Those that name this owner as their controller, in order of name."""
    mine = [each for each in candidates if is_controller(owner, each)]
    return sorted(mine, key=lambda each: each.metadata.name)


def is_controller(owner: Object, each: Object) -> bool:
    reference = controller_of(each)
    return reference is not None and reference.uid == owner.metadata.uid


def claim(owner: Object, selector: LabelSelector | None, candidates: Sequence[T]) -> tuple[list[T], list[Action]]:
    """The objects that are the owner's (those being adopted too), and the writes that adopt and release."""
    mine: list[T] = []
    actions: list[Action] = []
    for each in sorted(candidates, key=key):
        matches = selectors.matches(selector, each.metadata.labels)
        if is_controller(owner, each):
            if matches:
                mine.append(each)
            elif _alive(owner) and _alive(each):
                actions.append(_release(owner, each))
        elif matches and controller_of(each) is None and _alive(owner) and _alive(each):
            mine.append(each)
            actions.append(_adopt(owner, each))
    return mine, actions


def _alive(obj: Object) -> bool:
    return obj.metadata.deletionTimestamp is None


def _adopt(owner: Object, each: Object) -> Patch:
    references = [*each.metadata.ownerReferences, owner_of(owner)]
    return _references(each, references, f"its labels match {owner.kind} {key(owner)} and nobody owns it")


def _release(owner: Object, each: Object) -> Patch:
    references = [ref for ref in each.metadata.ownerReferences if ref.uid != owner.metadata.uid]
    return _references(each, references, f"its labels no longer match {owner.kind} {key(owner)}")


def _references(each: Object, references: list[OwnerReference], because: str) -> Patch:
    # The resourceVersion makes it a condition: two owners cannot both adopt.
    meta = {
        "resourceVersion": each.metadata.resourceVersion,
        "ownerReferences": [codec.to_dict(ref) for ref in references],
    }
    return Patch(each, {"metadata": meta}, because)


def owners_to_wake(
    old: Object | None, new: Object | None, known: Iterable[tuple[Object, LabelSelector | None]]
) -> set[str]:
    """Keys of the owners that should look again because a dependent changed: its controller, before and after; for one
    without a controller, everyone who might adopt it. `known` are the possible owners and their selectors."""
    keys = set()
    for each in (old, new):
        owner = controller_of(each) if each is not None else None
        if each is not None and owner is not None:
            keys.add(f"{each.metadata.namespace}/{owner.name}")
    if new is not None and controller_of(new) is None:
        for candidate, selector in known:
            same = candidate.metadata.namespace == new.metadata.namespace
            if same and selectors.matches(selector, new.metadata.labels):
                keys.add(key(candidate))
    return keys
