"""kube-proxy's rules as we tell them: the kernel takes every one of them, and lists what we said."""

import os
from collections.abc import Iterator

import pytest

from minik8s.api import codec, core
from minik8s.explain import kubeproxy
from minik8s.explain.kubeproxy import Backend, Port
from minik8s.explain.rules import Told
from minik8s.host import namespaces
from minik8s.nft.kernel import Nftables, listing

pytestmark = pytest.mark.system
NAMESPACE = f"mk8s-t-kubeproxy{os.getpid()}"
# What all Services share in kube-proxy's table, as far as these rules name it.
FRAME = """table {ip} kube-proxy {{
	set cluster-ips {{ type {address}; }}
	map service-ips {{ type {address} . inet_proto . inet_service : verdict; }}
	map no-endpoint-services {{ type {address} . inet_proto . inet_service : verdict; }}
	map firewall-ips {{ type {address} . inet_proto . inet_service : verdict; }}
	map service-nodeports {{ type inet_proto . inet_service : verdict; }}
	map no-endpoint-nodeports {{ type inet_proto . inet_service : verdict; }}
	chain mark-for-masquerade {{ meta mark set meta mark | 0x4000; }}
	chain reject-chain {{ reject; }}
	chain nat-prerouting {{ type nat hook prerouting priority -100; }}
}}
"""
FULL = {
    "type": "LoadBalancer",
    "externalTrafficPolicy": "Local",
    "sessionAffinity": "ClientIP",
    "loadBalancerSourceRanges": ["198.51.100.0/24", "203.0.113.0/25", "fd01::/64", "fd03::/64"],
}


@pytest.fixture(scope="module")
def space() -> Iterator[str]:
    namespaces.create(NAMESPACE)
    yield NAMESPACE
    namespaces.delete(NAMESPACE)


@pytest.mark.parametrize(
    ("address", "cluster_ip", "balancer", "backends"),
    [
        ("ipv4_addr", "172.30.0.41", "1.2.3.4", (Backend("10.244.1.2", 80, local=True), Backend("10.244.2.2", 80))),
        (
            "ipv6_addr",
            "fd00:96::7",
            "fd02::4",
            (Backend("fd00:244:1::2", 80, local=True), Backend("fd00:244:2::2", 80)),
        ),
    ],
)
def test_the_kernel_takes_kube_proxys_words(space, address, cluster_ip, balancer, backends):
    obj = codec.from_dict(
        core.Service,
        {
            "metadata": {"name": "web", "namespace": "default"},
            "spec": FULL,
            "status": {"loadBalancer": {"ingress": [{"ip": balancer}]}},
        },
    )
    port = Port("http", "tcp", cluster_ip, 80, 30007, backends, ("services/default/web@1",))
    told = kubeproxy.told(obj, [port])
    listed = namespaces.in_ns(space, lambda: _loaded(port.ip, address, told))
    rules = [line for line in told if line.where.startswith("chain ") and "numgen" not in line.text]
    assert len(rules) == 15
    assert not [line.text for line in rules if line.text not in listed]
    assert "numgen random mod 2 vmap" in listed


def _loaded(ip: str, address: str, told: list[Told]) -> str:
    nft = Nftables()
    try:
        frame = FRAME.format(ip=ip, address=address)
        nft.run("\n".join([frame, *_commands(ip, address, told)]))
        return listing(nft, f"{ip} kube-proxy")
    finally:
        nft.close()


def _commands(ip: str, address: str, told: list[Told]) -> list[str]:
    """The lines as `nft` reads them: first what they name, then rules, then elements."""
    chains = dict.fromkeys(line.where for line in told if line.where.startswith("chain "))
    affinity = [line.text.split("@")[1].split()[0] for line in told if line.text.startswith("update @")]
    return [
        *(
            f"add set {ip} kube-proxy {name} {{ type {address}; flags dynamic,timeout; timeout 3h; }}"
            for name in affinity
        ),
        *(f"add chain {ip} kube-proxy {where.removeprefix('chain ')}" for where in chains),
        *(f"add rule {ip} kube-proxy {line.where.split()[1]} {line.text}" for line in told if line.where in chains),
        *(
            f"add element {ip} kube-proxy {line.where.split()[1]} {{ {line.text} }}"
            for line in told
            if line.where not in chains
        ),
    ]
