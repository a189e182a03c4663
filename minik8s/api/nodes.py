"""The Node: a machine that runs Pods, and what its agent says of it.

Part of the core group, like Pods in a file of its own. Source: the published OpenAPI of Kubernetes 1.33.
"""

from typing import Any

import msgspec

from minik8s.api.meta import Condition, Int32, Int64, Object, Quantity, Struct, Time, resource, says


class Taint(Struct):
    key: str
    effect: str
    value: str = ""
    timeAdded: Time | None = None


class NodeSpec(Struct):
    podCIDR: str = ""
    podCIDRs: list[str] = []
    providerID: str = ""
    unschedulable: bool = False
    taints: list[Taint] = []
    externalID: str = ""
    configSource: Any | None = None


class NodeAddress(Struct):
    type: str
    address: str


class DaemonEndpoint(Struct):
    Port: Int32 = 0


class NodeDaemonEndpoints(Struct):
    kubeletEndpoint: DaemonEndpoint | None = None


class NodeSwapStatus(Struct):
    capacity: Int64 | None = None


class NodeSystemInfo(Struct):
    machineID: str = says("")
    systemUUID: str = says("")
    bootID: str = says("")
    kernelVersion: str = says("")
    osImage: str = says("")
    containerRuntimeVersion: str = says("")
    kubeletVersion: str = says("")
    kubeProxyVersion: str = says("")
    operatingSystem: str = says("")
    architecture: str = says("")
    swap: NodeSwapStatus | None = None


class ContainerImage(Struct):
    names: list[str] = []
    sizeBytes: Int64 = 0


class AttachedVolume(Struct):
    name: str
    devicePath: str


class NodeRuntimeHandlerFeatures(Struct):
    recursiveReadOnlyMounts: bool | None = None
    userNamespaces: bool | None = None


class NodeRuntimeHandler(Struct):
    name: str = ""
    features: NodeRuntimeHandlerFeatures | None = None


class NodeFeatures(Struct):
    supplementalGroupsPolicy: bool | None = None


class NodeStatus(Struct):
    capacity: dict[str, Quantity] = {}
    allocatable: dict[str, Quantity] = {}
    phase: str = ""
    conditions: list[Condition] = []
    addresses: list[NodeAddress] = []
    daemonEndpoints: NodeDaemonEndpoints | None = None
    nodeInfo: NodeSystemInfo | None = None
    images: list[ContainerImage] = []
    volumesInUse: list[str] = []
    volumesAttached: list[AttachedVolume] = []
    runtimeHandlers: list[NodeRuntimeHandler] = []
    features: NodeFeatures | None = None
    config: Any | None = None


@resource("nodes", short=("no",), namespaced=False, subresources=("status", "proxy"))
class Node(Object):
    """A machine that runs Pods."""

    apiVersion: str = says("v1")
    kind: str = says("Node")
    spec: NodeSpec = msgspec.field(default_factory=NodeSpec)
    status: NodeStatus = msgspec.field(default_factory=NodeStatus)
