"""The address plan of all proxy tests, and short words for Services and slices.

node-1  192.168.56.11  Pods 10.244.1.0/24        web-a 10.244.1.2, web-b 10.244.1.3
node-2  192.168.56.12  Pods 10.244.2.0/24        web-c 10.244.2.2
outside 192.168.56.1                             Services 10.96.0.0/16
"""

from typing import Any

from support.packets import STATES

from minik8s.api import core, discovery
from minik8s.api.codec import from_dict
from minik8s.proxy.book import Book
from minik8s.proxy.endpoints import Here
from minik8s.proxy.layout import IPV4, frame
from minik8s.proxy.plan import ServicePlan, plan

HERE = Here("node-1", pod_cidrs=("10.244.1.0/24",))
PLACES = {
    "a": ("10.244.1.2", "node-1"),
    "b": ("10.244.1.3", "node-1"),
    "c": ("10.244.2.2", "node-2"),
    "n1": ("192.168.56.11", "node-1"),  # on the node's own address, as DNS is
    "n2": ("192.168.56.12", "node-2"),
}


def service(name: str, ip: str, ports: str = "http:80", **spec: Any) -> core.Service:
    """`ports`: "http:80 dns:53/UDP:30053", the last number being the node port."""
    return from_dict(
        core.Service,
        {
            "metadata": {"name": name, "namespace": "default", "resourceVersion": "11"},
            "spec": {"clusterIP": ip, "ports": [_port(one) for one in ports.split()], **spec},
        },
    )


def slice_of(name: str, endpoints: str, ports: str = "http:8080", **more: Any) -> discovery.EndpointSlice:
    """`endpoints`: "a b=leaving c@node-2": a place, its state, the node it is hinted for."""
    return from_dict(
        discovery.EndpointSlice,
        {
            "metadata": {
                "name": f"{name}-{more.pop('suffix', 'x')}",
                "namespace": "default",
                "resourceVersion": "12",
                "labels": {"kubernetes.io/service-name": name},
            },
            "addressType": "IPv4",
            "ports": [_port(one) for one in ports.split()],
            "endpoints": [_endpoint(name, one) for one in endpoints.split()],
            **more,
        },
    )


def planned(name: str, ip: str, endpoints: str = "", ports: str = "http:80", **spec: Any) -> ServicePlan:
    """A Service whose Pods listen on 8080, 5353 for UDP."""
    targets = " ".join(f"{one.split(':')[0]}:{'5353/UDP' if '/UDP' in one else '8080'}" for one in ports.split())
    return plan(service(name, ip, ports, **spec), [slice_of(name, endpoints, targets)], HERE)


def book_of(*plans: ServicePlan) -> Book:
    book = Book(frame(IPV4, "node-1"))
    book.replace({one.key: one for one in plans})
    return book


def _port(text: str) -> dict[str, Any]:
    name, number, *node_port = text.split(":")
    port, _, protocol = number.partition("/")
    found = {"name": name, "port": int(port), "protocol": protocol or "TCP"}
    return found | ({"nodePort": int(node_port[0])} if node_port else {})


def _endpoint(name: str, text: str) -> dict[str, Any]:
    text, _, hint = text.partition("@")
    place, _, state = text.partition("=")
    address, node = PLACES[place]
    return {
        "addresses": [address],
        "nodeName": node,
        "conditions": STATES[state or "ready"],
        "targetRef": {"kind": "Pod", "namespace": "default", "name": f"{name}-{place}"},
        **({"hints": {"forNodes": [{"name": hint}]}} if hint else {}),
    }
