"""The wiring: a change of a budget, of a Pod it selects, or of how many there should be, names the budget.

Read `plan.py` for what is then decided.
"""

from typing import Any

from minik8s.api.apps import Deployment, ReplicaSet, StatefulSet
from minik8s.api.core import Pod
from minik8s.api.meta import Object, controller_of, key
from minik8s.api.policy import PodDisruptionBudget
from minik8s.api.selectors import matches
from minik8s.client.informer import Informer
from minik8s.client.loop import Controller
from minik8s.client.queue import WorkQueue
from minik8s.controllers.context import Context
from minik8s.controllers.disruption.plan import next_look, plan
from minik8s.host import clock

SCALED = (Deployment, ReplicaSet, StatefulSet)


class Wiring:
    """Informers on one side, a queue of budgets on the other."""

    def __init__(self, context: Context) -> None:
        self.context, self.queue = context, WorkQueue()
        self.budgets, self.pods = context.informer(PodDisruptionBudget), context.informer(Pod)
        self.deployments, self.replicasets = context.informer(Deployment), context.informer(ReplicaSet)
        self.statefulsets = context.informer(StatefulSet)
        self.budgets.on_change(self.budget_changed)
        self.pods.on_change(self.pod_changed)
        for informer in (self.deployments, self.replicasets, self.statefulsets):
            informer.on_change(self.scale_changed)

    def sync(self, name: str) -> float | None:
        pdb = self.budgets.get(name)
        if pdb is None:
            return None
        near = [pod for pod in self.pods.values() if pod.metadata.namespace == pdb.metadata.namespace]
        now = clock.wall()
        self.context.apply(plan(pdb, near, self.scales(), now), seen=[pdb])
        return next_look(pdb, now)

    def scales(self) -> dict[str, tuple[str, int]]:
        """Of each controller: how many Pods it or its own controller wants."""
        found = {each.metadata.uid: (each.metadata.uid, _replicas(each)) for each in self.statefulsets.values()}
        above = {each.metadata.uid: (each.metadata.uid, _replicas(each)) for each in self.deployments.values()}
        for rs in self.replicasets.values():
            owner = controller_of(rs)
            own = (rs.metadata.uid, _replicas(rs))
            found[rs.metadata.uid] = above.get(owner.uid, own) if owner else own
        return found

    def budget_changed(self, old: PodDisruptionBudget | None, new: PodDisruptionBudget | None) -> None:
        if new is not None:
            self.queue.add(key(new))

    def pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        for pdb in self.budgets.values():
            if any(pod is not None and _selects(pdb, pod) for pod in (old, new)):
                self.queue.add(key(pdb))

    def scale_changed(self, old: Object | None, new: Object | None) -> None:
        """Only a changed number matters, and a new owner."""
        if old is not None and new is not None and _replicas(old) == _replicas(new):
            return
        for pdb in self.budgets.values():
            if any(obj is not None and obj.metadata.namespace == pdb.metadata.namespace for obj in (old, new)):
                self.queue.add(key(pdb))


def _selects(pdb: PodDisruptionBudget, pod: Pod) -> bool:
    same = pdb.metadata.namespace == pod.metadata.namespace
    return same and matches(pdb.spec.selector, pod.metadata.labels)


def _replicas(obj: Object) -> int:
    assert isinstance(obj, SCALED)
    return 1 if obj.spec.replicas is None else obj.spec.replicas


def build(context: Context) -> Controller:
    wiring = Wiring(context)
    informers: list[Informer[Any]] = [wiring.budgets, wiring.pods, wiring.deployments, wiring.replicasets]
    informers.append(wiring.statefulsets)
    return context.controller("disruption", wiring.sync, wiring.queue, informers)
