"""Decides which Pods a ReplicaSet makes, deletes, adopts and lets go, and what its status says. Pure.

Invariants: Pods of other owners are never touched; a ReplicaSet that is being deleted makes nothing; status says what
was observed, not what was just ordered. The Pods given must include those this controller made itself a moment ago
(see `client/informer.py`), or it would make them twice. Read `main.py` next.
"""

from collections.abc import Sequence

from minik8s.api import codec, patch
from minik8s.api.apps import ReplicaSet, ReplicaSetStatus
from minik8s.api.pods import Pod, is_ready, is_terminating
from minik8s.controllers.actions import Action, Create, Delete, Patch, Tell
from minik8s.controllers.owners import claim, owned
from minik8s.controllers.podcontrol import is_active, is_available, new_pod, next_available
from minik8s.controllers.replicasets.order import deletion_order, siblings_by_node

BURST = 500  # upstream's burstReplicas: the rest follows in the next round


def plan(rs: ReplicaSet, pods: Sequence[Pod], family: frozenset[str], now: float) -> list[Action]:
    """The writes for one ReplicaSet. `pods` are those of its namespace, `family` the uids of the ReplicaSets of its
    Deployment."""
    mine, actions = claim(rs, rs.spec.selector, pods)
    active = [pod for pod in mine if is_active(pod)]
    if rs.metadata.deletionTimestamp is None:
        leaving = tuple(pod for pod in mine if is_terminating(pod))
        actions += _create(rs, len(active), leaving) + _delete(rs, active, pods, family)
    return actions + _status(rs, mine, active, now)


def _wanted(rs: ReplicaSet) -> int:
    return 1 if rs.spec.replicas is None else rs.spec.replicas


# --- Pods ------------------------------------------------------------------------------------------------------------


def _create(rs: ReplicaSet, have: int, leaving: tuple[Pod, ...]) -> list[Action]:
    """`leaving` are Pods on their way out: looked at, because they are why one is missing."""
    missing = _wanted(rs) - have
    because = f"replica missing: {have} of {_wanted(rs)}"
    tell = Tell(rs, "SuccessfulCreate", "Created pod: {name}")
    return [Create(new_pod(rs, rs.spec.template), because, tell, seen=leaving) for _ in range(min(missing, BURST))]


def _delete(rs: ReplicaSet, active: list[Pod], pods: Sequence[Pod], family: frozenset[str]) -> list[Action]:
    surplus = len(active) - _wanted(rs)
    if surplus <= 0:
        return []
    uids = family | {rs.metadata.uid}
    related = [pod for pod in pods if any(ref.controller and ref.uid in uids for ref in pod.metadata.ownerReferences)]
    because = f"too many replicas: {len(active)}, wanted {_wanted(rs)}"
    tell = Tell(rs, "SuccessfulDelete", "Deleted pod: {name}")
    doomed = deletion_order(active, siblings_by_node(related))[: min(surplus, BURST)]
    return [Delete(pod, because, tell=tell) for pod in doomed]


# --- Status ----------------------------------------------------------------------------------------------------------


def _status(rs: ReplicaSet, mine: list[Pod], active: list[Pod], now: float) -> list[Action]:
    labels = rs.spec.template.metadata.labels.items()
    terminating = [pod for pod in mine if is_terminating(pod)]
    wanted = ReplicaSetStatus(
        replicas=len(active),
        fullyLabeledReplicas=sum(1 for pod in active if labels <= pod.metadata.labels.items()),
        readyReplicas=sum(1 for pod in active if is_ready(pod)),
        availableReplicas=sum(1 for pod in active if is_available(pod, rs.spec.minReadySeconds, now)),
        terminatingReplicas=len(terminating),
        observedGeneration=rs.metadata.generation,
        conditions=rs.status.conditions,
    )
    change = patch.diff(codec.to_dict(rs.status), codec.to_dict(wanted))
    because = f"{wanted.readyReplicas} of {_wanted(rs)} replicas are ready"
    return [Patch(rs, {"status": change}, because, "status")] if change else []


def next_look(rs: ReplicaSet, pods: Sequence[Pod], now: float) -> float | None:
    """In how many seconds the next Pod has been ready for `minReadySeconds`, if one is waiting for that."""
    return next_available(owned(rs, pods), rs.spec.minReadySeconds, now)
