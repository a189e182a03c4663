"""The core group, v1: Service, Endpoints, Namespace, ConfigMap, Secret, ServiceAccount, Event.

Pods are in `pods.py`, Nodes in `nodes.py`; both can be had from here. All fields that Kubernetes has are here, whether
they do something in minik8s or not; `effects.py` tells which do not. Source: the published OpenAPI of Kubernetes 1.33.
Read `discovery.py` next: what a Service's endpoints look like.
"""

import msgspec

from minik8s.api.meta import (
    Bytes,
    Condition,
    Int32,
    IntOrString,
    MicroTime,
    Object,
    ObjectMeta,
    Struct,
    Time,
    resource,
    says,
)
from minik8s.api.nodes import (
    AttachedVolume,
    ContainerImage,
    DaemonEndpoint,
    Node,
    NodeAddress,
    NodeDaemonEndpoints,
    NodeFeatures,
    NodeRuntimeHandler,
    NodeRuntimeHandlerFeatures,
    NodeSpec,
    NodeStatus,
    NodeSwapStatus,
    NodeSystemInfo,
    Taint,
)
from minik8s.api.pods import Pod, PodSpec, PodStatus, PodTemplateSpec
from minik8s.api.references import LocalObjectReference, ObjectReference

__all__ = [
    "AttachedVolume",
    "ConfigMap",
    "ContainerImage",
    "DaemonEndpoint",
    "Endpoints",
    "Event",
    "LocalObjectReference",
    "Namespace",
    "Node",
    "NodeAddress",
    "NodeDaemonEndpoints",
    "NodeFeatures",
    "NodeRuntimeHandler",
    "NodeRuntimeHandlerFeatures",
    "NodeSpec",
    "NodeStatus",
    "NodeSwapStatus",
    "NodeSystemInfo",
    "ObjectReference",
    "Pod",
    "PodSpec",
    "PodStatus",
    "PodTemplateSpec",
    "Secret",
    "Service",
    "ServiceAccount",
    "Taint",
]


# --- Service ---------------------------------------------------------------------------------------------------------


class ServicePort(Struct):
    """One port of a Service: clients use `port`, Pods listen on `targetPort`, `nodePort` opens it on every node."""

    port: Int32
    name: str = ""
    protocol: str = says("TCP")
    appProtocol: str | None = None
    targetPort: IntOrString | None = None
    nodePort: Int32 = 0


class ClientIPConfig(Struct):
    timeoutSeconds: Int32 | None = None


class SessionAffinityConfig(Struct):
    clientIP: ClientIPConfig | None = None


class ServiceSpec(Struct):
    selector: dict[str, str] | None = None
    type: str = says("ClusterIP")
    ports: list[ServicePort] = []
    clusterIP: str = ""
    clusterIPs: list[str] = []
    ipFamilies: list[str] = []
    ipFamilyPolicy: str | None = None
    externalIPs: list[str] = []
    externalName: str = ""
    sessionAffinity: str = ""
    sessionAffinityConfig: SessionAffinityConfig | None = None
    externalTrafficPolicy: str = ""
    internalTrafficPolicy: str | None = None
    healthCheckNodePort: Int32 = 0
    loadBalancerIP: str = ""
    loadBalancerClass: str | None = None
    loadBalancerSourceRanges: list[str] = []
    allocateLoadBalancerNodePorts: bool | None = None
    publishNotReadyAddresses: bool = False
    trafficDistribution: str | None = None


class PortStatus(Struct):
    port: Int32
    protocol: str = says("TCP")
    error: str | None = None


class LoadBalancerIngress(Struct):
    """`ipMode` VIP: nodes take packets for the address themselves. Proxy: something before them does (KEP-1860)."""

    ip: str = ""
    hostname: str = ""
    ipMode: str | None = None
    ports: list[PortStatus] = []


class LoadBalancerStatus(Struct):
    ingress: list[LoadBalancerIngress] = []


class ServiceStatus(Struct):
    loadBalancer: LoadBalancerStatus = msgspec.field(default_factory=LoadBalancerStatus)
    conditions: list[Condition] = []


@resource("services", short=("svc",), categories=("all",), subresources=("status", "proxy"))
class Service(Object):
    """A name and an address that stay, in front of Pods that come and go."""

    apiVersion: str = says("v1")
    kind: str = says("Service")
    spec: ServiceSpec = msgspec.field(default_factory=ServiceSpec)
    status: ServiceStatus = msgspec.field(default_factory=ServiceStatus)


# --- Endpoints -------------------------------------------------------------------------------------------------------


class Binding(Struct):
    """The scheduler's word: this Pod goes to that node. A subresource of Pods."""

    apiVersion: str = says("v1")
    kind: str = says("Binding")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    target: ObjectReference = msgspec.field(default_factory=ObjectReference)


class EndpointAddress(Struct):
    ip: str
    hostname: str = ""
    nodeName: str | None = None
    targetRef: ObjectReference | None = None


class EndpointPort(Struct):
    port: Int32
    name: str = ""
    protocol: str = says("TCP")
    appProtocol: str | None = None


class EndpointSubset(Struct):
    addresses: list[EndpointAddress] = []
    notReadyAddresses: list[EndpointAddress] = []
    ports: list[EndpointPort] = []


@resource("endpoints", short=("ep",))
class Endpoints(Object):
    """The older form of a Service's endpoints: one object for all of them. EndpointSlice replaced it."""

    apiVersion: str = says("v1")
    kind: str = says("Endpoints")
    subsets: list[EndpointSubset] = []


# --- Namespace and small kinds ---------------------------------------------------------------------------------------


class NamespaceSpec(Struct):
    finalizers: list[str] = []


class NamespaceStatus(Struct):
    phase: str = ""
    conditions: list[Condition] = []


@resource("namespaces", short=("ns",), namespaced=False, subresources=("status", "finalize"))
class Namespace(Object):
    """A room for names: two Services may both be called `web` if they are in different namespaces."""

    apiVersion: str = says("v1")
    kind: str = says("Namespace")
    spec: NamespaceSpec = msgspec.field(default_factory=NamespaceSpec)
    status: NamespaceStatus = msgspec.field(default_factory=NamespaceStatus)


@resource("serviceaccounts", short=("sa",), subresources=("token",))
class ServiceAccount(Object):
    """An identity for Pods."""

    apiVersion: str = says("v1")
    kind: str = says("ServiceAccount")
    secrets: list[ObjectReference] = []
    imagePullSecrets: list[LocalObjectReference] = []
    automountServiceAccountToken: bool | None = None


@resource("configmaps", short=("cm",))
class ConfigMap(Object):
    """Settings as text, for environment variables and files of Pods."""

    apiVersion: str = says("v1")
    kind: str = says("ConfigMap")
    data: dict[str, str] = {}
    binaryData: dict[str, Bytes] = {}
    immutable: bool | None = None


@resource("secrets")
class Secret(Object):
    """Like a ConfigMap, for what not everybody may read.

    `data` is base64; `stringData` is turned into it on writing.
    """

    apiVersion: str = says("v1")
    kind: str = says("Secret")
    data: dict[str, Bytes] = {}
    stringData: dict[str, str] = {}
    type: str = ""
    immutable: bool | None = None


# --- Event -----------------------------------------------------------------------------------------------------------


class EventSource(Struct):
    component: str = ""
    host: str = ""


class EventSeries(Struct):
    count: Int32 = 0
    lastObservedTime: MicroTime | None = None


@resource("events", short=("ev",))
class Event(Object):
    """Something that happened to an object, told for people. Kept for an hour."""

    apiVersion: str = says("v1")
    kind: str = says("Event")
    involvedObject: ObjectReference = msgspec.field(default_factory=ObjectReference)
    reason: str = ""
    message: str = ""
    source: EventSource = msgspec.field(default_factory=EventSource)
    firstTimestamp: Time | None = None
    lastTimestamp: Time | None = None
    count: Int32 = 0
    type: str = ""
    eventTime: MicroTime | None = None
    series: EventSeries | None = None
    action: str = ""
    related: ObjectReference | None = None
    reportingComponent: str = says("")
    reportingInstance: str = says("")
