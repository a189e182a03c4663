"""The wiring: a change of a StatefulSet, of its Pods or revisions names it. Read `plan.py` for what is then decided."""

from minik8s.api.apps import ControllerRevision, StatefulSet
from minik8s.api.core import Pod
from minik8s.client.loop import Controller
from minik8s.controllers.context import Context
from minik8s.controllers.ownerloop import OwnerLoop
from minik8s.controllers.owners import owned
from minik8s.controllers.podcontrol import next_available
from minik8s.controllers.statefulsets.plan import plan
from minik8s.host import clock


def build(context: Context) -> Controller:
    loop = OwnerLoop(context, StatefulSet, [Pod, ControllerRevision])

    def look(sts: StatefulSet) -> float | None:
        pods, now = loop.near(Pod, sts), clock.wall()
        context.apply(plan(sts, pods, loop.near(ControllerRevision, sts), now), seen=[sts])
        return next_available(owned(sts, pods), sts.spec.minReadySeconds, now)

    return loop.controller("statefulsets", look)
