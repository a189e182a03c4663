"""Decides what a Namespace needs: an account and the authority while it lives, emptying when it is being deleted. Pure.

Invariant: the finalizer is taken away only when a list of every kind, asked of the API server itself, was empty. Read
`main.py` next.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from minik8s.api import codec, times
from minik8s.api.core import ConfigMap, Namespace, ServiceAccount
from minik8s.api.meta import Condition, Object, ObjectMeta, key
from minik8s.api.pods import condition
from minik8s.controllers.actions import Action, Create, Delete, Patch

FINALIZER = "kubernetes"
ROOT, ROOT_KEY = "kube-root-ca.crt", "ca.crt"
ROOT_IS = "The authority by which programs in Pods know the API server. Made by minik8s; do not count on it elsewhere."
REMAINING = "NamespaceContentRemaining"


@dataclass(frozen=True)
class Finalize:
    """Let the Namespace go. Not a patch: there is a subresource for it, which only this controller may use."""

    target: Namespace
    because: str


def plan(
    namespace: Namespace, default_account: ServiceAccount | None, root: ConfigMap | None, authority: str
) -> list[Action]:
    """A living Namespace has a ServiceAccount `default`, and a ConfigMap with the cluster's authority (PEM)."""
    if is_going(namespace):
        return []
    name = namespace.metadata.name
    actions: list[Action] = []
    if default_account is None:
        account = ServiceAccount(metadata=ObjectMeta(name="default", namespace=name))
        actions.append(Create(account, "the Namespace has no ServiceAccount called default"))
    if not authority:
        return actions
    data = {ROOT_KEY: authority}
    if root is None:
        meta = ObjectMeta(name=ROOT, namespace=name, annotations={"kubernetes.io/description": ROOT_IS})
        actions.append(Create(ConfigMap(metadata=meta, data=data), f"the Namespace has no ConfigMap called {ROOT}"))
    elif root.data != data:
        change = {"data": {**dict.fromkeys(root.data), **data}}
        actions.append(Patch(root, change, "Pods of the Namespace need the cluster's authority as it is"))
    return actions


def is_going(namespace: Namespace) -> bool:
    return namespace.metadata.deletionTimestamp is not None


def plan_end(namespace: Namespace, content: Sequence[Object], now: float) -> list[Action | Finalize]:
    """What to do with a Namespace that is being deleted; `content` is all that is in it."""
    if not content:
        finalize = Finalize(namespace, "nothing is left in the Namespace")
        return [finalize] if FINALIZER in namespace.spec.finalizers else []
    because = f"Namespace {namespace.metadata.name} is being deleted"
    ordered = sorted(content, key=lambda obj: (obj.resource.plural, key(obj)))
    deletions = [Delete(each, because) for each in ordered if each.metadata.deletionTimestamp is None]
    return [*deletions, *_status(namespace, content, now)]


def _status(namespace: Namespace, content: Sequence[Object], now: float) -> list[Action]:
    """Tell people what the Namespace waits for."""
    counts = sorted(Counter(obj.resource.qualified for obj in content).items())
    has = ", ".join(f"{name} has {count} resource instances" for name, count in counts)
    message = f"Some resources are remaining: {has}"
    old = condition(namespace.status.conditions, REMAINING)
    if old is not None and old.message == message:
        return []
    fresh = Condition(type=REMAINING, status="True", reason="SomeResourcesRemain", message=message)
    fresh.lastTransitionTime = (old.lastTransitionTime if old else None) or times.rfc3339(now)
    conditions = [each for each in namespace.status.conditions if each.type != REMAINING] + [fresh]
    patch = {"status": {"conditions": [codec.to_dict(each) for each in conditions]}}
    return [Patch(namespace, patch, "people want to know what a deletion waits for", "status")]
