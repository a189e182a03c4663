"""Decides the next step of a Deployment: one change of the ReplicaSets' sizes, then look again. Pure.

Invariants: one step at a time, each within `rolling.bounds`; a new template makes exactly one ReplicaSet; an old
ReplicaSet is deleted only when it is empty and beyond `revisionHistoryLimit`; the plan is empty when the rollout is
complete. Read `main.py` next.
"""

from collections.abc import Sequence

from minik8s.api import codec, patch
from minik8s.api.apps import Deployment, ReplicaSet
from minik8s.api.pods import Pod, is_terminal
from minik8s.controllers.actions import Action, Create, Delete, Patch, Tell
from minik8s.controllers.deployments import rolling, template
from minik8s.controllers.deployments.rolling import Scales, size
from minik8s.controllers.deployments.status import is_complete, status
from minik8s.controllers.owners import claim

HISTORY_LIMIT = 10  # upstream's default of revisionHistoryLimit


def plan(deployment: Deployment, sets: Sequence[ReplicaSet], pods: Sequence[Pod], now: float) -> list[Action]:
    """The writes for one Deployment; `sets` and `pods` are those of its namespace."""
    mine, actions = claim(deployment, deployment.spec.selector, sets)
    new = template.find_new(deployment, mine)
    old = sorted((rs for rs in mine if rs is not new), key=_age)
    if deployment.metadata.deletionTimestamp is None:
        actions += _step(deployment, new, old, pods) if new or not deployment.spec.paused else []
    return actions + _status(deployment, new, mine, now)


def _age(rs: ReplicaSet) -> tuple[str, str]:
    return (rs.metadata.creationTimestamp or "", rs.metadata.name)


def _step(deployment: Deployment, new: ReplicaSet | None, old: list[ReplicaSet], pods: Sequence[Pod]) -> list[Action]:
    """The first thing that is not as it should be, put right."""
    if new is not None and _scale_changed(deployment, [new, *old]):
        return _resize(deployment, [new, *old], _rescale(deployment, new, old), "the Deployment was scaled")
    if deployment.spec.paused:
        return _clean(deployment, old)
    if deployment.spec.strategy.type == "Recreate":
        stopping = _stop_old(deployment, old, pods)
        if stopping is not None:
            return stopping
    if new is None:
        return _create(deployment, old)
    refreshed = _refresh(deployment, new, old)
    total = sum(rolling.standing(rs) for rs in [new, *old])
    limits = rolling.bounds(deployment)
    wanted = rolling.new_size(limits, deployment.spec.strategy.type, size(new), total)
    if wanted != size(new):
        because = f"the new ReplicaSet may have {wanted} Pods: {total} of at most {limits.most} are there"
        return refreshed + _resize(deployment, [new], {new.metadata.name: wanted}, because)
    shrunk = rolling.shrink_old(limits, new, old)
    if shrunk:
        because = f"enough Pods are available without these: at least {limits.least_available} stay"
        return refreshed + _resize(deployment, old, shrunk, because)
    return refreshed + (_clean(deployment, old) if is_complete(deployment, deployment.status) else [])


# --- Sizes -----------------------------------------------------------------------------------------------------------


def _marks(deployment: Deployment) -> dict[str, str]:
    limits = rolling.bounds(deployment)
    return {template.DESIRED: str(limits.replicas), template.MAXIMUM: str(limits.most)}


def _scale_changed(deployment: Deployment, sets: Sequence[ReplicaSet]) -> bool:
    """Were these sizes decided for another `spec.replicas`?"""
    wanted = _marks(deployment)[template.DESIRED]
    return any(rs.metadata.annotations.get(template.DESIRED, wanted) != wanted for rs in sets if size(rs))


def _rescale(deployment: Deployment, new: ReplicaSet, old: Sequence[ReplicaSet]) -> Scales:
    limits = rolling.bounds(deployment)
    active = [rs for rs in [new, *old] if size(rs)]
    if len(active) <= 1:
        only = active[0] if active else new
        return {only.metadata.name: limits.replicas}
    if deployment.spec.strategy.type == "Recreate":
        return {}
    return rolling.proportional(limits, active, new.metadata.name)


def _resize(deployment: Deployment, sets: Sequence[ReplicaSet], sizes: Scales, because: str) -> list[Action]:
    """Patches for the new sizes; ReplicaSets that keep theirs learn what it was decided for."""
    actions: list[Action] = []
    for rs in sets:
        wanted = sizes.get(rs.metadata.name, size(rs))
        present = rs.metadata.annotations
        stale = {name: value for name, value in _marks(deployment).items() if present.get(name) != value}
        change: dict[str, object] = {"metadata": {"annotations": stale}} if stale else {}
        tell = None
        if wanted != size(rs):
            change["spec"] = {"replicas": wanted}
            tell = _scaled(deployment, rs.metadata.name, size(rs), wanted)
        if change and (wanted != size(rs) or size(rs)):
            actions.append(Patch(rs, change, because, tell=tell))
    return actions


def _scaled(deployment: Deployment, name: str, old: int, new: int) -> Tell:
    message = f"Scaled {'up' if new > old else 'down'} replica set {name} from {old} to {new}"
    return Tell(deployment, "ScalingReplicaSet", message)


# --- ReplicaSets -----------------------------------------------------------------------------------------------------


def _create(deployment: Deployment, old: Sequence[ReplicaSet]) -> list[Action]:
    revision = {template.REVISION: str(template.next_revision(old))}
    rs = template.new_replicaset(deployment, {rs.metadata.name for rs in old}, _marks(deployment) | revision)
    strategy = deployment.spec.strategy.type
    wanted = rolling.new_size(rolling.bounds(deployment), strategy, 0, sum(rolling.standing(each) for each in old))
    rs.spec.replicas = wanted
    because = "no ReplicaSet has the Deployment's template"
    return [Create(rs, because, _scaled(deployment, rs.metadata.name, 0, wanted)), *_revision(deployment, revision)]


def _refresh(deployment: Deployment, new: ReplicaSet, old: Sequence[ReplicaSet]) -> list[Action]:
    """What is not about sizes: revision, inherited annotations, minReadySeconds."""
    number = max(template.next_revision(old), template.revision_of(new))
    revision = {template.REVISION: str(number)}
    wanted = template.inherited(deployment) | revision
    stale = {name: value for name, value in wanted.items() if new.metadata.annotations.get(name) != value}
    change: dict[str, object] = {"metadata": {"annotations": stale}} if stale else {}
    if new.spec.minReadySeconds != deployment.spec.minReadySeconds:
        change["spec"] = {"minReadySeconds": deployment.spec.minReadySeconds}
    patches: list[Action] = [Patch(new, change, "the Deployment says so")] if change else []
    return patches + _revision(deployment, revision)


def _revision(deployment: Deployment, revision: dict[str, str]) -> list[Action]:
    if revision.items() <= deployment.metadata.annotations.items():
        return []
    number = revision[template.REVISION]
    # With the status: written as a part of the Deployment itself, an annotation counts as something new to roll out.
    change = {"metadata": {"annotations": revision}}
    return [Patch(deployment, change, f"its template is revision {number}", "status")]


def _stop_old(deployment: Deployment, old: Sequence[ReplicaSet], pods: Sequence[Pod]) -> list[Action] | None:
    """Recreate: nothing new until the last old Pod has ended. None when that is so."""
    running = [rs for rs in old if size(rs)]
    if running:
        return _resize(deployment, running, {rs.metadata.name: 0 for rs in running}, "Recreate: old Pods go first")
    uids = {rs.metadata.uid for rs in old}
    left = [pod for pod in pods if not is_terminal(pod) and any(r.uid in uids for r in pod.metadata.ownerReferences)]
    return [] if left else None


def _clean(deployment: Deployment, old: Sequence[ReplicaSet]) -> list[Action]:
    limit = deployment.spec.revisionHistoryLimit
    limit = HISTORY_LIMIT if limit is None else limit
    empty = [
        rs
        for rs in old
        if not size(rs)
        and not rs.status.replicas
        and rs.status.observedGeneration >= rs.metadata.generation
        and rs.metadata.deletionTimestamp is None
    ]
    surplus = sorted(empty, key=template.revision_of)[: max(0, len(old) - limit)]
    return [Delete(rs, f"only {limit} old revisions are kept") for rs in surplus]


# --- Status ----------------------------------------------------------------------------------------------------------


def _status(deployment: Deployment, new: ReplicaSet | None, mine: Sequence[ReplicaSet], now: float) -> list[Action]:
    wanted = status(deployment, new, mine, now)
    change = patch.diff(codec.to_dict(deployment.status), codec.to_dict(wanted))
    because = f"{wanted.updatedReplicas} replicas are of the present template, {wanted.availableReplicas} are available"
    return [Patch(deployment, {"status": change}, because, "status")] if change else []
