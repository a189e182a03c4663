"""Our components ask only for what upstream's API server offers, so that they work with any Kubernetes API server.

Each tells on its page `/debug/asked` which sorts of requests it made since it started; the oracle is the official
client (`support/operations.py`). A path that upstream does not have, a parameter that it would ignore, or a form of a
body that it would refuse is found here.
"""

import json
import socket
import threading
import urllib.request

import pytest
from support.cluster import Cluster, Space, until
from support.operations import operations

from minik8s import params
from minik8s.api.core import Service
from minik8s.client.asked import Asked
from minik8s.cluster import topology
from minik8s.dns.reader import Reader
from minik8s.host import namespaces

pytestmark = pytest.mark.system

# A Deployment whose Pods are waited for, behind a Service with an address for the outside: something for everybody.
WORK = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - name: backend
        image: minik8s/toolbox:1
        command: [python3, /app/backend.py]
        readinessProbe: {httpGet: {path: /ready, port: 8080}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  type: LoadBalancer
  selector: {app: web}
  ports: [{port: 80, targetPort: 8080}]
"""
# Who has to ask for what, lest a component that shows nothing be taken for one that asks nothing improper.
MUST = {
    ("control", "scheduler"): ("POST", "/api/v1/namespaces/{namespace}/pods/{name}/binding"),
    ("control", "controllers"): ("POST", "/apis/apps/v1/namespaces/{namespace}/replicasets"),
    ("node-1", "agent"): ("PATCH", "/api/v1/namespaces/{namespace}/pods/{name}/status"),
    ("node-1", "proxy"): ("GET", "/apis/discovery.k8s.io/v1/endpointslices"),
}


def asked(cluster: Cluster, member: str, component: str) -> list[dict]:
    """A component's own page, asked where it listens."""
    url = f"http://127.0.0.1:{params.HEALTH_PORTS[component]}/debug/asked"
    return namespaces.in_ns(
        topology.namespace(cluster.name, member), lambda: json.load(urllib.request.urlopen(url, timeout=10))
    )


def faults(sorts: list[dict]) -> list[str]:
    """What upstream's API server has not."""
    found = []
    for sort in sorts:
        operation = operations().get((sort["method"], sort["path"]))
        if operation is None:
            found.append(f"there is no {sort['method']} {sort['path']}")
            continue
        found += [f"{sort['path']} knows no parameter {name}" for name in {*sort["query"]} - operation.query]
        if operation.bodies and sort["contentType"] not in operation.bodies:
            found.append(f"{sort['method']} {sort['path']} takes no {sort['contentType']}")
    return found


def test_the_oracle_knows_what_is_not_upstreams():
    base = {"method": "GET", "path": "/api/v1/pods", "query": ["watch"], "contentType": ""}
    assert faults([base]) == []
    assert faults([{**base, "path": "/minik8s/audit"}]) == ["there is no GET /minik8s/audit"]
    assert faults([{**base, "query": ["watch", "because"]}]) == ["/api/v1/pods knows no parameter because"]
    patch = {**base, "method": "PATCH", "path": "/api/v1/nodes/{name}", "query": []}
    assert faults([{**patch, "contentType": "application/merge-patch+json"}]) == []
    assert faults([{**patch, "contentType": "application/json"}]) == [
        "PATCH /api/v1/nodes/{name} takes no application/json"
    ]


def test_every_component_asks_only_for_what_upstream_offers(cluster: Cluster, space: Space):
    space.apply(WORK)
    space.wait_ready("web", 2)
    space.wait(Service, lambda services: services["web"].status.loadBalancer.ingress)
    for (member, component), (method, path) in MUST.items():

        def told(member: str = member, component: str = component, sort: tuple = (method, path)) -> list[dict]:
            page = asked(cluster, member, component)
            return page if sort in [(each["method"], each["path"]) for each in page] else []

        # What a component did is on its page as soon as it was answered, which is after others see it.
        assert faults(until(told, f"{component} asks for {method} {path}")) == [], component


def test_the_reader_of_dns_asks_only_for_what_upstream_offers(cluster: Cluster):
    client, kept = cluster.connect(), Asked()
    client.observer = kept.note
    ours, its = socket.socketpair()
    reader = threading.Thread(target=Reader(client, its).run, args=(True,), daemon=True)
    reader.start()

    def watches() -> list[dict]:
        found = [each for each in kept.page() if "watch" in each["query"]]
        return kept.page() if len(found) == 4 else []

    threading.Thread(target=_drain, args=(ours,), daemon=True).start()
    sorts = until(watches, "it watches four kinds")
    assert faults(sorts) == []
    ours.shutdown(socket.SHUT_RDWR)
    reader.join(10)
    assert not reader.is_alive()


def _drain(words: socket.socket) -> None:
    while words.recv(65536):
        pass
