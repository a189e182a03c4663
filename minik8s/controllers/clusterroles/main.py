"""The wiring: any change of a ClusterRole makes us look at all that collect; there are three of them in most clusters.

Read `plan.py`.
"""

from minik8s.api.meta import Object
from minik8s.api.rbac import ClusterRole
from minik8s.client.loop import Controller
from minik8s.client.queue import WorkQueue
from minik8s.controllers.clusterroles.plan import plan
from minik8s.controllers.context import Context

KEY = "all"


def build(context: Context) -> Controller:
    roles, queue = context.informer(ClusterRole), WorkQueue()

    def changed(old: Object | None, new: Object | None) -> None:
        queue.add(KEY)

    roles.on_change(changed)
    return context.controller("clusterroles", lambda _: context.apply(plan(roles.values())), queue, [roles])
