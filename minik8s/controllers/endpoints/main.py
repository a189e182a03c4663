"""The wiring: a change of a Service, of a Pod, or of our own objects names the Service to look at again.

Read `plan.py` for what is then decided.
"""

from typing import Any

from minik8s.api import selectors
from minik8s.api.core import Endpoints, Pod, Service
from minik8s.api.discovery import SERVICE_NAME, EndpointSlice
from minik8s.api.meta import Object, key
from minik8s.client.informer import Informer
from minik8s.client.loop import Controller
from minik8s.client.queue import WorkQueue
from minik8s.controllers.context import Context
from minik8s.controllers.endpoints.plan import is_ours, plan


class Wiring:
    """Informers on one side, a queue of Services on the other."""

    def __init__(self, context: Context) -> None:
        self.context, self.queue = context, WorkQueue()
        self.services, self.pods = context.informer(Service), context.informer(Pod)
        self.slices, self.endpoints = context.informer(EndpointSlice), context.informer(Endpoints)
        self.services.on_change(self.itself_changed)
        self.endpoints.on_change(self.itself_changed)
        self.pods.on_change(self.pod_changed)
        self.slices.on_change(self.slice_changed)

    def sync(self, name: str) -> None:
        namespace, _, short = name.partition("/")
        service = self.services.get(name)
        pods = [pod for pod in self.pods.values() if pod.metadata.namespace == namespace]
        slices = [s for s in self.slices.values() if s.metadata.namespace == namespace and _service(s) == short]
        actions = plan(service, pods, slices, self.endpoints.get(name))
        self.context.apply(actions, seen=[service] if service else [])

    def itself_changed(self, old: Object | None, new: Object | None) -> None:
        obj = new or old
        if obj is not None:
            self.queue.add(key(obj))

    def pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        for service in self.services.values():
            if _selects(service, old) or _selects(service, new):
                self.queue.add(key(service))

    def slice_changed(self, old: EndpointSlice | None, new: EndpointSlice | None) -> None:
        for each in (old, new):
            if each is not None and is_ours(each):
                self.queue.add(f"{each.metadata.namespace}/{_service(each)}")


def build(context: Context) -> Controller:
    wiring = Wiring(context)
    informers: list[Informer[Any]] = [wiring.services, wiring.pods, wiring.slices, wiring.endpoints]
    return context.controller("endpoints", wiring.sync, wiring.queue, informers)


def _service(each: EndpointSlice) -> str:
    return each.metadata.labels.get(SERVICE_NAME, "")


def _selects(service: Service, pod: Pod | None) -> bool:
    if pod is None or pod.metadata.namespace != service.metadata.namespace or not service.spec.selector:
        return False
    return selectors.matches(service.spec.selector, pod.metadata.labels)
