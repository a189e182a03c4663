"""Who belongs to whom: all objects by uid, and their dependents by the owner's uid.

Kept up to date by the informers' threads, read by the worker: `_lock` guards everything. Only metadata is kept.
Invariant: an object is listed as a dependent of exactly the owners its newest state names. Read `plan.py` next.
"""

import threading

from minik8s.api.meta import Object


def identifier(obj: Object) -> str:
    """`pods//default/web-1/<uid>`: kind, place and identity of an object, as a key for the queue."""
    meta = obj.metadata
    return "/".join([obj.resource.plural, obj.resource.group, meta.namespace, meta.name, meta.uid])


class Graph:
    """All objects we know."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._objects: dict[str, Object] = {}
        self._dependents: dict[str, dict[str, Object]] = {}

    def update(self, old: Object | None, new: Object | None) -> list[Object]:
        """Take in a change; the objects to look at again because of it."""
        obj = new or old
        if obj is None:
            return []
        with self._lock:
            known = self._objects.pop(obj.metadata.uid, None)
            if known is not None:
                for owner in known.metadata.ownerReferences:
                    self._dependents.get(owner.uid, {}).pop(known.metadata.uid, None)
            if new is not None:
                self._objects[new.metadata.uid] = new
                for owner in new.metadata.ownerReferences:
                    self._dependents.setdefault(owner.uid, {})[new.metadata.uid] = new
            return self._affected(obj, gone=new is None)

    def _affected(self, obj: Object, gone: bool) -> list[Object]:
        owners = [self._objects[ref.uid] for ref in obj.metadata.ownerReferences if ref.uid in self._objects]
        # An owner that is being deleted may wait for this one.
        waiting = [owner for owner in owners if owner.metadata.deletionTimestamp is not None]
        if not gone:
            return [obj, *waiting]
        return [*self._dependents.pop(obj.metadata.uid, {}).values(), *waiting]

    def get(self, uid: str) -> Object | None:
        with self._lock:
            return self._objects.get(uid)

    def dependents(self, uid: str) -> list[Object]:
        """In a stable order."""
        with self._lock:
            return sorted(self._dependents.get(uid, {}).values(), key=identifier)
