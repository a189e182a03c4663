"""The wiring: whenever one of the system's own objects is made, changed or deleted, compare them with what they must
be.

Read `plan.py`.
"""

from typing import Any

from minik8s.api.core import Endpoints, Service
from minik8s.api.discovery import EndpointSlice
from minik8s.api.meta import Object
from minik8s.client.informer import Informer
from minik8s.client.loop import Controller
from minik8s.client.queue import WorkQueue
from minik8s.controllers.context import Context
from minik8s.controllers.system.plan import place, plan, wanted

KEY = "system"


def build(context: Context) -> Controller:
    informers: list[Informer[Any]] = [
        context.informer(Service),
        context.informer(EndpointSlice),
        context.informer(Endpoints),
    ]
    places = {place(obj) for obj in wanted()}
    queue = WorkQueue()
    queue.add(KEY)

    def sync(_: str) -> None:
        context.apply(plan([obj for informer in informers for obj in informer.values() if place(obj) in places]))

    def changed(old: Object | None, new: Object | None) -> None:
        obj = new or old
        if obj is not None and place(obj) in places:
            queue.add(KEY)

    for informer in informers:
        informer.on_change(changed)
    return context.controller("system", sync, queue, informers)
