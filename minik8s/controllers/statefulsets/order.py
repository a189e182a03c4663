"""The next step of a StatefulSet: which Pods are made or deleted now. Pure.

OrderedReady takes one step and waits until it has come true: up from the lowest ordinal, down from the highest.
Parallel makes and deletes all at once. Either way a new template replaces Pods one at a time, from the highest ordinal
down to the partition, and only while all above are available. Invariant: no two Pods of the same ordinal, ever: what
leaves must be gone before its successor is made. Source: Kubernetes' stateful_set_control.go.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from minik8s.api.apps import ControllerRevision, StatefulSet
from minik8s.api.pods import Pod, is_terminal, is_terminating
from minik8s.controllers import revisions
from minik8s.controllers.actions import Action, Create, Delete, Tell
from minik8s.controllers.podcontrol import is_available
from minik8s.controllers.statefulsets.members import new_member, ordinal_of, partition, wanted_ordinals


@dataclass(frozen=True)
class World:
    """A StatefulSet, its Pods, and the two templates it may be between."""

    sts: StatefulSet
    pods: Sequence[Pod]
    current: ControllerRevision
    update: ControllerRevision
    now: float

    def healthy(self, pod: Pod) -> bool:
        return not is_terminating(pod) and is_available(pod, self.sts.spec.minReadySeconds, self.now)


def step(world: World) -> list[Action]:
    """What to do now."""
    ordered = world.sts.spec.podManagementPolicy != "Parallel"
    actions: list[Action] = []
    for action, settled in [*_wanted(world), *_surplus(world)]:
        actions += [action] if action else []
        if ordered and not settled:
            return actions
    return actions or list(_updates(world))


def _wanted(world: World) -> Iterator[tuple[Action | None, bool]]:
    """For each ordinal what it needs, and whether nothing more has to happen before the next one's turn."""
    here = {ordinal_of(world.sts, pod): pod for pod in world.pods}
    for ordinal in wanted_ordinals(world.sts):
        pod = here.get(ordinal)
        if pod is None:
            yield _create(world, ordinal), False
        elif is_terminal(pod) and not is_terminating(pod):
            yield _delete(world.sts, pod, "it has ended, and its ordinal is wanted"), False
        else:
            yield None, world.healthy(pod)


def _create(world: World, ordinal: int) -> Create:
    rolling = world.sts.spec.updateStrategy.type == "RollingUpdate"
    revision = world.current if rolling and ordinal < partition(world.sts) else world.update
    name = world.sts.metadata.name
    tell = Tell(world.sts, "SuccessfulCreate", f"create Pod {{name}} in StatefulSet {name} successful")
    return Create(new_member(world.sts, ordinal, revision), f"ordinal {ordinal} has no Pod", tell)


def _surplus(world: World) -> Iterator[tuple[Action | None, bool]]:
    """Pods beyond the wanted ordinals, the highest first."""
    wanted = wanted_ordinals(world.sts)
    beyond = [pod for pod in world.pods if ordinal_of(world.sts, pod) not in wanted]
    for pod in sorted(beyond, key=lambda pod: ordinal_of(world.sts, pod) or 0, reverse=True):
        because = f"its ordinal is not one of the {len(wanted)} wanted"
        yield None if is_terminating(pod) else _delete(world.sts, pod, because), False


def _updates(world: World) -> Iterator[Action]:
    """The one Pod to replace by the present template, if it is time."""
    if world.sts.spec.updateStrategy.type != "RollingUpdate":
        return
    members = sorted(world.pods, key=lambda pod: ordinal_of(world.sts, pod) or 0, reverse=True)
    for pod in members:
        if (ordinal_of(world.sts, pod) or 0) < partition(world.sts):
            return
        stale = pod.metadata.labels.get(revisions.LABEL) != world.update.metadata.name
        if stale and not is_terminating(pod):
            yield _delete(world.sts, pod, f"it is not of revision {world.update.metadata.name}")
            return
        if not world.healthy(pod):
            return


def _delete(sts: StatefulSet, pod: Pod, because: str) -> Delete:
    tell = Tell(sts, "SuccessfulDelete", f"delete Pod {{name}} in StatefulSet {sts.metadata.name} successful")
    return Delete(pod, because, tell=tell)
