"""The wiring: a change of a ServiceCIDR names all; an address given back names those that wait. Read `plan.py`."""

from typing import Any

from minik8s.api.meta import key
from minik8s.api.networking import IPAddress, ServiceCIDR
from minik8s.client.informer import Informer
from minik8s.client.loop import Controller
from minik8s.client.queue import WorkQueue
from minik8s.controllers.context import Context
from minik8s.controllers.servicecidrs.plan import plan
from minik8s.host import clock


def build(context: Context) -> Controller:
    queue, cidrs = WorkQueue(), context.informer(ServiceCIDR)
    # Names are all that counts of an address.
    used = context.metadata_informer(IPAddress)

    def sync(name: str) -> None:
        found = cidrs.get(name)
        if found is not None:
            others = [each for each in cidrs.values() if each.metadata.uid != found.metadata.uid]
            context.apply(plan(found, others, used.values(), clock.wall()))

    def cidr_changed(old: ServiceCIDR | None, new: ServiceCIDR | None) -> None:
        for each in cidrs.values():  # a new range may cover what another waits for
            queue.add(key(each))

    def address_changed(old: IPAddress | None, new: IPAddress | None) -> None:
        for each in cidrs.values() if new is None else ():
            if each.metadata.deletionTimestamp is not None:
                queue.add(key(each))

    cidrs.on_change(cidr_changed)
    used.on_change(address_changed)
    informers: list[Informer[Any]] = [cidrs, used]
    return context.controller("servicecidrs", sync, queue, informers)
