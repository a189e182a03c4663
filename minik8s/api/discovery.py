"""The group discovery.k8s.io/v1: EndpointSlice, the list of addresses behind a Service that the proxy and DNS read.

Source: KEP-752 (slices), KEP-1672 (terminating endpoints), KEP-3015 (PreferSameNode); the published OpenAPI of 1.33.
"""

import msgspec

from minik8s.api.core import ObjectReference
from minik8s.api.meta import Int32, Object, Struct, resource, says


class EndpointConditions(Struct):
    """`ready`: send new connections.

    `serving`: would answer. `terminating`: is going away. Unset `ready` counts as true.
    """

    ready: bool | None = None
    serving: bool | None = None
    terminating: bool | None = None


class ForNode(Struct):
    name: str


class ForZone(Struct):
    name: str


class EndpointHints(Struct):
    forZones: list[ForZone] = []
    forNodes: list[ForNode] = []


class Endpoint(Struct):
    addresses: list[str] = []
    conditions: EndpointConditions = msgspec.field(default_factory=EndpointConditions)
    hostname: str | None = None
    targetRef: ObjectReference | None = None
    nodeName: str | None = None
    zone: str | None = None
    hints: EndpointHints | None = None
    deprecatedTopology: dict[str, str] = {}


class EndpointPort(Struct):
    name: str | None = None
    protocol: str | None = None
    port: Int32 | None = None
    appProtocol: str | None = None


@resource("endpointslices")
class EndpointSlice(Object):
    """A part of a Service's endpoints, a hundred at most; the label kubernetes.io/service-name says which Service."""

    apiVersion: str = says("discovery.k8s.io/v1")
    kind: str = says("EndpointSlice")
    addressType: str = says("")
    endpoints: list[Endpoint] = []
    ports: list[EndpointPort] = []


SERVICE_NAME = "kubernetes.io/service-name"
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
