"""Decides the writes of one StatefulSet: its revisions, its Pods (`order.py`), its status. Pure.

Invariants: Pods of other owners or with other names are never touched; a StatefulSet that is being deleted makes
nothing; status says what was observed. `status.currentRevision` is where a rolling update comes from, `updateRevision`
where it goes; they are the same when it is complete. Read `main.py` next.
"""

from collections.abc import Sequence

from minik8s.api import codec, patch
from minik8s.api.apps import ControllerRevision, StatefulSet, StatefulSetStatus
from minik8s.api.pods import Pod, is_ready, is_terminating
from minik8s.controllers import revisions
from minik8s.controllers.actions import Action, Patch
from minik8s.controllers.owners import claim
from minik8s.controllers.podcontrol import is_available
from minik8s.controllers.statefulsets.members import ordinal_of, wanted_ordinals
from minik8s.controllers.statefulsets.order import World, step


def plan(sts: StatefulSet, pods: Sequence[Pod], known: Sequence[ControllerRevision], now: float) -> list[Action]:
    """The writes for one StatefulSet; `pods` and `known` revisions are those of its namespace."""
    named = [pod for pod in pods if ordinal_of(sts, pod) is not None]
    mine, actions = claim(sts, sts.spec.selector, named)
    if sts.metadata.deletionTimestamp is not None:
        return actions
    update, history, written = revisions.look(sts, known)
    current = next((each for each in history if each.metadata.name == sts.status.currentRevision), update)
    actions += [*written, *step(World(sts, mine, current, update, now))]
    actions += _status(sts, mine, (current.metadata.name, update.metadata.name), now)
    used = {pod.metadata.labels.get(revisions.LABEL, "") for pod in mine}
    return actions + revisions.forget(sts, history, used | {current.metadata.name, update.metadata.name})


def _status(sts: StatefulSet, mine: Sequence[Pod], names: tuple[str, str], now: float) -> list[Action]:
    current, update = names
    staying = [pod.metadata.labels.get(revisions.LABEL) for pod in mine if not is_terminating(pod)]
    wanted = StatefulSetStatus(
        observedGeneration=sts.metadata.generation,
        replicas=len(mine),
        readyReplicas=sum(1 for pod in mine if is_ready(pod)),
        availableReplicas=sum(1 for pod in mine if is_available(pod, sts.spec.minReadySeconds, now)),
        currentReplicas=staying.count(current),
        updatedReplicas=staying.count(update),
        currentRevision=current,
        updateRevision=update,
        collisionCount=sts.status.collisionCount or 0,
        conditions=sts.status.conditions,
    )
    if _complete(sts, wanted):
        wanted.currentRevision, wanted.currentReplicas = update, wanted.updatedReplicas
    change = patch.diff(codec.to_dict(sts.status), codec.to_dict(wanted))
    because = f"{wanted.readyReplicas} of {len(wanted_ordinals(sts))} replicas are ready"
    return [Patch(sts, {"status": change}, because, "status")] if change else []


def _complete(sts: StatefulSet, seen: StatefulSetStatus) -> bool:
    """Has the last Pod of the template before been replaced?"""
    full = seen.updatedReplicas == seen.replicas == seen.readyReplicas == len(wanted_ordinals(sts))
    return full and sts.spec.updateStrategy.type == "RollingUpdate"
