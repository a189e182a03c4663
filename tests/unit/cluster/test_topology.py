"""The network of a cluster, as described before anything is built."""

import pytest

from minik8s.cluster import topology


def test_machines_stand_where_the_address_plan_says():
    plan = topology.describe("ada", ["node-2", "node-10", "node-1"])
    assert plan.lan == "mk8s-ada-lan"
    assert plan.gateways == ("192.168.56.1/24", "fd00:56::1/64")
    assert [(m.name, m.namespace, m.addresses, m.cable) for m in plan.machines] == [
        ("control", "mk8s-ada-control", ("192.168.56.10/24", "fd00:56::10/64"), "v-control"),
        ("node-1", "mk8s-ada-node-1", ("192.168.56.11/24", "fd00:56::11/64"), "v-node-1"),
        ("node-2", "mk8s-ada-node-2", ("192.168.56.12/24", "fd00:56::12/64"), "v-node-2"),
        ("node-10", "mk8s-ada-node-10", ("192.168.56.20/24", "fd00:56::20/64"), "v-node-10"),
    ]


def test_the_ipv6_address_beside_an_ipv4_one_has_its_digits():
    assert topology.beside("192.168.56.1") == "fd00:56::1"
    assert topology.beside("192.168.56.199") == "fd00:56::199"


def test_two_clusters_differ_in_namespaces_and_in_nothing_else():
    one, two = topology.describe("one", ["node-1"]), topology.describe("two", ["node-1"])
    assert {m.namespace for m in one.machines}.isdisjoint(m.namespace for m in two.machines)
    assert [(m.addresses, m.cable) for m in one.machines] == [(m.addresses, m.cable) for m in two.machines]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mk8s-a-lan", "lan"),
        ("mk8s-a-control", "control"),
        ("mk8s-a-node-12", "node-12"),
        ("mk8s-a-b-lan", ""),  # the LAN of cluster a-b
        ("mk8s-a-node-1-lan", ""),  # the LAN of cluster a-node-1
        ("mk8s-a-node-0", ""),
        ("mk8s-ab-lan", ""),
        ("mk8s-a-", ""),
        ("lan", ""),
    ],
)
def test_only_namespaces_of_this_very_cluster_are_its_members(name, expected):
    assert topology.member("a", name) == expected


@pytest.mark.parametrize("name", ["worker", "node-0", "node-", "node-1x", ""])
def test_a_node_with_another_name_is_refused(name):
    with pytest.raises(ValueError, match="is called node-1"):
        topology.describe("a", [name])


def test_nodes_do_not_grow_into_the_load_balancers_addresses():
    assert topology.node_address("node-189") == "192.168.56.199"
    with pytest.raises(ValueError, match="load balancers"):
        topology.node_address("node-190")


def test_link_names_fit_the_kernel_and_stay_apart():
    assert topology.link_name("v-node-1") == "v-node-1"
    long = [topology.link_name(f"v-a-very-long-name-{number}") for number in range(50)]
    assert all(len(name) == 15 for name in long)
    assert len(set(long)) == 50
