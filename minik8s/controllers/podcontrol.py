"""What owners of Pods ask and make: does this Pod count, is it available, and a Pod from a template. Pure.

Used by ReplicaSets, StatefulSets, DaemonSets and Jobs. Invariant: a Pod made here names its owner as its controller,
so that it is claimed by nobody else and goes when the owner goes. Read `owners.py` for who claims what.
"""

from collections.abc import Iterable

from minik8s.api import times
from minik8s.api.meta import Object, ObjectMeta, owner_of
from minik8s.api.pods import Pod, PodTemplateSpec, condition, is_ready, is_terminal, is_terminating


def is_active(pod: Pod) -> bool:
    """Does the Pod count as a replica?"""
    return not is_terminal(pod) and not is_terminating(pod)


def ready_since(pod: Pod) -> float | None:
    """Since when the Pod is ready without a break; None when it is not."""
    ready = condition(pod.status.conditions, "Ready")
    if not is_ready(pod) or ready is None:
        return None
    return times.parse(ready.lastTransitionTime) if ready.lastTransitionTime else 0.0


def is_available(pod: Pod, min_ready: int, now: float) -> bool:
    """Ready, and for long enough."""
    since = ready_since(pod)
    return since is not None and (min_ready == 0 or since + min_ready <= now)


def next_available(pods: Iterable[Pod], min_ready: int, now: float) -> float | None:
    """In how many seconds the next of these Pods has been ready for `minReadySeconds`; None when none waits for it."""
    moments = [since + min_ready for pod in pods if min_ready and (since := ready_since(pod)) is not None]
    return min((moment - now for moment in moments if moment > now), default=None)


def new_pod(owner: Object, template: PodTemplateSpec, name: str = "", labels: dict[str, str] | None = None) -> Pod:
    """A Pod from the template; without a name the API server chooses one that begins with the owner's."""
    meta = template.metadata
    return Pod(
        metadata=ObjectMeta(
            name=name,
            generateName="" if name else f"{owner.metadata.name}-",
            namespace=owner.metadata.namespace,
            labels={**meta.labels, **(labels or {})},
            annotations=dict(meta.annotations),
            finalizers=list(meta.finalizers),
            ownerReferences=[owner_of(owner)],
        ),
        spec=template.spec,
    )
