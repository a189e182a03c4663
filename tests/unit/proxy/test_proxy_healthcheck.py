"""The health-check node port: who is asked, what is answered, and that the servers come and go with their Services."""

import json
import socket
import threading
import urllib.error
import urllib.request
from types import SimpleNamespace

import pytest
from played_informer import Memory

from minik8s.api.codec import from_dict
from minik8s.api.core import Node, Service
from minik8s.api.discovery import EndpointSlice
from minik8s.proxy.followed import KEY, Sources
from minik8s.proxy.healthcheck import HealthChecks, asked, local_endpoints


def service(port: int, **spec) -> Service:
    plain = {"type": "LoadBalancer", "externalTrafficPolicy": "Local", "healthCheckNodePort": port}
    meta = {"name": "web", "namespace": "default", "uid": "1"}
    return from_dict(Service, {"metadata": meta, "spec": plain | {"ipFamilies": ["IPv4"]} | spec})


def slice_of(*endpoints: tuple[str, str, bool], family: str = "IPv4") -> EndpointSlice:
    found = [{"addresses": [ip], "nodeName": node, "conditions": {"ready": ready}} for ip, node, ready in endpoints]
    labels = {"kubernetes.io/service-name": "web"}
    meta = {"name": f"web-{family.lower()}", "namespace": "default", "labels": labels}
    return from_dict(EndpointSlice, {"metadata": meta, "addressType": family, "endpoints": found})


ASKED = [
    ({}, True),
    ({"externalTrafficPolicy": "Cluster"}, False),
    ({"type": "NodePort"}, False),
    ({"healthCheckNodePort": 0}, False),
]


@pytest.mark.parametrize(("spec", "answer"), ASKED, ids=str)
def test_only_a_load_balancer_under_policy_local_has_one(spec, answer):
    assert asked(service(32000, **spec)) is answer


def test_counted_are_the_ready_endpoints_of_this_node_each_once():
    four = [("10.244.1.2", "node-1", True), ("10.244.1.3", "node-1", False), ("10.244.2.2", "node-2", True)]
    slices = [slice_of(*four), slice_of(("fd00:244:0:1::2", "node-1", True), family="IPv6")]
    both = service(32000, ipFamilies=["IPv4", "IPv6"])
    assert [local_endpoints(both, slices, f"node-{n}") for n in (1, 2, 3)] == [1, 1, 0]


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def ask(port: int):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
            return answer.status, answer.headers, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, error.headers, json.load(error)


@pytest.fixture
def checks():
    addresses = [{"type": "Hostname", "address": "node-1"}, {"type": "InternalIP", "address": "127.0.0.1"}]
    node = from_dict(Node, {"metadata": {"name": "node-1"}, "status": {"addresses": addresses}})
    told: list[str] = []
    events = SimpleNamespace(warning=lambda obj, reason, message: told.append(f"{reason}: {message}"))
    component = SimpleNamespace(options=SimpleNamespace(node="node-1"), events=events, stop=threading.Event())
    made = HealthChecks(component, Sources(Memory(), Memory(), Memory(node)), lambda: made.ready)
    made.ready, made.told = True, told
    yield made
    for port in list(made._servers):
        made._close(port)


def test_it_answers_as_kube_proxy_does(checks):
    port = free_port()
    checks._sources.services.put(service(port))
    checks._sources.slices.put(slice_of(("10.244.1.2", "node-1", True), ("10.244.1.3", "node-1", True)))
    assert checks.sync(KEY) is None
    code, headers, body = ask(port)
    assert (code, headers["X-Load-Balancing-Endpoint-Weight"], headers["Content-Type"]) == (
        200,
        "2",
        "application/json",
    )
    named = {"namespace": "default", "name": "web"}
    assert body == {"service": named, "localEndpoints": 2, "serviceProxyHealthy": True}
    checks.ready = False
    assert ask(port)[0] == 503
    checks.ready = True
    checks._sources.slices.put(slice_of(("10.244.1.2", "node-1", False)))
    checks.sync(KEY)
    code, headers, body = ask(port)
    assert (code, headers["X-Load-Balancing-Endpoint-Weight"], body["localEndpoints"]) == (503, "0", 0)


def test_it_ends_with_the_policy_that_asked_for_it(checks):
    port = free_port()
    checks._sources.services.put(service(port))
    checks.sync(KEY)
    assert ask(port)[0] == 503
    checks._sources.services.put(service(0, externalTrafficPolicy="Cluster"))
    checks.sync(KEY)
    with pytest.raises(OSError, match="refused"):
        ask(port)


def test_a_port_that_somebody_else_has_is_told_and_tried_again(checks):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        checks._sources.services.put(service(port))
        assert checks.sync(KEY) > 0
        assert checks.told[0].startswith(f"FailedToStartServiceHealthcheck: the health check on 127.0.0.1 port {port}")
    assert checks.sync(KEY) is None and ask(port)[0] == 503
