"""Which Pods a ReplicaSet deletes first when it has too many. Pure.

The one whose loss hurts least: not yet on a node, before pending, before not ready; then what people said
(`controller.kubernetes.io/pod-deletion-cost`), then where most siblings share a node, then the one that is ready for
the shortest time, restarts most, is youngest. Upstream compares ages on a logarithmic scale; here they are compared
as they are, so that a learner can predict the answer. Source: Kubernetes' ActivePodsWithRanks.
"""

from collections import Counter
from collections.abc import Iterable

from minik8s.api import times
from minik8s.api.pods import Pod, condition, is_ready
from minik8s.controllers.podcontrol import is_active

DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
_PHASES = {"Pending": 0, "": 0, "Unknown": 1, "Running": 2}


def siblings_by_node(related: Iterable[Pod]) -> Counter[str]:
    """How many active Pods of the family (ReplicaSets of one Deployment together) each node has."""
    return Counter(pod.spec.nodeName for pod in related if is_active(pod) and pod.spec.nodeName)


def deletion_order(pods: Iterable[Pod], crowded: Counter[str]) -> list[Pod]:
    """The Pods, those to be deleted first in front."""
    return sorted(pods, key=lambda pod: _worth(pod, crowded))


def _worth(pod: Pod, crowded: Counter[str]) -> tuple[object, ...]:
    ready = condition(pod.status.conditions, "Ready")
    ready_since = times.parse(ready.lastTransitionTime) if ready and ready.lastTransitionTime else 0.0
    created = times.parse(pod.metadata.creationTimestamp) if pod.metadata.creationTimestamp else 0.0
    restarts = max((each.restartCount for each in pod.status.containerStatuses), default=0)
    return (
        bool(pod.spec.nodeName),
        _PHASES.get(pod.status.phase, 2),
        is_ready(pod),
        _cost(pod),
        -crowded[pod.spec.nodeName],
        -ready_since if is_ready(pod) else 0.0,
        -restarts,
        -created,
        pod.metadata.name,
    )


def _cost(pod: Pod) -> int:
    text = pod.metadata.annotations.get(DELETION_COST, "0")
    return int(text) if text.lstrip("-").isdecimal() else 0
