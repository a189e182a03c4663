"""Load balancer addresses on a whole cluster: given by a controller, answered for by one node, reached from outside.

While a holder is cut off, stopped or killed, a thread looks at every node's own addresses again and again: at no time
two have the same one.
"""

import json
import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from support import stage as stages
from support.cluster import Cluster, until
from support.stage import Stage

from minik8s import params
from minik8s.api import times
from minik8s.api.coordination import Lease
from minik8s.api.core import Event, Node, Service
from minik8s.api.pods import Pod, condition
from minik8s.client.rest import NotFound
from minik8s.cluster import topology
from minik8s.host import clock, namespaces, netlink, processes

pytestmark = pytest.mark.system

LENT_S = 3.0  # how long the kernel answers without its proxy
NOTICED_S = 7.0  # the fast profile: a Lease of 4 s, a little for who is next in line; and a busy machine


class Watch:
    """Looks at all nodes for one address, and remembers when two of them had it."""

    def __init__(self, cluster: Cluster, address: str) -> None:
        self.cluster, self.address = cluster, address
        self.twice: list[list[str]] = []
        self.missing = 0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def has(self, node: str) -> bool:
        place = topology.namespace(self.cluster.name, node)
        return any(each.partition("/")[0] == self.address for each in namespaces.in_ns(place, netlink.addresses))

    def holders(self) -> list[str]:
        """Looked at one after the other: who had it is asked again, or one that has just let go would be counted."""
        found = [node for node in self.cluster.record.nodes if self.has(node)]
        return [node for node in found if self.has(node)] if len(found) > 1 else found

    def _run(self) -> None:
        while not self._end.is_set():
            holders = self.holders()
            self.missing += not holders
            if len(holders) > 1:
                self.twice.append(holders)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join(5)
        assert not self.twice, f"two nodes answered for {self.address}: {self.twice}"


@pytest.fixture(scope="module")
def stage(cluster: Cluster) -> Iterator[Stage]:
    yield from stages.up(cluster, "balanced")


@pytest.fixture(autouse=True)
def tidy(stage: Stage) -> Iterator[None]:
    """Services and further Pods of a test go with it."""
    yield
    stage.space.client.request("DELETE", f"/api/v1/namespaces/{stage.space.name}/services")
    for pod in stage.space.client.list(Pod, stage.space.name, labels="stage=more").items:
        stage.delete(Pod, pod.metadata.name, wait=False)


def balanced(stage: Stage, name: str, **spec: Any) -> str:
    """A Service of type LoadBalancer that answers outside; its address."""
    stage.service(name, type="LoadBalancer", **spec)
    (address,) = addresses(stage, name)
    stage.answers("outside", f"http://{address}")
    return address


def addresses(stage: Stage, name: str, count: int = 1) -> list[str]:
    """What the Service has been given, once it is so much."""
    found = stage.space.wait(Service, lambda all: len(all[name].status.loadBalancer.ingress) == count)
    return [each.ip for each in found[name].status.loadBalancer.ingress]


def lease(stage: Stage, address: str) -> Lease | None:
    try:
        return stage.space.client.get(Lease, f"loadbalancer-{address.replace(':', '-')}", "kube-system")
    except NotFound:
        return None


def holder(stage: Stage, address: str) -> str:
    found = lease(stage, address)
    return (found and found.spec.holderIdentity) or ""


def lent_for(cluster: Cluster, node: str, address: str) -> float:
    """For how many seconds the kernel of a node answers at least, whatever becomes of the proxy.

    It says whole seconds, rounded up, and ends a quarter of one early (ADDRCONF_TIMER_FUZZ); and whoever renews does it
    a moment after the time that stands in the Lease.
    """
    place = topology.namespace(cluster.name, node)
    listed = json.loads(processes.run(["ip", "-j", "address", "show", "to", f"{address}/32"], ns=place).stdout)
    (found,) = [each for link in listed for each in link.get("addr_info", []) if each.get("local") == address]
    return float(found["valid_life_time"]) - 1.0 - 0.25 - 0.25


def told(stage: Stage, name: str, reason: str) -> list[str]:
    """What Events say of a Service."""
    events = stage.space.client.list(Event, stage.space.name).items
    return [each.message for each in events if each.reason == reason and each.involvedObject.name == name]


# --- Who answers ------------------------------------------------------------------------------------------------------


def test_a_proxy_that_hangs_stops_answering_by_the_kernels_clock(cluster: Cluster, stage: Stage) -> None:
    address = balanced(stage, "hang")
    first = holder(stage, address)
    with Watch(cluster, address) as watch:
        cluster.signal([f"proxy@{first}"], signal.SIGSTOP)
        try:
            until(lambda: holder(stage, address) not in ("", first), "another node holds the Lease", NOTICED_S)
            stage.answers("outside", f"http://{address}")
        finally:
            cluster.signal([f"proxy@{first}"], signal.SIGCONT)
        until(lambda: watch.holders() == [holder(stage, address)] != [first], "it stays so")


def test_a_killed_proxy_comes_back_and_carries_on_and_a_stopped_one_hands_over(cluster: Cluster, stage: Stage) -> None:
    address = balanced(stage, "kill")
    first = holder(stage, address)
    title = f"proxy@{first}"
    with Watch(cluster, address) as watch:
        before, missing = lease(stage, address), watch.missing
        assert before is not None
        sure_until = clock.wall() + lent_for(cluster, first, address)
        dead = cluster.kill(title)
        until(lambda: again(cluster, title, dead), "the zygote has started it again")
        after = until(lambda: renewed(stage, address, before), "the Lease is renewed")
        # On a machine so busy that it came too late, another node has it; that is another test's.
        if times.parse(after.spec.renewTime) - times.parse(before.spec.renewTime) < LENT_S:
            assert after.spec.leaseTransitions == before.spec.leaseTransitions and holder(stage, address) == first
        if times.parse(after.spec.renewTime) < sure_until:
            assert watch.missing == missing, "the kernel went on answering"
        first = holder(stage, address)
        title, pid = f"proxy@{first}", cluster.pids()[f"proxy@{first}"]
        cluster.signal([title], signal.SIGTERM)
        until(lambda: holder(stage, address) not in ("", first), "another node took it", params.STOP_GRACE_S)
        stage.answers("outside", f"http://{address}")
        until(lambda: again(cluster, title, pid), "the zygote has started that one again too")
    until(lambda: any(f"{first} gave it back" in each for each in told(stage, "kill", "NodeAssigned")), "it is told")


def renewed(stage: Stage, address: str, before: Lease) -> Lease | None:
    found = lease(stage, address)
    return found if found and found.spec.renewTime > before.spec.renewTime else None


def again(cluster: Cluster, title: str, pid: int) -> int:
    """The process of that name, if it is another than this one; else 0."""
    found = cluster.pids().get(title, pid)
    return found if found != pid else 0


def test_under_policy_local_the_node_with_an_endpoint_answers_and_the_health_check_says_which(
    cluster: Cluster, stage: Stage
) -> None:
    stage.backend("local-2", "node-2")
    made = stage.service("local", type="LoadBalancer", externalTrafficPolicy="Local", selector={"stage": "more"})
    (address,) = addresses(stage, "local")
    stage.everybody("outside", f"http://{address}", {"local-2"})
    assert stage.ask("outside", f"http://{address}")["client"].startswith(f"{params.LAN_GATEWAY}:")
    assert holder(stage, address) == "node-2"
    assert [health(stage, made, node) for node in ("node-1", "node-2")] == [(503, 0), (200, 1)]
    assert stage.ask("pod", f"http://{address}")["pod"] == "local-2", "a Pod elsewhere reaches it as well"
    stage.backend("local-3", "node-3")
    stage.ready("local-3")
    stage.delete(Pod, "local-2")
    until(lambda: holder(stage, address) == "node-3", "the address follows the endpoint")
    stage.everybody("outside", f"http://{address}", {"local-3"})
    until(lambda: [health(stage, made, f"node-{n}") for n in (2, 3)] == [(503, 0), (200, 1)], "so does the check")


def health(stage: Stage, made: Service, node: str) -> tuple[int, int]:
    """What a load balancer is told on the node's addresses of both families: the code, and how many endpoints."""
    first = topology.node_address(node)
    found = set()
    for host in (first, f"[{topology.beside(first)}]"):
        url = f"http://{host}:{made.spec.healthCheckNodePort}/"
        done = stage.run("outside", "curl", "-sg", "--max-time", "2", "-w", "\n%{http_code}", url)
        body, _, code = done.stdout.strip().rpartition("\n")
        answer = json.loads(body)
        assert answer["service"] == {"namespace": made.metadata.namespace, "name": made.metadata.name}
        found.add((int(code), answer["localEndpoints"]))
    (both,) = found
    return both


# --- What is given ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("protocol", "scheme"), [("TCP", "http"), ("UDP", "udp")])
def test_should_be_able_to_change_the_type_and_ports(
    cluster: Cluster, stage: Stage, protocol: str, scheme: str
) -> None:
    name = f"types-{scheme}"
    port = {"name": "p", "port": 80, "targetPort": 8080, "protocol": protocol}
    stage.service(name, [port])
    stage.change(name, {"spec": {"type": "NodePort"}})
    node_port = stage.change(name, {"spec": {"type": "LoadBalancer"}}).spec.ports[0].nodePort
    (address,) = addresses(stage, name)
    stage.answers("outside", f"{scheme}://{address}:80")
    stage.answers("outside", f"{scheme}://{topology.node_address('node-2')}:{node_port}")
    assert not stage.ask("outside", f"{scheme}://{address}:{node_port}", 0.5), "no node port on this address"
    stage.change(name, {"spec": {"ports": [port | {"port": 81, "nodePort": node_port}]}})
    stage.answers("outside", f"{scheme}://{address}:81")
    stage.change(name, {"spec": {"type": "ClusterIP"}})
    gone(cluster, stage, name, address)


def test_an_address_comes_again_with_the_type_and_goes_with_the_service(cluster: Cluster, stage: Stage) -> None:
    address = balanced(stage, "again")
    stage.change("again", {"spec": {"type": "ExternalName", "externalName": "example.org"}})
    gone(cluster, stage, "again", address)
    stage.change("again", {"spec": {"type": "LoadBalancer", "externalName": None}})
    (address,) = addresses(stage, "again")
    stage.answers("outside", f"http://{address}")
    stage.delete(Service, "again")
    gone(cluster, stage, "", address)


def gone(cluster: Cluster, stage: Stage, name: str, address: str) -> None:
    if name:
        addresses(stage, name, 0)
    watch = Watch(cluster, address)
    until(lambda: lease(stage, address) is None and not watch.holders(), "nobody answers for it any more")
    assert not stage.ask("outside", f"http://{address}", 0.5)


def test_should_be_able_to_create_a_load_balancer_without_node_port_and_change_it(stage: Stage) -> None:
    address = balanced(stage, "bare", allocateLoadBalancerNodePorts=False)
    assert stage.space.get(Service, "bare").spec.ports[0].nodePort == 0
    port = stage.change("bare", {"spec": {"allocateLoadBalancerNodePorts": True}}).spec.ports[0].nodePort
    stage.answers("outside", f"http://{topology.node_address('node-3')}:{port}")
    stage.everybody("outside", f"http://{address}", stage.names)


def test_should_only_allow_access_from_service_loadbalancer_source_ranges(stage: Stage) -> None:
    address = balanced(stage, "ranges")
    stage.change("ranges", {"spec": {"loadBalancerSourceRanges": [params.CLUSTER_CIDR]}})
    until(lambda: not stage.ask("outside", f"http://{address}", 0.5), "who is not named gets no answer")
    stage.answers("pod", f"http://{address}")
    stage.change("ranges", {"spec": {"loadBalancerSourceRanges": [f"{params.LAN_GATEWAY}/32"]}})
    stage.answers("outside", f"http://{address}")


@pytest.mark.parametrize("policy", ["Cluster", "Local"])
def test_should_have_session_affinity_work_and_be_able_to_switch_it(stage: Stage, policy: str) -> None:
    address = balanced(stage, f"sticky-{policy.lower()}", externalTrafficPolicy=policy, sessionAffinity="ClientIP")
    where = f"http://{address}"

    def affine() -> bool:
        return len({each["pod"] for each in stage.ask_often("outside", where, 12)}) == 1

    until(affine, "the client stays with one endpoint")
    stage.change(f"sticky-{policy.lower()}", {"spec": {"sessionAffinity": "None", "sessionAffinityConfig": None}})
    here = {stage.pods[holder(stage, address)].metadata.name}
    stage.everybody("outside", where, here if policy == "Local" else stage.names)
    stage.change(f"sticky-{policy.lower()}", {"spec": {"sessionAffinity": "ClientIP"}})
    until(affine, "and again")


def test_an_address_asked_for_is_given_when_it_is_free_and_the_event_says_who_has_it(stage: Stage) -> None:
    wish = "192.168.56.244"
    balanced(stage, "first", loadBalancerIP=wish)
    stage.service("second", type="LoadBalancer", loadBalancerIP=wish)
    held = f"spec.loadBalancerIP: {wish} is held by {stage.space.name}/first"
    until(lambda: held in told(stage, "second", "AllocationFailed"), "the event says who has it")
    stage.delete(Service, "first")
    assert addresses(stage, "second") == [wish]


def test_when_the_pool_is_empty_the_event_says_so(stage: Stage) -> None:
    count = 51
    for number in range(count + 1):
        stage.service(f"s{number}", type="LoadBalancer", allocateLoadBalancerNodePorts=False)
    empty = f"no address is left in 192.168.56.200-192.168.56.250: all {count} are held"

    def without(services: dict[str, Service]) -> list[str]:
        return [name for name, each in services.items() if not each.status.loadBalancer.ingress]

    services = stage.space.wait(Service, lambda found: len(found) > count and len(without(found)) == 1)
    (left,) = without(services)
    until(lambda: empty in told(stage, left, "AllocationFailed"), "the event says so")
    given = [each.status.loadBalancer.ingress[0].ip for name, each in services.items() if name != left]
    assert len(set(given)) == count


# --- A lost node: last, because Pods of the stage may go with it ------------------------------------------------------


def test_a_node_that_is_cut_off_is_followed_by_another_and_takes_nothing_back(cluster: Cluster, stage: Stage) -> None:
    stage.service("cut", type="LoadBalancer", ipFamilyPolicy="PreferDualStack")
    four, six = addresses(stage, "cut", 2)
    urls = f"http://{four}", f"http://[{six}]"
    for url in urls:
        stage.answers("outside", url)
    first = holder(stage, four)
    with Watch(cluster, four) as watch:
        cluster("node", "cut", first)
        try:
            until(lambda: stage.ask("outside", urls[0], 0.5), "another node answers", NOTICED_S)
            second = holder(stage, four)
            assert second not in ("", first) and watch.holders() == [second]
            until(lambda: stage.ask("outside", urls[1], 0.5), "so does the other family's address", NOTICED_S)
        finally:
            cluster("node", "heal", first)
        until(lambda: ready(stage, first) and stage.ask("outside", urls[0]), f"{first} is back")
        assert holder(stage, four) == second and watch.holders() == [second]
    lost = f"{second} announces {four} for {stage.space.name}/cut: {first} was lost"
    until(lambda: any(each.startswith(lost) for each in told(stage, "cut", "NodeAssigned")), "the event says so")


def ready(stage: Stage, node: str) -> bool:
    found = condition(stage.space.client.get(Node, node).status.conditions, "Ready")
    return found is not None and found.status == "True"
