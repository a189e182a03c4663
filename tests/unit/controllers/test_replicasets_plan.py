"""A ReplicaSet has exactly the Pods it wants, and the right ones go."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from played_api import PlayedApi, pod, replicaset, words

from minik8s.api.apps import ReplicaSet
from minik8s.api.core import Pod
from minik8s.controllers.actions import Delete
from minik8s.controllers.podcontrol import is_active
from minik8s.controllers.replicasets.order import deletion_order, siblings_by_node
from minik8s.controllers.replicasets.plan import next_look, plan

NOW = 1_800_000_000.0
RS = replicaset(2)


def mine(name: str, ready: bool | None = True, **fields) -> Pod:
    return pod(name, ready, owner=RS, **fields)


# world: (replicas, Pods, the plan without status)
WORLDS = {
    "none yet": (2, [], ["create pods web-", "create pods web-"]),
    "one missing": (2, [mine("web-1")], ["create pods web-"]),
    "all there": (2, [mine("web-1"), mine("web-2", ready=False)], []),
    "a leaving Pod does not count": (2, [mine("web-1"), mine("web-2", gone=True)], ["create pods web-"]),
    "nor does one that has ended": (2, [mine("web-1"), mine("web-2", phase="Failed")], ["create pods web-"]),
    "one too many": (1, [mine("web-1"), mine("web-2", ready=False)], ["delete pods web-2"]),
    "an orphan is adopted": (1, [pod("web-7")], ["patch pods web-7"]),
    "adopted and one too many": (0, [pod("web-7")], ["patch pods web-7", "delete pods web-7"]),
    "a stranger's Pod is not": (1, [pod("web-7", owner=replicaset(1, selector=None))], []),
    "one with other labels is let go": (
        1,
        [mine("web-1", labels={"app": "debug"})],
        ["patch pods web-1", "create pods web-"],
    ),
}


@pytest.mark.parametrize("world", WORLDS, ids=str)
def test_a_world_has_exactly_this_plan(world):
    replicas, pods, expected = WORLDS[world]
    if world == "a stranger's Pod is not":
        pods[0].metadata.ownerReferences[0].uid = "uid-stranger"
        expected = ["create pods web-"]
    actions = plan(replicaset(replicas), pods, frozenset(), NOW)
    assert [line for line in words(actions) if "/status" not in line] == expected


def test_a_new_pod_is_the_template_with_an_owner_and_says_why():
    action = plan(RS, [], frozenset(), NOW)[0]
    assert action.because == "replica missing: 0 of 2"
    assert action.obj.metadata.generateName == "web-"
    assert action.obj.metadata.labels == {"app": "web"}
    (owner,) = action.obj.metadata.ownerReferences
    assert (owner.kind, owner.name, owner.controller, owner.blockOwnerDeletion) == ("ReplicaSet", "web", True, True)
    assert action.tell.reason == "SuccessfulCreate"


def test_a_replicaset_that_is_being_deleted_makes_and_adopts_nothing():
    going = replicaset(3)
    going.metadata.deletionTimestamp = "2026-01-01T00:00:00Z"
    assert [line for line in words(plan(going, [pod("web-1")], frozenset(), NOW)) if "/status" not in line] == []


ORDER = [  # each is deleted before the next
    ("not on a node yet", mine("web-9", ready=None, node="")),
    ("pending", mine("web-8", ready=None, node="node-2")),
    ("not ready", mine("web-7", ready=False)),
    ("cheap", mine("web-6", annotations={"controller.kubernetes.io/pod-deletion-cost": "-1"}, node="node-3")),
    ("shares its node with siblings", mine("web-5", since="2026-01-01T00:00:00Z")),
    ("shares it too, ready for longer", mine("web-4", since="2025-01-01T00:00:00Z")),
    ("ready for a short time", mine("web-3", since="2026-01-03T00:00:00Z", node="node-4")),
    ("younger", mine("web-2", created="2026-01-02T00:00:00Z", node="node-5")),
    ("oldest", mine("web-1", node="node-6")),
]


@given(st.permutations(ORDER))
def test_pods_are_deleted_in_kubernetes_order_however_they_are_listed(listed):
    pods = [each for _, each in listed]
    ordered = deletion_order(pods, siblings_by_node(pods))
    assert [each.metadata.name for each in ordered] == [each.metadata.name for _, each in ORDER]


def test_siblings_of_another_replicaset_of_the_deployment_crowd_a_node_too():
    sibling = replicaset(1)
    sibling.metadata.uid = "uid-sibling"
    pods = [mine("web-1", node="node-1"), mine("web-2", node="node-2"), pod("old-1", owner=sibling, node="node-2")]
    actions = plan(replicaset(1), pods, frozenset({"uid-sibling"}), NOW)
    assert words(actions)[0] == "delete pods web-2"


def test_status_counts_what_is_there_and_available_only_after_min_ready_seconds():
    rs = replicaset(3, minReadySeconds=10)
    since = "2027-01-15T07:59:55Z"  # five seconds before NOW
    pods = [mine("web-1"), mine("web-2", since=since), mine("web-3", ready=False), mine("web-4", gone=True)]
    change = plan(rs, pods, frozenset(), NOW)[-1].patch["status"]
    assert (change["replicas"], change["readyReplicas"], change["availableReplicas"]) == (3, 2, 1)
    assert change["terminatingReplicas"] == 1
    assert next_look(rs, pods, NOW) == 5.0


def test_a_status_that_is_right_is_not_written_again():
    api = PlayedApi(replicaset(1))
    for _ in range(2):
        rs = api.get(ReplicaSet, "default/web")
        api.apply(plan(rs, [mine("web-1")], frozenset(), NOW))
    assert plan(api.get(ReplicaSet, "default/web"), [mine("web-1")], frozenset(), NOW) == []


pods_of_all_sorts = st.lists(
    st.builds(
        lambda n, ready, gone, owned, node, phase: pod(
            f"web-{n}", ready, owner=RS if owned else None, gone=gone, node=node, **({"phase": phase} if phase else {})
        ),
        st.integers(1, 9),
        st.sampled_from([True, False, None]),
        st.booleans(),
        st.booleans(),
        st.sampled_from(["node-1", "node-2"]),
        st.sampled_from(["", "", "Failed"]),
    ),
    max_size=9,
    unique_by=lambda each: each.metadata.name,
)


@given(pods_of_all_sorts, st.integers(0, 6), st.integers(0, 20))
def test_stopping_halfway_and_planning_again_converges(pods, replicas, stop_after):
    stranger = pod("stranger-1", labels={"app": "other"})
    api = PlayedApi(replicaset(replicas), stranger, *pods)
    api.apply(plan(api.get(ReplicaSet, "default/web"), api.all(Pod), frozenset(), NOW)[:stop_after])
    for _ in range(2):
        actions = plan(api.get(ReplicaSet, "default/web"), api.all(Pod), frozenset(), NOW)
        assert all(each.target.metadata.name != "stranger-1" for each in actions if isinstance(each, Delete))
        api.apply(actions)
    assert plan(api.get(ReplicaSet, "default/web"), api.all(Pod), frozenset(), NOW) == []
    active = [each for each in api.all(Pod) if is_active(each) and each.metadata.labels["app"] == "web"]
    assert len(active) == replicas
