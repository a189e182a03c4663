"""The wiring: a change of a Deployment, of its ReplicaSets, or the end of one of their Pods names the Deployment.

Read `plan.py` for what is then decided.
"""

from minik8s.api.apps import Deployment, ReplicaSet
from minik8s.api.core import Pod
from minik8s.api.meta import controller_of
from minik8s.api.pods import is_terminal
from minik8s.client.loop import Controller
from minik8s.controllers.context import Context
from minik8s.controllers.deployments.plan import plan
from minik8s.controllers.deployments.status import seconds_to_deadline
from minik8s.controllers.ownerloop import OwnerLoop
from minik8s.host import clock


def build(context: Context) -> Controller:
    loop = OwnerLoop(context, Deployment, [ReplicaSet])
    sets, pods = context.informer(ReplicaSet), context.informer(Pod)
    loop.informers.append(pods)

    def look(deployment: Deployment) -> float | None:
        now = clock.wall()
        # Only Recreate has to know about Pods: it waits until the last old one has ended.
        recreate = deployment.spec.strategy.type == "Recreate"
        near = loop.near(Pod, deployment) if recreate else []
        context.apply(plan(deployment, loop.near(ReplicaSet, deployment), near, now), seen=[deployment])
        return seconds_to_deadline(deployment, now)

    def pod_changed(old: Pod | None, new: Pod | None) -> None:
        owner = controller_of(old) if old is not None else None
        if old is not None and owner is not None and (new is None or is_terminal(new)):
            loop.dependent_changed(sets.get(f"{old.metadata.namespace}/{owner.name}"), None)

    pods.on_change(pod_changed)
    return loop.controller("deployments", look)
