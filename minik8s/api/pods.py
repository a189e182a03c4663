"""The Pod: containers that share one network namespace and one address, and live and die together.

Part of the core group; it has a file of its own because it is by far the largest type. What the agent does not act on
is not here (unknown fields are told apart at admission). Source: the published OpenAPI of Kubernetes 1.33.
"""

import msgspec

from minik8s.api.meta import Condition, IntOrString, LabelSelector, Object, ObjectMeta, Quantity, Struct, resource, says

# --- What runs -------------------------------------------------------------------------------------------------------


class ContainerPort(Struct):
    """A port that a container says it listens on. Its name is what a Service's `targetPort` may refer to."""

    containerPort: int
    name: str = ""
    protocol: str = says("TCP")
    hostPort: int = 0
    hostIP: str = ""


class ObjectFieldSelector(Struct):
    fieldPath: str
    apiVersion: str = ""


class KeySelector(Struct):
    """A key of a ConfigMap or Secret called `name`."""

    key: str
    name: str = ""
    optional: bool | None = None


class EnvVarSource(Struct):
    fieldRef: ObjectFieldSelector | None = None
    configMapKeyRef: KeySelector | None = None
    secretKeyRef: KeySelector | None = None


class EnvVar(Struct):
    name: str
    value: str = ""
    valueFrom: EnvVarSource | None = None


class EnvSource(Struct):
    name: str = ""
    optional: bool | None = None


class EnvFromSource(Struct):
    prefix: str = ""
    configMapRef: EnvSource | None = None
    secretRef: EnvSource | None = None


class HTTPHeader(Struct):
    name: str
    value: str


class HTTPGetAction(Struct):
    port: IntOrString
    path: str = ""
    host: str = ""
    scheme: str = ""
    httpHeaders: list[HTTPHeader] = []


class TCPSocketAction(Struct):
    port: IntOrString
    host: str = ""


class ExecAction(Struct):
    command: list[str] = []


class Probe(Struct):
    """A question put to a container again and again. Exactly one of `httpGet`, `tcpSocket`, `exec`."""

    httpGet: HTTPGetAction | None = None
    tcpSocket: TCPSocketAction | None = None
    exec: ExecAction | None = None
    initialDelaySeconds: int = 0
    timeoutSeconds: int = 0
    periodSeconds: int = 0
    successThreshold: int = 0
    failureThreshold: int = 0
    terminationGracePeriodSeconds: int | None = None


class SleepAction(Struct):
    seconds: int


class LifecycleHandler(Struct):
    exec: ExecAction | None = None
    httpGet: HTTPGetAction | None = None
    sleep: SleepAction | None = None


class Lifecycle(Struct):
    preStop: LifecycleHandler | None = None


class ResourceRequirements(Struct):
    limits: dict[str, Quantity] = {}
    requests: dict[str, Quantity] = {}


class Capabilities(Struct):
    add: list[str] = []
    drop: list[str] = []


class SecurityContext(Struct):
    capabilities: Capabilities | None = None
    runAsUser: int | None = None
    runAsGroup: int | None = None
    readOnlyRootFilesystem: bool | None = None


class PodSecurityContext(Struct):
    runAsUser: int | None = None
    runAsGroup: int | None = None


class VolumeMount(Struct):
    name: str
    mountPath: str
    readOnly: bool = False
    subPath: str = ""


class Container(Struct):
    """One container of a Pod."""

    name: str
    image: str = ""
    command: list[str] = []
    args: list[str] = []
    workingDir: str = ""
    ports: list[ContainerPort] = []
    envFrom: list[EnvFromSource] = []
    env: list[EnvVar] = []
    resources: ResourceRequirements = msgspec.field(default_factory=ResourceRequirements)
    volumeMounts: list[VolumeMount] = []
    livenessProbe: Probe | None = None
    readinessProbe: Probe | None = None
    startupProbe: Probe | None = None
    lifecycle: Lifecycle | None = None
    terminationMessagePath: str = ""
    terminationMessagePolicy: str = ""
    imagePullPolicy: str = ""
    securityContext: SecurityContext | None = None
    stdin: bool = False
    stdinOnce: bool = False
    tty: bool = False


# --- Volumes ---------------------------------------------------------------------------------------------------------


class KeyToPath(Struct):
    key: str
    path: str
    mode: int | None = None


class ConfigMapVolumeSource(Struct):
    name: str = ""
    items: list[KeyToPath] = []
    defaultMode: int | None = None
    optional: bool | None = None


class SecretVolumeSource(Struct):
    secretName: str = ""
    items: list[KeyToPath] = []
    defaultMode: int | None = None
    optional: bool | None = None


class EmptyDirVolumeSource(Struct):
    medium: str = ""
    sizeLimit: Quantity | None = None


class Volume(Struct):
    name: str
    emptyDir: EmptyDirVolumeSource | None = None
    configMap: ConfigMapVolumeSource | None = None
    secret: SecretVolumeSource | None = None


# --- Where it runs ---------------------------------------------------------------------------------------------------


class Toleration(Struct):
    key: str = ""
    operator: str = ""
    value: str = ""
    effect: str = ""
    tolerationSeconds: int | None = None


class NodeSelectorRequirement(Struct):
    key: str
    operator: str
    values: list[str] = []


class NodeSelectorTerm(Struct):
    matchExpressions: list[NodeSelectorRequirement] = []
    matchFields: list[NodeSelectorRequirement] = []


class NodeSelector(Struct):
    nodeSelectorTerms: list[NodeSelectorTerm] = []


class NodeAffinity(Struct):
    requiredDuringSchedulingIgnoredDuringExecution: NodeSelector | None = None


class PodAffinityTerm(Struct):
    topologyKey: str
    labelSelector: LabelSelector | None = None
    namespaces: list[str] = []


class PodAntiAffinity(Struct):
    requiredDuringSchedulingIgnoredDuringExecution: list[PodAffinityTerm] = []


class Affinity(Struct):
    nodeAffinity: NodeAffinity | None = None
    podAntiAffinity: PodAntiAffinity | None = None


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
    volumes: list[Volume] = []
    restartPolicy: str = ""
    terminationGracePeriodSeconds: int | None = None
    activeDeadlineSeconds: int | None = None
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


class ContainerStateWaiting(Struct):
    reason: str = ""
    message: str = ""


class ContainerStateRunning(Struct):
    startedAt: str | None = None


class ContainerStateTerminated(Struct):
    exitCode: int = msgspec.field(default_factory=int)
    signal: int = 0
    reason: str = ""
    message: str = ""
    startedAt: str | None = None
    finishedAt: str | None = None
    containerID: str = ""


class ContainerState(Struct):
    """At most one of the three is set."""

    waiting: ContainerStateWaiting | None = None
    running: ContainerStateRunning | None = None
    terminated: ContainerStateTerminated | None = None


class ContainerStatus(Struct):
    name: str
    state: ContainerState = msgspec.field(default_factory=ContainerState)
    lastState: ContainerState = msgspec.field(default_factory=ContainerState)
    ready: bool = msgspec.field(default_factory=bool)
    restartCount: int = msgspec.field(default_factory=int)
    image: str = says("")
    imageID: str = says("")
    containerID: str = ""
    started: bool | None = None


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
    startTime: str | None = None
    initContainerStatuses: list[ContainerStatus] = []
    containerStatuses: list[ContainerStatus] = []
    qosClass: str = ""
    observedGeneration: int = 0


@resource(
    "pods",
    short=("po",),
    categories=("all",),
    subresources=("status", "binding", "log", "exec"),
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
