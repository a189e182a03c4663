"""Where a Pod goes, and why not elsewhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minik8s.api import codec
from minik8s.api.core import Node, Pod, Service
from minik8s.scheduler.fit import Place, reasons, requests
from minik8s.scheduler.plan import plan


def node(name: str, ready: str = "True", room=None, labels=None, **spec) -> Node:
    """Two CPUs, 4 GiB, ten Pods."""
    allocatable = {"cpu": "2", "memory": "4Gi", "pods": "10"} | (room or {})
    conditions = [{"type": "Ready", "status": ready}] if ready else []
    meta = {"name": name, "labels": labels or {}}
    return codec.from_dict(
        Node, {"metadata": meta, "spec": spec, "status": {"allocatable": allocatable, "conditions": conditions}}
    )


def pod(name: str = "new", on: str = "", cpu=None, memory=None, port=None, **more) -> Pod:
    asked = {key: value for key, value in (("cpu", cpu), ("memory", memory)) if value}
    container = {"name": "c", "resources": {"requests": asked}}
    if port:
        container["ports"] = [{"containerPort": 80, "hostPort": port}]
    owner = more.pop("owner", None)
    meta = {"name": name, "namespace": "default", "uid": f"uid-{name}", "labels": more.pop("labels", {})}
    if owner:
        meta["ownerReferences"] = [
            {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": owner, "uid": owner, "controller": True}
        ]
    if more.pop("gone", False):
        meta["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    status = {"phase": more.pop("phase", "Running" if on else "Pending")}
    return codec.from_dict(
        Pod, {"metadata": meta, "spec": {"nodeName": on, "containers": [container], **more}, "status": status}
    )


def svc(**selector) -> Service:
    return codec.from_dict(Service, {"metadata": {"name": "s", "namespace": "default"}, "spec": {"selector": selector}})


THREE = [node("node-1"), node("node-2"), node("node-3")]
UNREACHABLE = {"key": "node.kubernetes.io/unreachable", "effect": "NoSchedule"}
DISK = {"nodeSelectorTerms": [{"matchExpressions": [{"key": "disk", "operator": "In", "values": ["fast"]}]}]}
AFFINE = {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": DISK}}}

# world: (Pod, node, the Pods on it, the reasons)
FITS = {
    "an empty node": (pod(), node("n"), [], []),
    "not reported yet": (pod(), node("n", ready=""), [], ["node(s) had not reported their status yet"]),
    "not ready": (pod(), node("n", ready="False"), [], ["node(s) were not ready"]),
    "tainted": (
        pod(),
        node("n", "Unknown", taints=[UNREACHABLE]),
        [],
        ["node(s) had untolerated taint {node.kubernetes.io/unreachable: }"],
    ),
    "tainted and tolerated": (
        pod(tolerations=[{"operator": "Exists"}]),
        node("n", "Unknown", taints=[UNREACHABLE]),
        [],
        [],
    ),
    "tolerated with the wrong value": (
        pod(tolerations=[{"key": "gpu", "value": "no"}]),
        node("n", taints=[{"key": "gpu", "value": "yes", "effect": "NoSchedule"}]),
        [],
        ["node(s) had untolerated taint {gpu: yes}"],
    ),
    "preferably not": (pod(), node("n", taints=[{"key": "gpu", "effect": "PreferNoSchedule"}]), [], []),
    "cordoned": (pod(), node("n", unschedulable=True), [], ["node(s) were unschedulable"]),
    "wrong label": (
        pod(nodeSelector={"disk": "fast"}),
        node("n", labels={"disk": "slow"}),
        [],
        ["node(s) didn't match Pod's node affinity/selector"],
    ),
    "right label": (pod(nodeSelector={"disk": "fast"}), node("n", labels={"disk": "fast"}), [], []),
    "affinity": (pod(**AFFINE), node("n", labels={"disk": "fast"}), [], []),
    "no affinity": (pod(**AFFINE), node("n"), [], ["node(s) didn't match Pod's node affinity/selector"]),
    "just enough CPU": (pod(cpu="500m"), node("n"), [pod("a", "n", cpu="1500m")], []),
    "too little CPU": (pod(cpu="501m"), node("n"), [pod("a", "n", cpu="1500m")], ["Insufficient cpu"]),
    "CPU of a Pod that has ended": (pod(cpu="2"), node("n"), [pod("a", "n", cpu="2", phase="Succeeded")], []),
    "CPU of a Pod that is leaving": (
        pod(cpu="2"),
        node("n"),
        [pod("a", "n", cpu="2", gone=True)],
        ["Insufficient cpu"],
    ),
    "too little memory": (pod(memory="5Gi"), node("n"), [], ["Insufficient memory"]),
    "too many Pods": (pod(), node("n", room={"pods": "1"}), [pod("a", "n")], ["Too many pods"]),
    "port taken": (
        pod(port=80),
        node("n"),
        [pod("a", "n", port=80)],
        ["node(s) didn't have free ports for the requested pod ports"],
    ),
    "other port": (pod(port=80), node("n"), [pod("a", "n", port=81)], []),
    "everything at once": (
        pod(cpu="3", memory="5Gi"),
        node("n", unschedulable=True),
        [],
        ["node(s) were unschedulable", "Insufficient cpu", "Insufficient memory"],
    ),
}


@pytest.mark.parametrize("world", FITS, ids=str)
def test_a_node_is_refused_for_exactly_these_reasons(world):
    new, place, others, expected = FITS[world]
    assert [reason.text for reason in reasons(new, Place(place, tuple(others)))] == expected


def test_an_init_container_may_be_the_greediest():
    greedy = {"name": "i", "resources": {"requests": {"cpu": "2"}}}
    assert requests(pod(cpu="500m", initContainers=[greedy]))["cpu"] == 2


# world: (Pod, the Pods that are placed, the node it goes to)
CHOICES = {
    "all empty: the first": (pod(), [], "node-1"),
    "away from its siblings": (
        pod(owner="rs"),
        [pod("a", "node-1", owner="rs"), pod("b", "node-2", owner="rs")],
        "node-3",
    ),
    "siblings count more than load": (
        pod(owner="rs"),
        [pod("a", "node-1", owner="rs"), pod("b", "node-2", owner="rs"), pod("c", "node-3", cpu="1900m")],
        "node-3",
    ),
    "away from Pods of the same Service": (
        pod(labels={"app": "web"}),
        [pod("a", "node-1", labels={"app": "web"}), pod("b", "node-3", labels={"app": "web"})],
        "node-2",
    ),
    "a sibling that is leaving does not count": (
        pod(owner="rs"),
        [pod("a", "node-1", owner="rs", gone=True), *(pod(n, n, owner="rs") for n in ("node-2", "node-3"))],
        "node-1",
    ),
    "where least is asked for": (pod(), [pod("a", "node-1", cpu="1"), pod("b", "node-2", cpu="500m")], "node-3"),
}


@pytest.mark.parametrize("world", CHOICES, ids=str)
def test_a_pod_goes_to_the_best_node(world):
    new, placed, expected = CHOICES[world]
    assert plan(new, THREE, placed, [svc(app="web")]).node == expected


def test_the_message_counts_reasons_as_upstream_does_and_adds_the_numbers():
    nodes = [node("node-1", "Unknown", taints=[UNREACHABLE]), node("node-2"), node("node-3")]
    decision = plan(pod(cpu="4"), nodes, [pod("a", "node-3", cpu="500m")])
    assert decision.node == ""
    assert decision.because == (
        "0/3 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/unreachable: }, "
        "3 Insufficient cpu. node-1: node(s) had untolerated taint {node.kubernetes.io/unreachable: }, "
        "Insufficient cpu (wants 4, 2 of 2 free); "
        "node-2: Insufficient cpu (wants 4, 2 of 2 free); node-3: Insufficient cpu (wants 4, 1500m of 2 free)."
    )
    assert plan(pod(), [], []).because == "0/0 nodes are available: no nodes available to schedule pods."


def test_a_burst_spreads_evenly_when_each_decision_counts_at_once():
    placed: list[Pod] = []
    for number in range(9):
        new = pod(f"web-{number}", owner="rs")
        new.spec.nodeName = plan(new, THREE, placed).node
        placed.append(new)
    names = [each.spec.nodeName for each in placed]
    assert {name: names.count(name) for name in names} == {"node-1": 3, "node-2": 3, "node-3": 3}


some_pods = st.lists(
    st.builds(
        lambda n, on, cpu, owner: pod(f"web-{n}", on, cpu=cpu, owner=owner),
        st.integers(1, 20),
        st.sampled_from(["node-1", "node-2", "node-3"]),
        st.sampled_from([None, "100m", "1"]),
        st.sampled_from([None, "rs", "other"]),
    ),
    max_size=12,
    unique_by=lambda each: each.metadata.name,
)


@given(some_pods, st.permutations(THREE), st.randoms(use_true_random=False), st.sampled_from(["100m", "1", "3"]))
def test_the_order_of_listing_makes_no_difference_and_nothing_is_overcommitted(placed, nodes, chance, cpu):
    new = pod(cpu=cpu, owner="rs")
    decision = plan(new, THREE, placed)
    shuffled = list(placed)
    chance.shuffle(shuffled)
    assert plan(new, nodes, shuffled) == decision
    for name in [decision.node] if decision.node else []:
        asked = sum(
            requests(each).get("cpu", 0) for each in [*placed, new] if each is new or each.spec.nodeName == name
        )
        assert asked <= 2
    assert bool(decision.node) == any(not found for found in decision.reasons.values())
