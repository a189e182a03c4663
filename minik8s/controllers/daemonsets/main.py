"""The wiring: a change of a DaemonSet, of its Pods or revisions names it; one of a node that matters names them all.

Read `plan.py` for what is then decided.
"""

from minik8s.api.apps import ControllerRevision, DaemonSet
from minik8s.api.core import Node, Pod
from minik8s.api.meta import key
from minik8s.client.loop import Controller
from minik8s.controllers.context import Context
from minik8s.controllers.daemonsets.plan import plan
from minik8s.controllers.ownerloop import OwnerLoop
from minik8s.controllers.owners import owned
from minik8s.controllers.podcontrol import next_available
from minik8s.host import clock


def build(context: Context) -> Controller:
    loop = OwnerLoop(context, DaemonSet, [Pod, ControllerRevision])
    nodes = context.informer(Node)
    loop.informers.append(nodes)

    def look(ds: DaemonSet) -> float | None:
        pods, now = loop.near(Pod, ds), clock.wall()
        context.apply(plan(ds, nodes.values(), pods, loop.near(ControllerRevision, ds), now), seen=[ds])
        return next_available(owned(ds, pods), ds.spec.minReadySeconds, now)

    def node_changed(old: Node | None, new: Node | None) -> None:
        """Heartbeats change a node all the time; only what places are judged by counts."""
        if old is None or new is None or _judged(old) != _judged(new):
            for ds in loop.owners.values():
                loop.queue.add(key(ds))

    nodes.on_change(node_changed)
    return loop.controller("daemonsets", look)


def _judged(node: Node) -> tuple[object, ...]:
    return node.metadata.labels, node.spec.taints
