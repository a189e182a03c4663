"""The wiring: a change of a Namespace, of what every one has, or of what a dying one still holds.

Read `plan.py` for what is then decided.
"""

import msgspec

from minik8s.api import kinds
from minik8s.api.core import ConfigMap, Namespace, ServiceAccount
from minik8s.api.meta import Object
from minik8s.client.loop import Controller
from minik8s.client.queue import WorkQueue
from minik8s.client.rest import NotFound, Why
from minik8s.controllers.context import Context
from minik8s.controllers.namespaces.plan import FINALIZER, ROOT, Finalize, is_going, plan, plan_end
from minik8s.host import clock

CONTENT = tuple(cls for cls in kinds.KINDS if cls.resource.namespaced)
# Events of removed objects wake us; this is only for kinds that are not watched (Event) and for what is made meanwhile.
LOOK_AGAIN_S = 1.0


class Wiring:
    """Informers on one side, a queue of Namespaces on the other."""

    def __init__(self, context: Context) -> None:
        self.context, self.queue = context, WorkQueue()
        self.namespaces, self.accounts = context.informer(Namespace), context.informer(ServiceAccount)
        self.namespaces.on_change(self.changed)
        self.accounts.on_change(self.changed)
        for cls in CONTENT:
            if cls.resource.kind != "Event":
                context.metadata_informer(cls).on_change(self.content_changed)
        self.configmaps = context.metadata_informer(ConfigMap)
        self.configmaps.on_change(self.root_changed)

    def sync(self, name: str) -> float | None:
        namespace = self.namespaces.get(name)
        if namespace is None:
            return None
        if is_going(namespace):
            return self._empty(namespace)
        account, authority = self.accounts.get(f"{name}/default"), self.context.component.client.access.ca.decode()
        self.context.apply(plan(namespace, account, self._root(name), authority), seen=[namespace])
        return None

    def _root(self, namespace: str) -> ConfigMap | None:
        """Only its metadata is followed, so what it says is asked for when it was made or changed."""
        if self.configmaps.get(f"{namespace}/{ROOT}") is None:
            return None
        try:
            return self.context.component.client.get(ConfigMap, ROOT, namespace)
        except NotFound:
            return None

    def _empty(self, namespace: Namespace) -> float | None:
        client, name = self.context.component.client, namespace.metadata.name
        content = [each for cls in CONTENT for each in client.list(cls, name).items]
        for action in plan_end(namespace, content, clock.wall()):
            if isinstance(action, Finalize):
                self._finalize(action)
            else:
                self.context.apply([action], seen=[namespace])
        return LOOK_AGAIN_S if content else None

    def _finalize(self, action: Finalize) -> None:
        left = [each for each in action.target.spec.finalizers if each != FINALIZER]
        spec = msgspec.structs.replace(action.target.spec, finalizers=left)
        namespace = msgspec.structs.replace(action.target, spec=spec)
        why = Why(action.because, [action.target])
        self.context.component.client.replace(namespace, subresource="finalize", why=why)

    def changed(self, old: Object | None, new: Object | None) -> None:
        obj = new or old
        if obj is not None:
            self.queue.add(obj.metadata.namespace or obj.metadata.name)

    def root_changed(self, old: Object | None, new: Object | None) -> None:
        obj = new or old
        if obj is not None and obj.metadata.name == ROOT:
            self.queue.add(obj.metadata.namespace)

    def content_changed(self, old: Object | None, new: Object | None) -> None:
        namespace = self.namespaces.get(old.metadata.namespace) if old is not None and new is None else None
        if namespace is not None and is_going(namespace):
            self.queue.add(namespace.metadata.name)


def build(context: Context) -> Controller:
    wiring = Wiring(context)
    return context.controller(
        "namespaces", wiring.sync, wiring.queue, [wiring.namespaces, wiring.accounts, wiring.configmaps]
    )
