"""The wiring that every owner of objects has: a queue of owners, woken by what happens to them and to what is theirs.

A change of the owner names it; a change of a dependent names the owner it has or had, or, where it has none, whoever
might adopt it. Invariant: `look` gets the owner as it is now, never the event. Read `owners.py` for claiming.
"""

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from minik8s.api.meta import LabelSelector, Object, key
from minik8s.client.informer import Informer
from minik8s.client.loop import Controller
from minik8s.client.queue import WorkQueue
from minik8s.controllers.context import Context
from minik8s.controllers.owners import owners_to_wake

Owner = TypeVar("Owner", bound=Object)
T = TypeVar("T", bound=Object)


def _spec_selector(owner: Any) -> LabelSelector | None:
    found: LabelSelector | None = owner.spec.selector
    return found


class OwnerLoop(Generic[Owner]):
    """Informers on one side, a queue of owners of one kind on the other."""

    def __init__(self, context: Context, cls: type[Owner], dependents: Sequence[type[Object]]) -> None:
        self.context, self.queue = context, WorkQueue()
        self.owners = context.informer(cls)
        self.informers: list[Informer[Any]] = [self.owners, *(context.informer(each) for each in dependents)]
        self.owners.on_change(self._owner_changed)
        for informer in self.informers[1:]:
            informer.on_change(self.dependent_changed)

    def near(self, cls: type[T], owner: Object) -> list[T]:
        """The objects of a kind in the owner's namespace."""
        namespace = owner.metadata.namespace
        return [each for each in self.context.informer(cls).values() if each.metadata.namespace == namespace]

    def controller(
        self, name: str, look: Callable[[Owner], float | None], gone: Callable[[str], None] | None = None
    ) -> Controller:
        """The controller that calls `look` for each owner that may need something, `gone` for what is no owner."""

        def sync(name: str) -> float | None:
            owner = self.owners.get(name)
            if owner is not None:
                return look(owner)
            if gone is not None:
                gone(name)
            return None

        return self.context.controller(name, sync, self.queue, self.informers)

    def _owner_changed(self, old: Owner | None, new: Owner | None) -> None:
        obj = new or old
        if obj is not None:
            self.queue.add(key(obj))

    def dependent_changed(self, old: Object | None, new: Object | None) -> None:
        known = [(owner, _spec_selector(owner)) for owner in self.owners.values()]
        for name in owners_to_wake(old, new, known):
            self.queue.add(name)
