"""The wiring: a change of a ReplicaSet or of a Pod that is, was or might be its own names the ReplicaSet.

Read `plan.py` for what is then decided.
"""

from minik8s.api.apps import ReplicaSet
from minik8s.api.core import Pod
from minik8s.api.meta import controller_of, key
from minik8s.client.loop import Controller
from minik8s.client.queue import WorkQueue
from minik8s.controllers.context import Context
from minik8s.controllers.owners import owners_to_wake
from minik8s.controllers.replicasets.plan import next_look, plan
from minik8s.host import clock


class Wiring:
    """Informers on one side, a queue of ReplicaSets on the other."""

    def __init__(self, context: Context) -> None:
        self.context, self.queue = context, WorkQueue()
        self.sets, self.pods = context.informer(ReplicaSet), context.informer(Pod)
        self.sets.on_change(self.set_changed)
        self.pods.on_change(self.pod_changed)

    def sync(self, name: str) -> float | None:
        rs = self.sets.get(name)
        if rs is None:
            return None
        pods = [pod for pod in self.pods.values() if pod.metadata.namespace == rs.metadata.namespace]
        now = clock.wall()
        self.context.apply(plan(rs, pods, family(rs, self.sets.values()), now), seen=[rs])
        return next_look(rs, pods, now)

    def set_changed(self, old: ReplicaSet | None, new: ReplicaSet | None) -> None:
        if new is not None:
            self.queue.add(key(new))

    def pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        for name in owners_to_wake(old, new, [(rs, rs.spec.selector) for rs in self.sets.values()]):
            self.queue.add(name)


def build(context: Context) -> Controller:
    wiring = Wiring(context)
    return context.controller("replicasets", wiring.sync, wiring.queue, [wiring.sets, wiring.pods])


def family(rs: ReplicaSet, sets: list[ReplicaSet]) -> frozenset[str]:
    """The ReplicaSets of the same Deployment, by uid."""
    owner = controller_of(rs)
    if owner is None:
        return frozenset()
    related = [each for each in sets if (other := controller_of(each)) is not None and other.uid == owner.uid]
    return frozenset(each.metadata.uid for each in related)
