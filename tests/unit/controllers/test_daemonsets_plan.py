"""A DaemonSet has one Pod on every node that may have it, and changes its template a few nodes at a time."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from played_api import PlayedApi, daemonset, node, pod, ready_condition, words

from minik8s.api import codec
from minik8s.api.apps import ControllerRevision, DaemonSet
from minik8s.api.core import Node, Pod
from minik8s.api.meta import key
from minik8s.api.pods import is_ready
from minik8s.controllers import revisions
from minik8s.controllers.daemonsets.places import node_of
from minik8s.controllers.daemonsets.plan import plan

NOW = 1_800_000_000.0
NODES = ["node-1", "node-2", "node-3"]
SURGE = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}


def tainted(name: str, key: str, effect: str) -> Node:
    return node(name, taints=[{"key": key, "effect": effect}])


def mine(ds: DaemonSet, where: str, number: int = 1, ready: bool | None = True, **fields) -> Pod:
    mark = revisions.look(ds, [])[0].metadata.labels[revisions.LABEL]
    labels = fields.pop("labels", {"app": "web", revisions.LABEL: mark})
    return pod(f"web-{where}-{number}", ready, owner=ds, node=where, labels=labels, **fields)


class World:
    """A DaemonSet on a played API; the scheduler and the agents do what they are told."""

    def __init__(self, ds: DaemonSet, *others) -> None:
        self.api = PlayedApi(ds, *others)

    @property
    def ds(self) -> DaemonSet:
        return self.api.get(DaemonSet, "default/web")

    def plan(self):
        return plan(self.ds, self.api.all(Node), self.api.all(Pod), self.api.all(ControllerRevision), NOW)

    def agents(self, ready: bool = True) -> None:
        self.api.finish()
        for each in self.api.all(Pod):
            conditions = [ready_condition(ready or is_ready(each))]
            plain = codec.to_dict(each) | {"status": {"phase": "Running", "conditions": conditions}}
            plain["spec"]["nodeName"] = node_of(each)
            self.api.objects[Pod, key(each)] = codec.from_dict(Pod, plain)

    def settle(self) -> None:
        for _ in range(40):
            self.agents()
            actions = self.plan()
            self.api.apply(actions)
            if not actions:
                return
        raise AssertionError(f"still at work: {words(self.plan())}")

    def change(self, image: str) -> None:
        plain = codec.to_dict(self.ds)
        plain["spec"]["template"]["spec"]["containers"][0]["image"] = image
        self.api.objects[DaemonSet, "default/web"] = codec.from_dict(DaemonSet, plain)

    def serving(self) -> list[Pod]:
        return [each for each in self.api.all(Pod) if is_ready(each) and not each.metadata.deletionTimestamp]


DS = daemonset()
OLD = {"app": "web"}
# name: (DaemonSet, nodes, its Pods, the plan without revisions and status)
WORLDS = {
    "none yet": (DS, [node("a"), node("b")], [], ["create pods web-", "create pods web-"]),
    "one is there": (DS, [node("a"), node("b")], [mine(DS, "a")], ["create pods web-"]),
    "one waits to be bound": (DS, [node("a")], [mine(DS, "a", ready=None)], []),
    "it is leaving": (DS, [node("a")], [mine(DS, "a", gone=True)], []),
    "it has ended": (DS, [node("a")], [mine(DS, "a", ready=False, phase="Failed")], ["delete pods web-a-1"]),
    "two on one node": (DS, [node("a")], [mine(DS, "a", 1), mine(DS, "a", 2)], ["delete pods web-a-2"]),
    "cordoned": (DS, [tainted("a", "node.kubernetes.io/unschedulable", "NoSchedule")], [], ["create pods web-"]),
    "silent": (DS, [tainted("a", "node.kubernetes.io/unreachable", "NoExecute")], [mine(DS, "a")], []),
    "tainted for others": (DS, [tainted("a", "gpu", "NoSchedule")], [], []),
    "tainted later": (DS, [tainted("a", "gpu", "NoSchedule")], [mine(DS, "a")], []),
    "driven out": (DS, [tainted("a", "gpu", "NoExecute")], [mine(DS, "a")], ["delete pods web-a-1"]),
    "only some nodes": (
        daemonset(pod={"nodeSelector": {"disk": "fast"}}),
        [node("a"), node("b", labels={"disk": "fast"})],
        [],
        ["create pods web-"],
    ),
    "a label was taken away": (
        daemonset(pod={"nodeSelector": {"disk": "fast"}}),
        [node("a")],
        [mine(DS, "a")],
        ["delete pods web-a-1"],
    ),
    "another template": (
        DS,
        [node("a"), node("b")],
        [mine(DS, "a", labels=OLD), mine(DS, "b", labels=OLD)],
        ["delete pods web-a-1"],
    ),
    "another template, the old one serves nobody": (
        DS,
        [node("a"), node("b")],
        [mine(DS, "a"), mine(DS, "b", ready=False, labels=OLD)],
        ["delete pods web-b-1"],
    ),
    "another template, one is missing already": (
        DS,
        [node("a"), node("b")],
        [mine(DS, "a", ready=False), mine(DS, "b", labels=OLD)],
        [],
    ),
    "another template, the new one comes first": (
        daemonset(updateStrategy=SURGE),
        [node("a"), node("b")],
        [mine(DS, "a", labels=OLD), mine(DS, "b", labels=OLD)],
        ["create pods web-"],
    ),
    "the new one is there": (
        daemonset(updateStrategy=SURGE),
        [node("a")],
        [mine(DS, "a", 1, labels=OLD), mine(DS, "a", 2)],
        ["delete pods web-a-1"],
    ),
    "another template, but only people delete": (
        daemonset(updateStrategy={"type": "OnDelete"}),
        [node("a")],
        [mine(DS, "a", labels=OLD)],
        [],
    ),
}


@pytest.mark.parametrize("world", WORLDS, ids=str)
def test_a_world_has_exactly_this_next_step(world):
    ds, nodes, pods, expected = WORLDS[world]
    lines = words(plan(ds, nodes, pods, [], NOW))
    assert [line for line in lines if " pods " in line] == expected


def test_a_pod_is_made_for_one_node_and_stays_through_the_nodes_troubles():
    made = next(each.obj for each in plan(DS, [node("a")], [], [], NOW) if isinstance(getattr(each, "obj", None), Pod))
    assert made.spec.nodeName == "" and node_of(made) == "a"
    tolerated = {(each.key, each.effect) for each in made.spec.tolerations}
    assert ("node.kubernetes.io/unreachable", "NoExecute") in tolerated
    assert ("node.kubernetes.io/unschedulable", "NoSchedule") in tolerated
    assert made.metadata.generateName == "web-" and "controller-revision-hash" in made.metadata.labels


def test_a_pod_that_waits_for_a_node_that_is_gone_goes_too():
    world = World(daemonset(), node("a"))
    world.api.apply(world.plan())
    del world.api.objects[Node, "a"]
    assert next(line for line in words(world.plan()) if "status" not in line).startswith("delete pods web-")


def test_status_tells_of_nodes_that_are_to_have_a_pod_and_of_those_that_are_not():
    nodes = [node("a"), node("b"), tainted("c", "gpu", "NoSchedule")]
    actions = plan(DS, nodes, [mine(DS, "a"), mine(DS, "c")], [], NOW)
    status = next(each.patch["status"] for each in actions if getattr(each, "subresource", "") == "status")
    assert status["desiredNumberScheduled"] == 2 and status["currentNumberScheduled"] == 1
    assert status["numberReady"] == status["numberAvailable"] == status["updatedNumberScheduled"] == 1
    assert status["numberMisscheduled"] == 1 and status["numberUnavailable"] == 1


@settings(max_examples=40)
@given(st.sampled_from([1, 2, "50%"]), st.integers(1, 5))
def test_during_an_update_no_more_nodes_are_without_a_pod_than_allowed(limit, count):
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": limit}}
    world = World(daemonset(updateStrategy=strategy), *[node(f"n{number}") for number in range(count)])
    world.settle()
    world.change("x:2")
    allowed = limit if isinstance(limit, int) else -(-count // 2)
    for _ in range(30):
        world.api.apply(world.plan())
        assert len({node_of(each) for each in world.serving()}) >= count - allowed
        world.agents()
    assert {each.spec.containers[0].image for each in world.api.all(Pod)} == {"x:2"}
    assert world.ds.status.updatedNumberScheduled == world.ds.status.numberReady == count


@settings(max_examples=20)
@given(st.integers(1, 5))
def test_a_surge_leaves_no_node_without_a_pod_that_serves(count):
    world = World(daemonset(updateStrategy=SURGE), *[node(f"n{number}") for number in range(count)])
    world.settle()
    world.change("x:2")
    for _ in range(30):
        world.api.apply(world.plan())
        assert len({node_of(each) for each in world.serving()}) == count
        world.agents()
    assert [each.spec.containers[0].image for each in world.api.all(Pod)] == ["x:2"] * count


@given(
    st.lists(st.tuples(st.sampled_from(NODES), st.sampled_from([True, False, None]), st.booleans()), max_size=6),
    st.integers(0, 5),
)
def test_whatever_is_there_the_end_is_one_ready_pod_on_each_node(there, stop_after):
    pods = [mine(DS, where, number, ready, gone=gone) for number, (where, ready, gone) in enumerate(there)]
    world = World(daemonset(), pod("stranger-1", labels={"app": "other"}), *map(node, NODES), *pods)
    world.api.apply(world.plan()[:stop_after])
    world.settle()
    assert world.api.get(Pod, "default/stranger-1") is not None
    members = [each for each in world.api.all(Pod) if each.metadata.name != "stranger-1"]
    assert sorted(map(node_of, members)) == NODES
    assert world.ds.status.numberReady == len(NODES)
