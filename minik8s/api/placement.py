"""Where a Pod may run: tolerations of taints, affinity to nodes and other Pods, spreading. The scheduler reads them.

Source: the published OpenAPI of Kubernetes 1.33.
"""

from minik8s.api.meta import Int32, Int64, LabelSelector, Struct


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


class PreferredSchedulingTerm(Struct):
    weight: Int32
    preference: NodeSelectorTerm


class NodeAffinity(Struct):
    requiredDuringSchedulingIgnoredDuringExecution: NodeSelector | None = None
    preferredDuringSchedulingIgnoredDuringExecution: list[PreferredSchedulingTerm] = []


class PodAffinityTerm(Struct):
    topologyKey: str
    labelSelector: LabelSelector | None = None
    namespaces: list[str] = []
    namespaceSelector: LabelSelector | None = None
    matchLabelKeys: list[str] = []
    mismatchLabelKeys: list[str] = []


class WeightedPodAffinityTerm(Struct):
    weight: Int32
    podAffinityTerm: PodAffinityTerm


class PodAffinity(Struct):
    requiredDuringSchedulingIgnoredDuringExecution: list[PodAffinityTerm] = []
    preferredDuringSchedulingIgnoredDuringExecution: list[WeightedPodAffinityTerm] = []


class PodAntiAffinity(Struct):
    requiredDuringSchedulingIgnoredDuringExecution: list[PodAffinityTerm] = []
    preferredDuringSchedulingIgnoredDuringExecution: list[WeightedPodAffinityTerm] = []


class Affinity(Struct):
    nodeAffinity: NodeAffinity | None = None
    podAffinity: PodAffinity | None = None
    podAntiAffinity: PodAntiAffinity | None = None


class TopologySpreadConstraint(Struct):
    """How evenly Pods of a kind must lie over places."""

    maxSkew: Int32
    topologyKey: str
    whenUnsatisfiable: str
    labelSelector: LabelSelector | None = None
    minDomains: Int32 | None = None
    nodeAffinityPolicy: str | None = None
    nodeTaintsPolicy: str | None = None
    matchLabelKeys: list[str] = []
