"""The wiring: a change of a ReplicaSet or of a Pod that is, was or might be its own names the ReplicaSet.

Read `plan.py` for what is then decided.
"""

from minik8s.api.apps import ReplicaSet
from minik8s.api.core import Pod
from minik8s.api.meta import controller_of
from minik8s.client.loop import Controller
from minik8s.controllers.context import Context
from minik8s.controllers.ownerloop import OwnerLoop
from minik8s.controllers.replicasets.plan import next_look, plan
from minik8s.host import clock


def build(context: Context) -> Controller:
    loop = OwnerLoop(context, ReplicaSet, [Pod])

    def look(rs: ReplicaSet) -> float | None:
        pods, now = loop.near(Pod, rs), clock.wall()
        context.apply(plan(rs, pods, family(rs, loop.near(ReplicaSet, rs)), now), seen=[rs])
        return next_look(rs, pods, now)

    return loop.controller("replicasets", look)


def family(rs: ReplicaSet, sets: list[ReplicaSet]) -> frozenset[str]:
    """The ReplicaSets of the same Deployment, by uid."""
    owner = controller_of(rs)
    if owner is None:
        return frozenset()
    related = [each for each in sets if (other := controller_of(each)) is not None and other.uid == owner.uid]
    return frozenset(each.metadata.uid for each in related)
