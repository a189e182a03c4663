"""The change of a list of endpoints, in words: what stands in `because`, in the audit and in `history`. Pure.

Read `plan.py` next.
"""

from collections.abc import Iterable

from minik8s.api.core import Pod
from minik8s.api.discovery import Endpoint
from minik8s.api.pods import condition
from minik8s.controllers.endpoints.slices import identity

_NAMED = 3  # more than these are counted


def describe(old: Iterable[Endpoint], new: Iterable[Endpoint]) -> str:
    """`Pod default/web-1 became not ready; Pod default/web-2 is gone`; empty when nothing changed."""
    before, after = _by_identity(old), _by_identity(new)
    words = [_gone(before[each]) for each in sorted(before.keys() - after.keys())]
    words += [_appeared(after[each]) for each in sorted(after.keys() - before.keys())]
    words += [
        _changed(before[each], after[each])
        for each in sorted(before.keys() & after.keys())
        if before[each] != after[each]
    ]
    more = f"; and {len(words) - _NAMED} more" if len(words) > _NAMED else ""
    return "; ".join(words[:_NAMED]) + more


def changed_pods(old: Iterable[Endpoint], new: Iterable[Endpoint], pods: Iterable[Pod]) -> tuple[Pod, ...]:
    """The Pods that made the difference, as far as they still exist."""
    before, after = _by_identity(old), _by_identity(new)
    changed = {each[0] for each in before.keys() | after.keys() if before.get(each) != after.get(each)}
    return tuple(pod for pod in pods if pod.metadata.uid in changed)


def trigger_time(changed: Iterable[Pod]) -> str | None:
    """When the newest of these Pods changed: from here on, upstream measures how slow the network is to follow."""
    ready = [condition(pod.status.conditions, "Ready") for pod in changed]
    return max((each.lastTransitionTime for each in ready if each and each.lastTransitionTime), default=None)


def _by_identity(endpoints: Iterable[Endpoint]) -> dict[tuple[str, str], Endpoint]:
    return {identity(each): each for each in endpoints if each.addresses}


def _who(endpoint: Endpoint) -> str:
    if endpoint.targetRef is None:
        return endpoint.addresses[0]
    return f"Pod {endpoint.targetRef.namespace}/{endpoint.targetRef.name}"


def _gone(endpoint: Endpoint) -> str:
    return f"{_who(endpoint)} is gone"


def _appeared(endpoint: Endpoint) -> str:
    return f"{_who(endpoint)} is new and {'ready' if endpoint.conditions.ready else 'not ready'}"


def _changed(old: Endpoint, new: Endpoint) -> str:
    if new.conditions.terminating and not old.conditions.terminating:
        return f"{_who(new)} is terminating"
    if new.conditions.serving != old.conditions.serving:
        return f"{_who(new)} became {'ready' if new.conditions.serving else 'not ready'}"
    if new.hints != old.hints:
        return f"{_who(new)} is {'preferred on its node' if new.hints else 'preferred nowhere'}"
    return f"{_who(new)} changed"
