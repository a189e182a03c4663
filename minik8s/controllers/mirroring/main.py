"""The wiring: a change of Endpoints, of their Service or of a mirror names the Endpoints. Read `plan.py`."""

from typing import Any

from minik8s.api.core import Endpoints, Service
from minik8s.api.discovery import SERVICE_NAME, EndpointSlice
from minik8s.api.meta import Object, key
from minik8s.client.informer import Informer
from minik8s.client.loop import Controller
from minik8s.client.queue import WorkQueue
from minik8s.controllers.context import Context
from minik8s.controllers.mirroring.plan import is_mirror, plan


def build(context: Context) -> Controller:
    queue = WorkQueue()
    endpoints, services = context.informer(Endpoints), context.informer(Service)
    slices = context.informer(EndpointSlice)

    def sync(name: str) -> None:
        namespace, _, short = name.partition("/")
        mine = [each for each in slices.values() if (each.metadata.namespace, _service(each)) == (namespace, short)]
        found = endpoints.get(name)
        context.apply(plan(found, services.get(name), mine), seen=[found] if found else [])

    def itself_changed(old: Object | None, new: Object | None) -> None:
        obj = new or old
        if obj is not None:
            queue.add(key(obj))

    def slice_changed(old: EndpointSlice | None, new: EndpointSlice | None) -> None:
        for each in (old, new):
            if each is not None and is_mirror(each):
                queue.add(f"{each.metadata.namespace}/{_service(each)}")

    endpoints.on_change(itself_changed)
    services.on_change(itself_changed)
    slices.on_change(slice_changed)
    informers: list[Informer[Any]] = [endpoints, services, slices]
    return context.controller("mirroring", sync, queue, informers)


def _service(each: EndpointSlice) -> str:
    return each.metadata.labels.get(SERVICE_NAME, "")
