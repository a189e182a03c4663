"""Fetches a Service's rules from the proxy of each node, through the API server's node proxy. Read only.

Read next: rules.py, which explains them.
"""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from minik8s.api.core import Node, Service
from minik8s.api.discovery import SERVICE_NAME, EndpointSlice
from minik8s.api.meta import key
from minik8s.client.rest import ApiError, Client, Unreachable
from minik8s.explain import kubeproxy, rules
from minik8s.explain.rules import Told
from minik8s.nft.parse import NotUnderstood, parse


@dataclass(frozen=True)
class OnNode:
    """One Service on one node. `silent` says why there is nothing to tell."""

    node: str
    told: tuple[Told, ...] = ()
    upstream: tuple[Told, ...] = ()  # what kube-proxy would have written
    sources: tuple[str, ...] = ()  # services/default/web@54, …
    silent: str = ""


def page(client: Client, node: str, component: str, path: str) -> bytes:
    """A debug page of a component of a node. Raises ApiError, Unreachable."""
    return client.request("GET", Node.resource.path("", node, "proxy") + f"/debug/{component}{path}").data


def observe(client: Client, service: Service, nodes: Sequence[str]) -> list[OnNode]:
    """The rules of a Service on each of these nodes."""
    meta = service.metadata
    slices = client.list(EndpointSlice, meta.namespace, labels=f"{SERVICE_NAME}={meta.name}").items
    with ThreadPoolExecutor(max_workers=max(1, min(len(nodes), 8))) as pool:
        return list(pool.map(lambda node: _on_node(client, service, node, slices), nodes))


def _on_node(client: Client, obj: Service, node: str, slices: Sequence[EndpointSlice]) -> OnNode:
    service = key(obj)
    try:
        known = json.loads(page(client, node, "proxy", f"/debug/services?service={service}"))
        text = page(client, node, "proxy", f"/debug/rules?service={service}").decode()
    except (ApiError, Unreachable) as error:
        return OnNode(node, silent=f"the proxy of {node} does not answer: {error}")
    try:
        share = parse(text)
    except NotUnderstood:
        return OnNode(node, silent=f"the proxy of {node} does not know Service {service}")
    sources = {each["object"]: f"{each['object']}@{each['revision']}" for each in known[0]["sources"]}
    ordered = sorted(sources.values(), key=lambda each: (not each.startswith("services/"), each))
    told = rules.told(share, ordered, _by_address(slices, sources))
    upstream = kubeproxy.told(obj, [_port(obj, each, tuple(ordered)) for each in known[0]["ports"]])
    return OnNode(node, tuple(told), tuple(upstream), tuple(ordered))


def _port(service: Service, told: dict[str, Any], sources: tuple[str, ...]) -> kubeproxy.Port:
    """A port of the proxy's debug page. Its name there is its number where it has none."""
    named = any(port.name == told["port"] for port in service.spec.ports)
    backends = []
    for each in _serving(service, told["endpoints"]):
        address, _, number = each["target"].rpartition(":")
        backends.append(kubeproxy.Backend(address.strip("[]"), int(number), each["local"]))
    return kubeproxy.Port(
        told["port"] if named else "",
        told["protocol"],
        told["clusterIP"],
        told["number"],
        told["nodePort"],
        tuple(backends),
        sources,
    )


def _serving(service: Service, endpoints: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The endpoints that new connections may reach through some way in.

    Under internalTrafficPolicy Local the proxy calls only its own node's used; a node port has all.
    """
    if service.spec.internalTrafficPolicy != "Local":
        return [each for each in endpoints if each["used"]]
    ready = [each for each in endpoints if each["state"] == "ready"]
    return ready or [each for each in endpoints if each["state"].endswith("still serving")]


def _by_address(slices: Sequence[EndpointSlice], sources: dict[str, str]) -> dict[str, str]:
    """Which slice, in the revision that the proxy used, names an address."""
    return {
        address: sources[f"endpointslices/{key(each)}"]
        for each in slices
        if f"endpointslices/{key(each)}" in sources
        for endpoint in each.endpoints
        for address in endpoint.addresses[:1]
    }
