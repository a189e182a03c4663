"""The wiring: a change of a Deployment, of its ReplicaSets, or the end of one of their Pods names the Deployment.

Read `plan.py` for what is then decided.
"""

from typing import Any

from minik8s.api.apps import Deployment, ReplicaSet
from minik8s.api.core import Pod
from minik8s.api.meta import controller_of, key
from minik8s.api.pods import is_terminal
from minik8s.client.informer import Informer
from minik8s.client.loop import Controller
from minik8s.client.queue import WorkQueue
from minik8s.controllers.context import Context
from minik8s.controllers.deployments.plan import plan
from minik8s.controllers.deployments.status import seconds_to_deadline
from minik8s.controllers.owners import owners_to_wake
from minik8s.host import clock


class Wiring:
    """Informers on one side, a queue of Deployments on the other."""

    def __init__(self, context: Context) -> None:
        self.context, self.queue = context, WorkQueue()
        self.deployments = context.informer(Deployment)
        self.sets, self.pods = context.informer(ReplicaSet), context.informer(Pod)
        self.deployments.on_change(self.deployment_changed)
        self.sets.on_change(self.set_changed)
        self.pods.on_change(self.pod_changed)

    def sync(self, name: str) -> float | None:
        deployment = self.deployments.get(name)
        if deployment is None:
            return None
        namespace, now = deployment.metadata.namespace, clock.wall()
        sets = [rs for rs in self.sets.values() if rs.metadata.namespace == namespace]
        # Only Recreate has to know about Pods: it waits until the last old one has ended.
        recreate = deployment.spec.strategy.type == "Recreate"
        pods = [pod for pod in self.pods.values() if pod.metadata.namespace == namespace] if recreate else []
        self.context.apply(plan(deployment, sets, pods, now), seen=[deployment])
        return seconds_to_deadline(deployment, now)

    def deployment_changed(self, old: Deployment | None, new: Deployment | None) -> None:
        if new is not None:
            self.queue.add(key(new))

    def set_changed(self, old: ReplicaSet | None, new: ReplicaSet | None) -> None:
        known = [(deployment, deployment.spec.selector) for deployment in self.deployments.values()]
        for name in owners_to_wake(old, new, known):
            self.queue.add(name)

    def pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        owner = controller_of(old) if old is not None else None
        if old is not None and owner is not None and (new is None or is_terminal(new)):
            self.set_changed(self.sets.get(f"{old.metadata.namespace}/{owner.name}"), None)


def build(context: Context) -> Controller:
    wiring = Wiring(context)
    informers: list[Informer[Any]] = [wiring.deployments, wiring.sets, wiring.pods]
    return context.controller("deployments", wiring.sync, wiring.queue, informers)
