"""How far a rollout has got: the numbers and the two conditions, Available and Progressing. Pure.

Invariants: only what the ReplicaSets' status reports is counted; `lastTransitionTime` moves only when a condition's
status does; time comes in as an argument. `kubectl rollout status` reads exactly these fields. Source: Kubernetes'
deployment/progress.go.
"""

from collections.abc import Sequence

import msgspec

from minik8s.api import times
from minik8s.api.apps import Deployment, DeploymentStatus, ReplicaSet
from minik8s.api.meta import Condition
from minik8s.api.pods import condition
from minik8s.controllers.deployments.rolling import bounds, size

NEW_AVAILABLE = "NewReplicaSetAvailable"
TIMED_OUT = "ProgressDeadlineExceeded"


def status(deployment: Deployment, new: ReplicaSet | None, mine: Sequence[ReplicaSet], now: float) -> DeploymentStatus:
    """What the Deployment's status should say."""
    ready = sum(rs.status.readyReplicas for rs in mine)
    available = sum(rs.status.availableReplicas for rs in mine)
    result = DeploymentStatus(
        observedGeneration=deployment.metadata.generation,
        replicas=sum(rs.status.replicas for rs in mine),
        updatedReplicas=new.status.replicas if new else 0,
        readyReplicas=ready,
        availableReplicas=available,
        unavailableReplicas=max(0, sum(size(rs) for rs in mine) - available),
        terminatingReplicas=sum(rs.status.terminatingReplicas or 0 for rs in mine),
        collisionCount=deployment.status.collisionCount,
    )
    known = {"Available", "Progressing"}
    others = [each for each in deployment.status.conditions if each.type not in known]
    progressing = _progressing(deployment, result, new, now)
    result.conditions = [*others, _available(deployment, result, now), *([progressing] if progressing else [])]
    return result


def is_complete(deployment: Deployment, current: DeploymentStatus) -> bool:
    wanted = bounds(deployment).replicas
    return current.updatedReplicas == current.replicas == current.availableReplicas == wanted


def _available(deployment: Deployment, current: DeploymentStatus, now: float) -> Condition:
    if current.availableReplicas >= bounds(deployment).least_available:
        fresh = _condition("Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    else:
        message = "Deployment does not have minimum availability."
        fresh = _condition("Available", "False", "MinimumReplicasUnavailable", message)
    return _settled(condition(deployment.status.conditions, "Available"), fresh, now)


def _progressing(
    deployment: Deployment, current: DeploymentStatus, new: ReplicaSet | None, now: float
) -> Condition | None:
    deadline = deployment.spec.progressDeadlineSeconds
    old = condition(deployment.status.conditions, "Progressing")
    if deadline is None:
        return None
    if deployment.spec.paused:
        fresh = _condition("Progressing", "Unknown", "DeploymentPaused", "Deployment is paused")
        return _settled(old, fresh, now)
    name = f'ReplicaSet "{new.metadata.name}"' if new else f'Deployment "{deployment.metadata.name}"'
    if old is not None and old.reason == NEW_AVAILABLE and current.replicas == current.updatedReplicas:
        return old  # a Pod that is replaced later is no new rollout
    if is_complete(deployment, current):
        message = f"{name} has successfully progressed."
        return _settled(old, _condition("Progressing", "True", NEW_AVAILABLE, message), now)
    if old is None or old.reason in (NEW_AVAILABLE, "DeploymentPaused") or _moved(deployment.status, current):
        fresh = _condition("Progressing", "True", "ReplicaSetUpdated", f"{name} is progressing.")
        return _settled(old, fresh, now, touched=True)
    if times.parse(old.lastUpdateTime or times.rfc3339(now)) + deadline < now:
        return _settled(old, _condition("Progressing", "False", TIMED_OUT, f"{name} has timed out progressing."), now)
    return old


def _moved(before: DeploymentStatus, after: DeploymentStatus) -> bool:
    return (
        after.updatedReplicas > before.updatedReplicas
        or after.replicas - after.updatedReplicas < before.replicas - before.updatedReplicas
        or after.readyReplicas > before.readyReplicas
        or after.availableReplicas > before.availableReplicas
    )


def seconds_to_deadline(deployment: Deployment, now: float) -> float | None:
    """When to look again for a rollout that may be stuck; None when none is under way."""
    old = condition(deployment.status.conditions, "Progressing")
    deadline = deployment.spec.progressDeadlineSeconds
    if old is None or deadline is None or old.reason in (NEW_AVAILABLE, TIMED_OUT) or deployment.spec.paused:
        return None
    return max(1.0, times.parse(old.lastUpdateTime or times.rfc3339(now)) + deadline + 1 - now)


def _condition(type: str, status: str, reason: str, message: str) -> Condition:
    return Condition(type=type, status=status, reason=reason, message=message)


def _settled(old: Condition | None, fresh: Condition, now: float, touched: bool = False) -> Condition:
    """The fresh condition with its times; the old one itself when nothing is new."""
    if old is not None and not touched and (old.status, old.reason) == (fresh.status, fresh.reason):
        return msgspec.structs.replace(old, message=fresh.message)
    moment = times.rfc3339(now)
    same = old is not None and old.status == fresh.status
    fresh.lastUpdateTime = moment
    fresh.lastTransitionTime = old.lastTransitionTime if old is not None and same else moment
    return fresh
