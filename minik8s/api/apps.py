"""The group apps/v1: ReplicaSet keeps a number of Pods, Deployment changes from one ReplicaSet to the next.

Source: the published OpenAPI of Kubernetes 1.33.
"""

import msgspec

from minik8s.api.meta import Condition, Int64, IntOrString, LabelSelector, Object, Struct, resource, says
from minik8s.api.pods import PodTemplateSpec


class ReplicaSetSpec(Struct):
    replicas: int | None = None
    minReadySeconds: int = 0
    selector: LabelSelector | None = None
    template: PodTemplateSpec = msgspec.field(default_factory=PodTemplateSpec)


class ReplicaSetStatus(Struct):
    replicas: int = msgspec.field(default_factory=int)
    fullyLabeledReplicas: int = 0
    readyReplicas: int = 0
    availableReplicas: int = 0
    terminatingReplicas: int | None = None
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
    replicas: int | None = None
    selector: LabelSelector | None = None
    template: PodTemplateSpec = msgspec.field(default_factory=PodTemplateSpec)
    strategy: DeploymentStrategy = msgspec.field(default_factory=DeploymentStrategy)
    minReadySeconds: int = 0
    revisionHistoryLimit: int | None = None
    paused: bool = False
    progressDeadlineSeconds: int | None = None


class DeploymentStatus(Struct):
    observedGeneration: Int64 = 0
    replicas: int = 0
    updatedReplicas: int = 0
    readyReplicas: int = 0
    availableReplicas: int = 0
    unavailableReplicas: int = 0
    terminatingReplicas: int | None = None
    collisionCount: int | None = None
    conditions: list[Condition] = []


@resource("deployments", short=("deploy",), categories=("all",), subresources=("status", "scale"))
class Deployment(Object):
    """Moves Pods from one template to the next, a few at a time."""

    apiVersion: str = says("apps/v1")
    kind: str = says("Deployment")
    spec: DeploymentSpec = msgspec.field(default_factory=DeploymentSpec)
    status: DeploymentStatus = msgspec.field(default_factory=DeploymentStatus)
