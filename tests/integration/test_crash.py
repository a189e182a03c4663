"""Every part of a cluster killed with SIGKILL, one at a time, under traffic and with a watch open.

What must hold each time: not one request of the traffic is lost, because Services live in the kernel; the part comes
back by itself; then a new Deployment and Service work; and afterwards nothing exists twice and nothing is missing.
"""

import ipaddress
import signal
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from support.cluster import ClientPod, Cluster, Space, Traffic, until, wait

from minik8s import params
from minik8s.api.core import Node, Service
from minik8s.api.discovery import EndpointSlice
from minik8s.api.networking import IPAddress
from minik8s.api.pods import Pod, is_ready
from minik8s.client.informer import Informer
from minik8s.host import clock

pytestmark = pytest.mark.system

RATE = 50
NODE = "node-1"  # where the client is, so that this node's own parts are those that matter to it
# In an order in which each has to work again for the next to be noticed.
PARTS = (
    "apiserver worker",
    "apiserver",
    "etcd",
    "scheduler",
    "controllers",
    f"agent@{NODE}",
    f"proxy@{NODE}",
    f"dns@{NODE}",
    "zygote",
)
FROZEN_S = 60.0
# After it: longer than a silent node is forgiven, its Pods are tolerated, and the two looks in between.
AFTERMATH_S = 12.0

WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      terminationGracePeriodSeconds: 1
      nodeSelector: {selector}
      containers:
      - name: backend
        image: minik8s/toolbox:1
        ports: [{{name: http, containerPort: 8080}}]
        readinessProbe: {{httpGet: {{path: /ready, port: http}}, periodSeconds: 1}}
---
apiVersion: v1
kind: Service
metadata: {{name: {name}}}
spec:
  selector: {{app: {name}}}
  ports: [{{name: http, port: 80, targetPort: http}}]
"""


@dataclass
class Scene:
    """An old Service with its Pods, traffic on it, and a watch that was open all the time."""

    cluster: Cluster
    space: Space
    client: ClientPod
    pods: list[Pod]
    traffic: Traffic
    watched: Informer[Pod]


@pytest.fixture(scope="module")
def scene(cluster: Cluster) -> Iterator[Scene]:
    space = Space(cluster, "crash")
    space.apply(WEB.format(name="web", replicas=3, selector="{}"))
    pods, client = space.wait_ready("web", 3), space.client_pod(NODE)
    url = f"http://{space.get(Service, 'web').spec.clusterIP}"
    until(lambda: client.ask(url), "the Service answers")
    for pod in pods:
        cluster.wait_rules(0, added=pod.status.podIP)
    watched: Informer[Pod] = Informer(cluster.connect(), Pod, namespace=space.name)
    watched.start()
    with client.traffic(url, RATE) as traffic:
        yield Scene(cluster, space, client, pods, traffic, watched)
    watched.stop()
    space.close()


def restarted(cluster: Cluster, name: str, old: int) -> bool:
    if name == "zygote":
        cluster.up()  # nobody watches over the watchman but the next `up`
    now = cluster.pids().get(name, 0)
    return now not in (0, old)


@pytest.mark.parametrize("part", PARTS)
def test_a_killed_part_costs_nothing_and_a_new_service_works_after_its_return(scene: Scene, part: str) -> None:
    cluster, space, name = scene.cluster, scene.space, f"after-{part.partition('@')[0].replace(' ', '-')}"
    others = {other: pid for other, pid in cluster.pids().items() if part not in (other, "zygote")}
    killed, old = clock.wall(), cluster.kill(part)
    until(lambda: restarted(cluster, part, old), f"{part} runs again")
    began = clock.monotonic()
    until(lambda: applied(space, name), "the API takes a new Service")
    address = space.get(Service, name).spec.clusterIP
    answer = until(lambda: scene.client.ask(f"http://{name}"), f"the new Service {name} answers by name")
    print(f"\n{part} was killed: a new Service answers {clock.monotonic() - began:.2f} s after its return")
    assert answer["node"] in ("", NODE) and scene.client.ask(f"http://{address}")["pod"] == answer["pod"]
    until(lambda: answer["pod"] in {pod.metadata.name for pod in seen(scene)}, "the watch goes on")
    scene.traffic.wait_more(RATE // 2)
    nothing_lost(scene, killed)
    nothing_twice_nothing_missing(scene)
    stay = {other for other in others if part != "apiserver" or not other.startswith("apiserver")}
    assert {other: cluster.pids().get(other) for other in stay} == {other: others[other] for other in stay}


def applied(space: Space, name: str) -> bool:
    """Applying twice does no harm: the first may have got lost with whoever was killed."""
    text = WEB.format(name=name, replicas=1, selector=f"{{kubernetes.io/hostname: {NODE}}}")
    return space("apply", "-f", "-", say=text, check=False).code == 0


def seen(scene: Scene) -> list[Pod]:
    return scene.watched.values()


def nothing_lost(scene: Scene, since: float) -> None:
    """None of the requests begun since then; else which, what the others got meanwhile, and what the rules did."""
    lost = [request for request in scene.traffic.lost() if request["at"] >= since]
    if lost:
        meanwhile = [r for r in scene.traffic.requests if lost[0]["at"] <= r["at"] <= lost[-1]["at"]]
        others = Counter((request["outcome"], request["pod"]) for request in meanwhile)
        rules = [entry for entry in scene.cluster.journal("proxy", NODE) if entry["wall"] >= since]
        said = [f"{entry['wall'] - since:.3f} {entry['because']}" for entry in rules]
        raise AssertionError(f"{[(round(r['at'] - since, 3), r) for r in lost]}; meanwhile {others}; rules {said}")


def nothing_twice_nothing_missing(scene: Scene) -> None:
    client, space = scene.space.client, scene.space
    pods = [pod for pod in client.list(Pod, space.name).items]
    old = {pod.metadata.uid: pod for pod in pods if pod.metadata.labels.get("app") == "web"}
    assert old.keys() == {pod.metadata.uid for pod in scene.pods}, "the old Service has its old Pods"
    for pod in pods:
        assert is_ready(pod) and pod.status.containerStatuses[0].restartCount == 0, pod.metadata.name
    services = [each for each in client.list(Service).items if each.spec.clusterIP not in ("", "None")]
    addresses = [each.spec.clusterIP for each in services]
    assert len(set(addresses)) == len(addresses)
    assert {str(ipaddress.ip_address(each.metadata.name)) for each in client.list(IPAddress).items} == set(addresses)
    slices = client.list(EndpointSlice, space.name).items
    counts = Counter(each.metadata.labels["kubernetes.io/service-name"] for each in slices)
    assert counts == {each.metadata.name: 1 for each in services if each.metadata.namespace == space.name}
    one_container_each(scene.cluster, client.list(Pod).items)


def one_container_each(cluster: Cluster, pods: list[Pod]) -> None:
    """A sandbox and as many containers as the Pod has, each once; the same for each node."""
    labels = [each["Labels"] for each in cluster.containers()]
    uids = Counter(each[params.LABEL_POD_UID] for each in labels if params.LABEL_POD_UID in each)
    assert uids == {pod.metadata.uid: 1 + len(pod.spec.containers) for pod in pods}
    sandboxes = Counter(each[params.LABEL_NODE] for each in labels if params.LABEL_POD_UID not in each)
    assert sandboxes == {node: 1 for node in cluster.record.nodes}


@pytest.mark.timeout(240)
def test_a_cluster_that_slept_for_a_minute_replaces_no_pod(scene: Scene) -> None:
    """All of ours and etcd stand still, as on a laptop whose lid was closed; the containers go on."""
    cluster, before = scene.cluster, {pod.metadata.name: pod for pod in seen(scene)}
    names = sorted(cluster.pids(), key=lambda name: name != "zygote")  # who restarts others stops first
    slept, began, told = clock.wall(), clock.monotonic(), len(cluster.audit())
    cluster.signal(names, signal.SIGSTOP)
    try:
        until(lambda: clock.monotonic() - began > FROZEN_S, "a minute passes", timeout=FROZEN_S + 5)
    finally:
        cluster.signal(names, signal.SIGCONT)
    until(lambda: clock.monotonic() - began > FROZEN_S + AFTERMATH_S, "what might happen has happened")
    wait(scene.space.client, (Node, ""), lambda nodes: all(map(node_ready, nodes.values())), 20)
    now = {pod.metadata.name: pod for pod in scene.space.client.list(Pod, scene.space.name).items}
    assert {name: pod.metadata.uid for name, pod in now.items()} == {
        name: pod.metadata.uid for name, pod in before.items()
    }
    assert not [name for name, pod in now.items() if pod.metadata.deletionTimestamp]
    assert {pod.status.containerStatuses[0].restartCount for pod in now.values()} == {0}
    written = [each for each in cluster.audit()[told:] if each["resource"] == "pods" and each["code"] < 300]
    print(f"\nafter {FROZEN_S:.0f} s of sleep: writes to Pods {len(written)}, no request lost")
    assert not [each for each in written if each["verb"] in ("create", "delete")]
    nothing_lost(scene, slept)
    nothing_twice_nothing_missing(scene)


def node_ready(node: Node) -> bool:
    return any(each.type == "Ready" and each.status == "True" for each in node.status.conditions)
