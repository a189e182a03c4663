"""May a Pod be on a node, as far as the node's labels and taints go? Pure.

The scheduler asks before it binds, the DaemonSet controller before it makes a Pod for a node, the node controller
before it evicts. Invariant: a term of node affinity without conditions holds nowhere. Source: Kubernetes' NodeAffinity
and TaintToleration.
"""

from collections.abc import Collection

from minik8s.api import selectors
from minik8s.api.core import Node, Taint
from minik8s.api.placement import NodeSelectorRequirement, NodeSelectorTerm, Toleration
from minik8s.api.pods import PodSpec


def tolerates(toleration: Toleration, taint: Taint) -> bool:
    """Kubernetes' rule: an empty key with Exists matches all; an empty effect matches all effects."""
    if toleration.effect not in ("", taint.effect):
        return False
    if toleration.operator == "Exists":
        return toleration.key in ("", taint.key)
    return toleration.key == taint.key and toleration.value == taint.value


def untolerated(
    spec: PodSpec, taints: Collection[Taint], effects: Collection[str] = ("NoSchedule", "NoExecute")
) -> list[Taint]:
    """The taints with these effects that the Pod does not tolerate."""
    hard = [taint for taint in taints if taint.effect in effects]
    return [taint for taint in hard if not any(tolerates(each, taint) for each in spec.tolerations)]


def selects(spec: PodSpec, node: Node) -> bool:
    """Does the Pod's `nodeSelector` hold on the node?"""
    return selectors.matches(spec.nodeSelector, node.metadata.labels)


def attracted(spec: PodSpec, node: Node) -> bool:
    """Does one term of the Pod's required node affinity hold on the node, where it has any?"""
    affinity = spec.affinity.nodeAffinity if spec.affinity else None
    required = affinity.requiredDuringSchedulingIgnoredDuringExecution if affinity else None
    return required is None or any(_term_holds(term, node) for term in required.nodeSelectorTerms)


def _term_holds(term: NodeSelectorTerm, node: Node) -> bool:
    fields = {"metadata.name": node.metadata.name}
    checks = [(each, node.metadata.labels) for each in term.matchExpressions]
    checks += [(each, fields) for each in term.matchFields]
    return bool(checks) and all(_holds(each, labels) for each, labels in checks)


def _holds(wanted: NodeSelectorRequirement, labels: dict[str, str]) -> bool:
    if wanted.operator in ("Gt", "Lt"):
        value, limit = labels.get(wanted.key, ""), wanted.values[0] if wanted.values else ""
        if not value.lstrip("-").isdecimal() or not limit.lstrip("-").isdecimal():
            return False
        return int(value) > int(limit) if wanted.operator == "Gt" else int(value) < int(limit)
    return selectors.Requirement(wanted.key, wanted.operator, tuple(wanted.values)).holds(labels)
