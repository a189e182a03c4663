"""The wiring: look at all Nodes together whenever one appears or changes. Read `plan.py`."""

from minik8s import params
from minik8s.api.core import Node
from minik8s.client.loop import Controller
from minik8s.client.queue import WorkQueue
from minik8s.controllers.context import Context
from minik8s.controllers.nodeipam.plan import Range, given, plan
from minik8s.host import sysctl

KEY = "nodes"
RANGES = {
    "IPv4": Range(params.CLUSTER_CIDR, params.NODE_CIDR_MASK_SIZE),
    "IPv6": Range(params.CLUSTER_CIDR_V6, params.NODE_CIDR_MASK_SIZE_V6),
}


def build(context: Context) -> Controller:
    nodes = context.informer(Node)
    queue = WorkQueue()
    ranges = [RANGES[family] for family in sysctl.ip_families()]

    def sync(_: str) -> None:
        context.apply(plan(nodes.values(), ranges))

    def changed(old: Node | None, new: Node | None) -> None:
        # A Node that goes gives its range back, perhaps to one that waits.
        if new is None or not given(new):
            queue.add(KEY)

    nodes.on_change(changed)
    return context.controller("nodeipam", sync, queue, [nodes])
