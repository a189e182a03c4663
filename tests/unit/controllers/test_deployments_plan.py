"""A rollout: never too many, never too few, and it ends."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from played_api import PlayedApi, deployment, ready_condition, words

from minik8s.api import codec
from minik8s.api.apps import Deployment, ReplicaSet
from minik8s.api.core import Pod
from minik8s.api.meta import Condition
from minik8s.api.pods import condition, is_ready
from minik8s.controllers.deployments import rolling, template
from minik8s.controllers.deployments.plan import plan
from minik8s.controllers.deployments.rolling import Bounds
from minik8s.controllers.deployments.status import seconds_to_deadline
from minik8s.controllers.podcontrol import is_active
from minik8s.controllers.replicasets.plan import plan as plan_replicaset
from minik8s.controllers.templates import name_of

NOW = 1_800_000_000.0
NAME = "default/web"


class World:
    """A Deployment, the ReplicaSet controller and agents, each stepping when a test says so."""

    def __init__(self, wanted: Deployment) -> None:
        self.api = PlayedApi(wanted)
        self.now = NOW

    @property
    def deployment(self) -> Deployment:
        return self.api.get(Deployment, NAME)

    def change(self, **spec) -> None:
        fresh = deployment(**spec)
        self.deployment.spec = fresh.spec
        self.deployment.metadata.generation += 1

    def decide(self) -> list[str]:
        actions = plan(self.deployment, self.api.all(ReplicaSet), self.api.all(Pod), self.now)
        self.api.apply(actions)
        return words(actions)

    def replicate(self, which: slice = slice(None)) -> None:
        for rs in sorted(self.api.all(ReplicaSet), key=template.revision_of)[which]:
            self.api.apply(plan_replicaset(rs, self.api.all(Pod), frozenset(), self.now))

    def start_pods(self, count: int = 99) -> None:
        for pod in [each for each in self.api.all(Pod) if not each.status.podIP][:count]:
            pod.spec.nodeName, pod.status.phase, pod.status.podIP = "node-1", "Running", "10.244.1.9"
            pod.status.conditions = [_condition(True)]

    def settle(self, rounds: int = 40) -> None:
        for _ in range(rounds):
            before = self.decide()
            self.replicate(), self.start_pods(), self.api.finish(), self.replicate()
            if not before and not self.decide():
                return
        raise AssertionError("the rollout does not end")

    def sizes(self) -> list[int]:
        sets = sorted(self.api.all(ReplicaSet), key=template.revision_of)
        return [rs.spec.replicas for rs in sets]


def _condition(ready: bool) -> Condition:
    return codec.from_dict(Condition, ready_condition(ready))


# maxSurge, maxUnavailable, replicas -> most Pods, least available
BOUNDS = [
    ("25%", "25%", 10, 13, 8),
    ("25%", "25%", 1, 2, 1),
    ("25%", "25%", 4, 5, 3),
    (1, 0, 3, 4, 3),
    (0, 0, 3, 3, 2),
    ("0%", "10%", 3, 3, 2),
    ("100%", "100%", 3, 6, 0),
    (0, 9, 3, 3, 0),
]


@pytest.mark.parametrize(("surge", "unavailable", "replicas", "most", "least"), BOUNDS)
def test_surge_is_rounded_up_and_unavailable_down(surge, unavailable, replicas, most, least):
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}
    bounds = rolling.bounds(deployment(replicas, strategy=strategy))
    assert (bounds.most, bounds.least_available) == (most, least)


def test_a_new_deployment_makes_one_replicaset_of_full_size():
    world = World(deployment(3))
    lines = world.decide()
    assert lines[0].startswith("create replicasets web-") and world.sizes() == [3]
    rs = world.api.all(ReplicaSet)[0]
    mark = rs.metadata.labels["pod-template-hash"]
    assert rs.metadata.name == f"web-{mark}" and rs.spec.selector.matchLabels["pod-template-hash"] == mark
    assert rs.spec.template.metadata.labels == {"app": "web", "pod-template-hash": mark}
    assert rs.metadata.annotations == {
        "deployment.kubernetes.io/revision": "1",
        "deployment.kubernetes.io/desired-replicas": "3",
        "deployment.kubernetes.io/max-replicas": "4",
    }


def test_a_rollout_moves_one_step_at_a_time_and_tells_each():
    world = World(deployment(3))
    world.settle()
    world.change(replicas=3, image="x:2")
    steps = []
    for _ in range(12):
        world.decide()
        steps.append(world.sizes())
        world.replicate(), world.start_pods(), world.api.finish(), world.replicate()
    distinct = [step for place, step in enumerate(steps) if place == 0 or step != steps[place - 1]]
    assert distinct == [[3, 1], [2, 1], [2, 2], [1, 2], [1, 3], [0, 3]]
    assert world.deployment.metadata.annotations["deployment.kubernetes.io/revision"] == "2"


def test_templates_are_compared_by_meaning_and_a_rollback_takes_the_old_replicaset():
    world = World(deployment(2, image="x:1"))
    world.settle()
    world.change(replicas=2, image="x:2")
    world.settle()
    world.change(replicas=2, image="x:1")
    world.settle()
    assert len(world.api.all(ReplicaSet)) == 2
    newest = max(world.api.all(ReplicaSet), key=template.revision_of)
    assert newest.spec.template.spec.containers[0].image == "x:1"
    assert template.revision_of(newest) == 3 and newest.spec.replicas == 2


def test_the_hash_is_stable_and_a_taken_name_costs_only_another_name():
    one, two = deployment().spec.template, deployment().spec.template
    assert name_of(one) == name_of(two)
    first = template.new_replicaset(deployment(), set(), {})
    second = template.new_replicaset(deployment(), {first.metadata.name}, {})
    assert first.metadata.name != second.metadata.name


def test_recreate_starts_nothing_new_before_the_last_old_pod_has_ended():
    world = World(deployment(2, strategy={"type": "Recreate"}))
    world.settle()
    world.change(replicas=2, image="x:2", strategy={"type": "Recreate"})
    world.decide()
    assert world.sizes() == [0]
    world.replicate()
    assert all(pod.metadata.deletionTimestamp for pod in world.api.all(Pod))
    assert not any(line.startswith("create") for line in world.decide())
    world.api.finish()
    world.replicate()
    assert any(line.startswith("create replicasets") for line in world.decide())
    world.settle()
    assert world.sizes() == [0, 2]


def test_a_paused_deployment_scales_but_rolls_nothing_out():
    world = World(deployment(2))
    world.settle()
    world.change(replicas=4, image="x:2", paused=True)
    world.settle()
    assert world.sizes() == [2], "without its own ReplicaSet there is nothing to scale to a new template"
    world.change(replicas=4, image="x:1", paused=True)
    world.settle()
    assert world.sizes() == [4]


def test_scaling_in_the_middle_of_a_rollout_is_proportional():
    sets = []
    for name, replicas in (("web-old", 6), ("web-new", 2)):
        rs = template.new_replicaset(deployment(), set(), {})
        rs.metadata.name, rs.spec.replicas = name, replicas
        sets.append(rs)
    assert rolling.proportional(Bounds(replicas=13, surge=3, unavailable=2), sets, "web-new") == {
        "web-old": 12,
        "web-new": 4,
    }


# of three wanted, two must stay available; each ReplicaSet as (size, available by its status): new, old -> size of old
SHRINK = [
    ("nothing new is ready yet", (1, 0), (3, 3), 2),
    ("the next may go when one is ready", (2, 1), (2, 2), 1),
    ("a status that is behind is no licence", (2, 1), (2, 3), 1),
    ("all new are ready", (3, 3), (1, 1), 0),
    ("nothing can be spared", (1, 0), (2, 2), 2),
    ("those that are not ready go first", (1, 0), (3, 2), 2),
    ("but not more than the missing new ones leave room for", (1, 0), (3, 1), 2),
]


@pytest.mark.parametrize(("case", "new", "old", "expected"), SHRINK, ids=[each[0] for each in SHRINK])
def test_old_pods_go_only_as_far_as_they_can_be_spared(case, new, old, expected):
    sets = []
    for name, (size, available) in (("new", new), ("old", old)):
        rs = template.new_replicaset(deployment(), set(), {})
        rs.metadata.name, rs.spec.replicas, rs.status.availableReplicas = name, size, available
        sets.append(rs)
    assert rolling.shrink_old(Bounds(3, 1, 1), sets[0], sets[1:]).get("old", old[0]) == expected


def test_only_so_many_empty_old_replicasets_are_kept():
    world = World(deployment(1, revisionHistoryLimit=2))
    for number in range(2, 7):
        world.settle()
        world.change(replicas=1, image=f"x:{number}", revisionHistoryLimit=2)
    world.settle()
    kept = sorted(template.revision_of(rs) for rs in world.api.all(ReplicaSet))
    assert kept == [4, 5, 6]


def test_conditions_tell_progress_completion_and_a_missed_deadline():
    world = World(deployment(2))
    world.decide()
    progressing = condition(world.deployment.status.conditions, "Progressing")
    assert (progressing.status, progressing.reason) == ("True", "ReplicaSetUpdated")
    assert condition(world.deployment.status.conditions, "Available").reason == "MinimumReplicasUnavailable"
    world.settle()
    progressing = condition(world.deployment.status.conditions, "Progressing")
    assert (progressing.status, progressing.reason) == ("True", "NewReplicaSetAvailable")
    assert condition(world.deployment.status.conditions, "Available").reason == "MinimumReplicasAvailable"
    world.change(replicas=2, image="broken:1")
    world.decide(), world.replicate(), world.decide()
    wait = seconds_to_deadline(world.deployment, world.now)
    world.now += wait
    world.decide()
    progressing = condition(world.deployment.status.conditions, "Progressing")
    assert (progressing.status, progressing.reason) == ("False", "ProgressDeadlineExceeded")
    assert 600 <= wait <= 602 and world.decide() == []


def test_a_complete_rollout_stays_complete_when_a_pod_dies_later():
    world = World(deployment(2))
    world.settle()
    world.api.all(Pod)[0].status.conditions = [_condition(False)]
    world.replicate()
    world.decide()
    assert condition(world.deployment.status.conditions, "Progressing").reason == "NewReplicaSetAvailable"
    assert world.deployment.status.availableReplicas == 1


STEPS = st.lists(st.sampled_from(["decide", "old", "new", "start", "end"]), min_size=5, max_size=80)
LIMITS = st.sampled_from([("25%", "25%"), (1, 0), (0, 1), (2, 1), ("50%", 0)])


@settings(max_examples=150)
@given(STEPS, st.integers(1, 6), LIMITS)
def test_a_rollout_never_asks_for_too_many_and_never_takes_away_too_many(steps, replicas, limits):
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": limits[0], "maxUnavailable": limits[1]}}
    world = World(deployment(replicas, strategy=strategy))
    world.settle()
    world.change(replicas=replicas, image="x:2", strategy=strategy)
    bounds = rolling.bounds(world.deployment)
    for step in steps:
        if step == "decide":
            world.decide()
        elif step in ("old", "new"):  # one of them may be behind the other
            world.replicate(slice(0, 1) if step == "old" else slice(1, 2))
        elif step == "start":
            world.start_pods(1)
        elif step == "end":
            world.api.finish()
        active = [pod for pod in world.api.all(Pod) if is_active(pod)]
        assert len(active) <= bounds.most
        assert sum(1 for pod in active if is_ready(pod)) >= bounds.least_available
    world.settle()
    assert sum(world.sizes()) == replicas == sum(1 for pod in world.api.all(Pod) if is_active(pod))


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["x:1", "x:2", "x:3"])), min_size=1, max_size=6), st.randoms()
)
def test_any_history_of_changes_ends_with_the_last_wish(history, chance):
    world = World(deployment(2))
    for replicas, image in history:
        for _ in range(chance.randint(0, 3)):
            world.decide(), world.replicate(), world.start_pods(1)
        world.change(replicas=replicas, image=image)
    world.settle()
    replicas, image = history[-1]
    left = [pod for pod in world.api.all(Pod) if is_active(pod)]
    assert [pod.spec.containers[0].image for pod in left] == [image] * replicas
    assert world.deployment.status.updatedReplicas == replicas
