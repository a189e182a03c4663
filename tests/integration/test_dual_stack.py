"""Both address families on a whole cluster: nodes, Pods, Services of every policy, names; asked for real.

Named after upstream's suite where it has the behaviour. Source: test/e2e/network/dual_stack.go of Kubernetes 1.33;
KEP-563.
"""

from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from support import stage as stages
from support.cluster import Cluster, until
from support.stage import PLACES, Stage

from minik8s import params
from minik8s.api.addresses import host_port
from minik8s.api.apps import Deployment
from minik8s.api.core import Endpoints, Node, Service
from minik8s.api.discovery import EndpointSlice
from minik8s.cluster import topology
from minik8s.host import clock

pytestmark = pytest.mark.system
NODES = ("node-1", "node-2", "node-3")
SHOP = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  replicas: 3
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: shop
        image: minik8s/toolbox:1
        command: [python3, /app/backend.py]
        env: [{name: MINE, valueFrom: {fieldRef: {fieldPath: status.podIPs}}}]
        readinessProbe: {httpGet: {path: /ready, port: 8080}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {ipFamilyPolicy: PreferDualStack, selector: {app: shop}, ports: [{port: 80, targetPort: 8080}]}
"""


BACKWARDS = "import socket, sys; print(socket.gethostbyaddr(sys.argv[1])[0])"


@pytest.fixture(scope="module")
def stage(cluster: Cluster) -> Iterator[Stage]:
    yield from stages.up(cluster, "dual")


def made(stage: Stage, name: str, **spec: Any) -> Service:
    """A Service of all backends whose rules stand on every node: whoever asks before runs into a time-out."""
    since = clock.wall()
    service = stage.service(name, **spec)
    for pod in stage.pods.values():
        for address in pod.status.podIPs:
            if ("IPv6" if ":" in address.ip else "IPv4") in service.spec.ipFamilies:
                stage.cluster.wait_rules(since, added=address.ip)
    return service


def urls(service: Service, port: int = 80) -> list[str]:
    return [f"http://{host_port(address, port)}" for address in service.spec.clusterIPs]


def test_should_have_ipv4_and_ipv6_internal_node_ip(stage: Stage) -> None:
    for number, name in enumerate(NODES, 1):
        node = stage.space.client.get(Node, name)
        told = [each.address for each in node.status.addresses if each.type == "InternalIP"]
        assert told == [f"192.168.56.{10 + number}", f"fd00:56::{10 + number}"]
        assert node.spec.podCIDRs == [f"10.244.{number}.0/24", f"fd00:244:0:{number}::/64"]
    shown = stage.cluster("get", "nodes", "-o", "wide").stdout
    assert "192.168.56.11" in shown and "fd00" not in shown, "kubectl shows the first address"


def test_should_create_pod_and_add_ipv4_and_ipv6_ip_to_pod_ips_and_host_ips(stage: Stage) -> None:
    for name, pod in stage.pods.items():
        ranges = stage.space.client.get(Node, name).spec.podCIDRs
        own = [ip_address(each.ip) for each in pod.status.podIPs]
        assert len(own) == 2 and str(own[0]) == pod.status.podIP
        assert all(address in ip_network(cidr) for address, cidr in zip(own, ranges, strict=True))
        four = topology.node_address(name)
        assert [each.ip for each in pod.status.hostIPs] == [four, topology.beside(four)]
    said = stage.space("describe", "pod", "web-2").stdout
    assert all(each.ip in said for each in stage.pods["node-2"].status.podIPs)


def test_should_be_able_to_reach_pod_on_ipv4_and_ipv6_ip(stage: Stage) -> None:
    """Across nodes too, and with the client's own address: nothing is translated between Pods."""
    for pod in stage.pods.values():
        for own, mine in zip(pod.status.podIPs, stage.client.pod.status.podIPs, strict=True):
            said = stage.ask("pod", f"http://{host_port(own.ip, 8080)}")
            client = said.get("client", "").rpartition(":")[0]  # without its port
            assert (said.get("pod"), client) == (pod.metadata.name, mine.ip)


def test_what_leaves_the_pods_for_elsewhere_finds_back_by_both_families(stage: Stage) -> None:
    """Nobody but nodes has routes to Pods: the node lends its address."""
    for address in (params.LAN_GATEWAY, topology.beside(params.LAN_GATEWAY)):
        family = "-6" if ":" in address else "-4"
        assert stage.run("pod", "busybox", "ping", family, "-c1", "-W2", address).code == 0, address


def test_a_deployment_behind_a_service_that_prefers_both_families_answers_by_both(stage: Stage) -> None:
    stage.space.apply(SHOP)
    stage.space.wait(Deployment, lambda seen: "shop" in seen and seen["shop"].status.readyReplicas == 3)
    service, pods = stage.space.get(Service, "shop"), stage.space.wait_ready("shop", 3)
    assert (service.spec.ipFamilyPolicy, service.spec.ipFamilies) == ("PreferDualStack", ["IPv4", "IPv6"])
    for address, cidr in zip(service.spec.clusterIPs, (params.SERVICE_CIDR, params.SERVICE_CIDR_V6), strict=True):
        assert ip_address(address) in ip_network(cidr)
    names = {pod.metadata.name for pod in pods}
    for place in ("pod", "node"):
        for url in urls(service):
            stage.everybody(place, url, names)
    mine = {"-4": stage.client.pod.status.podIPs[0].ip, "-6": stage.client.pod.status.podIPs[1].ip}
    for family, client in mine.items():  # by the name: A and AAAA
        done = until(lambda family=family: stage.run("pod", "curl", "-s", family, "http://shop").stdout, family)
        assert f'"client": "{client}' in done
    for address in service.spec.clusterIPs:  # and back: in-addr.arpa and ip6.arpa
        named = stage.run("pod", "python3", "-c", BACKWARDS, address).stdout
        assert named == "shop.dual.svc.cluster.local\n"
    told = stage.client.ask(f"{urls(service)[1]}/env")["MINE"].split(",")
    assert told in [[each.ip for each in pod.status.podIPs] for pod in pods]
    stage.delete(Deployment, "shop", wait=False)


def test_each_family_has_slices_of_its_own_and_endpoints_show_the_first(stage: Stage) -> None:
    stage.service("both", ipFamilies=["IPv6", "IPv4"], ipFamilyPolicy="RequireDualStack")
    pods = [[each.ip for each in pod.status.podIPs] for pod in stage.pods.values()]
    wanted = {"IPv4": {each[0] for each in pods}, "IPv6": {each[1] for each in pods}}

    def by_family(seen: dict[str, EndpointSlice]) -> dict[str, set[str]]:
        mine = [each for each in seen.values() if each.metadata.generateName == "both-"]
        return {each.addressType: {ip for one in each.endpoints for ip in one.addresses} for each in mine}

    stage.space.wait(EndpointSlice, lambda seen: by_family(seen) == wanted)
    old = stage.space.wait(Endpoints, lambda seen: "both" in seen and seen["both"].subsets)["both"]
    assert {each.ip for each in old.subsets[0].addresses} == wanted["IPv6"]
    stage.delete(Service, "both")
    stage.space.wait(EndpointSlice, lambda seen: not by_family(seen))


@pytest.mark.parametrize("families", [["IPv6"], ["IPv4", "IPv6"]], ids="+".join)
def test_the_doctor_finds_a_service_well_by_every_address_it_has(stage: Stage, families: list[str]) -> None:
    policy = "SingleStack" if len(families) == 1 else "RequireDualStack"
    service = made(stage, "well", ipFamilies=families, ipFamilyPolicy=policy, type="NodePort")
    told = stage.space("doctor", "svc/well").stdout
    assert all(address in told for address in service.spec.clusterIPs)
    assert ("[fd00:56::12]" in told) and (("192.168.56.12" in told) is ("IPv4" in families))
    stage.delete(Service, "well")


@pytest.mark.parametrize(
    ("families", "policy"),
    [
        (["IPv4"], "SingleStack"),
        (["IPv6"], "SingleStack"),
        (["IPv4", "IPv6"], "RequireDualStack"),
        (["IPv6", "IPv4"], "RequireDualStack"),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, list) else None,
)
def test_should_create_service_with_cluster_ip_of_each_family(stage: Stage, families: list[str], policy: str) -> None:
    name = "-".join(families).lower()
    service = made(stage, name, ipFamilies=families, ipFamilyPolicy=policy, type="NodePort")
    assert ["IPv6" if ":" in each else "IPv4" for each in service.spec.clusterIPs] == families
    for url in urls(service):
        stage.everybody("pod", url, stage.names)
    four = topology.node_address("node-2")
    for family, address in (("IPv4", four), ("IPv6", topology.beside(four))):
        url = f"http://{host_port(address, service.spec.ports[0].nodePort)}"
        assert bool(stage.ask("outside", url)) is (family in families)
    stage.delete(Service, name)


def test_a_service_wins_a_family_by_its_policy_and_gives_it_back(stage: Stage) -> None:
    service = made(stage, "later")
    assert (service.spec.ipFamilyPolicy, service.spec.ipFamilies) == ("SingleStack", ["IPv4"])
    service = stage.change("later", {"spec": {"ipFamilyPolicy": "PreferDualStack"}})
    for url in urls(service):
        stage.everybody("pod", url, stage.names)
    second = urls(service)[1]
    service = stage.change("later", {"spec": {"ipFamilyPolicy": "SingleStack"}})
    assert len(service.spec.clusterIPs) == 1
    until(lambda: not stage.ask("pod", second, 0.5), "the second address is nobody's any more")
    for place in PLACES[:2]:
        stage.everybody(place, urls(service)[0], stage.names)
    stage.delete(Service, "later")


def test_datagrams_reach_a_service_by_both_families(stage: Stage) -> None:
    ports = [{"name": "udp", "port": 53, "targetPort": 8080, "protocol": "UDP"}]
    service = made(stage, "udp", ports=ports, ipFamilyPolicy="RequireDualStack")
    for address in service.spec.clusterIPs:
        stage.everybody("pod", f"udp://{host_port(address, 53)}", stage.names)
    stage.delete(Service, "udp")


def test_a_slice_written_by_hand_gives_a_headless_service_an_ipv6_endpoint(stage: Stage) -> None:
    """Without selector it has both families, unasked; its owner decides which are filled."""
    own = stage.pods["node-3"].status.podIPs[1].ip
    stage.space.apply(HAND.replace("ADDRESS", own))
    assert stage.space.get(Service, "hand").spec.ipFamilies == ["IPv4", "IPv6"]
    asked = ("curl", "-s", "-6", "--max-time", "2", "http://hand:8080")
    said = until(lambda: stage.run("pod", *asked).stdout, "the name leads to the endpoint")
    assert '"pod": "web-3"' in said
    stage.delete(Service, "hand")


HAND = """
apiVersion: v1
kind: Service
metadata: {name: hand}
spec: {clusterIP: None, ports: [{port: 8080}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: hand-1, labels: {kubernetes.io/service-name: hand}}
addressType: IPv6
ports: [{port: 8080}]
endpoints: [{addresses: ["ADDRESS"]}]
"""
