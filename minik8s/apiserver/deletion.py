"""How an object goes: at once, after a grace period, or when its finalizers are done. Pure; upstream's
`BeforeDelete`.

Invariants: an object with finalizers is never removed; a grace period can be shortened, never prolonged; a Pod that
runs somewhere is removed by the one who stopped it (the agent, with grace 0). Read `verbs.py` for the write itself.
"""

from dataclasses import dataclass

from minik8s.api import pods, times
from minik8s.api.core import Namespace, Pod
from minik8s.api.meta import DeleteOptions, Object
from minik8s.params import TERMINATION_GRACE_PERIOD_S

ORPHAN = "orphan"  # the garbage controller cuts the dependents loose, then removes this finalizer
FOREGROUND = "foregroundDeletion"  # it removes the dependents first


@dataclass(frozen=True)
class Outcome:
    """`remove`: the object goes now. Else `changed` says whether it has to be written."""

    remove: bool
    changed: bool = False


def begin(obj: Object, options: DeleteOptions, now: float) -> Outcome:
    """Decide a delete request and mark the object accordingly, in place."""
    before = _state(obj)
    _set_policy(obj, options)
    grace = _grace(obj, options)
    if grace == 0 and is_free(obj):
        return Outcome(remove=True)
    meta = obj.metadata
    running_out = meta.deletionGracePeriodSeconds or 0
    if meta.deletionTimestamp is None:
        meta.deletionTimestamp = times.rfc3339(now + grace)
        meta.deletionGracePeriodSeconds = grace
        meta.generation += 1 if meta.generation else 0
    elif grace < running_out:
        meta.deletionTimestamp = times.rfc3339(times.parse(meta.deletionTimestamp) - running_out + grace)
        meta.deletionGracePeriodSeconds = grace
    if isinstance(obj, Namespace):
        obj.status.phase = "Terminating"
    return Outcome(remove=False, changed=_state(obj) != before)


def is_free(obj: Object) -> bool:
    """Nobody has to do anything before this object may go."""
    return not obj.metadata.finalizers and not (isinstance(obj, Namespace) and obj.spec.finalizers)


def is_over(obj: Object) -> bool:
    """After an update: does the object go with it, because it was waiting for exactly that?"""
    meta = obj.metadata
    return meta.deletionTimestamp is not None and not meta.deletionGracePeriodSeconds and is_free(obj)


def _state(obj: Object) -> tuple[object, ...]:
    meta = obj.metadata
    phase = obj.status.phase if isinstance(obj, Namespace) else ""
    return meta.deletionTimestamp, meta.deletionGracePeriodSeconds, tuple(meta.finalizers), phase


def _set_policy(obj: Object, options: DeleteOptions) -> None:
    """The propagation policy becomes a finalizer, which the garbage controller works off."""
    policy = options.propagationPolicy
    if policy is None and options.orphanDependents is not None:
        policy = "Orphan" if options.orphanDependents else "Background"
    if policy is None:
        return
    wanted = {"Orphan": [ORPHAN], "Foreground": [FOREGROUND]}.get(policy, [])
    others = [each for each in obj.metadata.finalizers if each not in (ORPHAN, FOREGROUND)]
    obj.metadata.finalizers = others + wanted


def _grace(obj: Object, options: DeleteOptions) -> int:
    """Only Pods take their leave slowly, and only those that may be running somewhere."""
    if not isinstance(obj, Pod) or not obj.spec.nodeName or pods.is_terminal(obj):
        return 0
    asked = options.gracePeriodSeconds
    if asked is None:
        own = obj.spec.terminationGracePeriodSeconds
        asked = TERMINATION_GRACE_PERIOD_S if own is None else own
    return 1 if asked < 0 else asked
