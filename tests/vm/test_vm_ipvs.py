"""The proxy in IPVS mode under real packets: the same expectations as of its rules, word for word, and IPVS' own."""

import time
from collections import Counter
from typing import Any

import pytest
import test_proxy_kernel as rules
from support.proxynet import ns, talk

from minik8s.host import namespaces, netlink
from minik8s.nft.kernel import Nftables
from minik8s.proxy import ipvs
from minik8s.proxy.layout import IPV4
from minik8s.proxy.virtual.plan import Action, Key, Real, Virtual

WEB = Key("tcp", "10.96.0.5", 80)
B, C = ("10.244.1.3", 8080), ("10.244.2.2", 8080)

# Taken over as they are: with the fixture `net` of this folder, the proxies are in IPVS mode.
test_a_pod_reaches_every_endpoint = rules.test_a_pod_reaches_every_endpoint_of_a_clusterip_and_keeps_its_address
test_a_pod_reaches_itself_through_its_service = rules.test_a_pod_reaches_itself_through_its_service
test_a_node_port_from_outside = rules.test_a_node_port_answers_on_every_node_from_outside
test_a_node_port_from_pods_and_the_node = rules.test_a_node_port_answers_pods_and_the_node_but_not_on_loopback
test_policy_local_keeps_the_clients_address = rules.test_policy_local_keeps_the_clients_address
test_without_endpoints_refused_at_once = rules.test_a_service_without_endpoints_refuses_at_once
test_udp_without_endpoints_refused = rules.test_udp_to_a_service_without_endpoints_is_refused_too
test_a_port_that_no_service_has = rules.test_a_port_that_no_service_has_is_refused
test_open_connections_survive = rules.test_open_connections_survive_changes_and_a_restart_of_the_proxy
test_a_remembered_client_stays = rules.test_a_remembered_client_stays_over_changes_and_a_restart_of_the_proxy
test_prefer_same_node = rules.test_prefer_same_node_uses_the_nodes_own_and_falls_back_to_all
test_udp_clients_move_on = rules.test_udp_clients_of_a_vanished_endpoint_move_on_and_only_they
test_a_udp_client_before_the_service = (
    rules.test_a_udp_client_that_asked_before_the_service_existed_is_served_afterwards
)
test_tables_of_others_are_never_touched = rules.test_tables_of_others_are_never_touched
test_a_deleted_table_comes_back = rules.test_a_table_deleted_by_someone_is_whole_again_after_the_next_change


# --- What is IPVS' own ------------------------------------------------------------------------------------------------


def listing(place: str = "n1") -> dict[Key, Virtual]:
    """The kernel's virtual services."""
    return namespaces.in_ns(ns(place), lambda: ipvs.observe(IPV4))[0].virtuals


def test_it_is_ipvs_that_chooses_and_no_rule(net: Any) -> None:
    net.apply("web", "10.96.0.5", "b c", node_port=30080)
    found = listing()
    assert {str(key) for key in found if key.protocol == "tcp"} == {
        "tcp 10.96.0.5:80",
        "tcp 192.168.56.11:30080",
        "tcp 10.244.1.1:30080",
    }
    assert found[WEB].reals == {B: Real(), C: Real()}
    assert "dnat" not in rules.listing(namespaces.in_ns(ns("n1"), Nftables), "ip minik8s")
    assert "10.96.0.5/32" in namespaces.in_ns(ns("n1"), lambda: netlink.addresses("kube-ipvs0"))


def test_connections_go_round(net: Any) -> None:
    net.apply("web", "10.96.0.5", "a b c")
    counts = Counter(net.ask("n1", "10.96.0.5").split()[0] for _ in range(30))
    assert counts == {"a": 10, "b": 10, "c": 10}


def test_a_node_reaches_a_clusterip_and_its_own_address_is_seen(net: Any) -> None:
    """Its packets begin with the ClusterIP itself as their source, which is a local address: it must be replaced."""
    net.apply("web", "10.96.0.5", "c")
    assert net.ask("n1", "10.96.0.5") == "c 192.168.56.11"
    assert net.ask("n2", "10.96.0.5") == "c 10.244.2.1"


def test_a_refusal_does_not_wait_where_the_last_endpoint_left_connections_behind(net: Any) -> None:
    net.apply("web", "10.96.0.5", "b", node_port=30080)
    with net.tcp("a", "10.96.0.5", 80) as sock:
        assert talk(sock) == "b 10.244.1.2"
        net.apply("web", "10.96.0.5", "b!", node_port=30080)
        assert listing()[WEB].reals[B].weight == 0
        began = time.monotonic()
        for place, address, port in (("a", "10.96.0.5", 80), ("n1", "10.96.0.5", 80), ("lan", "192.168.56.11", 30080)):
            with pytest.raises(ConnectionRefusedError):
                net.ask(place, address, port)
        assert time.monotonic() - began < 2.0
        assert talk(sock) == "b 10.244.1.2"


def test_a_server_that_is_left_keeps_its_connections_and_gets_no_new_one(net: Any) -> None:
    net.apply("web", "10.96.0.5", "b")
    with net.tcp("a", "10.96.0.5", 80) as sock:
        assert talk(sock) == "b 10.244.1.2"
        net.apply("web", "10.96.0.5", "c")
        net.look()
        assert {net.ask("a", "10.96.0.5") for _ in range(4)} == {"c 10.244.1.2"}
        assert talk(sock) == "b 10.244.1.2"
        assert listing()[WEB].reals[B] == Real(0, active=1)
        net.apply("web")
        net.look()
        assert talk(sock) == "b 10.244.1.2"
        with pytest.raises(ConnectionRefusedError):
            net.ask("a", "10.96.0.5")
    net.look()
    assert listing() == {}


def test_a_drained_server_is_taken_away_at_the_next_look(net: Any) -> None:
    net.apply("web", "10.96.0.5", "b c")
    net.apply("web", "10.96.0.5", "c")
    assert listing()[WEB].reals == {B: Real(0), C: Real()}
    net.look()
    assert listing()[WEB].reals == {C: Real()}


def test_affinity_is_kept_for_its_timeout_by_the_kernels_own_measure(net: Any) -> None:
    config = {"sessionAffinity": "ClientIP", "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 77}}}
    net.apply("web", "10.96.0.5", "a b c", **config)
    assert listing()[WEB].persistent == 77
    net.apply("web", "10.96.0.5", "a b c")
    assert listing()[WEB].persistent == 0


def test_what_someone_else_changed_is_mended_at_the_next_look_and_what_is_not_ours_stays(net: Any) -> None:
    theirs = Key("tcp", "192.168.56.11", 4433)
    net.apply("web", "10.96.0.5", "b c")

    def tamper() -> None:
        ipvs.apply(
            [
                Action("delete", "tampering", WEB),
                Action("delete", "tampering", address="10.96.0.5"),
                Action("add", "somebody else's", theirs, Virtual()),
            ]
        )

    namespaces.in_ns(ns("n1"), tamper)
    net.look()
    assert net.ask("a", "10.96.0.5").split()[0] in ("b", "c")
    assert theirs in listing()
    namespaces.in_ns(ns("n1"), lambda: ipvs.apply([Action("delete", "the test is over", theirs)]))


def test_a_node_port_follows_the_nodes_addresses(net: Any) -> None:
    net.apply("web", "10.96.0.5", "b", node_port=30080)
    namespaces.in_ns(ns("n1"), lambda: netlink.add_address("eth0", "192.168.56.91/24"))
    net.look()
    assert net.ask("lan", "192.168.56.91", 30080).split()[0] == "b"
    namespaces.in_ns(ns("n1"), lambda: netlink.delete_address("eth0", "192.168.56.91/24"))
    net.look()
    assert {key.address for key in listing() if key.port == 30080} == {"192.168.56.11", "10.244.1.1"}


def test_no_node_answers_on_the_lan_for_a_services_address(net: Any) -> None:
    """Each node has it on kube-ipvs0; without arp_ignore all of them would."""
    net.apply("web", "10.96.0.5", "b", externalIPs=["192.168.56.101"])
    assert net.ask("n1", "192.168.56.101").split()[0] == "b"
    with pytest.raises(OSError) as error:
        net.ask("lan", "192.168.56.101")
    assert not isinstance(error.value, ConnectionRefusedError)
