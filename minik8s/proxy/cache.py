"""What the API says of Services, kept by Service: which slices belong to which, and which Services wait for a look.

Shared by those who spread packets: the proxy, whichever way it writes them down, and the sidecar. Keys wait in a set of
our own while the queue holds a single key, `rules`: whatever gathers while one round of work is done is taken together
in the next.

Next: `plan.py`.
"""

import threading
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from minik8s.api import core, times
from minik8s.api.discovery import SERVICE_NAME, EndpointSlice
from minik8s.api.meta import key as key_of
from minik8s.client.informer import Informer
from minik8s.client.queue import WorkQueue
from minik8s.client.rest import Client
from minik8s.proxy.endpoints import Here
from minik8s.proxy.layout import Family
from minik8s.proxy.plan import ServicePlan, plan

LAST_CHANGE = "endpoints.kubernetes.io/last-change-trigger-time"
ZONE = "topology.kubernetes.io/zone"
RULES = "rules"  # the one key of the queue


@dataclass
class Cache:
    """What the API says, by Service: informers, which slices belong to which Service, and which Services wait."""

    services: Informer[core.Service]
    slices: Informer[EndpointSlice]
    nodes: Informer[core.Node]
    node: str
    queue: WorkQueue
    _lock: threading.Lock = field(default_factory=threading.Lock)  # guards the three below
    _slices_of: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    _waiting: set[str] = field(default_factory=set)
    _triggers: list[float] = field(default_factory=list)

    @property
    def informers(self) -> list[Informer[Any]]:
        return [self.services, self.slices, self.nodes]

    def stop(self) -> None:
        for informer in self.informers:
            informer.stop()

    def watch(self) -> None:
        self.services.on_change(self._on_service)
        self.slices.on_change(self._on_slice)
        self.nodes.on_change(self._on_node)

    def take(self) -> tuple[set[str], list[float]]:
        """The Services that wait, and when the changes behind them happened."""
        with self._lock:
            keys, triggers = self._waiting, self._triggers
            self._waiting, self._triggers = set(), []
        return keys, triggers

    def put_back(self, keys: set[str]) -> None:
        with self._lock:
            self._waiting |= keys

    def plan(self, family: Family, key: str) -> ServicePlan:
        """One Service's share of a family's table, from what the caches hold now."""
        with self._lock:
            names = sorted(self._slices_of.get(key, ()))
        slices = [found for name in names if (found := self.slices.get(name))]
        return plan(self.services.get(key), slices, self._here(family), key)

    def _here(self, family: Family) -> Here:
        node = self.nodes.get(self.node)
        if node is None:
            return Here(self.node, family)
        cidrs = node.spec.podCIDRs or ([node.spec.podCIDR] if node.spec.podCIDR else [])
        return Here(self.node, family, node.metadata.labels.get(ZONE, ""), tuple(cidrs), _addresses(node))

    # --- Handlers, in the informers' threads: note the key, nothing else
    # --------------------------------------------------

    def _on_service(self, old: core.Service | None, new: core.Service | None) -> None:
        self._changed({key_of(one) for one in (old, new) if one})

    def _on_slice(self, old: EndpointSlice | None, new: EndpointSlice | None) -> None:
        owners = {name for one in (old, new) if one and (name := _service_of(one))}
        with self._lock:
            if old:
                self._slices_of[_service_of(old)].discard(key_of(old))
            if new:
                self._slices_of[_service_of(new)].add(key_of(new))
                self._triggers += _trigger(old, new)
        self._changed(owners)

    def _on_node(self, old: core.Node | None, new: core.Node | None) -> None:
        """Zone, Pod range and addresses decide for every Service; a heartbeat decides nothing."""
        if any(one is not None and one.metadata.name != self.node for one in (old, new)):
            return
        if old and new and _decides(old) == _decides(new):
            return
        self._changed({key_of(one) for one in self.services.values()})

    def _changed(self, keys: set[str]) -> None:
        with self._lock:
            self._waiting |= keys
        self.queue.add(RULES)


def of_node(client: Client, node: str) -> Cache:
    """All Services and slices, and the Nodes: any of them may announce a load balancer's address."""
    found = Cache(
        Informer(client, core.Service),
        Informer(client, EndpointSlice),
        Informer(client, core.Node),
        node,
        WorkQueue(),
    )
    found.watch()
    return found


def _decides(node: core.Node) -> tuple[object, ...]:
    return node.spec, node.metadata.labels, _addresses(node)


def _addresses(node: core.Node) -> tuple[str, ...]:
    return tuple(each.address for each in node.status.addresses if each.type == "InternalIP")


def _service_of(one: EndpointSlice) -> str:
    name = one.metadata.labels.get(SERVICE_NAME, "")
    return f"{one.metadata.namespace}/{name}" if name else ""


def _trigger(old: EndpointSlice | None, new: EndpointSlice) -> list[float]:
    """When the change that this slice tells of happened, if it is a new one."""
    stamp = new.metadata.annotations.get(LAST_CHANGE, "")
    known: Mapping[str, str] = old.metadata.annotations if old else {}
    return [times.parse(stamp)] if stamp and old and known.get(LAST_CHANGE) != stamp else []
