"""When a node is silent, and what follows: seconds on the left, what is written on the right."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from played_api import PlayedApi, node, pod, words

from minik8s.api import codec
from minik8s.api.coordination import Lease
from minik8s.api.core import Node, Pod
from minik8s.api.meta import Condition
from minik8s.api.pods import condition, is_ready
from minik8s.controllers.nodes.heartbeats import Heard, observe
from minik8s.controllers.nodes.plan import plan
from minik8s.params import PROFILES

FAST = PROFILES["fast"]
WALL = 1_800_000_000.0
NAMES = ("node-1", "node-2", "node-3")


class World:
    """Three nodes with a Pod each. Time passes in ticks of the controller; nodes renew their Leases every second."""

    def __init__(self, names=NAMES, **pod_fields) -> None:
        pods = [pod(f"web-{name[-1]}", node=name, **pod_fields) for name in names]
        self.api = PlayedApi(*[node(name) for name in names], *pods)
        self.now, self.heard, self.beats = 100.0, None, dict.fromkeys(names, 0)
        self.silent: set[str] = set()
        self.log: list[tuple[float, str]] = []
        self.names = names

    def leases(self) -> list[Lease]:
        return [
            codec.from_dict(Lease, {"metadata": {"name": name}, "spec": {"renewTime": str(count)}})
            for name, count in self.beats.items()
        ]

    def beat(self) -> None:
        for name in self.names:
            if name not in self.silent:
                self.beats[name] += 1
                self.agent(name)

    def agent(self, name: str) -> None:
        """It says that it and its Pods are ready, when it finds the API saying otherwise."""
        here = self.api.get(Node, name)
        if condition(here.status.conditions, "Ready").status != "True":
            self.api.objects[Node, name].status.conditions = node(name).status.conditions
        for each in self.api.all(Pod):
            if each.spec.nodeName == name and not is_ready(each) and not each.metadata.deletionTimestamp:
                each.status.conditions = [codec.from_dict(Condition, {"type": "Ready", "status": "True"})]

    def look(self) -> None:
        self.heard = observe(self.heard, self.api.all(Node), self.leases(), self.now, FAST.node_lease_renew_interval)
        for _ in range(3):
            actions = plan(self.api.all(Node), self.api.all(Pod), self.heard, FAST, WALL)
            self.api.apply(actions)
            self.log += [(round(self.now - 100, 1), line) for line in words(actions)]
        assert plan(self.api.all(Node), self.api.all(Pod), self.heard, FAST, WALL) == []

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / FAST.node_monitor_period)):
            self.now += FAST.node_monitor_period
            if round(self.now * 2) % 2 == 0:
                self.beat()
            self.look()

    def stop_us(self, seconds: float) -> None:
        """Only the controller is stopped; the nodes go on."""
        for _ in range(int(seconds)):
            self.beat()
        self.now += seconds

    def lines(self, start: str = "") -> list[str]:
        return [line for _, line in self.log if line.startswith(start)]


def test_nodes_that_are_heard_are_left_alone():
    world = World()
    world.run(60)
    assert world.log == []


def test_a_silent_node_loses_readiness_then_its_pods_then_the_pods_are_evicted():
    world = World()
    world.run(5)
    world.silent = {"node-2"}
    world.run(15)
    first = world.log[0][0]
    assert world.lines() == [
        "patch nodes/status node-2",
        "patch pods/status web-2",
        "patch nodes node-2",
        "delete pods web-2",
    ]
    assert 3.5 <= first - 5 <= 6.0, "noticed after the grace period of four seconds"
    assert world.log[2][0] == first, "all but the eviction happens in the same look"
    assert 4.5 <= world.log[3][0] - first <= 6.0, "evicted when the toleration has run out"
    gone = world.api.get(Node, "node-2")
    assert {(taint.key, taint.effect) for taint in gone.spec.taints} == {
        ("node.kubernetes.io/unreachable", "NoSchedule"),
        ("node.kubernetes.io/unreachable", "NoExecute"),
    }
    ready = condition(gone.status.conditions, "Ready")
    assert (ready.status, ready.reason, ready.message) == (
        "Unknown",
        "NodeStatusUnknown",
        "Kubelet stopped posting node status.",
    )


def test_a_node_that_returns_in_time_keeps_its_pods_and_loses_its_taints():
    world = World()
    world.run(5)
    world.silent = {"node-2"}
    world.run(7)
    assert not is_ready(world.api.get(Pod, "default/web-2"))
    world.silent = set()
    world.run(10)
    assert world.api.get(Node, "node-2").spec.taints == []
    assert is_ready(world.api.get(Pod, "default/web-2")) and not world.lines("delete")


def test_when_all_are_silent_no_pod_is_touched_and_no_one_evicted_ever():
    world = World()
    world.run(5)
    world.silent = set(NAMES)
    world.run(600)
    assert world.lines("patch pods") == world.lines("delete") == []
    assert world.lines("patch nodes/status") == [f"patch nodes/status {name}" for name in NAMES]
    assert all(taint.effect != "NoExecute" for each in world.api.all(Node) for taint in each.spec.taints)
    world.silent = set()
    world.run(10)
    assert all(each.spec.taints == [] for each in world.api.all(Node))
    assert world.lines("delete") == []


def test_when_all_return_one_after_the_other_the_last_is_not_taken_for_dead():
    world = World()
    world.run(5)
    world.silent = set(NAMES)
    world.run(3.5)
    for name in NAMES:
        world.silent -= {name}
        world.run(0.5)
    world.run(10)
    assert world.lines("delete") == world.lines("patch pods") == []


def test_a_silence_names_the_last_heartbeat():
    nodes = [node("node-1"), node("node-2")]
    leases = [codec.from_dict(Lease, {"metadata": {"name": each.metadata.name}}) for each in nodes]
    silent = replace(observe(None, nodes, leases, 0.0, 1.0), heard=60.0)
    assert plan(nodes, [], silent, FAST, WALL)[0].seen == (leases[0],)


def test_a_controller_that_was_stopped_for_a_minute_blames_nobody():
    world = World()
    world.run(5)
    world.stop_us(60)
    world.run(10)
    assert world.log == []


def test_a_cluster_that_was_stopped_for_a_minute_loses_nothing():
    world = World()
    world.run(5)
    world.now += 60
    world.look()
    world.run(10)
    assert world.log == []


def test_a_restarted_controller_forgives_silence_but_keeps_taints():
    world = World()
    world.run(5)
    world.silent = {"node-2"}
    world.run(7)
    world.heard = None
    world.look()
    assert len(world.api.get(Node, "node-2").spec.taints) == 2 and world.lines("delete") == []
    world.run(6)
    assert world.lines("delete") == ["delete pods web-2"]


TOLERATIONS = {
    "none": ([], 5),
    "for two seconds": ([{"key": "node.kubernetes.io/unreachable", "operator": "Exists", "tolerationSeconds": 2}], 2),
    "for longer": ([{"operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 30}], 30),
    "for ever": ([{"operator": "Exists"}], None),
    "of something else": ([{"key": "gpu", "operator": "Exists"}], 5),
}


@pytest.mark.parametrize("case", TOLERATIONS, ids=str)
def test_a_pod_stays_for_as_long_as_it_tolerates(case):
    tolerations, seconds = TOLERATIONS[case]
    world = World(spec={"tolerations": tolerations})
    world.run(5)
    world.silent = {"node-2"}
    world.run(60)
    evicted = [moment for moment, line in world.log if line == "delete pods web-2"]
    if seconds is None:
        assert evicted == []
    else:
        assert seconds <= evicted[0] - world.log[0][0] <= seconds + 1.5


def test_a_node_that_says_it_is_not_ready_is_tainted_and_its_pods_leave():
    api = PlayedApi(node("node-1", ready="False"), pod("web-1"), pod("web-2", node="node-2"))
    heard = observe(None, api.all(Node), [], 0.0, 1.0)
    actions = plan(api.all(Node), api.all(Pod), heard, FAST, WALL)
    assert words(actions) == ["patch nodes node-1", "patch pods/status web-1"]
    assert [taint["key"] for taint in actions[0].patch["spec"]["taints"]] == ["node.kubernetes.io/not-ready"] * 2


def test_other_peoples_taints_stay():
    own = {"key": "gpu", "effect": "NoSchedule", "value": "yes"}
    api = PlayedApi(node("node-1", taints=[own, {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}]))
    actions = plan(api.all(Node), [], Heard(0.0), FAST, WALL)
    assert actions[0].patch["spec"]["taints"] == [own]


def test_a_cordoned_node_shows_it_as_a_taint():
    api = PlayedApi(node("node-1", unschedulable=True))
    api.apply(plan(api.all(Node), [], Heard(0.0), FAST, WALL))
    assert [taint.key for taint in api.get(Node, "node-1").spec.taints] == ["node.kubernetes.io/unschedulable"]


DISASTERS = st.lists(
    st.one_of(
        st.tuples(st.just("run"), st.floats(0.5, 12)),
        st.tuples(st.just("all silent"), st.floats(0.5, 60)),
        st.tuples(st.just("we are stopped"), st.floats(0.5, 300)),
        st.tuples(st.just("all are stopped"), st.floats(0.5, 300)),
    ),
    max_size=8,
)


@given(DISASTERS)
def test_nodes_that_renew_in_time_never_lose_a_pod_whatever_happens_to_all_of_us(disasters):
    world = World()
    world.run(3)
    for kind, seconds in disasters:
        if kind == "run":
            world.run(seconds)
        elif kind == "all silent":
            world.silent = set(NAMES)
            world.run(seconds)
            world.silent = set()
        elif kind == "we are stopped":
            world.stop_us(seconds)
        else:
            world.now += seconds
        world.look()
    world.run(10)
    assert world.lines("delete") == world.lines("patch pods") == []


@given(st.permutations(NAMES), st.sets(st.sampled_from(NAMES), max_size=2))
def test_the_order_of_listing_makes_no_difference(order, silent):
    world = World()
    world.run(5)
    world.silent = silent
    world.run(3)
    world.now += 1.5
    nodes = sorted(world.api.all(Node), key=lambda each: order.index(each.metadata.name))
    pods = sorted(world.api.all(Pod), key=lambda each: order.index(each.spec.nodeName))
    heard = observe(world.heard, nodes, world.leases(), world.now, 1.0)
    assert plan(nodes, pods, heard, FAST, WALL) == plan(world.api.all(Node), world.api.all(Pod), heard, FAST, WALL)
