"""Fetches a Service's rules from the proxy of each node, through the API server's node proxy. Read only.

Read next: rules.py, which explains them.
"""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from minik8s.api.core import Node, Service
from minik8s.api.discovery import SERVICE_NAME, EndpointSlice
from minik8s.api.meta import key
from minik8s.client.rest import ApiError, Client, Unreachable
from minik8s.explain import kubeproxy, rules, virtual
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
    try:
        found = [_in_family(client, obj, node, family, slices) for family in obj.spec.ipFamilies or ["IPv4"]]
    except (ApiError, Unreachable) as error:
        return OnNode(node, silent=f"the proxy of {node} does not answer: {error}")
    except NotUnderstood:
        return OnNode(node, silent=f"the proxy of {node} does not know Service {key(obj)}")
    told = tuple(line for one in found for line in one.told)
    upstream = tuple(line for one in found for line in one.upstream)
    return OnNode(node, told, upstream, found[0].sources)


def _in_family(client: Client, obj: Service, node: str, family: str, slices: Sequence[EndpointSlice]) -> OnNode:
    """A Service in one family's table. Raises NotUnderstood where the proxy does not know it."""
    query = f"?service={key(obj)}&family={family}"
    known = json.loads(page(client, node, "proxy", f"/debug/services{query}"))
    share = parse(page(client, node, "proxy", f"/debug/rules{query}").decode())
    sources = {each["object"]: f"{each['object']}@{each['revision']}" for each in known[0]["sources"]}
    ordered = tuple(sorted(sources.values(), key=lambda each: (not each.startswith("services/"), each)))
    by_address = _by_address(slices, sources)
    told = [*virtual.told(_virtual(client, node, query), ordered, by_address), *rules.told(share, ordered, by_address)]
    if family == "IPv6":
        told = [replace(line, where=f"{line.where} of table ip6 minik8s") for line in told]
    return OnNode(
        node,
        tuple(told),
        tuple(kubeproxy.told(obj, [_port(obj, each, ordered) for each in known[0]["ports"]])),
        ordered,
    )


def _virtual(client: Client, node: str, query: str) -> list[dict[str, Any]]:
    """The Service's virtual services; none where the proxy spreads by rules and has no such page."""
    try:
        return list(json.loads(page(client, node, "proxy", f"/debug/ipvs{query}")))
    except ApiError as error:
        if error.code != 404:
            raise
        return []


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
