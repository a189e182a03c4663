"""Load balancer addresses on a whole cluster: given by a controller, answered for by one node, reached from outside.

While a holder is cut off, stopped or killed, a thread looks at every node's own addresses again and again: at no time
two have the same one.
"""

import json
import signal
import threading
from collections.abc import Iterator

import pytest
from support.cluster import Cluster, Space, until

from minik8s import params
from minik8s.api.codec import from_dict
from minik8s.api.coordination import Lease
from minik8s.api.core import Event, Node, Service
from minik8s.api.meta import DeleteOptions
from minik8s.api.pods import condition
from minik8s.client.rest import NotFound, Why
from minik8s.cluster import topology
from minik8s.host import clock, namespaces, netlink

pytestmark = pytest.mark.system

WHY = Why("the test wants it")
NOTICED_S = 7.0  # the fast profile: a Lease of 4 s, a little for who is next in line; and a busy machine
POD = """
apiVersion: v1
kind: Pod
metadata: {{name: {name}, labels: {{app: web}}}}
spec:
  nodeName: {node}
  terminationGracePeriodSeconds: 1
  containers:
  - name: backend
    image: minik8s/toolbox:1
    command: [python3, /app/backend.py]
    readinessProbe: {{httpGet: {{path: /ready, port: 8080}}, periodSeconds: 1}}
---
"""


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


def service(space: Space, name: str = "web", **spec: object) -> Service:
    plain = {"type": "LoadBalancer", "selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]}
    made = from_dict(Service, {"metadata": {"name": name, "namespace": space.name}, "spec": plain | spec})
    return space.client.create(made, why=WHY)


def addresses(space: Space, count: int = 1, name: str = "web") -> list[str]:
    """What the Service has been given, once it is so much."""
    found = space.wait(Service, lambda all: len(all[name].status.loadBalancer.ingress) == count)
    return [each.ip for each in found[name].status.loadBalancer.ingress]


def lease(space: Space, address: str) -> Lease | None:
    try:
        return space.client.get(Lease, f"loadbalancer-{address.replace(':', '-')}", "kube-system")
    except NotFound:
        return None


def holder(space: Space, address: str) -> str:
    found = lease(space, address)
    return (found and found.spec.holderIdentity) or ""


def answered(cluster: Cluster, address: str, port: int = 80) -> dict:
    host = f"[{address}]" if ":" in address else address
    done = cluster("outside", "curl", "-s", "--max-time", "1", f"http://{host}:{port}", check=False)
    return json.loads(done.stdout) if done.stdout.startswith("{") else {}


def said(space: Space, reason: str, name: str = "web") -> list[str]:
    events = space.client.list(Event, space.name).items
    return [each.message for each in events if each.reason == reason and each.involvedObject.name == name]


@pytest.fixture
def web(space: Space) -> Iterator[Space]:
    """A backend on each of two nodes."""
    space.apply(POD.format(name="web-1", node="node-1") + POD.format(name="web-2", node="node-2"))
    space.wait_ready("web", 2)
    yield space


def ready(space: Space, node: str) -> bool:
    found = condition(space.client.get(Node, node).status.conditions, "Ready")
    return found is not None and found.status == "True"


def test_a_node_that_is_cut_off_is_followed_by_another_and_takes_nothing_back(cluster: Cluster, web: Space) -> None:
    service(web, ipFamilyPolicy="PreferDualStack")
    given = addresses(web, 2)
    for address in given:
        until(lambda address=address: answered(cluster, address), f"{address} answers")
    first = holder(web, given[0])
    with Watch(cluster, given[0]) as watch:
        cluster("node", "cut", first)
        cut = clock.monotonic()
        try:
            until(lambda: answered(cluster, given[0]), "another node answers", NOTICED_S)
            took = clock.monotonic() - cut
            second = holder(web, given[0])
            assert second not in ("", first) and watch.holders() == [second], f"after {took:.1f} s"
            until(lambda: answered(cluster, given[1]), "the other family's address answers as well", NOTICED_S)
        finally:
            cluster("node", "heal", first)
        until(lambda: ready(web, first) and answered(cluster, given[0]), f"{first} is back")
        assert holder(web, given[0]) == second and watch.holders() == [second]
    lost = f"{second} announces {given[0]} for {web.name}/web: {first} was lost"
    assert any(message.startswith(lost) for message in said(web, "NodeAssigned"))


def test_a_proxy_that_hangs_stops_answering_by_the_kernels_clock(cluster: Cluster, web: Space) -> None:
    service(web)
    (address,) = addresses(web)
    until(lambda: answered(cluster, address), "the address answers")
    first = holder(web, address)
    with Watch(cluster, address) as watch:
        cluster.signal([f"proxy@{first}"], signal.SIGSTOP)
        try:
            until(lambda: holder(web, address) not in ("", first), "another node holds the Lease", NOTICED_S)
            until(lambda: answered(cluster, address), "and answers")
        finally:
            cluster.signal([f"proxy@{first}"], signal.SIGCONT)
        until(lambda: watch.holders() == [holder(web, address)] != [first], "it stays so")


def test_a_killed_proxy_comes_back_and_carries_on_and_a_stopped_one_hands_over(cluster: Cluster, web: Space) -> None:
    service(web)
    (address,) = addresses(web)
    until(lambda: answered(cluster, address), "the address answers")
    first = holder(web, address)
    title = f"proxy@{first}"
    with Watch(cluster, address) as watch:
        before, missing = lease(web, address), watch.missing
        dead = cluster.kill(title)
        until(lambda: cluster.pids().get(title, dead) != dead, "the zygote has started it again")
        renewed = before.spec.renewTime
        until(lambda: lease(web, address).spec.renewTime > renewed, "its Lease is renewed")
        assert lease(web, address).spec.leaseTransitions == before.spec.leaseTransitions
        assert watch.missing == missing, "the kernel went on answering"
        cluster.signal([title], signal.SIGTERM)
        until(lambda: holder(web, address) not in ("", first), "another node took it", params.STOP_GRACE_S)
        until(lambda: answered(cluster, address), "and answers")
    assert any(f"{first} gave it back" in message for message in said(web, "NodeAssigned"))


def test_under_policy_local_the_node_with_an_endpoint_answers_and_the_health_check_says_which(
    cluster: Cluster, space: Space
) -> None:
    space.apply(POD.format(name="web-2", node="node-2"))
    made = service(space, externalTrafficPolicy="Local")
    (address,) = addresses(space)
    answer = until(lambda: answered(cluster, address), "the address answers")
    assert answer["client"].startswith(params.LAN_GATEWAY) and holder(space, address) == "node-2"
    assert [health(cluster, made, node) for node in ("node-1", "node-2")] == [(503, 0), (200, 1)]
    space.apply(POD.format(name="web-3", node="node-3"))
    space.wait_ready("web", 2)
    space("delete", "pod", "web-2")
    until(lambda: holder(space, address) == "node-3", "the address follows the endpoint")
    until(lambda: answered(cluster, address).get("pod") == "web-3", "and answers there")
    assert [health(cluster, made, node) for node in ("node-2", "node-3")] == [(503, 0), (200, 1)]


def health(cluster: Cluster, made: Service, node: str) -> tuple[int, int]:
    """What a load balancer is told on the node's addresses of both families: the code, and how many endpoints."""
    first = topology.node_address(node)
    found = set()
    for host in (first, f"[{topology.beside(first)}]"):
        url = f"http://{host}:{made.spec.healthCheckNodePort}/"
        done = cluster("outside", "curl", "-s", "--max-time", "2", "-w", "\n%{http_code}", url)
        body, _, code = done.stdout.strip().rpartition("\n")
        told = json.loads(body)
        assert told["service"] == {"namespace": made.metadata.namespace, "name": made.metadata.name}
        found.add((int(code), told["localEndpoints"]))
    (answer,) = found
    return answer


def test_an_address_comes_and_goes_with_the_type(cluster: Cluster, web: Space) -> None:
    service(web)
    (address,) = addresses(web)
    until(lambda: answered(cluster, address), "the address answers")
    change(web, type="NodePort")
    gone(cluster, web, address)
    change(web, type="LoadBalancer")
    (again,) = addresses(web)
    until(lambda: answered(cluster, again), "it answers again")
    change(web, type="ExternalName", externalName="example.org")
    gone(cluster, web, again)


def change(space: Space, **spec: str) -> None:
    space.client.patch(Service, "web", space.name, {"spec": spec}, why=WHY)


def gone(cluster: Cluster, space: Space, address: str) -> None:
    addresses(space, 0)
    watch = Watch(cluster, address)
    until(lambda: lease(space, address) is None and not watch.holders(), "nobody answers for it any more")
    assert not answered(cluster, address)


def test_an_address_asked_for_is_given_when_it_is_free_and_the_event_says_who_has_it(space: Space) -> None:
    wish = "192.168.56.244"
    service(space, "first", loadBalancerIP=wish)
    assert addresses(space, name="first") == [wish]
    service(space, "second", loadBalancerIP=wish)
    held = f"spec.loadBalancerIP: {wish} is held by {space.name}/first"
    until(lambda: held in said(space, "AllocationFailed", "second"), "the event says who has it")
    space.client.delete(Service, "first", space.name, options=DeleteOptions(), why=WHY)
    assert addresses(space, name="second") == [wish]


def test_when_the_pool_is_empty_the_event_says_so(space: Space) -> None:
    count = 51
    for number in range(count + 1):
        service(space, f"s{number}", allocateLoadBalancerNodePorts=False)
    said_so = f"no address is left in 192.168.56.200-192.168.56.250: all {count} are held"

    def without(services: dict[str, Service]) -> list[str]:
        return [name for name, each in services.items() if not each.status.loadBalancer.ingress]

    (left,) = without(space.wait(Service, lambda services: len(without(services)) == 1))
    until(lambda: said_so in said(space, "AllocationFailed", left), "the event says so")
    given = [each.status.loadBalancer.ingress for each in space.client.list(Service, space.name).items]
    assert len({each[0].ip for each in given if each}) == count
    space.client.request("DELETE", f"/api/v1/namespaces/{space.name}/services")
