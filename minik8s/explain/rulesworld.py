"""Fetches a Service's rules from the proxy of each node, through the API server's node proxy. Read only.

Read next: rules.py, which explains them.
"""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from minik8s.api.core import Node
from minik8s.api.discovery import SERVICE_NAME, EndpointSlice
from minik8s.api.meta import key
from minik8s.client.rest import ApiError, Client, Unreachable
from minik8s.explain import rules
from minik8s.explain.rules import Told
from minik8s.nft.parse import NotUnderstood, parse


@dataclass(frozen=True)
class OnNode:
    """One Service on one node. `silent` says why there is nothing to tell."""

    node: str
    told: tuple[Told, ...] = ()
    sources: tuple[str, ...] = ()  # services/default/web@54, …
    silent: str = ""


def page(client: Client, node: str, component: str, path: str) -> bytes:
    """A debug page of a component of a node. Raises ApiError, Unreachable."""
    return client.request("GET", Node.resource.path("", node, "proxy") + f"/debug/{component}{path}").data


def observe(client: Client, service: tuple[str, str], nodes: Sequence[str]) -> list[OnNode]:
    """The rules of a Service (namespace, name) on each of these nodes."""
    namespace, name = service
    slices = client.list(EndpointSlice, namespace, labels=f"{SERVICE_NAME}={name}").items
    with ThreadPoolExecutor(max_workers=max(1, min(len(nodes), 8))) as pool:
        return list(pool.map(lambda node: _on_node(client, f"{namespace}/{name}", node, slices), nodes))


def _on_node(client: Client, service: str, node: str, slices: Sequence[EndpointSlice]) -> OnNode:
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
    return OnNode(node, tuple(rules.told(share, ordered, _by_address(slices, sources))), tuple(ordered))


def _by_address(slices: Sequence[EndpointSlice], sources: dict[str, str]) -> dict[str, str]:
    """Which slice, in the revision that the proxy used, names an address."""
    return {
        address: sources[f"endpointslices/{key(each)}"]
        for each in slices
        if f"endpointslices/{key(each)}" in sources
        for endpoint in each.endpoints
        for address in endpoint.addresses[:1]
    }
