"""How quickly a dead endpoint leaves each node's rules, and how quickly any change of endpoints reaches the kernel.

Times are taken where things happen: the kill by us, the rules from the journal of each proxy.
"""

import signal
import statistics
from collections.abc import Sequence

import pytest
from support.cluster import WHY, Cluster, Space

from minik8s.api import codec
from minik8s.api.core import Service
from minik8s.api.discovery import EndpointSlice
from minik8s.host import clock, processes

pytestmark = pytest.mark.system

KILLS, CHANGES = 10, 20
SANE_S = 20.0

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
      terminationGracePeriodSeconds: 1
      containers:
      - name: backend
        image: minik8s/toolbox:1
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


def show(what: str, seconds: Sequence[float]) -> None:
    ms = sorted(each * 1000 for each in seconds)
    print(f"  {statistics.median(ms):8.1f} {ms[0]:8.1f} {ms[-1]:8.1f}  {what}")


def test_a_killed_process_leaves_the_rules(cluster: Cluster, space: Space) -> None:
    # Another Pod each time: one that dies often is restarted later and later.
    space.apply(WEB.format(replicas=KILLS))
    pods = space.wait_ready("web", KILLS)
    cluster.wait_rules(0, added=pods[-1].status.podIP)
    left: dict[str, list[float]] = {node: [] for node in cluster.record.nodes}
    back = []
    for pod in pods:
        pid, died = cluster.main_process(pod), clock.wall()
        processes.kill(pid, signal.SIGKILL)
        for node, at in cluster.wait_rules(died, removed=pod.status.podIP).items():
            left[node].append(at - died)
        back.append(max(cluster.wait_rules(died, added=pod.status.podIP).values()) - died)
    print(f"\na process is killed, ms: median, least, most of {KILLS}")
    for node, seconds in left.items():
        show(f"until its endpoint has left the rules of {node}", seconds)
    show("until the same Pod is back in the rules of every node", back)
    assert max(map(max, left.values())) < SANE_S


def test_a_node_is_cut_off(cluster: Cluster, space: Space) -> None:
    space.apply(WEB.format(replicas=3))
    pods = space.wait_ready("web", 3)
    stranded = next(pod for pod in pods if pod.spec.nodeName == "node-3")
    cluster.wait_rules(0, added=stranded.status.podIP)
    died = clock.wall()
    cluster("node", "cut", "node-3")
    try:
        left = cluster.wait_rules(died, ["node-1", "node-2"], removed=stranded.status.podIP)
    finally:
        cluster("node", "heal", "node-3")
    print("\na node is cut off, s (fast profile)")
    for node, at in left.items():
        print(f"  {at - died:8.2f}  until its endpoint has left the rules of {node}")
    space.wait_ready("web", 3)
    assert max(left.values()) - died < SANE_S


def test_a_change_of_endpoints_reaches_the_kernel(cluster: Cluster, space: Space) -> None:
    client = space.client
    meta = {"name": "hand", "namespace": space.name}
    client.create(codec.from_dict(Service, {"metadata": meta, "spec": {"ports": [{"port": 80}]}}), why=WHY)
    one = client.create(codec.from_dict(EndpointSlice, slice_of(space.name, 1)), why=WHY)
    cluster.wait_rules(0, added="192.0.2.1")
    delays: dict[str, list[float]] = {node: [] for node in cluster.record.nodes}
    for number in range(2, CHANGES + 2):
        wanted = codec.from_dict(EndpointSlice, slice_of(space.name, number))
        wanted.metadata.resourceVersion = one.metadata.resourceVersion
        asked = clock.wall()
        one = client.replace(wanted, why=WHY)
        for node, at in cluster.wait_rules(asked, added=f"192.0.2.{number}").items():
            delays[node].append(at - asked)
    print(f"\nan EndpointSlice is replaced, ms from the request: median, least, most of {CHANGES}")
    for node, seconds in delays.items():
        show(f"until the kernel of {node} has the rules", seconds)
    assert max(map(max, delays.values())) < SANE_S


def slice_of(namespace: str, number: int) -> dict:
    labels = {"kubernetes.io/service-name": "hand"}
    return {
        "metadata": {"name": "hand-1", "namespace": namespace, "labels": labels},
        "addressType": "IPv4",
        "ports": [{"name": "", "port": 80, "protocol": "TCP"}],
        "endpoints": [{"addresses": [f"192.0.2.{number}"], "conditions": {"ready": True}}],
    }
