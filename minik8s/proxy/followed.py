"""The Services of one sort: who works for load balancers looks at few Services, and only when one of those changes.

Read next: `announce.py` and `healthcheck.py`, which follow some.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from minik8s.api.core import Node, Service
from minik8s.api.discovery import SERVICE_NAME, EndpointSlice
from minik8s.api.meta import key as key_of
from minik8s.client.informer import Informer
from minik8s.client.queue import WorkQueue

KEY = "services"  # the one key of the queue: they are looked at together


@dataclass(frozen=True)
class Sources:
    """What the proxy reads, in informers that all its parts share."""

    services: Informer[Service]
    slices: Informer[EndpointSlice]
    nodes: Informer[Node]

    @property
    def informers(self) -> list[Informer[Any]]:
        return [self.services, self.slices, self.nodes]

    def addresses(self, node: str) -> list[str]:
        """A node's own on the LAN; none while nobody has said so."""
        found = self.nodes.get(node)
        return [each.address for each in found.status.addresses if each.type == "InternalIP"] if found else []


class Followed:
    """Those Services that `chosen` says; the queue is woken when one of them or its endpoints change.

    Informers' threads write `_names`, each change in one step.
    """

    def __init__(self, sources: Sources, chosen: Callable[[Service], bool]) -> None:
        self._sources, self._chosen = sources, chosen
        self._names: set[str] = set()
        self.queue = WorkQueue()
        self.queue.add(KEY)  # what a former proxy left is looked at even if there is none
        sources.services.on_change(self._on_service)
        sources.slices.on_change(self._on_slice)

    def services(self) -> list[Service]:
        """In the order of their names."""
        return [found for name in sorted(self._names.copy()) if (found := self._sources.services.get(name))]

    def slices(self, service: Service) -> list[EndpointSlice]:
        return [one for one in self._sources.slices.values() if _service_of(one) == key_of(service)]

    def _on_service(self, old: Service | None, new: Service | None) -> None:
        was, now = (each is not None and self._chosen(each) for each in (old, new))
        if new is not None and now:
            self._names.add(key_of(new))
        elif old is not None:
            self._names.discard(key_of(old))
        if was or now:
            self.queue.add(KEY)

    def _on_slice(self, old: EndpointSlice | None, new: EndpointSlice | None) -> None:
        if any(each is not None and _service_of(each) in self._names for each in (old, new)):
            self.queue.add(KEY)


def _service_of(one: EndpointSlice) -> str:
    return f"{one.metadata.namespace}/{one.metadata.labels.get(SERVICE_NAME, '')}"
