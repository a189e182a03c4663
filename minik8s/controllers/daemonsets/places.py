"""Which nodes are to have a DaemonSet's Pod, which may keep the one they have, and which Pod belongs where. Pure.

Invariant: a Pod is made for one node only, by name; whatever affinity the template had was judged here. A node that
became unfit by a label loses its Pod, one that is only tainted against new Pods keeps it. Read `plan.py` next.
"""

import msgspec

from minik8s.api import codec, eligibility
from minik8s.api.apps import ControllerRevision, DaemonSet
from minik8s.api.core import Node
from minik8s.api.placement import (
    Affinity,
    NodeAffinity,
    NodeSelector,
    NodeSelectorRequirement,
    NodeSelectorTerm,
    Toleration,
)
from minik8s.api.pods import Pod, PodSpec
from minik8s.controllers import revisions
from minik8s.controllers.podcontrol import new_pod

# What a node may suffer without losing the Pods that belong to it, or not getting them: (taint, effect).
_TOLERATED = (
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
)
_HOST_NETWORK = ("node.kubernetes.io/network-unavailable", "NoSchedule")


def pod_spec(ds: DaemonSet) -> PodSpec:
    """The template's spec with the tolerations that Pods of a DaemonSet have."""
    return _tolerant(ds.spec.template.spec)


def _tolerant(spec: PodSpec) -> PodSpec:
    tolerated = (*_TOLERATED, _HOST_NETWORK) if spec.hostNetwork else _TOLERATED
    added = [Toleration(key=key, operator="Exists", effect=effect) for key, effect in tolerated]
    return msgspec.structs.replace(
        spec, tolerations=[*spec.tolerations, *(t for t in added if t not in spec.tolerations)]
    )


def should_run(ds: DaemonSet, node: Node) -> bool:
    """Is the node to get a Pod?"""
    return _fits(ds, node) and not eligibility.untolerated(pod_spec(ds), node.spec.taints)


def may_stay(ds: DaemonSet, node: Node) -> bool:
    """May the node keep a Pod that it has?"""
    return _fits(ds, node) and not eligibility.untolerated(pod_spec(ds), node.spec.taints, ("NoExecute",))


def _fits(ds: DaemonSet, node: Node) -> bool:
    spec = ds.spec.template.spec
    named = spec.nodeName in ("", node.metadata.name)
    return named and eligibility.selects(spec, node) and eligibility.attracted(spec, node)


def node_of(pod: Pod) -> str:
    """The node that the Pod is on, or was made for."""
    if pod.spec.nodeName:
        return pod.spec.nodeName
    affinity = pod.spec.affinity.nodeAffinity if pod.spec.affinity else None
    required = affinity.requiredDuringSchedulingIgnoredDuringExecution if affinity else None
    fields = [each for term in (required.nodeSelectorTerms if required else ()) for each in term.matchFields]
    return next((each.values[0] for each in fields if each.key == "metadata.name" and len(each.values) == 1), "")


def daemon_pod(ds: DaemonSet, node: str, revision: ControllerRevision) -> Pod:
    """The Pod for a node."""
    labels = {revisions.LABEL: revision.metadata.labels[revisions.LABEL]}
    pod = new_pod(ds, ds.spec.template, labels=labels)
    spec = codec.from_dict(PodSpec, codec.to_dict(_tolerant(pod.spec)))
    here = NodeSelectorRequirement(key="metadata.name", operator="In", values=[node])
    spec.affinity = spec.affinity or Affinity()
    spec.affinity.nodeAffinity = spec.affinity.nodeAffinity or NodeAffinity()
    spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution = NodeSelector(
        nodeSelectorTerms=[NodeSelectorTerm(matchFields=[here])]
    )
    return msgspec.structs.replace(pod, spec=spec)
