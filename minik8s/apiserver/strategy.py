"""What a write may change, and what the server itself writes into an object: for all kinds, and the few where it
differs. Pure.

Invariants: uid, creationTimestamp, generation and the deletion's fields are the server's; a write of the object
leaves the status alone, a write of the status leaves the rest alone; `generation` grows exactly when what is wanted
changes. Read `verbs.py` for who calls this, `deletion.py` for how objects go.
"""

from dataclasses import dataclass
from typing import Any

import msgspec

from minik8s.api import codec, quantity
from minik8s.api.apps import Deployment
from minik8s.api.batch import NAME_LABEL, OLD_LABELS, UID_LABEL, Job
from minik8s.api.containers import EphemeralContainer
from minik8s.api.coordination import Lease
from minik8s.api.core import Namespace, Node, Pod, Service, ServiceAccount
from minik8s.api.discovery import EndpointSlice
from minik8s.api.meta import LabelSelector, Object, StatusCause
from minik8s.api.networking import IPAddress

# Upstream counts no generations for these: their spec is not worked off by a controller that reports back.
NO_GENERATION = (Namespace, Node, Service, Lease, IPAddress)

# Of these the answer to a deletion is the last one saw of them, of all others a Status: clients with types rely on it.
SHOWN_WHEN_GONE = (Pod, Service, ServiceAccount)


@dataclass(frozen=True)
class Birth:
    """What a new object gets that no input tells: when, and who it is."""

    now: str
    uid: str
    suffix: str


def has(cls: type[Object], field: str) -> bool:
    return field in cls.__struct_fields__


def prepare_create(obj: Object, birth: Birth) -> None:
    """Make a client's object into a new one of ours, in place."""
    meta_ = obj.metadata
    if not meta_.name and meta_.generateName:
        # Upstream's limit: what is too long is cut before the random end, so that the end always fits.
        meta_.name = meta_.generateName[:58] + birth.suffix
    meta_.uid, meta_.creationTimestamp = birth.uid, birth.now
    meta_.resourceVersion, meta_.deletionTimestamp, meta_.deletionGracePeriodSeconds = "", None, None
    meta_.generation = 1 if counts_generations(type(obj)) else 0
    # A node reports its state when it registers; nobody else brings a status along.
    if has(type(obj), "status") and not isinstance(obj, Node):
        obj.status = type(obj)().status  # type: ignore[attr-defined]
    if isinstance(obj, Namespace):
        _new_namespace(obj)
    elif isinstance(obj, Pod):
        obj.status.phase, obj.status.qosClass = "Pending", qos_class(obj)
    elif isinstance(obj, Job) and not obj.spec.manualSelector:
        _new_job(obj)


def counts_generations(cls: type[Object]) -> bool:
    return (has(cls, "spec") and cls not in NO_GENERATION) or cls is EndpointSlice


def wants_else(new: Object, old: Object) -> bool:
    """Is something else wanted than before? Of a Deployment also when its annotations differ, as upstream has it."""
    if isinstance(new, Deployment) and new.metadata.annotations != old.metadata.annotations:
        return True
    return any(getattr(new, field) != getattr(old, field) for field in content_fields(type(new)))


def same(new: Object, old: Object) -> bool:
    """Does nothing differ, whatever the order of keys?"""
    return stripped(new) == stripped(old)


def _new_namespace(obj: Namespace) -> None:
    obj.status.phase = "Active"
    obj.metadata.labels = {**obj.metadata.labels, "kubernetes.io/metadata.name": obj.metadata.name}
    obj.spec.finalizers = ["kubernetes"]  # it stays until the controller has emptied it


def _new_job(job: Job) -> None:
    """A Job finds its Pods by its own uid, so that no two Jobs can ever quarrel over one."""
    marks = {UID_LABEL: job.metadata.uid, NAME_LABEL: job.metadata.name}
    marks |= {old: marks[new] for old, new in OLD_LABELS.items()}
    template = job.spec.template.metadata
    job.metadata.labels = job.metadata.labels or dict(template.labels)
    template.labels = {**template.labels, **marks}
    job.spec.selector = job.spec.selector or LabelSelector()
    job.spec.selector.matchLabels = {**job.spec.selector.matchLabels, UID_LABEL: job.metadata.uid}


def prepare_update(new: Object, old: Object) -> None:
    """A write of the object itself: everything but what is the server's, and the status."""
    _keep_metadata(new, old)
    if has(type(new), "status"):
        new.status = old.status  # type: ignore[attr-defined]
    if isinstance(new, Namespace) and isinstance(old, Namespace):
        new.spec = old.spec
        new.metadata.labels = {**new.metadata.labels, "kubernetes.io/metadata.name": new.metadata.name}


def guests(obj: Object) -> list[EphemeralContainer]:
    """The containers that were added to a running Pod."""
    return obj.spec.ephemeralContainers if isinstance(obj, Pod) else []


def prepare_guests(new: Object, old: Object) -> None:
    """A write of the containers that are added to a running Pod: the rest stays."""
    assert isinstance(new, Pod) and isinstance(old, Pod)
    wanted, owned, kept = new.spec.ephemeralContainers, new.metadata.managedFields, copy(old)
    assert isinstance(kept, Pod)
    new.metadata, new.spec, new.status = kept.metadata, kept.spec, kept.status
    new.metadata.managedFields, new.metadata.resourceVersion = owned, ""
    new.spec.ephemeralContainers = wanted


def prepare_status(new: Object, old: Object) -> None:
    """A write of the status: the content stays. What metadata is everybody's may be written along, as upstream has it.

    Whoever gives Services their addresses takes its finalizer off so. A Pod keeps its owners, a Deployment its labels.
    """
    _keep_metadata(new, old)
    if isinstance(new, Pod):
        new.metadata.ownerReferences = old.metadata.ownerReferences
    if isinstance(new, Deployment):
        new.metadata.labels = old.metadata.labels
    for field in content_fields(type(new)):
        setattr(new, field, getattr(old, field))


def _keep_metadata(new: Object, old: Object) -> None:
    mine, theirs = new.metadata, old.metadata
    mine.name, mine.namespace, mine.generateName = theirs.name, theirs.namespace, theirs.generateName
    mine.uid, mine.creationTimestamp, mine.generation = theirs.uid, theirs.creationTimestamp, theirs.generation
    mine.deletionTimestamp = theirs.deletionTimestamp
    mine.deletionGracePeriodSeconds = theirs.deletionGracePeriodSeconds
    mine.resourceVersion = ""


def content_fields(cls: type[Object]) -> list[str]:
    return [name for name in cls.__struct_fields__ if name not in ("apiVersion", "kind", "metadata", "status")]


def check_metadata(new: Object, old: Object | None) -> list[StatusCause]:
    """What every kind's metadata must keep to, beside what `api.validation` says of names and labels."""
    causes = []
    owners = [each for each in new.metadata.ownerReferences if each.controller]
    if len(owners) > 1:
        message = "Invalid value: Only one reference can have Controller set to true"
        causes.append(StatusCause(reason="FieldValueInvalid", message=message, field="metadata.ownerReferences"))
    for at, owner in enumerate(new.metadata.ownerReferences):
        for field in ("apiVersion", "kind", "name", "uid"):
            if not getattr(owner, field):
                message = f"Invalid value: must not be empty: {field}"
                place = f"metadata.ownerReferences[{at}].{field}"
                causes.append(StatusCause(reason="FieldValueInvalid", message=message, field=place))
    if old is not None and old.metadata.deletionTimestamp:
        added = sorted(set(new.metadata.finalizers) - set(old.metadata.finalizers))
        if added:
            forbidden = "Forbidden: no new finalizers can be added if the object is being deleted"
            message = f"{forbidden}, found new finalizers {added}"
            causes.append(StatusCause(reason="FieldValueForbidden", message=message, field="metadata.finalizers"))
    return causes


def qos_class(pod: Pod) -> str:
    """Guaranteed, Burstable or BestEffort: what the kernel is told about whom to kill first.

    It is asked before validation, so a quantity may yet be none: that Pod is refused in a moment.
    """
    every = [*pod.spec.initContainers, *pod.spec.containers]
    if not any(each.resources.requests or each.resources.limits for each in every):
        return "BestEffort"
    return "Guaranteed" if all(_guaranteed(each.resources) for each in every) else "Burstable"


def _guaranteed(resources: Any) -> bool:
    requests = {**resources.limits, **resources.requests}
    names = ("cpu", "memory")
    try:
        return all(
            name in resources.limits and quantity.parse(requests[name]) == quantity.parse(resources.limits[name])
            for name in names
        )
    except ValueError:
        return False


def copy(obj: Object) -> Object:
    """An independent copy: what was decoded once is never changed under a reader."""
    return codec.decode(type(obj), codec.encode(obj))


def stored_bytes(obj: Object) -> bytes:
    """An object as etcd keeps it: without its resourceVersion, which is the revision of the write itself."""
    return codec.encode(stripped(obj))


def stripped(obj: Object) -> Object:
    return msgspec.structs.replace(obj, metadata=msgspec.structs.replace(obj.metadata, resourceVersion=""))


def shown_bytes(obj: Object, revision: int) -> bytes:
    """An object as clients see it."""
    full = msgspec.structs.replace(obj, metadata=msgspec.structs.replace(obj.metadata, resourceVersion=str(revision)))
    return codec.encode(full)
