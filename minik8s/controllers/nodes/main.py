"""The wiring: look at all nodes every `node_monitor_period`, and whenever a Node changes.

What was heard is remembered from look to look, in this process only: after a restart everybody counts as just heard.
Read `plan.py` for what is then decided.
"""

from minik8s.api.coordination import Lease
from minik8s.api.core import Node, Pod
from minik8s.client.informer import Informer
from minik8s.client.loop import Controller
from minik8s.client.queue import WorkQueue
from minik8s.controllers.context import Context
from minik8s.controllers.nodes.heartbeats import Heard, observe
from minik8s.controllers.nodes.plan import plan
from minik8s.host import clock

LEASES = "kube-node-lease"
KEY = "nodes"


class Watchman:
    """Looks, and remembers. One worker calls it, so nothing guards `_heard`."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._nodes: Informer[Node] = context.informer(Node)
        self._pods: Informer[Pod] = context.informer(Pod)
        self._leases: Informer[Lease] = context.informer(Lease)
        self._heard: Heard | None = None

    def sync(self, _: str) -> float:
        timers = self._context.component.timers
        nodes = self._nodes.values()
        leases = [each for each in self._leases.values() if each.metadata.namespace == LEASES]
        heard = observe(self._heard, nodes, leases, clock.monotonic(), timers.node_lease_renew_interval)
        if heard.quiet > timers.node_monitor_grace_period:
            # Nobody is heard. If it is the API server that is away, this raises, and the silence starts anew.
            self._heard = None
            self._context.component.client.list(Lease, LEASES)
        self._heard = heard
        self._context.apply(plan(nodes, self._pods.values(), heard, timers, clock.wall()), seen=nodes)
        return timers.node_monitor_period


def build(context: Context) -> Controller:
    watchman = Watchman(context)
    nodes, pods, leases = context.informer(Node), context.informer(Pod), context.informer(Lease)
    queue = WorkQueue()
    queue.add(KEY)
    nodes.on_change(lambda old, new: queue.add(KEY))
    return context.controller("nodes", watchman.sync, queue, [nodes, pods, leases])
