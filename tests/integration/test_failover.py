"""What a failure costs, on a whole cluster: each request of a steady client is accounted for.

The client opens a new connection for each request and never retries. Lost are only those that were on their way to the
dead endpoint, and those sent there before the rules of the client's node changed. The moment of that change is taken
from the journal of the proxy that made it.
"""

import json
import math
import signal

import pytest
from support.cluster import ClientPod, Cluster, Space, Traffic, until

from minik8s.api.core import Service
from minik8s.api.pods import Pod, is_ready
from minik8s.host import clock, processes

pytestmark = pytest.mark.system

RATE = 50
# Between the kernel's change and the proxy's note of it, and between a client's note and its first packet.
NOTING_S = 0.05
# The fast profile: 4 s of silence, seen at the next look (0.5 s), after a heartbeat up to 1 s old; then the writes.
NOTICED_S = 7.0
QUICK_S = 1.0  # what a proxy that runs needs at most
STOPPED_S = 4.0  # well above what a Pod takes that misses its first two probes, a second apart

WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      terminationGracePeriodSeconds: 3
      containers:
      - name: backend
        image: minik8s/toolbox:1
        command: [python3, /app/backend.py]
        ports: [{{name: http, containerPort: 8080}}]
        readinessProbe: {{httpGet: {{path: /ready, port: http}}, periodSeconds: 1}}
---
apiVersion: v1
kind: Service
metadata: {{name: web}}
spec:
  selector: {{app: web}}
  ports: [{{name: http, port: 80, targetPort: http}}]
"""


def bring_up(space: Space, replicas: int, client_on: str) -> tuple[list[Pod], ClientPod, str]:
    """Backends that answer on every node, a client beside them, and the Service's URL."""
    began = clock.wall()
    space.apply(WEB.format(replicas=replicas))
    pods, client = space.wait_ready("web", replicas), space.client_pod(client_on)
    for pod in pods:
        space.cluster.wait_rules(began, added=pod.status.podIP)
    return pods, client, f"http://{space.get(Service, 'web').spec.clusterIP}"


def account(traffic: Traffic, died: float, changed: float, endpoints: int) -> str:
    """Hold every lost request against the promise; the figures in a sentence."""
    began = [request["at"] for request in traffic.requests if died <= request["at"] < changed]
    flying = [r for r in traffic.requests if r["at"] < died <= r["at"] + r["took_ms"] / 1000 + NOTING_S]
    lost = traffic.lost()
    after = [request for request in lost if request["at"] > changed + NOTING_S]
    assert not after, f"lost although the rules had changed: {after}"
    assert all(request in flying or request["at"] >= died for request in lost), "lost before anything happened"
    # Which endpoint a connection gets is chance: the share of one, and four standard deviations.
    share = len(began) / endpoints
    most = len(flying) + share + 4 * math.sqrt(share * (1 - 1 / endpoints)) + 1
    assert len(lost) <= most, f"{len(lost)} lost, at most {most:.1f} may be"
    window = changed - died
    return (
        f"window {window * 1000:.0f} ms, {len(began)} requests begun in it, {len(flying)} in flight, {len(lost)} lost"
    )


@pytest.mark.parametrize("endpoints", [2, 3])
def test_a_killed_process_costs_its_own_requests_and_the_pod_stays_the_same(
    cluster: Cluster, space: Space, endpoints: int
) -> None:
    pods, client, url = bring_up(space, endpoints, client_on="node-1")
    victim = pods[0]
    pid = cluster.main_process(victim)
    with client.traffic(url, RATE) as traffic:
        died = clock.wall()
        processes.kill(pid, signal.SIGKILL)
        left = cluster.wait_rules(died, removed=victim.status.podIP)
        cluster.wait_rules(left["node-1"], ["node-1"], added=victim.status.podIP)
        traffic.wait_more(RATE)
    print(f"\n{endpoints} endpoints, one killed: {account(traffic, died, left['node-1'], endpoints)}")
    told = next(each for each in windows(space) if each["endpoint"].startswith(f"{victim.status.podIP}:"))
    assert told["endpoints"] == endpoints
    seen = death(cluster, victim, died)
    assert abs(told["seconds"]["node-1"] - (left["node-1"] - seen)) < 0.01, "history tells the same window"
    now = space.get(Pod, victim.metadata.name)
    assert (now.metadata.uid, now.status.podIP) == (victim.metadata.uid, victim.status.podIP)
    assert now.status.containerStatuses[0].restartCount == 1
    assert {pod.metadata.uid for pod in space.wait_ready("web", endpoints)} == {pod.metadata.uid for pod in pods}
    assert {r["pod"] for r in traffic.requests[-RATE:]} == {pod.metadata.name for pod in pods}, "it serves again"


def death(cluster: Cluster, pod: Pod, since: float) -> float:
    """When Docker saw a container of this Pod die."""
    told = [
        each
        for each in cluster.journal("agent", pod.spec.nodeName)
        if f"pods/{pod.metadata.namespace}/{pod.metadata.name}" in each["objects"]
    ]
    (moment,) = [each["data"]["at"] for each in told if each["stage"] == "died" and each["wall"] > since]
    assert moment > since
    return moment


def test_a_node_cut_off_costs_what_was_sent_to_it_until_it_was_missed(cluster: Cluster, space: Space) -> None:
    pods, client, url = bring_up(space, 3, client_on="node-1")
    stranded = next(pod for pod in pods if pod.spec.nodeName == "node-3")
    others = [node for node in cluster.record.nodes if node != "node-3"]
    try:
        with client.traffic(url, RATE) as traffic:
            died = clock.wall()
            cluster("node", "cut", "node-3")
            cut = clock.wall()
            left = cluster.wait_rules(died, others, removed=stranded.status.podIP)
            found = space.wait(Pod, lambda seen: settled_elsewhere(seen, pods))
            traffic.wait_more(RATE)
        print(f"\nnode cut off: {account(traffic, died, left['node-1'], 3)}")
        assert max(left.values()) - cut < NOTICED_S, left
        fresh = [pod for pod in found.values() if pod.metadata.uid not in {old.metadata.uid for old in pods}]
        assert [pod for pod in fresh if pod.metadata.labels["app"] == "web" and pod.spec.nodeName in others]
    finally:
        cluster("node", "heal", "node-3")
    space.wait(Pod, lambda seen: stranded.metadata.name not in seen)
    cluster.wait_rules(died, ["node-3"], removed=stranded.status.podIP)
    space.wait_ready("web", 3)


def settled_elsewhere(seen: dict[str, Pod], before: list[Pod]) -> bool:
    """The stranded Pod is Terminating, and three others are ready."""
    web = [pod for pod in seen.values() if pod.metadata.labels.get("app") == "web"]
    ending = {pod.metadata.name for pod in web if pod.metadata.deletionTimestamp}
    ready = [pod for pod in web if is_ready(pod) and not pod.metadata.deletionTimestamp]
    return ending == {pod.metadata.name for pod in before if pod.spec.nodeName == "node-3"} and len(ready) == 3


def test_a_stopped_proxy_delays_the_stage_rules_of_its_node_and_nothing_else(cluster: Cluster, space: Space) -> None:
    bring_up(space, 1, client_on="node-1")
    known = {pod.metadata.name for pod in space.wait_ready("web", 1)}
    cluster("kill", "proxy@node-2", "-s", "STOP")
    try:
        began = clock.wall()
        space("scale", "deployment/web", "--replicas=2")
        pod = next(pod for pod in space.wait_ready("web", 2) if pod.metadata.name not in known)
        quick = cluster.wait_rules(began, ["node-1", "node-3"], added=pod.status.podIP)
        until(lambda: clock.wall() > max(quick.values()) + STOPPED_S, "the proxy stands still for a while")
        assert cluster.rules("node-2", began, added=pod.status.podIP) is None
    finally:
        cluster("kill", "proxy@node-2", "-s", "CONT")
    cluster.wait_rules(began, ["node-2"], added=pod.status.podIP)
    told = facts(space, began)
    rules = {fact["node"]: fact["step"] for fact in told if pod.status.podIP in str(fact["data"].get("added"))}
    print(f"\nthe stage `rules`, by history: { {node: f'{step:.3f} s' for node, step in sorted(rules.items())} }")
    assert rules["node-2"] > STOPPED_S
    assert max(rules["node-1"], rules["node-3"]) < QUICK_S
    others = [fact for fact in told if fact["stage"] != "rules" and pod.metadata.name in fact["object"]]
    assert others and max(fact["step"] for fact in others) < STOPPED_S, "no other stage took that long"


def facts(space: Space, since: float) -> list[dict]:
    """What `history` says led to what, in order: each fact with the seconds since the one that caused it."""
    said = json.loads(space("history", "svc/web", "-o", "json", "--since", "60s").stdout)
    return [fact for episode in said["episodes"] for fact in episode["stages"] if fact["wall"] > since]


def windows(space: Space) -> list[dict]:
    """For how long, by `history`, each node's rules still led to an endpoint that was gone."""
    said = json.loads(space("history", "svc/web", "-o", "json", "--since", "60s").stdout)
    return [window for episode in said["episodes"] for window in episode["windows"]]
