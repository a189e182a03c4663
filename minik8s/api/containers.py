"""A container of a Pod: what it runs, with which environment, limits and probes, and what became of it.

Read `pods.py` for the Pod around it, `volumes.py` for what is mounted. Source: the published OpenAPI of 1.33.
"""

import msgspec

from minik8s.api.meta import Int32, Int64, IntOrString, Quantity, Struct, Time, says
from minik8s.api.volumes import ObjectFieldSelector, ResourceFieldSelector

# --- What runs -------------------------------------------------------------------------------------------------------


class ContainerPort(Struct):
    """A port that a container says it listens on. Its name is what a Service's `targetPort` may refer to."""

    containerPort: Int32
    name: str = ""
    protocol: str = says("TCP")
    hostPort: Int32 = 0
    hostIP: str = ""


class ConfigMapKeySelector(Struct):
    key: str
    name: str = ""
    optional: bool | None = None


class SecretKeySelector(Struct):
    key: str
    name: str = ""
    optional: bool | None = None


KeySelector = ConfigMapKeySelector | SecretKeySelector


class EnvVarSource(Struct):
    fieldRef: ObjectFieldSelector | None = None
    resourceFieldRef: ResourceFieldSelector | None = None
    configMapKeyRef: ConfigMapKeySelector | None = None
    secretKeyRef: SecretKeySelector | None = None


class EnvVar(Struct):
    name: str
    value: str = ""
    valueFrom: EnvVarSource | None = None


class ConfigMapEnvSource(Struct):
    name: str = ""
    optional: bool | None = None


class SecretEnvSource(Struct):
    name: str = ""
    optional: bool | None = None


EnvSource = ConfigMapEnvSource | SecretEnvSource


class EnvFromSource(Struct):
    prefix: str = ""
    configMapRef: ConfigMapEnvSource | None = None
    secretRef: SecretEnvSource | None = None


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


class GRPCAction(Struct):
    port: Int32
    service: str | None = None


class Probe(Struct):
    """A question put to a container again and again. Exactly one of `httpGet`, `tcpSocket`, `exec`, `grpc`."""

    httpGet: HTTPGetAction | None = None
    tcpSocket: TCPSocketAction | None = None
    exec: ExecAction | None = None
    grpc: GRPCAction | None = None
    initialDelaySeconds: Int32 = 0
    timeoutSeconds: Int32 = 0
    periodSeconds: Int32 = 0
    successThreshold: Int32 = 0
    failureThreshold: Int32 = 0
    terminationGracePeriodSeconds: Int64 | None = None


class SleepAction(Struct):
    seconds: Int64


class LifecycleHandler(Struct):
    exec: ExecAction | None = None
    httpGet: HTTPGetAction | None = None
    sleep: SleepAction | None = None
    tcpSocket: TCPSocketAction | None = None


class Lifecycle(Struct):
    preStop: LifecycleHandler | None = None
    postStart: LifecycleHandler | None = None
    stopSignal: str | None = None


class ResourceClaim(Struct):
    name: str
    request: str = ""


class ResourceRequirements(Struct):
    limits: dict[str, Quantity] = {}
    requests: dict[str, Quantity] = {}
    claims: list[ResourceClaim] = []


class Capabilities(Struct):
    add: list[str] = []
    drop: list[str] = []


class SELinuxOptions(Struct):
    user: str = ""
    role: str = ""
    type: str = ""
    level: str = ""


class SeccompProfile(Struct):
    type: str
    localhostProfile: str | None = None


class AppArmorProfile(Struct):
    type: str
    localhostProfile: str | None = None


class WindowsSecurityContextOptions(Struct):
    gmsaCredentialSpecName: str | None = None
    gmsaCredentialSpec: str | None = None
    runAsUserName: str | None = None
    hostProcess: bool | None = None


class SecurityContext(Struct):
    capabilities: Capabilities | None = None
    privileged: bool | None = None
    allowPrivilegeEscalation: bool | None = None
    runAsUser: Int64 | None = None
    runAsGroup: Int64 | None = None
    runAsNonRoot: bool | None = None
    readOnlyRootFilesystem: bool | None = None
    seccompProfile: SeccompProfile | None = None
    appArmorProfile: AppArmorProfile | None = None
    seLinuxOptions: SELinuxOptions | None = None
    procMount: str | None = None
    windowsOptions: WindowsSecurityContextOptions | None = None


class VolumeMount(Struct):
    name: str
    mountPath: str
    readOnly: bool = False
    subPath: str = ""
    subPathExpr: str = ""
    mountPropagation: str | None = None
    recursiveReadOnly: str | None = None


class VolumeDevice(Struct):
    name: str
    devicePath: str


class ContainerResizePolicy(Struct):
    resourceName: str
    restartPolicy: str


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
    resizePolicy: list[ContainerResizePolicy] = []
    restartPolicy: str | None = None
    volumeMounts: list[VolumeMount] = []
    volumeDevices: list[VolumeDevice] = []
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


class EphemeralContainer(Container):
    """A container that is added to a running Pod to look around in it. It is never started again."""

    targetContainerName: str = ""


# --- What became of it -----------------------------------------------------------------------------------------------


class ContainerStateWaiting(Struct):
    reason: str = ""
    message: str = ""


class ContainerStateRunning(Struct):
    startedAt: Time | None = None


class ContainerStateTerminated(Struct):
    exitCode: Int32 = msgspec.field(default_factory=int)
    signal: Int32 = 0
    reason: str = ""
    message: str = ""
    startedAt: Time | None = None
    finishedAt: Time | None = None
    containerID: str = ""


class ContainerState(Struct):
    """At most one of the three is set."""

    waiting: ContainerStateWaiting | None = None
    running: ContainerStateRunning | None = None
    terminated: ContainerStateTerminated | None = None


class LinuxContainerUser(Struct):
    uid: Int64
    gid: Int64
    supplementalGroups: list[Int64] = []


class ContainerUser(Struct):
    linux: LinuxContainerUser | None = None


class ResourceHealth(Struct):
    resourceID: str
    health: str = ""


class ResourceStatus(Struct):
    name: str
    resources: list[ResourceHealth] = []


class VolumeMountStatus(Struct):
    name: str
    mountPath: str
    readOnly: bool = False
    recursiveReadOnly: str | None = None


class ContainerStatus(Struct):
    name: str
    state: ContainerState = msgspec.field(default_factory=ContainerState)
    lastState: ContainerState = msgspec.field(default_factory=ContainerState)
    ready: bool = msgspec.field(default_factory=bool)
    restartCount: Int32 = msgspec.field(default_factory=int)
    image: str = says("")
    imageID: str = says("")
    containerID: str = ""
    started: bool | None = None
    resources: ResourceRequirements | None = None
    allocatedResources: dict[str, Quantity] = {}
    allocatedResourcesStatus: list[ResourceStatus] = []
    volumeMounts: list[VolumeMountStatus] = []
    user: ContainerUser | None = None
    stopSignal: str | None = None
