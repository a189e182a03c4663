"""Who announces a load balancer's address: one line for a world of nodes, endpoints, Leases and the clock."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minik8s.api.codec import from_dict
from minik8s.api.core import Node, Service
from minik8s.api.discovery import EndpointSlice
from minik8s.proxy.election import STEP_S, Me, Seen, Wanted, in_pool, plan, wanted

A, B, C = "192.168.56.200", "192.168.56.201", "192.168.56.202"
NODES = ("node-1", "node-2", "node-3")
NOW, DURATION = 100.0, 4.0


def want(address=A, nodes=NODES, **more) -> Wanted:
    return Wanted(address, "default/web", tuple(nodes), **more)


def held(by: str, age: float = 0.0, before: str = "") -> Seen:
    return Seen(by, NOW - age, DURATION, before)


def acts(node, wants, leases, renewed=None, now=NOW) -> list[str]:
    me = Me(node, renewed or {}, now, 1.0)
    return [f"{each.verb} {each.address}: {each.because}" for each in plan(me, wants, leases)[0]]


# who looks, what is wanted, the Leases, → what it does
WORLDS = {
    "nobody had it: the first takes it": ("node-1", [want()], {}, [f"take {A}: nobody announced it"]),
    "nobody had it: the second waits": ("node-2", [want()], {A: Seen(since=NOW)}, []),
    "the first is dead: the second takes it a moment later": (
        "node-2", [want()], {A: Seen(since=NOW - STEP_S)}, [f"take {A}: nobody announced it"]),
    "another holds it": ("node-2", [want()], {A: held("node-1", 3.9)}, []),
    "the holder was lost": (
        "node-2", [want()], {A: held("node-1", 4.0)},
        [f"take {A}: node-1 was lost: it had not renewed its Lease for 4 s"]),
    "ours, though late: nobody was faster": ("node-1", [want()], {A: held("node-1", 4.0)}, [f"renew {A}: announcing"]),
    "the third waits for the second": ("node-3", [want()], {A: held("node-1", 4.0)}, []),
    "given back": ("node-2", [want()], {A: Seen("", NOW, DURATION, "node-1")}, [f"take {A}: node-1 gave it back"]),
    "whoever gave it back waits": ("node-1", [want()], {A: Seen("", NOW, DURATION, "node-1")}, []),
    "ours, not due": ("node-1", [want()], {A: held("node-1")}, []),
    "ours, no Service has it": ("node-1", [], {A: held("node-1")}, [f"release {A}: no Service has {A} any more"]),
    "not ours, no Service has it": ("node-2", [], {A: held("node-1", 9)}, []),
    "not a candidate": ("node-3", [want(nodes=NODES[:2])], {}, []),
    "ours, the endpoint went": (
        "node-1", [want(nodes=NODES[1:], local=True)], {A: held("node-1")},
        [f"release {A}: no endpoint of default/web is ready on node-1"]),
    "ours, the node is not ready": (
        "node-1", [want(nodes=NODES[1:])], {A: held("node-1")}, [f"release {A}: node-1 is not ready"]),
    "ours, and nobody could have it": ("node-1", [want(nodes=())], {A: held("node-1")}, []),
    "the least burdened takes it": (
        "node-3", [want(A), want(B), want(C)], {A: held("node-1"), B: held("node-2")},
        [f"take {C}: nobody announced it"]),
    "two at once are spread": ("node-2", [want(A), want(B)], {}, [f"take {B}: nobody announced it"]),
    "a healed node does not fight": ("node-1", [want()], {A: held("node-2", 0.5, "node-1")}, []),
}  # fmt: skip


@pytest.mark.parametrize("case", WORLDS, ids=str)
def test_what_a_node_does(case):
    node, wants, leases, expected = WORLDS[case]
    leases = {each.address: Seen(since=NOW) for each in wants if each.address not in leases} | leases
    renewed = {address: NOW - (1.0 if "late" in case else 0.5) for address in leases}
    assert acts(node, wants, leases, renewed) == expected


def test_all_that_is_held_is_renewed_together_as_soon_as_one_is_due():
    leases = {A: held("node-1"), B: held("node-1")}
    both = [f"renew {A}: announcing", f"renew {B}: announcing"]
    assert acts("node-1", [want(A), want(B)], leases, {A: NOW - 1, B: NOW - 0.2}) == both
    assert acts("node-1", [want(A), want(B)], leases, {A: NOW - 0.9, B: NOW - 0.2}) == []


def test_it_looks_again_when_something_is_due():
    def again(node, leases, renewed=None):
        return plan(Me(node, renewed or {}, NOW, 1.0), [want()], leases)[1]

    assert again("node-1", {A: held("node-1")}, {A: NOW - 0.25}) == NOW + 0.75
    assert again("node-2", {A: held("node-1", 1.0)}) == NOW + 3.0
    assert again("node-3", {A: held("node-1", 1.0)}) == NOW + 3.0 + STEP_S
    assert plan(Me("node-1", {}, NOW, 1.0), [], {}) == ([], None)


SEEN = st.builds(
    Seen,
    holder=st.sampled_from(["", *NODES]),
    since=st.floats(NOW - 10, NOW),
    duration=st.just(DURATION),
    before=st.sampled_from(["", *NODES]),
)


@given(st.dictionaries(st.sampled_from([A, B, C]), SEEN), st.permutations([A, B, C]), st.sets(st.sampled_from(NODES)))
def test_nobody_takes_from_a_holder_that_renews_and_the_first_in_line_is_one(leases, order, nodes):
    wants = [want(address, sorted(nodes)) for address in order]
    for address in (A, B, C):
        leases.setdefault(address, Seen(since=NOW))
    takers = {address: [] for address in order}
    for node in NODES:
        for act in plan(Me(node, dict.fromkeys(order, NOW), NOW, 1.0), wants, leases)[0]:
            if act.verb == "take":
                assert leases[act.address].free_at() <= NOW and node in nodes
                takers[act.address].append(node)
    for address in order:
        freed = leases[address].free_at()
        if NOW - STEP_S < freed <= NOW:
            assert len(takers[address]) <= 1


# --- What is wanted ---------------------------------------------------------------------------------------------------


def service(*addresses, **spec) -> Service:
    ingress = [{"ip": each, "ipMode": "VIP"} for each in addresses]
    meta = {"name": "web", "namespace": "default"}
    status = {"loadBalancer": {"ingress": ingress}}
    return from_dict(Service, {"metadata": meta, "spec": {"type": "LoadBalancer", **spec}, "status": status})


def node(name, ready="True", **labels) -> Node:
    conditions = [{"type": "Ready", "status": ready}]
    return from_dict(Node, {"metadata": {"name": name, "labels": labels}, "status": {"conditions": conditions}})


def endpoints(*places: str, family="IPv4") -> EndpointSlice:
    """`node-1`: ready there; `node-1!`: serving while it terminates; `node-1-`: neither."""
    found = []
    for text in places:
        state = {"!": {"ready": False, "serving": True, "terminating": True}, "-": {"ready": False, "serving": False}}
        found.append({"addresses": ["10.244.1.2"], "nodeName": text[:6], "conditions": state.get(text[6:], {})})
    return from_dict(EndpointSlice, {"metadata": {"name": "x"}, "addressType": family, "endpoints": found})


THREE = [node(each) for each in NODES]
LOCAL = {"externalTrafficPolicy": "Local"}
CANDIDATES = {
    "every ready node": (service(A), [], THREE, {A: NODES}),
    "not one that is not ready": (service(A), [], [node("node-1"), node("node-2", "Unknown")], {A: ("node-1",)}),
    "not one that is kept out": (
        service(A), [], [node("node-1", **{"node.kubernetes.io/exclude-from-external-load-balancers": ""}), THREE[1]],
        {A: ("node-2",)}),
    "Local: with a ready endpoint": (service(A, **LOCAL), [endpoints("node-2", "node-3-")], THREE, {A: ("node-2",)}),
    "Local: else with a serving one": (service(A, **LOCAL), [endpoints("node-2-", "node-3!")], THREE, {A: ("node-3",)}),
    "Local: no endpoint, so all refuse": (service(A, **LOCAL), [], THREE, {A: NODES}),
    "Local: each family by its own": (
        service(A, "fd00:56::200", **LOCAL), [endpoints("node-1"), endpoints("node-2", family="IPv6")], THREE,
        {A: ("node-1",), "fd00:56::200": ("node-2",)}),
    "our class": (service(A, loadBalancerClass="minik8s.io/lan"), [], THREE, {A: NODES}),
    "a foreign class": (service(A, loadBalancerClass="example.com/x"), [], THREE, {}),
    "another type": (service(A, type="NodePort"), [], THREE, {}),
    "a node's own address, written by hand": (service("192.168.56.11"), [], THREE, {}),
}  # fmt: skip


@pytest.mark.parametrize("case", CANDIDATES, ids=str)
def test_which_nodes_may_announce(case):
    one, slices, nodes, expected = CANDIDATES[case]
    assert {each.address: each.nodes for each in wanted(one, slices, nodes)} == expected


@pytest.mark.parametrize(
    ("address", "ours"),
    [(A, True), ("192.168.56.250", True), ("192.168.56.251", False), ("fd00:56::200", True), ("fd00:56::11", False)],
)
def test_the_pool_is_what_is_kept_free_for_it(address, ours):
    assert in_pool(address) is ours
