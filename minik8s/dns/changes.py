"""What a watch event does to the names: index first, then forget every answer, then tell the journal.

Runs in the server's loop, between two questions. What must hold: the order above (an answer made between forgetting
and changing would be kept for ever); a Service stands in the journal only when what its own name stands for differs.

Read next: index.py.
"""

import ipaddress
from typing import TypeVar

from minik8s.api.core import Namespace, Pod, Service
from minik8s.api.discovery import SERVICE_NAME, EndpointSlice
from minik8s.api.meta import Object
from minik8s.dns.index import ServiceKey
from minik8s.dns.plan import Names
from minik8s.dns.records import Address, Alias
from minik8s.dns.responder import Responder
from minik8s.host.journal import Journal

T = TypeVar("T")


class Changes:
    """Applies changes to one server's names."""

    def __init__(self, names: Names, responder: Responder, journal: Journal) -> None:
        self.names = names
        self.responder = responder
        self.journal = journal

    def apply(self, old: Object | None, new: Object | None) -> None:
        """Take in that `old` became `new`; None stands for "did not exist" and "is gone"."""
        keys = sorted({key for each in (old, new) if each is not None for key in _services(each)})
        before = [self.addresses(key) for key in keys]
        self._index(old, new)
        self._count(new)
        self.responder.forget()
        if not self.responder.synced:
            return  # the first list is no change
        for key, was in zip(keys, before, strict=True):
            now = self.addresses(key)
            if now != was:
                self._record(key, now, old, new)

    def synced(self) -> None:
        """Everything was listed once: from now on a miss is a miss."""
        self.responder.synced = True
        self.responder.forget()

    def addresses(self, key: ServiceKey) -> list[str] | None:
        """What a Service's name stands for now, as people write it; None if there is no such name."""
        node = self.names.node((key[1], key[0], "svc", *self.names.domain))
        if node is None:
            return None
        found = []
        for data in (each for _, several in sorted(node.items()) for each in several):
            if isinstance(data, Address):
                found.append(str(ipaddress.ip_address(data.packed)))
            elif isinstance(data, Alias):
                found.append(".".join(data.target))
        return sorted(found)

    def _index(self, old: Object | None, new: Object | None) -> None:
        index = self.names.index
        match new or old:
            case Service():
                index.set_service(_as(Service, old), _as(Service, new))
            case EndpointSlice():
                index.set_slice(_as(EndpointSlice, old), _as(EndpointSlice, new))
            case Pod():
                index.set_pod(_as(Pod, old), _as(Pod, new))
            case Namespace(metadata=metadata):
                index.set_namespace(metadata.name, exists=new is not None)

    def _count(self, new: Object | None) -> None:
        """The zone's serial is the newest revision that was taken in, so that it only ever grows."""
        revision = new.metadata.resourceVersion if new is not None else ""
        if revision.isdigit():
            self.names.index.serial = max(self.names.index.serial, int(revision) & 0xFFFFFFFF)

    def _record(self, key: ServiceKey, now: list[str] | None, old: Object | None, new: Object | None) -> None:
        obj = new or old
        assert obj is not None
        verb = "was deleted" if new is None else "appeared" if old is None else "changed"
        meta = obj.metadata
        self.journal.record(
            "names",
            f"{obj.resource.kind} {meta.name} {verb}",
            objects=[f"{obj.resource.plural}/{meta.namespace}/{meta.name}"],
            revisions=[meta.resourceVersion],
            name=".".join((key[1], key[0], "svc", *self.names.domain)),
            addresses=now,
        )


def _services(obj: Object) -> list[ServiceKey]:
    """The Services whose names an object has a say in."""
    namespace = obj.metadata.namespace
    if isinstance(obj, Service):
        return [(namespace, obj.metadata.name)]
    if isinstance(obj, EndpointSlice) and SERVICE_NAME in obj.metadata.labels:
        return [(namespace, obj.metadata.labels[SERVICE_NAME])]
    return []


def _as(cls: type[T], obj: object) -> T | None:
    return obj if isinstance(obj, cls) else None
