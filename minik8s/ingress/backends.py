"""A Service's port to the endpoints that get its requests. Pure.

Straight to Pods: ready endpoints, and when there is none those that are terminating but still serve, as the proxy's
rules have it. Of a Service with both families the IPv4 endpoints: the others are the same Pods. Invariant: an endpoint
is an address and a port, nothing else, whatever a hand-written slice says.
"""

import ipaddress
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from minik8s.api.addresses import host_port
from minik8s.api.core import Service
from minik8s.api.discovery import Endpoint, EndpointSlice
from minik8s.ingress.rules import Target


@dataclass(frozen=True)
class Backend:
    """Where the requests of a target go. `problem` says why nowhere, as far as the Service is to blame."""

    target: Target
    endpoints: tuple[str, ...] = ()  # "10.244.1.5:8080"
    problem: str = ""


def resolve(target: Target, service: Service | None, slices: Iterable[EndpointSlice]) -> Backend:
    if service is None:
        return Backend(target, problem=f"there is no Service {target.namespace}/{target.service}")
    if service.spec.type == "ExternalName":
        return Backend(target, problem=f"Service {target.namespace}/{target.service} is only a name for another host")
    port = next((each for each in service.spec.ports if target.port in (each.name, str(each.port))), None)
    if port is None:
        return Backend(target, problem=f"Service {target.namespace}/{target.service} has no port {target.port}")
    found = [
        (each, text)
        for piece in slices
        for number in [p.port for p in piece.ports if (p.name or "") == port.name and p.port]
        for each in piece.endpoints
        if each.addresses and (text := endpoint_text(each.addresses[0], number))
    ]
    ways = [(wanted, six) for wanted in (_ready, _serving) for six in (False, True)]
    return Backend(target, next(filter(None, (_texts(found, *way) for way in ways)), ()))


def endpoint_text(address: str, port: int) -> str:
    """`10.244.1.5:8080` or `[fd00:244:1::5]:8080`; "" for what is no address."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return ""
    return host_port(str(ip), port)


def _texts(found: Sequence[tuple[Endpoint, str]], wanted: Callable[[Endpoint], bool], six: bool) -> tuple[str, ...]:
    return tuple(sorted({text for each, text in found if wanted(each) and text.startswith("[") is six}))


def _ready(endpoint: Endpoint) -> bool:
    return endpoint.conditions.ready is not False


def _serving(endpoint: Endpoint) -> bool:
    return bool(endpoint.conditions.terminating) and endpoint.conditions.serving is not False
