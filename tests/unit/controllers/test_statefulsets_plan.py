"""A StatefulSet's Pods keep their names, come and go in order, and change their template one at a time."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from played_api import PlayedApi, pod, ready_condition, statefulset, words

from minik8s.api import codec
from minik8s.api.apps import ControllerRevision, StatefulSet
from minik8s.api.core import Pod
from minik8s.api.meta import key
from minik8s.api.pods import is_ready
from minik8s.controllers import revisions
from minik8s.controllers.statefulsets.members import ordinal_of
from minik8s.controllers.statefulsets.plan import plan

NOW = 1_800_000_000.0
PARALLEL = {"podManagementPolicy": "Parallel"}


class World:
    """A StatefulSet on a played API, whose agents start and end Pods when they are told to."""

    def __init__(self, sts: StatefulSet, *pods: Pod) -> None:
        self.api = PlayedApi(sts, *pods)

    @property
    def sts(self) -> StatefulSet:
        return self.api.get(StatefulSet, "default/web")

    def plan(self):
        return plan(self.sts, self.api.all(Pod), self.api.all(ControllerRevision), NOW)

    def agents(self) -> None:
        """Pods that are leaving have left, the others are ready."""
        self.api.finish()
        for each in self.api.all(Pod):
            plain = codec.to_dict(each) | {"status": {"phase": "Running", "conditions": [ready_condition(True)]}}
            plain["spec"]["nodeName"] = "node-1"
            self.api.objects[Pod, key(each)] = codec.from_dict(Pod, plain)

    def settle(self, rounds: int = 60) -> None:
        for _ in range(rounds):
            self.agents()  # before the first look too: a plan may be empty because it waits for them
            actions = self.plan()
            self.api.apply(actions)
            if not actions:
                return
        raise AssertionError(f"still at work: {words(self.plan())}")

    def change(self, image: str = "", **spec) -> None:
        plain = codec.to_dict(self.sts)
        plain["spec"] |= spec
        if image:
            plain["spec"]["template"]["spec"]["containers"][0]["image"] = image
        plain["metadata"]["generation"] += 1
        self.api.objects[StatefulSet, "default/web"] = codec.from_dict(StatefulSet, plain)

    def images(self) -> dict[str, str]:
        return {each.metadata.name: each.spec.containers[0].image for each in self.api.all(Pod)}


def mine(sts: StatefulSet, number: int, ready: bool | None = True, **fields) -> Pod:
    labels = {"app": "web", revisions.LABEL: revisions.look(sts, [])[0].metadata.name}
    return pod(f"web-{number}", ready, owner=sts, labels=fields.pop("labels", labels), **fields)


# name: (StatefulSet, its Pods as (ordinal, fields), the plan without revisions and status)
WORLDS = {
    "none yet": (statefulset(3), [], ["create pods web-0"]),
    "none yet, all at once": (
        statefulset(2, **PARALLEL),
        [],
        ["create pods web-0", "create pods web-1"],
    ),
    "the first is not ready": (statefulset(3), [(0, {"ready": False})], []),
    "the first is ready": (statefulset(3), [(0, {})], ["create pods web-1"]),
    "ready for too short a time": (
        statefulset(3, minReadySeconds=10),
        [(0, {"since": "2027-01-15T07:59:55Z"})],
        [],
    ),
    "a gap": (statefulset(3), [(0, {}), (2, {})], ["create pods web-1"]),
    "its predecessor is still leaving": (statefulset(1), [(0, {"gone": True})], []),
    "one has ended": (statefulset(2), [(0, {"phase": "Failed", "ready": False})], ["delete pods web-0"]),
    "too many": (statefulset(1), [(0, {}), (1, {}), (2, {})], ["delete pods web-2"]),
    "too many, one is not ready": (statefulset(1), [(0, {}), (1, {"ready": False})], ["delete pods web-1"]),
    "too many, one is leaving": (statefulset(1), [(0, {}), (1, {}), (2, {"gone": True})], []),
    "too many, all at once": (
        statefulset(0, **PARALLEL),
        [(0, {}), (1, {})],
        ["delete pods web-1", "delete pods web-0"],
    ),
    "ordinals begin elsewhere": (statefulset(1, ordinals={"start": 5}), [(0, {})], ["create pods web-5"]),
    "all of another template": (
        statefulset(2),
        [(0, {"labels": {"app": "web"}}), (1, {"labels": {"app": "web"}})],
        ["delete pods web-1"],
    ),
    "another template above the partition": (
        statefulset(2, updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}),
        [(0, {"labels": {"app": "web"}}), (1, {})],
        [],
    ),
    "another template, but only people delete": (
        statefulset(1, updateStrategy={"type": "OnDelete"}),
        [(0, {"labels": {"app": "web"}})],
        [],
    ),
}  # fmt: skip


@pytest.mark.parametrize("world", WORLDS, ids=str)
def test_a_world_has_exactly_this_next_step(world):
    sts, members, expected = WORLDS[world]
    pods = [
        mine(sts, number, fields.pop("ready", True), **fields) for number, fields in ((n, dict(f)) for n, f in members)
    ]
    lines = words(plan(sts, pods, [], NOW))
    assert [line for line in lines if " pods " in line] == expected


def test_a_pod_knows_its_ordinal_its_name_and_its_revision():
    made = next(action.obj for action in World(statefulset(1)).plan() if isinstance(getattr(action, "obj", None), Pod))
    assert (made.metadata.name, made.spec.hostname, made.spec.subdomain) == ("web-0", "web-0", "web")
    labels = made.metadata.labels
    assert labels["statefulset.kubernetes.io/pod-name"] == "web-0" and labels["apps.kubernetes.io/pod-index"] == "0"
    assert labels["controller-revision-hash"].startswith("web-")
    assert made.metadata.ownerReferences[0].kind == "StatefulSet"


def test_a_claim_becomes_a_directory_that_the_container_can_mount():
    world = World(statefulset(1, volumeClaimTemplates=[{"metadata": {"name": "data"}}]))
    world.settle()
    (volume,) = world.api.all(Pod)[0].spec.volumes
    assert volume.name == "data" and volume.emptyDir is not None


def test_only_pods_of_its_own_name_are_adopted():
    sts = statefulset(0, **PARALLEL)
    lines = words(plan(sts, [pod("web-1"), pod("web-x"), pod("web-01"), pod("other-1")], [], NOW))
    assert [line for line in lines if " pods " in line] == ["patch pods web-1", "delete pods web-1"]


def test_an_update_goes_from_the_highest_ordinal_down_to_the_partition():
    world = World(statefulset(3, updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}))
    world.settle()
    world.change(image="x:2")
    seen = []
    for _ in range(20):
        world.api.apply(world.plan())
        world.agents()
        seen.append(tuple(sorted(name for name, image in world.images().items() if image == "x:2")))
    assert list(dict.fromkeys(seen)) == [(), ("web-2",), ("web-1", "web-2")]
    status = world.sts.status
    assert status.currentRevision != status.updateRevision
    assert (status.currentReplicas, status.updatedReplicas) == (1, 2)
    world.change(updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"partition": 0}})
    world.settle()
    status = world.sts.status
    assert status.currentRevision == status.updateRevision and status.updatedReplicas == status.currentReplicas == 3


def test_a_pod_below_the_partition_is_replaced_by_one_of_its_own_template():
    world = World(statefulset(2, updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}))
    world.settle()
    world.change(image="x:2")
    world.settle()
    del world.api.objects[Pod, "default/web-0"]
    world.settle()
    assert set(world.images().values()) == {"x:1"}


def test_a_template_that_was_put_back_is_the_newest_revision_and_makes_no_new_one():
    world = World(statefulset(1))
    world.settle()
    for image in ("x:2", "x:1"):
        world.change(image=image)
        world.settle()
    numbers = {each.revision: revisions.template_of(each) for each in world.api.all(ControllerRevision)}
    assert sorted(numbers) == [2, 3] and numbers[3].spec.containers[0].image == "x:1"


def test_a_revision_holds_the_patch_that_undoes_to_it():
    world = World(statefulset(1))
    world.settle()
    (revision,) = world.api.all(ControllerRevision)
    assert revision.data["spec"]["template"]["$patch"] == "replace"
    assert revision.data["spec"]["template"]["spec"]["containers"][0]["image"] == "x:1"


def test_only_as_many_old_revisions_are_kept_as_asked():
    world = World(statefulset(1, revisionHistoryLimit=2))
    for number in range(6):
        world.change(image=f"x:{number}")
        world.settle()
    assert sorted(each.revision for each in world.api.all(ControllerRevision)) == [4, 5, 6]


states = st.lists(
    st.tuples(st.integers(0, 5), st.sampled_from([True, False, None]), st.booleans(), st.sampled_from(["", "Failed"])),
    max_size=6,
    unique_by=lambda each: each[0],
)


@settings(max_examples=60)
@given(states, st.integers(0, 4), st.sampled_from(["OrderedReady", "Parallel"]), st.integers(0, 3))
def test_whatever_is_there_the_end_is_every_wanted_ordinal_once_and_ready(pods, replicas, policy, stop_after):
    sts = statefulset(replicas, podManagementPolicy=policy)
    there = [
        mine(sts, number, ready, gone=gone, **({"phase": phase} if phase else {}))
        for number, ready, gone, phase in pods
    ]
    world = World(sts, pod("stranger-1", labels={"app": "other"}), *there)
    world.api.apply(world.plan()[:stop_after])
    world.settle()
    members = [each for each in world.api.all(Pod) if each.metadata.name != "stranger-1"]
    assert sorted(ordinal_of(sts, each) for each in members) == list(range(replicas))
    assert all(is_ready(each) for each in members)
    assert world.sts.status.readyReplicas == replicas
    assert world.api.get(Pod, "default/stranger-1") is not None


@settings(max_examples=40)
@given(st.integers(1, 4), st.integers(0, 4))
def test_during_an_update_at_most_one_pod_is_missing(replicas, partition):
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": partition}}
    world = World(statefulset(replicas, updateStrategy=strategy))
    world.settle()
    world.change(image="x:2")
    for _ in range(20):
        world.api.apply(world.plan())
        staying = [each for each in world.api.all(Pod) if not each.metadata.deletionTimestamp and is_ready(each)]
        assert len(staying) >= replicas - 1
        world.agents()
    assert list(world.images().values()).count("x:2") == max(0, replicas - partition)
