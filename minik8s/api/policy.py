"""The group policy/v1: PodDisruptionBudget, and Eviction, the question whether a Pod may go.

Source: the published OpenAPI of Kubernetes 1.33.
"""

import msgspec

from minik8s.api.meta import (
    Condition,
    DeleteOptions,
    Int32,
    Int64,
    IntOrString,
    LabelSelector,
    Object,
    ObjectMeta,
    Struct,
    Time,
    resource,
    says,
)


class PodDisruptionBudgetSpec(Struct):
    minAvailable: IntOrString | None = None
    selector: LabelSelector | None = None
    maxUnavailable: IntOrString | None = None
    unhealthyPodEvictionPolicy: str | None = None


class PodDisruptionBudgetStatus(Struct):
    observedGeneration: Int64 = 0
    disruptedPods: dict[str, Time] = {}
    disruptionsAllowed: Int32 = msgspec.field(default_factory=int)
    currentHealthy: Int32 = msgspec.field(default_factory=int)
    desiredHealthy: Int32 = msgspec.field(default_factory=int)
    expectedPods: Int32 = msgspec.field(default_factory=int)
    conditions: list[Condition] = []


@resource("poddisruptionbudgets", short=("pdb",), subresources=("status",))
class PodDisruptionBudget(Object):
    """How many Pods must stay when people, not faults, take some away."""

    apiVersion: str = says("policy/v1")
    kind: str = says("PodDisruptionBudget")
    spec: PodDisruptionBudgetSpec = msgspec.field(default_factory=PodDisruptionBudgetSpec)
    status: PodDisruptionBudgetStatus = msgspec.field(default_factory=PodDisruptionBudgetStatus)


class Eviction(Struct):
    """Delete this Pod, if its budget allows it."""

    apiVersion: str = says("policy/v1")
    kind: str = says("Eviction")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    deleteOptions: DeleteOptions | None = None
