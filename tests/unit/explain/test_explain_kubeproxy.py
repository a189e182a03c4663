"""What kube-proxy would write: the same names, hashes and rules as upstream's own tests expect of it."""

import pytest

from minik8s.api import codec, core
from minik8s.explain import kubeproxy
from minik8s.explain.kubeproxy import Backend, Port


def service(**spec) -> core.Service:
    ingress = [{"ip": each} for each in spec.pop("balancers", [])]
    return codec.from_dict(
        core.Service,
        {
            "metadata": {"name": "svc1", "namespace": "ns1"},
            "spec": spec,
            "status": {"loadBalancer": {"ingress": ingress}},
        },
    )


def lines(obj: core.Service, *backends: Backend, node_port: int = 0, cluster_ip: str = "172.30.0.41") -> list[str]:
    port = Port("p80", "tcp", cluster_ip, 80, node_port, backends, ("services/ns1/svc1@7", "endpointslices/ns1/x@8"))
    return [f"{each.where}: {each.text}" for each in kubeproxy.told(obj, [port])]


ONE = Backend("10.180.0.1", 80)
HERE = Backend("10.180.0.2", 80, local=True)
SERVICE, EXTERNAL = "service-ULMVA6XW-ns1/svc1/tcp/p80", "external-ULMVA6XW-ns1/svc1/tcp/p80"
FIRST = "5OJB2KTY-ns1/svc1/tcp/p80__10.180.0.1/80"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ns1/svc1/tcp/p80", "ULMVA6XW"),
        ("ns2/svc2/tcp/p80", "42NFTM6N"),
        ("ns4/svc4/tcp/p80", "LAUZTJTB"),
        ("ns1/svc1/tcp/p80__10.180.0.1/80", "5OJB2KTY"),
        ("ns2/svc2/tcp/p80__10.180.0.2/80", "SGOXE6O3"),
        ("ns5/svc5/tcp/p80__10.180.0.3/80", "GTK6MW7G"),
    ],
)
def test_names_carry_the_hashes_of_upstreams_own_tests(name, expected):
    assert kubeproxy.hashed(name) == f"{expected}-{name}"


def test_a_cluster_ip_with_one_endpoint():
    assert lines(service(), ONE) == [
        "set cluster-ips: 172.30.0.41",
        f"map service-ips: 172.30.0.41 . tcp . 80 : goto {SERVICE}",
        f"chain {SERVICE}: ip daddr 172.30.0.41 ip saddr != 10.244.0.0/16 jump mark-for-masquerade",
        f"chain {SERVICE}: numgen random mod 1 vmap {{ 0 : goto endpoint-{FIRST} }}",
        f"chain endpoint-{FIRST}: ip saddr 10.180.0.1 jump mark-for-masquerade",
        f"chain endpoint-{FIRST}: meta l4proto tcp dnat to 10.180.0.1:80",
    ]


def test_without_endpoints_every_way_in_is_rejected():
    obj = service(type="LoadBalancer", externalIPs=["192.168.99.11"], balancers=["1.2.3.4"])
    assert lines(obj, node_port=3001) == [
        "set cluster-ips: 172.30.0.41",
        'map no-endpoint-services: 172.30.0.41 . tcp . 80 comment "ns1/svc1:p80" : goto reject-chain',
        'map no-endpoint-services: 192.168.99.11 . tcp . 80 comment "ns1/svc1:p80" : goto reject-chain',
        'map no-endpoint-services: 1.2.3.4 . tcp . 80 comment "ns1/svc1:p80" : goto reject-chain',
        'map no-endpoint-nodeports: tcp . 3001 comment "ns1/svc1:p80" : goto reject-chain',
    ]


def test_policy_local_without_an_endpoint_here_stands_in_both_maps_and_drops():
    found = lines(service(type="NodePort", externalTrafficPolicy="Local"), ONE, node_port=3001)
    assert f"map service-nodeports: tcp . 3001 : goto {EXTERNAL}" in found
    assert 'map no-endpoint-nodeports: tcp . 3001 comment "ns1/svc1:p80" : drop' in found
    assert [line for line in found if line.startswith(f"chain {EXTERNAL}")] == [
        f"chain {EXTERNAL}: ip saddr 10.244.0.0/16 goto {SERVICE}",
        f"chain {EXTERNAL}: fib saddr type local jump mark-for-masquerade",
        f"chain {EXTERNAL}: fib saddr type local goto {SERVICE}",
    ]


def test_policy_local_with_an_endpoint_here_ends_in_a_chain_of_its_own():
    found = lines(service(type="NodePort", externalTrafficPolicy="Local"), ONE, HERE, node_port=3001)
    local = "local-ULMVA6XW-ns1/svc1/tcp/p80"
    assert f"chain {EXTERNAL}: goto {local}" in found
    dice = [line for line in found if line.startswith(f"chain {local}")]
    assert [line.partition(" vmap ")[0] for line in dice] == [f"chain {local}: numgen random mod 1"]
    assert "10.180.0.2/80 }" in dice[0]


def test_internal_policy_local_without_node_port_names_only_endpoints_of_this_node():
    found = lines(service(internalTrafficPolicy="Local"), ONE, HERE)
    assert not [line for line in found if "10.180.0.1" in line]
    assert "map service-ips: 172.30.0.41 . tcp . 80 : goto local-ULMVA6XW-ns1/svc1/tcp/p80" in found


def test_affinity_is_asked_before_the_dice_and_renewed_before_the_translation():
    found = lines(service(sessionAffinity="ClientIP"), ONE)
    asked = f"chain {SERVICE}: ip saddr @affinity-{FIRST} goto endpoint-{FIRST}"
    assert found.index(asked) < found.index(
        f"chain {SERVICE}: numgen random mod 1 vmap {{ 0 : goto endpoint-{FIRST} }}"
    )
    renewed = f"chain endpoint-{FIRST}: update @affinity-{FIRST} {{ ip saddr }}"
    assert found.index(renewed) < found.index(f"chain endpoint-{FIRST}: meta l4proto tcp dnat to 10.180.0.1:80")


def test_source_ranges_guard_the_balancers_address_alone():
    obj = service(type="LoadBalancer", balancers=["5.6.7.8"], loadBalancerSourceRanges=["203.0.113.0/25"])
    name = "firewall-ULMVA6XW-ns1/svc1/tcp/p80"
    assert lines(obj, ONE)[-2:] == [
        f"map firewall-ips: 5.6.7.8 . tcp . 80 : goto {name}",
        f"chain {name}: ip saddr != {{ 203.0.113.0/25 }} drop",
    ]


def test_ipv6_is_written_in_its_own_words():
    found = lines(service(), Backend("fd00:244:1::5", 8080), cluster_ip="fd00:96::7")
    assert "ip6 daddr fd00:96::7 ip6 saddr != fd00:244::/48 jump mark-for-masquerade" in found[2]
    assert "p80__fd00.244.1..5/8080: ip6 saddr fd00:244:1::5" in found[-2]
    assert found[-1].endswith("dnat to [fd00:244:1::5]:8080")
