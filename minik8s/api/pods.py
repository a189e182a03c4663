"""The Pod: containers that share one network namespace and one address, and live and die together.

Part of the core group; it has files of its own because it is by far the largest type: `containers.py`, `volumes.py` and
`placement.py` hold its parts, and all of them can be had from here. Source: the published OpenAPI of Kubernetes 1.33.
"""

import msgspec

from minik8s.api.containers import (
    AppArmorProfile,
    Capabilities,
    ConfigMapEnvSource,
    ConfigMapKeySelector,
    Container,
    ContainerPort,
    ContainerResizePolicy,
    ContainerState,
    ContainerStateRunning,
    ContainerStateTerminated,
    ContainerStateWaiting,
    ContainerStatus,
    ContainerUser,
    EnvFromSource,
    EnvSource,
    EnvVar,
    EnvVarSource,
    EphemeralContainer,
    ExecAction,
    GRPCAction,
    HTTPGetAction,
    HTTPHeader,
    KeySelector,
    Lifecycle,
    LifecycleHandler,
    LinuxContainerUser,
    Probe,
    ResourceClaim,
    ResourceHealth,
    ResourceRequirements,
    ResourceStatus,
    SeccompProfile,
    SecretEnvSource,
    SecretKeySelector,
    SecurityContext,
    SELinuxOptions,
    SleepAction,
    TCPSocketAction,
    VolumeDevice,
    VolumeMount,
    VolumeMountStatus,
    WindowsSecurityContextOptions,
)
from minik8s.api.meta import (
    Condition,
    Int32,
    Int64,
    Object,
    ObjectMeta,
    Quantity,
    Struct,
    Time,
    resource,
    says,
)
from minik8s.api.placement import (
    Affinity,
    NodeAffinity,
    NodeSelector,
    NodeSelectorRequirement,
    NodeSelectorTerm,
    PodAffinity,
    PodAffinityTerm,
    PodAntiAffinity,
    PreferredSchedulingTerm,
    Toleration,
    TopologySpreadConstraint,
    WeightedPodAffinityTerm,
)
from minik8s.api.references import LocalObjectReference
from minik8s.api.volumes import (
    MOUNTED,
    SOURCES,
    ClusterTrustBundleProjection,
    ConfigMapProjection,
    ConfigMapVolumeSource,
    CSIVolumeSource,
    DownwardAPIProjection,
    DownwardAPIVolumeFile,
    DownwardAPIVolumeSource,
    EmptyDirVolumeSource,
    EphemeralVolumeSource,
    HostPathVolumeSource,
    ImageVolumeSource,
    KeyToPath,
    NFSVolumeSource,
    ObjectFieldSelector,
    PersistentVolumeClaimTemplate,
    PersistentVolumeClaimVolumeSource,
    ProjectedVolumeSource,
    ResourceFieldSelector,
    SecretProjection,
    SecretVolumeSource,
    ServiceAccountTokenProjection,
    Volume,
    VolumeProjection,
)

__all__ = [
    "MOUNTED",
    "SOURCES",
    "Affinity",
    "AppArmorProfile",
    "CSIVolumeSource",
    "Capabilities",
    "ClusterTrustBundleProjection",
    "ConfigMapEnvSource",
    "ConfigMapKeySelector",
    "ConfigMapProjection",
    "ConfigMapVolumeSource",
    "Container",
    "ContainerPort",
    "ContainerResizePolicy",
    "ContainerState",
    "ContainerStateRunning",
    "ContainerStateTerminated",
    "ContainerStateWaiting",
    "ContainerStatus",
    "ContainerUser",
    "DownwardAPIProjection",
    "DownwardAPIVolumeFile",
    "DownwardAPIVolumeSource",
    "EmptyDirVolumeSource",
    "EnvFromSource",
    "EnvSource",
    "EnvVar",
    "EnvVarSource",
    "EphemeralContainer",
    "EphemeralVolumeSource",
    "ExecAction",
    "GRPCAction",
    "HTTPGetAction",
    "HTTPHeader",
    "HostAlias",
    "HostIP",
    "HostPathVolumeSource",
    "ImageVolumeSource",
    "KeySelector",
    "KeyToPath",
    "Lifecycle",
    "LifecycleHandler",
    "LinuxContainerUser",
    "NFSVolumeSource",
    "NodeAffinity",
    "NodeSelector",
    "NodeSelectorRequirement",
    "NodeSelectorTerm",
    "ObjectFieldSelector",
    "PersistentVolumeClaimTemplate",
    "PersistentVolumeClaimVolumeSource",
    "Pod",
    "PodAffinity",
    "PodAffinityTerm",
    "PodAntiAffinity",
    "PodDNSConfig",
    "PodDNSConfigOption",
    "PodIP",
    "PodOS",
    "PodReadinessGate",
    "PodResourceClaim",
    "PodResourceClaimStatus",
    "PodSchedulingGate",
    "PodSecurityContext",
    "PodSpec",
    "PodStatus",
    "PodTemplateSpec",
    "PreferredSchedulingTerm",
    "Probe",
    "ProjectedVolumeSource",
    "ResourceClaim",
    "ResourceFieldSelector",
    "ResourceHealth",
    "ResourceRequirements",
    "ResourceStatus",
    "SELinuxOptions",
    "SeccompProfile",
    "SecretEnvSource",
    "SecretKeySelector",
    "SecretProjection",
    "SecretVolumeSource",
    "SecurityContext",
    "ServiceAccountTokenProjection",
    "SleepAction",
    "Sysctl",
    "TCPSocketAction",
    "Toleration",
    "TopologySpreadConstraint",
    "Volume",
    "VolumeDevice",
    "VolumeMount",
    "VolumeMountStatus",
    "VolumeProjection",
    "WeightedPodAffinityTerm",
    "WindowsSecurityContextOptions",
    "condition",
    "is_ready",
    "is_terminal",
    "is_terminating",
]


class Sysctl(Struct):
    name: str
    value: str


class PodSecurityContext(Struct):
    runAsUser: Int64 | None = None
    runAsGroup: Int64 | None = None
    runAsNonRoot: bool | None = None
    fsGroup: Int64 | None = None
    fsGroupChangePolicy: str | None = None
    supplementalGroups: list[Int64] = []
    supplementalGroupsPolicy: str | None = None
    sysctls: list[Sysctl] = []
    seccompProfile: SeccompProfile | None = None
    appArmorProfile: AppArmorProfile | None = None
    seLinuxOptions: SELinuxOptions | None = None
    seLinuxChangePolicy: str | None = None
    windowsOptions: WindowsSecurityContextOptions | None = None


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


class PodOS(Struct):
    name: str


class PodSchedulingGate(Struct):
    name: str


class PodResourceClaim(Struct):
    name: str
    resourceClaimName: str | None = None
    resourceClaimTemplateName: str | None = None


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
    priority: Int32 | None = None
    preemptionPolicy: str | None = None
    priorityClassName: str = ""
    topologySpreadConstraints: list[TopologySpreadConstraint] = []
    schedulingGates: list[PodSchedulingGate] = []
    imagePullSecrets: list[LocalObjectReference] = []
    hostPID: bool = False
    hostIPC: bool = False
    hostUsers: bool | None = None
    shareProcessNamespace: bool | None = None
    runtimeClassName: str | None = None
    overhead: dict[str, Quantity] = {}
    resources: ResourceRequirements | None = None
    resourceClaims: list[PodResourceClaim] = []
    os: PodOS | None = None


# --- What became of it -----------------------------------------------------------------------------------------------


class PodIP(Struct):
    ip: str = ""


class HostIP(Struct):
    ip: str = ""


class PodResourceClaimStatus(Struct):
    name: str
    resourceClaimName: str | None = None


class PodStatus(Struct):
    phase: str = ""
    conditions: list[Condition] = []
    message: str = ""
    reason: str = ""
    hostIP: str = ""
    hostIPs: list[HostIP] = []
    podIP: str = ""
    podIPs: list[PodIP] = []
    startTime: Time | None = None
    initContainerStatuses: list[ContainerStatus] = []
    containerStatuses: list[ContainerStatus] = []
    ephemeralContainerStatuses: list[ContainerStatus] = []
    qosClass: str = ""
    observedGeneration: Int64 = 0
    nominatedNodeName: str = ""
    resize: str = ""
    resourceClaimStatuses: list[PodResourceClaimStatus] = []


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
