"""How far the numbers of old and new ReplicaSets may move in one step. Pure arithmetic.

Invariants: there are never more than `replicas + maxSurge` Pods; old Pods are taken away only while at least
`replicas - maxUnavailable` stay available. A ReplicaSet's status may be behind its spec, so what counts as available
is never more than what its spec still asks for. Source: Kubernetes' deployment/rolling.go.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor

from minik8s.api.apps import Deployment, ReplicaSet
from minik8s.api.meta import IntOrString

Scales = dict[str, int]
"""Wanted replicas by the name of a ReplicaSet; names that are not in it stay as they are."""


@dataclass(frozen=True)
class Bounds:
    replicas: int
    surge: int
    unavailable: int

    @property
    def most(self) -> int:
        return self.replicas + self.surge

    @property
    def least_available(self) -> int:
        return self.replicas - self.unavailable


def bounds(deployment: Deployment) -> Bounds:
    """maxSurge is rounded up, maxUnavailable down; both zero would never move, so then one may be unavailable."""
    spec = deployment.spec
    replicas = 1 if spec.replicas is None else spec.replicas
    if spec.strategy.type == "Recreate":
        return Bounds(replicas, 0, 0)
    rolling = spec.strategy.rollingUpdate
    default: IntOrString = "25%"
    surge = default if rolling is None or rolling.maxSurge is None else rolling.maxSurge
    unavailable = default if rolling is None or rolling.maxUnavailable is None else rolling.maxUnavailable
    up, down = _part(surge, replicas, round_up=True), _part(unavailable, replicas, round_up=False)
    return Bounds(replicas, up, min(1 if up == 0 and down == 0 else down, replicas))


def _part(value: IntOrString, of: int, *, round_up: bool) -> int:
    if isinstance(value, int):
        return value
    part = int(value.rstrip("%")) * of / 100
    return ceil(part) if round_up else floor(part)


def size(rs: ReplicaSet) -> int:
    return 1 if rs.spec.replicas is None else rs.spec.replicas


def standing(rs: ReplicaSet) -> int:
    """How many Pods count against `most`: those asked for, and those that a smaller number has not taken away yet."""
    return max(size(rs), rs.status.replicas)


def available(rs: ReplicaSet) -> int:
    return min(rs.status.availableReplicas, size(rs))


def new_size(limits: Bounds, strategy: str, new: int, total: int) -> int:
    """What the new ReplicaSet may have now. `total` are the Pods of all, the new one's included."""
    if strategy == "Recreate":
        return limits.replicas
    if new >= limits.replicas:
        return limits.replicas
    room = limits.most - total
    return new + max(0, min(room, limits.replicas - new))


def shrink_old(limits: Bounds, new: ReplicaSet, old: Sequence[ReplicaSet]) -> Scales:
    """Take away old Pods: first those that serve nobody anyway, then as many as stay dispensable."""
    total = size(new) + sum(size(rs) for rs in old)
    new_missing = size(new) - available(new)
    dispensable = total - limits.least_available - new_missing
    if dispensable <= 0:
        return {}
    sizes = {rs.metadata.name: size(rs) for rs in old}
    for rs in old:
        broken = min(size(rs) - available(rs), dispensable)
        sizes[rs.metadata.name] -= broken
        dispensable -= broken
    spare = available(new) + sum(available(rs) for rs in old) - limits.least_available
    for rs in old:
        healthy = max(0, min(sizes[rs.metadata.name], spare, dispensable))
        sizes[rs.metadata.name] -= healthy
        spare, dispensable = spare - healthy, dispensable - healthy
    return {rs.metadata.name: sizes[rs.metadata.name] for rs in old if sizes[rs.metadata.name] != size(rs)}


def proportional(limits: Bounds, active: Sequence[ReplicaSet], newest: str) -> Scales:
    """Spread a new total over ReplicaSets in the middle of a rollout, each in proportion to its size; the rest goes to
    the newest."""
    total = sum(size(rs) for rs in active)
    allowed = limits.most if limits.replicas else 0
    if not total or total == allowed:
        return {}
    sizes = {rs.metadata.name: size(rs) * allowed // total for rs in active}
    receiver = newest if newest in sizes else max(sizes, key=lambda name: (sizes[name], name))
    sizes[receiver] += allowed - sum(sizes.values())
    return {rs.metadata.name: sizes[rs.metadata.name] for rs in active if sizes[rs.metadata.name] != size(rs)}
