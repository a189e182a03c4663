"""Pod ranges, garbage, namespaces, the system's own Services, and which controllers run."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from played_api import LONG_AGO, PlayedApi, node, pod, replicaset, words

from minik8s.api import codec
from minik8s.api.core import ConfigMap, Endpoints, Namespace, Node, Pod, Service, ServiceAccount
from minik8s.api.discovery import EndpointSlice
from minik8s.api.meta import owner_of
from minik8s.controllers.actions import Delete, Tell
from minik8s.controllers.garbage import plan as garbage
from minik8s.controllers.garbage.graph import Graph
from minik8s.controllers.main import CONTROLLERS, chosen, lease_of
from minik8s.controllers.namespaces.plan import Finalize, plan_end
from minik8s.controllers.namespaces.plan import plan as plan_namespace
from minik8s.controllers.nodeipam.plan import Range
from minik8s.controllers.nodeipam.plan import plan as plan_ranges
from minik8s.controllers.system import plan as system

V4 = (Range("10.244.0.0/16", 24),)

# --- Pod ranges ----------------------------------------------------------------------------------------------

NODES = {
    "by number": (["node-2", "node-1"], {"node-1": "10.244.1.0/24", "node-2": "10.244.2.0/24"}),
    "by the first free": (["worker", "master"], {"master": "10.244.1.0/24", "worker": "10.244.2.0/24"}),
    "number taken": (["node-1", "other-1"], {"node-1": "10.244.1.0/24", "other-1": "10.244.2.0/24"}),
    "number too big": (["node-300"], {"node-300": "10.244.1.0/24"}),
}


@pytest.mark.parametrize("case", NODES, ids=str)
def test_each_node_gets_the_range_of_its_number_or_the_first_free(case):
    names, expected = NODES[case]
    api = PlayedApi(*map(node, names))
    api.apply(plan_ranges(api.all(Node), V4))
    assert {each.metadata.name: each.spec.podCIDR for each in api.all(Node)} == expected
    assert plan_ranges(api.all(Node), V4) == []


def test_both_families_get_the_same_index():
    api = PlayedApi(node("node-3"))
    api.apply(plan_ranges(api.all(Node), (*V4, Range("fd00:244::/48", 64))))
    assert api.all(Node)[0].spec.podCIDRs == ["10.244.3.0/24", "fd00:244:0:3::/64"]


def test_a_node_without_a_free_range_is_told_so():
    actions = plan_ranges([node("a-1", podCIDR="10.9.0.0/24"), node("a-2")], [Range("10.9.0.0/24", 24)])
    assert [(each.reason, each.about.metadata.name) for each in actions if isinstance(each, Tell)] == [
        ("CIDRNotAvailable", "a-2")
    ]


@given(st.lists(st.sampled_from([f"node-{n}" for n in range(9)]), unique=True), st.integers(0, 9))
def test_no_two_nodes_share_a_range_whenever_they_come(names, first):
    api = PlayedApi(*map(node, names[:first]))
    api.apply(plan_ranges(api.all(Node), V4))
    before = {each.metadata.name: each.spec.podCIDR for each in api.all(Node)}
    for name in names[first:]:
        api.add(node(name))
    api.apply(plan_ranges(api.all(Node), V4))
    after = {each.metadata.name: each.spec.podCIDR for each in api.all(Node)}
    assert len(set(after.values())) == len(names) and before.items() <= after.items()


# --- Garbage -------------------------------------------------------------------------------------------------


def child(name: str = "web-1", owners=None, **fields) -> Pod:
    each = pod(name, **fields)
    for owner in owners or [replicaset(1)]:
        each.metadata.ownerReferences.append(owner_of(owner))
    return each


def dying(obj, finalizer: str):
    obj.metadata.deletionTimestamp, obj.metadata.finalizers = LONG_AGO, [finalizer]
    return obj


def test_an_object_goes_only_when_all_its_owners_are_gone():
    other = replicaset(1)
    other.metadata.uid, other.metadata.name = "uid-other", "other"
    each = child(owners=[replicaset(1), other])
    assert garbage.plan(each, [], []) == []
    (kept,) = garbage.plan(each, [], ["uid-rs"])
    assert [ref["uid"] for ref in kept.patch["metadata"]["ownerReferences"]] == ["uid-other"]
    (gone,) = garbage.plan(each, [], ["uid-rs", "uid-other"])
    assert isinstance(gone, Delete) and gone.propagation == "Background"


def test_an_object_without_owners_or_already_going_is_left_alone():
    assert garbage.plan(pod("web-1"), [], []) == []
    assert garbage.plan(child(gone=True), [], ["uid-rs"]) == []


def test_a_foreground_deletion_deletes_children_and_waits_for_those_that_block():
    owner = dying(replicaset(1), "foregroundDeletion")
    assert words(garbage.plan(owner, [child("web-1"), child("web-2", gone=True)], [])) == ["delete pods web-1"]
    assert words(garbage.plan(owner, [child("web-2", gone=True)], [])) == []
    (release,) = garbage.plan(owner, [], [])
    assert release.patch["metadata"]["finalizers"] is None


def test_an_orphaning_deletion_sets_children_free_first():
    owner = dying(replicaset(1), "orphan")
    free, release = garbage.plan(owner, [child("web-1")], [])
    assert free.patch["metadata"]["ownerReferences"] is None and release.target is owner


def test_the_graph_names_whom_a_change_concerns():
    graph, owner = Graph(), replicaset(1)
    each = child("web-1")
    graph.update(None, owner)
    assert graph.update(None, each) == [each]
    assert graph.dependents("uid-rs") == [each]
    assert graph.update(owner, None) == [each]
    owner = dying(replicaset(1), "foregroundDeletion")
    graph.update(None, owner), graph.update(None, each)
    assert graph.update(each, None) == [owner]


def test_pods_of_a_node_that_is_gone_go_at_once_and_others_stay():
    pods = [pod("web-1", node="node-9"), pod("web-2"), pod("web-3", node="", gone=True), pod("web-4", node="")]
    actions = garbage.plan_pods(pods, {"node-9"})
    assert [(each.target.metadata.name, each.grace) for each in actions] == [("web-1", 0), ("web-3", 0)]


# --- Namespaces ----------------------------------------------------------------------------------------------


def room(going: bool = False) -> Namespace:
    each = codec.from_dict(Namespace, {"metadata": {"name": "shop"}, "spec": {"finalizers": ["kubernetes"]}})
    each.metadata.deletionTimestamp = LONG_AGO if going else None
    return each


def test_a_living_namespace_gets_a_default_account_and_the_authority():
    made = plan_namespace(room(), None, None, "PEM")
    assert words(made) == ["create serviceaccounts default", "create configmaps kube-root-ca.crt"]
    root = made[1].obj
    assert root.data == {"ca.crt": "PEM"}
    assert plan_namespace(room(), ServiceAccount(), root, "PEM") == [] == plan_namespace(room(True), None, None, "PEM")


def test_the_authority_is_put_back_as_it_is():
    root = codec.from_dict(ConfigMap, {"metadata": {"name": "kube-root-ca.crt"}, "data": {"ca.crt": "OLD", "x": "y"}})
    (patch,) = plan_namespace(room(), ServiceAccount(), root, "NEW")
    assert patch.patch == {"data": {"ca.crt": "NEW", "x": None}}
    assert plan_namespace(room(), ServiceAccount(), None, "") == []  # an API server without TLS has none


def test_a_dying_namespace_is_emptied_and_says_what_it_waits_for():
    content = [pod("web-2", gone=True), pod("web-1"), codec.from_dict(ConfigMap, {"metadata": {"name": "a"}})]
    actions = plan_end(room(going=True), content, 0.0)
    assert words(actions) == ["delete configmaps a", "delete pods web-1", "patch namespaces/status shop"]
    (told,) = actions[-1].patch["status"]["conditions"]
    assert (
        told["message"]
        == "Some resources are remaining: configmaps has 1 resource instances, pods has 2 resource instances"
    )


def test_an_empty_dying_namespace_is_let_go_once():
    (last,) = plan_end(room(going=True), [], 0.0)
    assert isinstance(last, Finalize)
    done = room(going=True)
    done.spec.finalizers = []
    assert plan_end(done, [], 0.0) == []


# --- The system's own Services -------------------------------------------------------------------------------


def system_objects(api: PlayedApi) -> list:
    return [*api.all(Service), *api.all(EndpointSlice), *api.all(Endpoints)]


def test_the_system_services_are_made_once_and_put_back_when_changed():
    api = PlayedApi()
    api.apply(system.plan([]))
    assert system.plan(system_objects(api)) == []
    dns = api.get(Service, "kube-system/kube-dns")
    assert (dns.spec.clusterIP, dns.spec.trafficDistribution) == ("10.96.0.10", "PreferSameNode")
    assert [(port.name, port.port, port.targetPort, port.protocol) for port in dns.spec.ports] == [
        ("dns", 53, 10053, "UDP"),
        ("dns-tcp", 53, 10053, "TCP"),
    ]
    dns.metadata.labels, dns.spec.ports = {"mine": "too"}, []
    api.apply(system.plan(system_objects(api)))
    dns = api.get(Service, "kube-system/kube-dns")
    assert dns.metadata.labels["mine"] == "too" and dns.metadata.labels["k8s-app"] == "kube-dns"
    assert len(dns.spec.ports) == 2 and system.plan(system_objects(api)) == []


# --- Which controllers run -----------------------------------------------------------------------------------


def test_what_upstreams_program_leaves_to_others_runs_beside_it():
    for text in ("*", "*,-system", "endpoints", "system,endpoints"):
        assert lease_of(chosen(text)) == "kube-controller-manager"
    for text in ("system,loadbalancers", "loadbalancers"):
        assert lease_of(chosen(text)) == "minik8s-controllers"


def test_controllers_are_chosen_as_upstream_writes_it():
    assert chosen("*") == list(CONTROLLERS)
    assert chosen("*,-endpoints") == [name for name in CONTROLLERS if name != "endpoints"]
    assert chosen("endpoints, nodes") == ["endpoints", "nodes"]
    with pytest.raises(ValueError, match="no controller typo; there are deployments"):
        chosen("*,-typo")
