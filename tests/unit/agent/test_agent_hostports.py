"""Ports of the node lead to the Pods that want them, at the addresses and for the protocols that they say."""

import pytest

from minik8s.agent import masquerade
from minik8s.agent.hostports import stale, wanted
from minik8s.api import codec
from minik8s.api.pods import Pod
from minik8s.nft.flows import Flows


def pod(name: str, *ports: dict, addresses=("10.244.1.5",), phase: str = "Running", **spec) -> Pod:
    containers = [{"name": "c", "image": "x:1", "ports": [{"containerPort": 80, **each} for each in ports]}]
    status = {"phase": phase, "podIPs": [{"ip": each} for each in addresses]}
    plain = {"metadata": {"name": name, "namespace": "default"}, "spec": {"containers": containers, **spec}}
    return codec.from_dict(Pod, plain | {"status": status})


def rules(*pods: Pod, cidr: str = "10.244.1.0/24") -> list[str]:
    chain = masquerade.table(cidr, wanted(pods)).chains.get("host-ports")
    return [rule.text for rule in chain.rules] if chain else []


ANY = "fib daddr type local"
# name: (Pods, the rules of IPv4)
WORLDS = {
    "no port": ([pod("a", {})], []),
    "one": ([pod("a", {"hostPort": 8080})], [f"{ANY} tcp dport 8080 dnat to 10.244.1.5:80"]),
    "all addresses, said": (
        [pod("a", {"hostPort": 8080, "hostIP": "0.0.0.0"})],
        [f"{ANY} tcp dport 8080 dnat to 10.244.1.5:80"],
    ),
    "one port, two addresses, two protocols": (
        [
            pod("a", {"hostPort": 53, "hostIP": "127.0.0.1"}),
            pod("b", {"hostPort": 53, "hostIP": "192.168.56.11"}, addresses=["10.244.1.6"]),
            pod("c", {"hostPort": 53, "hostIP": "192.168.56.11", "protocol": "UDP"}, addresses=["10.244.1.7"]),
        ],
        [
            "ip daddr 127.0.0.1 tcp dport 53 dnat to 10.244.1.5:80",
            "ip daddr 192.168.56.11 tcp dport 53 dnat to 10.244.1.6:80",
            "ip daddr 192.168.56.11 udp dport 53 dnat to 10.244.1.7:80",
        ],
    ),
    "of one address before all": (
        [
            pod("a", {"hostPort": 8080}),
            pod("b", {"hostPort": 8080, "hostIP": "192.168.56.11"}, addresses=["10.244.1.6"]),
        ],
        ["ip daddr 192.168.56.11 tcp dport 8080 dnat to 10.244.1.6:80", f"{ANY} tcp dport 8080 dnat to 10.244.1.5:80"],
    ),
    "it has no address yet": ([pod("a", {"hostPort": 8080}, addresses=[])], []),
    "it has ended": ([pod("a", {"hostPort": 8080}, phase="Failed")], []),
    "it is in the node's own network": ([pod("a", {"hostPort": 80}, hostNetwork=True)], []),
    "another family's": ([pod("a", {"hostPort": 8080, "hostIP": "fd00:56::11"})], []),
}  # fmt: skip


@pytest.mark.parametrize("world", WORLDS, ids=str)
def test_a_world_has_exactly_these_rules(world):
    pods, expected = WORLDS[world]
    assert rules(*pods) == expected
    assert rules(*reversed(pods)) == expected


def test_a_pod_with_two_addresses_has_its_port_in_both_families():
    both = pod("a", {"hostPort": 8080}, addresses=["10.244.1.5", "fd00:244:0:1::5"])
    assert rules(both, cidr="fd00:244:0:1::/64") == [f"{ANY} tcp dport 8080 dnat to [fd00:244:0:1::5]:80"]
    assert rules(both) == [f"{ANY} tcp dport 8080 dnat to 10.244.1.5:80"]


def test_the_node_and_the_pod_itself_ask_under_the_nodes_address():
    text = masquerade.table("10.244.1.0/24", wanted([pod("a", {"hostPort": 8080})])).text()
    assert "ct status dnat ip saddr 127.0.0.0/8 masquerade" in text
    assert "ct status dnat ip saddr 10.244.1.5 ip daddr 10.244.1.5 masquerade" in text


def test_no_pod_gets_at_the_nodes_own_127_0_0_1():
    text = masquerade.table("10.244.1.0/24", wanted([pod("a", {"hostPort": 8080})])).text()
    assert 'iifname "cni0" ip daddr 127.0.0.0/8 drop' in text


def test_without_host_ports_the_table_is_the_way_out_alone():
    assert set(masquerade.table("10.244.1.0/24").chains) == {"nat-postrouting"}


A = pod("a", {"hostPort": 53, "protocol": "UDP"})
MOVED = pod("a", {"hostPort": 53, "protocol": "UDP"}, addresses=["10.244.1.6"])
SIX = pod("six", {"hostPort": 54, "hostIP": "fd00:56::11"}, addresses=["10.244.1.7", "fd00:244:0:1::7"])
CHANGES = {
    "nothing changes": (A, A, []),
    "the Pod goes": (A, None, [Flows("udp", "10.244.1.5", 80)]),
    "what went to the node so far": (None, A, [Flows("udp", "0.0.0.0", 53)]),
    "another Pod": (A, MOVED, [Flows("udp", "0.0.0.0", 53), Flows("udp", "10.244.1.5", 80)]),
    "one address": (None, SIX, [Flows("tcp", "fd00:56::11", 54)]),
}


@pytest.mark.parametrize("name", CHANGES)
def test_connections_begun_by_other_rules_are_forgotten(name):
    before, after, expected = CHANGES[name]
    assert stale(*(wanted([each] if each else []) for each in (before, after))) == expected
