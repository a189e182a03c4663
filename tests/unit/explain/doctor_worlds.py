"""A healthy Service as the doctor sees it, and ways to spoil it: the worlds of its tables."""

from collections.abc import Callable

from minik8s.api import codec
from minik8s.api.core import Node, Service
from minik8s.api.discovery import EndpointSlice
from minik8s.api.pods import Pod
from minik8s.explain.doctor import ladder
from minik8s.explain.doctor.facts import Dial, Facts, Listener, Lookup, OnNode
from minik8s.explain.doctor.verdict import RED

IP = "10.96.5.6"
PODS = {"web-a": ("node-1", "10.244.1.2"), "web-b": ("node-2", "10.244.2.2")}
LISTENS = (Listener("tcp", "::", 8080), Listener("udp", "0.0.0.0", 8080))


def service(**spec) -> Service:
    whole = {
        "type": "NodePort",
        "clusterIP": IP,
        "clusterIPs": [IP],
        "selector": {"app": "web"},
        "ports": [{"name": "http", "port": 80, "targetPort": "http", "nodePort": 30080}],
        "internalTrafficPolicy": "Cluster",
        "externalTrafficPolicy": "Cluster",
    }
    meta = {"name": "web", "namespace": "default", "resourceVersion": "5"}
    return codec.from_dict(Service, {"metadata": meta, "spec": whole | spec})


def pod(name: str, ready: bool = True, **status) -> Pod:
    node, address = PODS.get(name, ("node-1", "10.244.1.9"))
    conditions = [{"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": "True" if ready else "False"}]
    container = {"name": "main", "image": "minik8s/toolbox:1", "ports": [{"name": "http", "containerPort": 8080}]}
    container["readinessProbe"] = {"httpGet": {"path": "/ready", "port": "http"}}
    state = {"name": "main", "ready": ready, "state": {"running": {}}}
    whole = {"phase": "Running", "podIP": address, "conditions": conditions, "containerStatuses": [state]}
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-5d9", "uid": "u", "controller": True}
    labels = {"app": "web", "pod-template-hash": "5d9"}
    meta = {"name": name, "namespace": "default", "labels": labels, "ownerReferences": [owner]}
    spec = {"nodeName": node, "containers": [container]}
    return codec.from_dict(Pod, {"metadata": meta, "spec": spec, "status": whole | status})


def client() -> Pod:
    found = pod("client")
    found.metadata.labels, found.metadata.ownerReferences = {"app": "client"}, []
    return found


def node(number: int, ready: bool = True) -> Node:
    status = {
        "addresses": [{"type": "InternalIP", "address": f"192.168.56.1{number}"}],
        "conditions": [{"type": "Ready", "status": "True" if ready else "Unknown"}],
    }
    return codec.from_dict(Node, {"metadata": {"name": f"node-{number}"}, "status": status})


def slice_of(*pods: str, port: int = 8080) -> EndpointSlice:
    endpoints = [
        {
            "addresses": [PODS[name][1]],
            "nodeName": PODS[name][0],
            "conditions": {"ready": True},
            "targetRef": {"kind": "Pod", "namespace": "default", "name": name},
        }
        for name in pods
    ]
    ports = [{"name": "http", "protocol": "TCP", "port": port}]
    meta = {"name": "web-x", "namespace": "default", "resourceVersion": "9"}
    return codec.from_dict(
        EndpointSlice, {"metadata": meta, "addressType": "IPv4", "ports": ports, "endpoints": endpoints}
    )


def dial(target: str, node: str = "node-1", pod: str = "", outcome: str = "open") -> Dial:
    return Dial(node, pod, target, "TCP", outcome)


def healthy() -> Facts:
    """Two backends and a client on two nodes; all answers are good."""
    names = [f"10.244.{number}.2:8080" for number in (1, 2)]
    return Facts(
        namespace="default",
        name="web",
        source=client(),
        services=[service()],
        pods=[pod("web-a"), pod("web-b"), client()],
        nodes=[node(1), node(2)],
        slices=[slice_of("web-a", "web-b")],
        listeners={"default/web-a": LISTENS, "default/web-b": LISTENS},
        inside=[dial(names[0], "node-1", "default/web-a"), dial(names[1], "node-2", "default/web-b")],
        beside=[dial(names[0], "node-1"), dial(names[1], "node-2")],
        lookup=Lookup("web", ("10.96.0.10",), (("web.default.svc.cluster.local", "NOERROR", (IP,)),)),
        addresses=[
            dial(f"{IP}:80", "node-1", "default/client"),
            dial(f"{IP}:80", "node-1"),
            dial(f"{IP}:80", "node-2"),
        ],
        node_ports=[dial("192.168.56.11:30080"), dial("192.168.56.12:30080")],
        on_nodes=[OnNode("node-1"), OnNode("node-2")],
    )


def climb(spoil: Callable[[Facts], object] = lambda facts: None) -> tuple[list[ladder.Finding], str, str]:
    """The findings in a spoilt world; the rung that broke, and its code."""
    facts = healthy()
    spoil(facts)
    findings = list(ladder.climb(facts, lambda stage, facts: None))
    last = findings[-1]
    return findings, last.rung.name if last.verdict.state == RED else "", last.verdict.code
