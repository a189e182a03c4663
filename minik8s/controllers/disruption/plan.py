"""Decides what a PodDisruptionBudget's status says. Pure.

Invariants: a Pod that was allowed to go counts as gone from that moment on, so that two evictions never spend the same
budget; what cannot be worked out allows nothing. A percentage is of the Pods that there *should* be, which only their
owners know. Read `main.py` next.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import ceil

from minik8s.api import codec, patch, selectors, times
from minik8s.api.meta import Condition, IntOrString
from minik8s.api.pods import Pod, condition, is_ready, is_terminating
from minik8s.api.policy import PodDisruptionBudget, PodDisruptionBudgetStatus
from minik8s.controllers.actions import Action, Patch, Tell

# An allowed eviction that was not followed by a deletion is forgotten after this long.
FORGOTTEN_AFTER_S = 120
Scales = Mapping[str, tuple[str, int]]
"""A controller's uid → whose number counts (its own uid, or its Deployment's), and the number."""


class Unknown(Exception):
    """How many Pods there should be cannot be worked out."""


def plan(pdb: PodDisruptionBudget, pods: Sequence[Pod], scales: Scales, now: float) -> list[Action]:
    """The writes for one budget; `pods` are those of its namespace."""
    mine = sorted((pod for pod in pods if selectors.matches(pdb.spec.selector, pod.metadata.labels)), key=_name)
    disrupted = _disrupted(pdb, mine, now)
    tell = None
    try:
        wanted = _counted(pdb, mine, scales, disrupted)
    except Unknown as unknown:
        tell = Tell(
            pdb, "CalculateExpectedPodCountFailed", f"Failed to calculate the number of expected pods: {unknown}"
        )
        wanted = _failed(pdb, str(unknown))
        tell = None if wanted.conditions == pdb.status.conditions else tell
    wanted.conditions = _dated(pdb, wanted.conditions, now)
    change = patch.diff(codec.to_dict(pdb.status), codec.to_dict(wanted))
    because = f"{wanted.currentHealthy} Pods are healthy, {wanted.desiredHealthy} must be"
    # Whoever evicts writes the status too; so this is only written over what was looked at.
    seen = {"metadata": {"resourceVersion": pdb.metadata.resourceVersion}}
    return [Patch(pdb, {"status": change} | seen, because, "status", tell)] if change else []


def _name(pod: Pod) -> str:
    return pod.metadata.name


def _disrupted(pdb: PodDisruptionBudget, mine: Iterable[Pod], now: float) -> dict[str, str]:
    """Pods that were allowed to go, are still there, and may yet go."""
    there = {pod.metadata.name for pod in mine if not is_terminating(pod)}
    return {
        name: since
        for name, since in pdb.status.disruptedPods.items()
        if name in there and times.parse(since) + FORGOTTEN_AFTER_S > now
    }


def next_look(pdb: PodDisruptionBudget, now: float) -> float | None:
    """In how many seconds the oldest permission is forgotten."""
    ends = [times.parse(since) + FORGOTTEN_AFTER_S - now for since in pdb.status.disruptedPods.values()]
    return max(0.1, min(ends)) if ends else None


def _counted(
    pdb: PodDisruptionBudget, mine: Sequence[Pod], scales: Scales, disrupted: dict[str, str]
) -> PodDisruptionBudgetStatus:
    expected, desired = _needed(pdb, mine, scales)
    healthy = sum(1 for pod in mine if is_ready(pod) and not is_terminating(pod) and pod.metadata.name not in disrupted)
    allowed = max(0, healthy - desired) if expected > 0 else 0
    return PodDisruptionBudgetStatus(
        observedGeneration=pdb.metadata.generation,
        disruptedPods=disrupted,
        disruptionsAllowed=allowed,
        currentHealthy=healthy,
        desiredHealthy=desired,
        expectedPods=expected,
        conditions=[_allowed(pdb, allowed > 0, "SufficientPods" if allowed else "InsufficientPods", "")],
    )


def _failed(pdb: PodDisruptionBudget, why: str) -> PodDisruptionBudgetStatus:
    return PodDisruptionBudgetStatus(
        observedGeneration=pdb.metadata.generation,
        disruptedPods=pdb.status.disruptedPods,
        conditions=[_allowed(pdb, False, "SyncFailed", why)],
    )


def _allowed(pdb: PodDisruptionBudget, yes: bool, reason: str, message: str) -> Condition:
    return Condition(
        type="DisruptionAllowed",
        status="True" if yes else "False",
        reason=reason,
        message=message,
        observedGeneration=pdb.metadata.generation,
    )


def _dated(pdb: PodDisruptionBudget, fresh: list[Condition], now: float) -> list[Condition]:
    for each in fresh:
        old = condition(pdb.status.conditions, each.type)
        same = old is not None and old.status == each.status
        each.lastTransitionTime = old.lastTransitionTime if old is not None and same else times.rfc3339(now)
    others = [each for each in pdb.status.conditions if each.type != "DisruptionAllowed"]
    return [*others, *fresh]


# --- How many there should be ----------------------------------------------------------------------------------------


def _needed(pdb: PodDisruptionBudget, mine: Sequence[Pod], scales: Scales) -> tuple[int, int]:
    """(Pods that there should be, Pods that must be healthy)."""
    spec = pdb.spec
    if spec.maxUnavailable is not None:
        expected = _expected(mine, scales)
        return expected, max(0, expected - share(spec.maxUnavailable, expected))
    if isinstance(spec.minAvailable, str):
        expected = _expected(mine, scales)
        return expected, share(spec.minAvailable, expected)
    return len(mine), spec.minAvailable or 0


def share(value: IntOrString, of: int) -> int:
    """A number, or a percentage rounded up."""
    return ceil(int(value.rstrip("%")) * of / 100) if isinstance(value, str) else value


def _expected(mine: Sequence[Pod], scales: Scales) -> int:
    """The replicas of all owners together; Pods without an owner are not expected by anybody."""
    found: dict[str, int] = {}
    for pod in mine:
        owner = next((each for each in pod.metadata.ownerReferences if each.controller), None)
        if owner is None:
            continue
        if owner.uid not in scales:
            raise Unknown(f'found no controllers for pod "{pod.metadata.name}"')
        uid, replicas = scales[owner.uid]
        found[uid] = replicas
    return sum(found.values())
