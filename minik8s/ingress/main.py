"""The wiring of the ingress: any change looks at the whole configuration again, and at the status.

Two keys in one queue, so one thread does both, one after the other: `proxy` for HAProxy (its death is a change like any
other), `status` for the API. Next: `sync.py`.
"""

import contextlib
import threading
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from minik8s import params
from minik8s.api.coordination import Lease
from minik8s.api.core import Node, Secret, Service
from minik8s.api.discovery import EndpointSlice
from minik8s.api.meta import Object, ObjectMeta, key
from minik8s.api.networking import CONTROLLER, DEFAULT_CLASS, Ingress, IngressClass, IngressClassSpec
from minik8s.client.component import Component
from minik8s.client.errors import ApiError, Unreachable
from minik8s.client.informer import Informer
from minik8s.client.loop import Controller
from minik8s.client.queue import WorkQueue
from minik8s.client.rest import AlreadyExists, NotFound, Why
from minik8s.host import clock
from minik8s.ingress import members
from minik8s.ingress.certificates import TYPE
from minik8s.ingress.pages import pages
from minik8s.ingress.plan import Objects
from minik8s.ingress.rules import Trouble
from minik8s.ingress.sync import Syncer
from minik8s.ingress.world import Refused, World

PROXY, STATUS = "proxy", "status"  # the keys of the queue


class Cache:
    """What the API says."""

    def __init__(self, component: Component, queue: WorkQueue) -> None:
        client = component.client
        self.ingresses = Informer(client, Ingress)
        self.classes = Informer(client, IngressClass)
        self.services = Informer(client, Service)
        self.slices = Informer(client, EndpointSlice)
        self.secrets = Informer(client, Secret, fields=f"type={TYPE}")
        self.nodes = Informer(client, Node)
        self.leases = Informer(client, Lease, namespace=members.NAMESPACE)
        self.changed: dict[str, float] = {}  # written by the leases' informer alone
        for informer in (self.ingresses, self.classes, self.services, self.slices, self.secrets):
            informer.on_change(lambda old, new: queue.add(PROXY))
        for other in (self.ingresses, self.classes, self.nodes):
            other.on_change(lambda old, new: queue.add(STATUS))
        self.leases.on_change(self._lease_changed)

    @property
    def informers(self) -> list[Informer[Any]]:
        return [self.ingresses, self.classes, self.services, self.slices, self.secrets, self.nodes, self.leases]

    def objects(self) -> Objects:
        return Objects(
            self.ingresses.values(), self.classes.values(), self.services.get, self.slices.values(), self.secrets.get
        )

    def alive(self) -> list[str]:
        return members.alive(self.leases.values(), self.changed, clock.monotonic())

    def _lease_changed(self, old: Object | None, new: Object | None) -> None:
        if new is not None:
            self.changed[new.metadata.name] = clock.monotonic()


@dataclass
class Publisher:
    """Says that this node serves; and as the first of those that do, where, and what is wrong with which Ingress."""

    component: Component
    cache: Cache
    syncer: Syncer
    _renewed: float = float("-inf")
    _class_there: bool = False  # once is enough: who deletes it means it
    _told: set[tuple[str, str, str]] = field(default_factory=set)

    def sync(self) -> None:
        if not self._class_there:
            ensure_class(self.component)
            self._class_there = True
        node = self.component.options.node
        if self.syncer.serves and clock.monotonic() - self._renewed >= params.INGRESS_LEASE_RENEW_S:
            members.renew(self.component.client, node)
            self._renewed = clock.monotonic()
        alive = self.cache.alive()
        if alive[:1] == [node] and self.syncer.wanted:
            self._publish(alive)
            self._tell(self.syncer.wanted.troubles)

    def leave(self) -> None:
        """This node serves no longer: take its address out, unless another one does it."""
        client = self.component.client
        members.renew(client, self.component.options.node, leave=True)
        # Not from the cache: of two that leave at the same time one must see that it is the last.
        leases = client.list(Lease, members.NAMESPACE).items
        if not members.alive(leases, self.cache.changed, clock.monotonic()):
            self._publish([])

    def _publish(self, alive: list[str]) -> None:
        at = members.addresses(alive, self.cache.nodes.values())
        wanted = self.syncer.wanted.ingresses if self.syncer.wanted else ()
        mine = [found for each in wanted if (found := self.cache.ingresses.get(key(each)))]
        why = Why(f"served at {', '.join(at) or 'no address'}")
        for ingress, patch in members.status_patches(mine, at):
            meta = ingress.metadata
            with contextlib.suppress(NotFound):
                made = self.component.client.patch(
                    Ingress, meta.name, meta.namespace, patch, subresource="status", why=why
                )
                self.cache.ingresses.wrote(made)

    def _tell(self, troubles: tuple[Trouble, ...]) -> None:
        """Each once, until it is mended and comes again."""
        now = {(each.about.metadata.uid, each.reason, each.message): each for each in troubles}
        for same, each in now.items():
            if same not in self._told:
                tell(self.component, each)
        self._told = set(now)


def main(component: Component) -> None:
    """Run until `component.stop`; then HAProxy ends too. Killed, it goes on."""
    options = component.options
    if not (options.node and options.node_ips):
        raise ValueError("the ingress serves at a node's address: give --node and --node-ip")
    world = World(Path(params.RUN_DIRECTORY) / options.cluster / f"ingress-{options.node}", options.node_ips)
    queue = WorkQueue()
    cache = Cache(component, queue)
    syncer = Syncer(world, component.journal, partial(tell, component))
    publisher = Publisher(component, cache, syncer)

    def sync(name: str) -> float | None:
        if name == STATUS:
            publisher.sync()
            return params.INGRESS_LOOK_S
        try:
            syncer.sync(cache.objects())
        except Refused as error:
            component.log.error("HAProxy does not take its new configuration and goes on as before: %s", error)
        queue.add(STATUS)
        return params.INGRESS_LOOK_S

    queue.add(PROXY)
    health = component.serve_health({"haproxy": lambda: "" if syncer.serves else "not served"}, pages(syncer))
    threading.Thread(target=_watch, args=(component, world, queue), name="haproxy", daemon=True).start()
    Controller("ingress", sync, queue, cache.informers, stop=component.stop).run()
    with contextlib.suppress(ApiError, Unreachable):
        publisher.leave()
    for informer in cache.informers:
        informer.stop()
    health.stop()
    world.end()


def tell(component: Component, trouble: Trouble) -> None:
    component.events.warning(trouble.about, trouble.reason, trouble.message)


def ensure_class(component: Component) -> None:
    """The class of Ingresses that are ours, and the default one. Whoever changed it since keeps it so."""
    meta = ObjectMeta(name=params.INGRESS_CLASS, annotations={DEFAULT_CLASS: "true"})
    with contextlib.suppress(AlreadyExists):
        made = IngressClass(metadata=meta, spec=IngressClassSpec(controller=CONTROLLER))
        component.client.create(made, why=Why("the ingress runs and there was no class for it"))


def _watch(component: Component, world: World, queue: WorkQueue) -> None:
    """HAProxy died: look at once."""
    while not component.stop.is_set():
        if world.wait_gone(10.0):
            queue.add(PROXY)
            component.stop.wait(1.0)
