"""The wiring: look at all load balancers together whenever one comes, changes or goes. Read `plan.py`."""

from minik8s import params
from minik8s.api.core import Service
from minik8s.client.loop import Controller
from minik8s.client.queue import WorkQueue
from minik8s.controllers.actions import Tell
from minik8s.controllers.context import Context
from minik8s.controllers.loadbalancers.plan import Pool, concerned, plan

KEY = "services"
POOLS = (Pool(*params.LOAD_BALANCER_RANGE), Pool(*params.LOAD_BALANCER_RANGE_V6))


def build(context: Context) -> Controller:
    services = context.informer(Service)
    queue = WorkQueue()
    told: set[tuple[str, str]] = set()  # what stands as it stood in the last round is not told again

    def sync(_: str) -> None:
        actions = plan(filter(concerned, services.values()), POOLS)
        telling = {(each.about.metadata.uid, each.message): each for each in actions if isinstance(each, Tell)}
        context.apply([each for each in actions if not isinstance(each, Tell)])
        context.apply([tell for known, tell in telling.items() if known not in told])
        told.clear()
        told.update(telling)

    def changed(old: Service | None, new: Service | None) -> None:
        if any(each is not None and concerned(each) for each in (old, new)):
            queue.add(KEY)

    services.on_change(changed)
    return context.controller("loadbalancers", sync, queue, [services])
