"""What all controllers share: one informer for each kind, and the one place that carries plans out.

Invariants: every write names its reason and what was looked at; every deletion is conditional on the uid; the answer
to a write is read back at once (`Informer.wrote`), so that the next look does not repeat it. Errors rise to the loop,
except one: what is to be changed or deleted is gone already, which its own event will tell of.
"""

import contextlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from minik8s.api import codec
from minik8s.api.meta import DeleteOptions, Object, ObjectMeta, Preconditions
from minik8s.client.component import Component
from minik8s.client.errors import ApiError, Conflict, NotFound
from minik8s.client.informer import Informer
from minik8s.client.loop import Controller, Sync
from minik8s.client.queue import WorkQueue
from minik8s.client.rest import Why
from minik8s.controllers.actions import Action, Create, Delete, Patch, Tell

T = TypeVar("T", bound=Object)


@dataclass
class Context:
    """Made once for the process; each controller's `build` takes from it what it needs."""

    component: Component
    _informers: dict[type[Object], Informer[Any]] = field(default_factory=dict)

    # --- Reading -------------------------------------------------------------------------------------------------

    def informer(self, cls: type[T]) -> Informer[T]:
        """The one informer of this kind."""
        if cls not in self._informers:
            self._informers[cls] = Informer(self.component.client, cls)
        return self._informers[cls]

    def metadata_informer(self, cls: type[T]) -> Informer[T]:
        """Like `informer`, but where nobody else reads the kind, only metadata is kept. Ask for these last."""
        if cls not in self._informers:
            self._informers[cls] = Informer(self.component.client, cls, transform=only_metadata)
        return self._informers[cls]

    def start(self) -> None:
        """Start all informers; after all handlers have been registered."""
        for informer in self._informers.values():
            informer.start()

    def stop(self) -> None:
        for informer in self._informers.values():
            informer.stop()

    def controller(self, name: str, sync: Sync, queue: WorkQueue, informers: Sequence[Informer[Any]]) -> Controller:
        return Controller(name, sync, queue, informers, stop=self.component.stop)

    # --- Writing -------------------------------------------------------------------------------------------------

    def apply(self, actions: Sequence[Action], seen: Sequence[Object] = ()) -> None:
        """Carry out a plan, in its order; Events come last, because nobody waits for them."""
        told = []
        for action in actions:
            self.component.log.info("%s", describe(action))
            if isinstance(action, Tell):
                told.append((action, ""))
                continue
            name = self._write(action, Why(action.because, [*action.seen, *seen] or _looked_at(action)))
            if action.tell is not None and name is not None:
                told.append((action.tell, name))
        for tell, name in told:
            record = self.component.events.warning if tell.type == "Warning" else self.component.events.normal
            record(tell.about, tell.reason, tell.message.replace("{name}", name))

    def _write(self, action: Create | Patch | Delete, why: Why) -> str | None:
        """The name of what was written; None when it was gone."""
        if isinstance(action, Create):
            return self._create(action, why)
        with contextlib.suppress(NotFound):
            return self._patch(action, why) if isinstance(action, Patch) else self._delete(action, why)
        self.informer(type(action.target)).removed(action.target)
        return None

    def _create(self, action: Create, why: Why) -> str:
        try:
            made = self.component.client.create(action.obj, why=why)
        except ApiError as error:
            if action.tell is not None:  # people look here first; the log is for us
                self.component.events.warning(action.tell.about, "FailedCreate", f"Error creating: {error}")
            raise
        self.informer(type(made)).wrote(made)
        return made.metadata.name

    def _patch(self, action: Patch, why: Why) -> str:
        cls, meta = type(action.target), action.target.metadata
        made = self.component.client.patch(
            cls, meta.name, meta.namespace, action.patch, subresource=action.subresource, why=why
        )
        self.informer(cls).wrote(made)
        return meta.name

    def _delete(self, action: Delete, why: Why) -> str | None:
        cls, meta = type(action.target), action.target.metadata
        options = DeleteOptions(
            gracePeriodSeconds=action.grace,
            preconditions=Preconditions(uid=meta.uid),
            propagationPolicy=action.propagation or None,
        )
        # A conflict can only be the uid: the one that was meant is gone, another has its name.
        with contextlib.suppress(Conflict):
            answer = self.component.client.delete(cls, meta.name, meta.namespace, options=options, why=why)
            left = codec.from_dict(cls, answer) if answer.get("kind") == cls.resource.kind else None
            if left is not None and left.metadata.deletionTimestamp is not None and not _over(left):
                self.informer(cls).wrote(left)
            else:
                self.informer(cls).removed(action.target)
            return meta.name
        return None


def _looked_at(action: Create | Patch | Delete) -> list[Object]:
    """Where a plan names nothing else, it was decided by looking at what it changes."""
    return [] if isinstance(action, Create) else [action.target]


def _over(obj: Object) -> bool:
    """Nothing holds the object any more: neither a grace period nor a finalizer."""
    return not obj.metadata.deletionGracePeriodSeconds and not obj.metadata.finalizers


def only_metadata(obj: T) -> T:
    """A blank object of the same kind with the metadata that ownership and deletion need."""
    meta = obj.metadata
    kept = ObjectMeta(
        name=meta.name,
        namespace=meta.namespace,
        uid=meta.uid,
        resourceVersion=meta.resourceVersion,
        deletionTimestamp=meta.deletionTimestamp,
        deletionGracePeriodSeconds=meta.deletionGracePeriodSeconds,
        ownerReferences=meta.ownerReferences,
        finalizers=meta.finalizers,
    )
    return type(obj)(metadata=kept)


def describe(action: Action) -> str:
    """One line for the log: `patch endpointslices default/web-x2k9p: Pod default/web-1 became not ready`."""
    if isinstance(action, Tell):
        return f"tell {action.about.metadata.name}: {action.reason}: {action.message}"
    obj = action.obj if isinstance(action, Create) else action.target
    meta = obj.metadata
    place = "/".join(part for part in (meta.namespace, meta.name or meta.generateName) if part)
    return f"{type(action).__name__.lower()} {obj.resource.plural} {place}: {action.because}"


Build = Callable[[Context], Controller]


def run_all(context: Context, controllers: Sequence[Controller]) -> None:
    """One thread for each controller, until the component is told to stop."""
    context.start()
    threads = [threading.Thread(target=each.run, name=each.name, daemon=True) for each in controllers]
    for thread in threads:
        thread.start()
    context.component.stop.wait()
    context.stop()
    for thread in threads:
        thread.join(6)
