"""The Pod: containers that share one network namespace and one address, and live and die together.

Part of the core group; it has files of its own because it is by far the largest type: `containers.py`, `volumes.py` and
`placement.py` hold its parts, and all of them can be had from here. Source: the published OpenAPI of Kubernetes 1.33.
"""

import msgspec

from minik8s.api.containers import (
    Capabilities,
    Container,
    ContainerPort,
    ContainerState,
    ContainerStateRunning,
    ContainerStateTerminated,
    ContainerStateWaiting,
    ContainerStatus,
    EnvFromSource,
    EnvSource,
    EnvVar,
    EnvVarSource,
    EphemeralContainer,
    ExecAction,
    HTTPGetAction,
    HTTPHeader,
    KeySelector,
    Lifecycle,
    LifecycleHandler,
    ObjectFieldSelector,
    Probe,
    ResourceRequirements,
    SecurityContext,
    SleepAction,
    TCPSocketAction,
    VolumeMount,
)
from minik8s.api.meta import Condition, Int64, Object, ObjectMeta, Struct, Time, resource, says
from minik8s.api.placement import (
    Affinity,
    NodeAffinity,
    NodeSelector,
    NodeSelectorRequirement,
    NodeSelectorTerm,
    PodAffinityTerm,
    PodAntiAffinity,
    Toleration,
)
from minik8s.api.volumes import (
    ConfigMapVolumeSource,
    EmptyDirVolumeSource,
    KeyToPath,
    SecretVolumeSource,
    Volume,
)

__all__ = [
    "Affinity",
    "Capabilities",
    "ConfigMapVolumeSource",
    "Container",
    "ContainerPort",
    "ContainerState",
    "ContainerStateRunning",
    "ContainerStateTerminated",
    "ContainerStateWaiting",
    "ContainerStatus",
    "EmptyDirVolumeSource",
    "EnvFromSource",
    "EnvSource",
    "EnvVar",
    "EnvVarSource",
    "ExecAction",
    "HTTPGetAction",
    "HTTPHeader",
    "HostAlias",
    "KeySelector",
    "KeyToPath",
    "Lifecycle",
    "LifecycleHandler",
    "NodeAffinity",
    "NodeSelector",
    "NodeSelectorRequirement",
    "NodeSelectorTerm",
    "ObjectFieldSelector",
    "Pod",
    "PodAffinityTerm",
    "PodAntiAffinity",
    "PodDNSConfig",
    "PodDNSConfigOption",
    "PodIP",
    "PodReadinessGate",
    "PodSecurityContext",
    "PodSpec",
    "PodStatus",
    "PodTemplateSpec",
    "Probe",
    "ResourceRequirements",
    "SecretVolumeSource",
    "SecurityContext",
    "SleepAction",
    "TCPSocketAction",
    "Toleration",
    "Volume",
    "VolumeMount",
    "condition",
    "is_ready",
    "is_terminal",
    "is_terminating",
]


class PodSecurityContext(Struct):
    runAsUser: Int64 | None = None
    runAsGroup: Int64 | None = None


class PodDNSConfigOption(Struct):
    name: str = ""
    value: str | None = None


class PodDNSConfig(Struct):
    nameservers: list[str] = []
    searches: list[str] = []
    options: list[PodDNSConfigOption] = []


class HostAlias(Struct):
    ip: str
    hostnames: list[str] = []


class PodReadinessGate(Struct):
    conditionType: str


class PodSpec(Struct):
    containers: list[Container] = []
    initContainers: list[Container] = []
    ephemeralContainers: list[EphemeralContainer] = []
    volumes: list[Volume] = []
    restartPolicy: str = ""
    terminationGracePeriodSeconds: Int64 | None = None
    activeDeadlineSeconds: Int64 | None = None
    dnsPolicy: str = ""
    dnsConfig: PodDNSConfig | None = None
    nodeSelector: dict[str, str] = {}
    serviceAccountName: str = ""
    serviceAccount: str = ""
    automountServiceAccountToken: bool | None = None
    nodeName: str = ""
    hostNetwork: bool = False
    securityContext: PodSecurityContext | None = None
    hostname: str = ""
    subdomain: str = ""
    setHostnameAsFQDN: bool | None = None
    affinity: Affinity | None = None
    schedulerName: str = ""
    tolerations: list[Toleration] = []
    hostAliases: list[HostAlias] = []
    readinessGates: list[PodReadinessGate] = []
    enableServiceLinks: bool | None = None
    priority: int | None = None
    preemptionPolicy: str | None = None


# --- What became of it -----------------------------------------------------------------------------------------------


class PodIP(Struct):
    ip: str = ""


class PodStatus(Struct):
    phase: str = ""
    conditions: list[Condition] = []
    message: str = ""
    reason: str = ""
    hostIP: str = ""
    hostIPs: list[PodIP] = []
    podIP: str = ""
    podIPs: list[PodIP] = []
    startTime: Time | None = None
    initContainerStatuses: list[ContainerStatus] = []
    containerStatuses: list[ContainerStatus] = []
    ephemeralContainerStatuses: list[ContainerStatus] = []
    qosClass: str = ""
    observedGeneration: Int64 = 0


@resource(
    "pods",
    short=("po",),
    categories=("all",),
    subresources=(
        "status",
        "binding",
        "eviction",
        "log",
        "exec",
        "attach",
        "portforward",
        "proxy",
        "ephemeralcontainers",
    ),
)
class Pod(Object):
    """The smallest thing that runs: containers that share an address."""

    apiVersion: str = says("v1")
    kind: str = says("Pod")
    spec: PodSpec = msgspec.field(default_factory=PodSpec)
    status: PodStatus = msgspec.field(default_factory=PodStatus)


class PodTemplateSpec(Struct):
    """What a controller makes its Pods from."""

    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: PodSpec = msgspec.field(default_factory=PodSpec)


# --- Questions that many ask -----------------------------------------------------------------------------------------


def condition(conditions: list[Condition], kind: str) -> Condition | None:
    """The condition of that type, if it was ever reported."""
    return next((each for each in conditions if each.type == kind), None)


def is_ready(pod: Pod) -> bool:
    """Does the Pod say that it can serve?"""
    ready = condition(pod.status.conditions, "Ready")
    return ready is not None and ready.status == "True"


def is_terminating(pod: Pod) -> bool:
    return pod.metadata.deletionTimestamp is not None


def is_terminal(pod: Pod) -> bool:
    """Has the Pod ended for good? Its containers will not be started again."""
    return pod.status.phase in ("Succeeded", "Failed")
