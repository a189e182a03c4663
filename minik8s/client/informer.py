"""A local copy of a kind, kept fresh by list and watch.

Invariants: what `get` and `values` hand out is never changed by anyone; a handler sees every object's last state, in
the order of revisions, in the informer's own thread. Who tells it of a write of its own (`wrote`, `removed`) reads that
write from then on: nothing is done twice because the watch is a little behind. `_lock` guards `_objects`, `_revision`,
`_own` and `_ended`; all else belongs to the informer's thread.

Source: client-go's shared informer. Read `reflector.py`, below it, and `loop.py` next.
"""

import threading
from collections.abc import Callable
from typing import TypeVar

from minik8s.api.meta import Object, key
from minik8s.client.reflector import Reflector
from minik8s.client.rest import Client, Listing, WatchEvent

T = TypeVar("T", bound=Object)
Handler = Callable[[T | None, T | None], None]


class Informer(Reflector[T]):
    """Objects of `cls` that the selectors choose. `transform` may drop what the component does not read."""

    def __init__(  # noqa: PLR0913  (the four last are options)
        self,
        client: Client,
        cls: type[T],
        *,
        namespace: str = "",
        labels: str = "",
        fields: str = "",
        transform: Callable[[T], T] | None = None,
    ) -> None:
        super().__init__(client, cls, namespace, labels, fields)
        self._chosen = transform or (lambda obj: obj)
        self._handlers: list[Handler[T]] = []
        self._objects: dict[str, T] = {}
        self._own: dict[str, T] = {}  # answers to our own writes that the watch has not told of yet
        self._ended: dict[str, str] = {}  # likewise what we deleted: uid by key
        self._lock = threading.Lock()
        self._synced = threading.Event()

    # --- For readers -------------------------------------------------------------------------------------------------

    def get(self, key: str) -> T | None:
        with self._lock:
            found = self._own.get(key) or self._objects.get(key)
            return None if found is None or self._ended.get(key) == found.metadata.uid else found

    def values(self) -> list[T]:
        with self._lock:
            if not self._own and not self._ended:
                return list(self._objects.values())
            merged = {**self._objects, **self._own}
            return [obj for name, obj in merged.items() if self._ended.get(name) != obj.metadata.uid]

    @property
    def synced(self) -> bool:
        return self._synced.is_set()

    def wait_synced(self, timeout: float | None = None) -> bool:
        """True once the first full list is in; False when `timeout` seconds passed before."""
        return self._synced.wait(timeout)

    def on_change(self, handler: Handler[T]) -> None:
        """Call `handler(old, new)` at each change; None means "was not there" or "is gone". Register before `start`."""
        self._handlers.append(handler)

    def wrote(self, obj: T) -> None:
        """Read the answer to our own write from now on, until the watch has come as far.

        Revisions are numbers that grow over all kinds. A watch that has passed the write's revision knows better: the
        object may have changed again, or be gone.
        """
        with self._lock:
            if _revision(obj) > int(self._revision or 0):
                self._own[key(obj)] = self._transform(obj)

    def removed(self, obj: T) -> None:
        """Our own deletion took effect at once: leave the object out from now on."""
        with self._lock:
            if key(obj) in self._objects or key(obj) in self._own:
                self._ended[key(obj)] = obj.metadata.uid

    def _transform(self, obj: T) -> T:
        """What is kept: who set which field is half of an object, and no component reads it."""
        obj.metadata.managedFields = None
        return self._chosen(obj)

    # --- Changes -----------------------------------------------------------------------------------------------------

    def _list(self) -> None:
        self._take(next(self._pages()))

    def _take(self, listing: Listing[T]) -> None:
        """Replace the whole copy by a list, telling the differences."""
        fresh = {key(obj): self._transform(obj) for obj in listing.items}
        with self._lock:
            before, self._objects = self._objects, fresh
            self._advance(listing.resourceVersion)
        for name in before.keys() - fresh.keys():
            self._tell(before[name], None)
        for name, obj in fresh.items():
            old = before.get(name)
            if old is None or old.metadata.resourceVersion != obj.metadata.resourceVersion:
                self._tell(old, obj)
        self._synced.set()

    def _apply(self, event: WatchEvent[T]) -> None:
        name, new = key(event.object), event.object
        with self._lock:
            old = self._objects.get(name)
            if event.type == "DELETED":
                self._objects.pop(name, None)
            elif event.type != "BOOKMARK":
                new = self._transform(new)
                self._objects[name] = new
            self._advance(new.metadata.resourceVersion)
        if event.type == "BOOKMARK":
            return
        if event.type == "DELETED":
            # The deletion's own state is the last one; it may be newer than what the copy had.
            self._tell(old or new, None)
        else:
            self._tell(old, new)

    def _advance(self, revision: str) -> None:
        """The copy is as new as `revision`: own writes up to it are no news any more. The caller holds the lock."""
        self._revision = revision or self._revision
        self._own = {name: obj for name, obj in self._own.items() if _revision(obj) > int(self._revision)}
        if self._ended:
            known = {name: obj.metadata.uid for name, obj in {**self._objects, **self._own}.items()}
            self._ended = {name: uid for name, uid in self._ended.items() if known.get(name) == uid}

    def _tell(self, old: T | None, new: T | None) -> None:
        for handler in self._handlers:
            handler(old, new)


def _revision(obj: Object) -> int:
    return int(obj.metadata.resourceVersion or 0)
