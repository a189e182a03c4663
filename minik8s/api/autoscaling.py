"""The group autoscaling/v1: Scale, the one number that everything scalable has, and the wish to have it changed.

Scale is a subresource and no kind of its own: `deployments/web/scale`. A HorizontalPodAutoscaler is kept and shown, and
nobody acts on it. Source: the published OpenAPI of Kubernetes 1.33.
"""

import msgspec

from minik8s.api.meta import Int32, Int64, Object, ObjectMeta, Struct, Time, resource, says


class ScaleSpec(Struct):
    replicas: Int32 = 0


class ScaleStatus(Struct):
    replicas: Int32 = msgspec.field(default_factory=int)
    selector: str = ""


class Scale(Struct):
    """How many there are to be, and are; `selector` is text, for whoever counts Pods."""

    apiVersion: str = says("autoscaling/v1")
    kind: str = says("Scale")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: ScaleSpec = msgspec.field(default_factory=ScaleSpec)
    status: ScaleStatus = msgspec.field(default_factory=ScaleStatus)


class CrossVersionObjectReference(Struct):
    kind: str
    name: str
    apiVersion: str = ""


class HorizontalPodAutoscalerSpec(Struct):
    scaleTargetRef: CrossVersionObjectReference | None = None
    minReplicas: Int32 | None = None
    maxReplicas: Int32 = msgspec.field(default_factory=int)
    targetCPUUtilizationPercentage: Int32 | None = None


class HorizontalPodAutoscalerStatus(Struct):
    observedGeneration: Int64 | None = None
    lastScaleTime: Time | None = None
    currentReplicas: Int32 = msgspec.field(default_factory=int)
    desiredReplicas: Int32 = msgspec.field(default_factory=int)
    currentCPUUtilizationPercentage: Int32 | None = None


@resource("horizontalpodautoscalers", short=("hpa",), categories=("all",), subresources=("status",))
class HorizontalPodAutoscaler(Object):
    """Between how many and how many replicas something is to have, by the CPU its Pods use."""

    apiVersion: str = says("autoscaling/v1")
    kind: str = says("HorizontalPodAutoscaler")
    spec: HorizontalPodAutoscalerSpec = msgspec.field(default_factory=HorizontalPodAutoscalerSpec)
    status: HorizontalPodAutoscalerStatus = msgspec.field(default_factory=HorizontalPodAutoscalerStatus)
