"""The group apps/v1: what keeps Pods there.

ReplicaSet keeps a number of Pods, Deployment changes from one ReplicaSet to the next. StatefulSet keeps Pods with
names of their own, DaemonSet one on each node; both remember their earlier templates in ControllerRevisions. Source:
the published OpenAPI of Kubernetes 1.33.
"""

import msgspec

from minik8s.api.claims import PersistentVolumeClaim
from minik8s.api.meta import (
    Condition,
    Int32,
    Int64,
    IntOrString,
    LabelSelector,
    Object,
    RawExtension,
    Struct,
    resource,
    says,
)
from minik8s.api.pods import PodTemplateSpec


class ReplicaSetSpec(Struct):
    replicas: Int32 | None = None
    minReadySeconds: Int32 = 0
    selector: LabelSelector | None = None
    template: PodTemplateSpec = msgspec.field(default_factory=PodTemplateSpec)


class ReplicaSetStatus(Struct):
    replicas: Int32 = msgspec.field(default_factory=int)
    fullyLabeledReplicas: Int32 = 0
    readyReplicas: Int32 = 0
    availableReplicas: Int32 = 0
    terminatingReplicas: Int32 | None = None
    observedGeneration: Int64 = 0
    conditions: list[Condition] = []


@resource("replicasets", short=("rs",), categories=("all",), subresources=("status", "scale"))
class ReplicaSet(Object):
    """Keeps `spec.replicas` Pods that match `spec.selector`, made from `spec.template`."""

    apiVersion: str = says("apps/v1")
    kind: str = says("ReplicaSet")
    spec: ReplicaSetSpec = msgspec.field(default_factory=ReplicaSetSpec)
    status: ReplicaSetStatus = msgspec.field(default_factory=ReplicaSetStatus)


class RollingUpdateDeployment(Struct):
    maxUnavailable: IntOrString | None = None
    maxSurge: IntOrString | None = None


class DeploymentStrategy(Struct):
    type: str = ""
    rollingUpdate: RollingUpdateDeployment | None = None


class DeploymentSpec(Struct):
    replicas: Int32 | None = None
    selector: LabelSelector | None = None
    template: PodTemplateSpec = msgspec.field(default_factory=PodTemplateSpec)
    strategy: DeploymentStrategy = msgspec.field(default_factory=DeploymentStrategy)
    minReadySeconds: Int32 = 0
    revisionHistoryLimit: Int32 | None = None
    paused: bool = False
    progressDeadlineSeconds: Int32 | None = None


class DeploymentStatus(Struct):
    observedGeneration: Int64 = 0
    replicas: Int32 = 0
    updatedReplicas: Int32 = 0
    readyReplicas: Int32 = 0
    availableReplicas: Int32 = 0
    unavailableReplicas: Int32 = 0
    terminatingReplicas: Int32 | None = None
    collisionCount: Int32 | None = None
    conditions: list[Condition] = []


@resource("deployments", short=("deploy",), categories=("all",), subresources=("status", "scale"))
class Deployment(Object):
    """Moves Pods from one template to the next, a few at a time."""

    apiVersion: str = says("apps/v1")
    kind: str = says("Deployment")
    spec: DeploymentSpec = msgspec.field(default_factory=DeploymentSpec)
    status: DeploymentStatus = msgspec.field(default_factory=DeploymentStatus)


# --- StatefulSet -----------------------------------------------------------------------------------------------------


class RollingUpdateStatefulSetStrategy(Struct):
    partition: Int32 | None = None
    maxUnavailable: IntOrString | None = None


class StatefulSetUpdateStrategy(Struct):
    type: str = ""
    rollingUpdate: RollingUpdateStatefulSetStrategy | None = None


class StatefulSetPersistentVolumeClaimRetentionPolicy(Struct):
    whenDeleted: str = ""
    whenScaled: str = ""


class StatefulSetOrdinals(Struct):
    start: Int32 = msgspec.field(default_factory=int)


class StatefulSetSpec(Struct):
    replicas: Int32 | None = None
    selector: LabelSelector | None = None
    template: PodTemplateSpec = msgspec.field(default_factory=PodTemplateSpec)
    volumeClaimTemplates: list[PersistentVolumeClaim] = []
    serviceName: str = ""
    podManagementPolicy: str = ""
    updateStrategy: StatefulSetUpdateStrategy = msgspec.field(default_factory=StatefulSetUpdateStrategy)
    revisionHistoryLimit: Int32 | None = None
    minReadySeconds: Int32 = 0
    persistentVolumeClaimRetentionPolicy: StatefulSetPersistentVolumeClaimRetentionPolicy | None = None
    ordinals: StatefulSetOrdinals | None = None


class StatefulSetStatus(Struct):
    observedGeneration: Int64 = 0
    replicas: Int32 = msgspec.field(default_factory=int)
    readyReplicas: Int32 = 0
    currentReplicas: Int32 = 0
    updatedReplicas: Int32 = 0
    currentRevision: str = ""
    updateRevision: str = ""
    collisionCount: Int32 | None = None
    conditions: list[Condition] = []
    availableReplicas: Int32 = msgspec.field(default_factory=int)


@resource("statefulsets", short=("sts",), categories=("all",), subresources=("status", "scale"))
class StatefulSet(Object):
    """Keeps Pods web-0, web-1, ...: each has a name that outlives it, and they come and go in order."""

    apiVersion: str = says("apps/v1")
    kind: str = says("StatefulSet")
    spec: StatefulSetSpec = msgspec.field(default_factory=StatefulSetSpec)
    status: StatefulSetStatus = msgspec.field(default_factory=StatefulSetStatus)


# --- DaemonSet -------------------------------------------------------------------------------------------------------


class RollingUpdateDaemonSet(Struct):
    maxUnavailable: IntOrString | None = None
    maxSurge: IntOrString | None = None


class DaemonSetUpdateStrategy(Struct):
    type: str = ""
    rollingUpdate: RollingUpdateDaemonSet | None = None


class DaemonSetSpec(Struct):
    selector: LabelSelector | None = None
    template: PodTemplateSpec = msgspec.field(default_factory=PodTemplateSpec)
    updateStrategy: DaemonSetUpdateStrategy = msgspec.field(default_factory=DaemonSetUpdateStrategy)
    minReadySeconds: Int32 = 0
    revisionHistoryLimit: Int32 | None = None


class DaemonSetStatus(Struct):
    currentNumberScheduled: Int32 = msgspec.field(default_factory=int)
    numberMisscheduled: Int32 = msgspec.field(default_factory=int)
    desiredNumberScheduled: Int32 = msgspec.field(default_factory=int)
    numberReady: Int32 = msgspec.field(default_factory=int)
    observedGeneration: Int64 = 0
    updatedNumberScheduled: Int32 = 0
    numberAvailable: Int32 = 0
    numberUnavailable: Int32 = 0
    collisionCount: Int32 | None = None
    conditions: list[Condition] = []


@resource("daemonsets", short=("ds",), categories=("all",), subresources=("status",))
class DaemonSet(Object):
    """Keeps one Pod on each node that the template may run on."""

    apiVersion: str = says("apps/v1")
    kind: str = says("DaemonSet")
    spec: DaemonSetSpec = msgspec.field(default_factory=DaemonSetSpec)
    status: DaemonSetStatus = msgspec.field(default_factory=DaemonSetStatus)


# --- ControllerRevision ----------------------------------------------------------------------------------------------


@resource("controllerrevisions")
class ControllerRevision(Object):
    """A template that a StatefulSet or DaemonSet has or had: what `kubectl rollout history` and `undo` read."""

    apiVersion: str = says("apps/v1")
    kind: str = says("ControllerRevision")
    data: RawExtension | None = None
    revision: Int64 = msgspec.field(default_factory=int)
