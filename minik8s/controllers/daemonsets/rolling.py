"""How a changed template gets onto the nodes: which old Pods go now, which nodes get a second Pod. Pure.

With `maxUnavailable` the old Pod goes first, on so many nodes at a time; with `maxSurge` the new one comes first and
the old one goes when it is available. An old Pod that serves nobody goes at once either way: nothing is lost by it.
Source: Kubernetes' daemon/update.go. Read `plan.py` next.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import ceil

from minik8s.api.apps import DaemonSet
from minik8s.api.meta import IntOrString
from minik8s.api.pods import Pod

Available = Callable[[Pod], bool]


@dataclass(frozen=True)
class OnNode:
    """The Pods of a node that stay: made from the template as it is now, and from earlier ones; oldest first."""

    node: str
    new: list[Pod] = field(default_factory=list)
    old: list[Pod] = field(default_factory=list)


def surges(ds: DaemonSet) -> bool:
    rolling = ds.spec.updateStrategy.rollingUpdate
    return (
        ds.spec.updateStrategy.type == "RollingUpdate"
        and rolling is not None
        and rolling.maxSurge not in (0, "0%", None)
    )


def share(value: IntOrString | None, of: int) -> int:
    """A number, or a percentage rounded up."""
    if isinstance(value, str):
        return ceil(int(value.rstrip("%")) * of / 100)
    return value or 0


def to_delete(ds: DaemonSet, places: Sequence[OnNode], desired: int, available: Available) -> list[Pod]:
    """Old Pods that go now."""
    if surges(ds):
        replaced = [place for place in places if place.old and place.new and available(place.new[0])]
        return [pod for place in replaced for pod in place.old]
    rolling = ds.spec.updateStrategy.rollingUpdate
    missing = sum(1 for place in places if not place.old and not (place.new and available(place.new[0])))
    missing += sum(1 for place in places if place.old and place.new)
    waiting = [place.old[0] for place in places if place.old and not place.new]
    useless = [pod for pod in waiting if not available(pod)]
    useful = [pod for pod in waiting if available(pod)]
    room = max(0, share(rolling.maxUnavailable if rolling else 1, desired) - missing)
    return [*useless, *useful[:room]]


def to_surge(ds: DaemonSet, places: Sequence[OnNode], desired: int, available: Available) -> list[str]:
    """Nodes that get a new Pod beside the old one."""
    rolling = ds.spec.updateStrategy.rollingUpdate
    if not surges(ds) or rolling is None:
        return []
    surging = sum(1 for place in places if place.old and place.new and not available(place.new[0]))
    waiting = [place for place in places if place.old and not place.new]
    useless = [place.node for place in waiting if not available(place.old[0])]
    useful = [place.node for place in waiting if available(place.old[0])]
    return [*useless, *useful[: max(0, share(rolling.maxSurge, desired) - surging)]]
