"""The group autoscaling/v1, of which there is Scale alone: the one number that everything scalable has.

A subresource and no kind of its own: `deployments/web/scale`. Source: the published OpenAPI of Kubernetes 1.33.
"""

import msgspec

from minik8s.api.meta import ObjectMeta, Struct, says


class ScaleSpec(Struct):
    replicas: int = 0


class ScaleStatus(Struct):
    replicas: int = msgspec.field(default_factory=int)
    selector: str = ""


class Scale(Struct):
    """How many there are to be, and are; `selector` is text, for whoever counts Pods."""

    apiVersion: str = says("autoscaling/v1")
    kind: str = says("Scale")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: ScaleSpec = msgspec.field(default_factory=ScaleSpec)
    status: ScaleStatus = msgspec.field(default_factory=ScaleStatus)
