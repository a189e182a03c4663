"""Where a Pod may run: tolerations of taints, and affinity to nodes and other Pods. The scheduler reads them.

Source: the published OpenAPI of Kubernetes 1.33.
"""

from minik8s.api.meta import Int64, LabelSelector, Struct


class Toleration(Struct):
    key: str = ""
    operator: str = ""
    value: str = ""
    effect: str = ""
    tolerationSeconds: Int64 | None = None


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
