"""What all objects share: metadata, owner references, selectors, conditions, and the Status that reports errors.

Invariant: an attribute is called what the wire calls it, and its default is what its absence means. A kind is a class
that knows its own API address (`Pod.resource`), so routes, clients and keys are derived and never written down twice.

Source: Kubernetes API conventions and the published OpenAPI of meta/v1. Read `core.py` next.
"""

from collections.abc import Callable
from typing import Annotated, Any, ClassVar, TypeVar

import msgspec

# To Python these are what stands first; the second is what the published schemas call it. Numbers have the bounds that
# they have upstream: what does not fit there must not be stored here.
Int32 = Annotated[int, "int32", msgspec.Meta(ge=-(2**31), le=2**31 - 1)]
Int64 = Annotated[int, "int64", msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
IntOrString = Annotated[Int32 | str, "IntOrString"]
Quantity = Annotated[str | int | float, "Quantity"]
Time = Annotated[str, "Time"]
MicroTime = Annotated[str, "MicroTime"]
Bytes = Annotated[str, "byte"]
FieldsV1 = Annotated[dict[str, Any], "FieldsV1"]
RawExtension = Annotated[dict[str, Any], "RawExtension"]


class Struct(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Base of every type: keyword-only, and what has its default value is not written."""


# What can be done with the objects of a kind that is only looked at, and of one that is stored.
READS = ("get", "list", "watch")
VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


class Resource(msgspec.Struct, frozen=True, kw_only=True):
    """Where a kind lives in the API, and what people may call it."""

    group: str
    version: str
    kind: str
    plural: str
    singular: str
    shortNames: tuple[str, ...] = ()
    namespaced: bool = True
    categories: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()
    verbs: tuple[str, ...] = VERBS

    @property
    def apiVersion(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """`deployments.apps`, or `pods` in the core group, as kubectl and Status messages write it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """The URL path of a collection, an object, or a subresource of it."""
        parts = [f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"]
        if self.namespaced and namespace:
            parts.append(f"namespaces/{namespace}")
        parts.append(self.plural)
        parts.extend(part for part in (name, subresource) if part)
        return "/".join(parts)


class OwnerReference(Struct):
    """Who this object belongs to: it is removed when its owners are."""

    apiVersion: str
    kind: str
    name: str
    uid: str
    controller: bool | None = None
    blockOwnerDeletion: bool | None = None


class ManagedFieldsEntry(Struct):
    """The fields that one manager owns; `api/ownership/` says how they come to be."""

    manager: str = ""
    operation: str = ""
    apiVersion: str = ""
    time: Time | None = None
    fieldsType: str = ""
    fieldsV1: FieldsV1 | None = None
    subresource: str = ""


class ObjectMeta(Struct):
    """Name, identity, version and ties of an object."""

    name: str = ""
    generateName: str = ""
    namespace: str = ""
    uid: str = ""
    resourceVersion: str = ""
    generation: Int64 = 0
    creationTimestamp: Time | None = None
    deletionTimestamp: Time | None = None
    deletionGracePeriodSeconds: Int64 | None = None
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    ownerReferences: list[OwnerReference] = []
    finalizers: list[str] = []
    managedFields: list[ManagedFieldsEntry] | None = None  # empty is not absent: it forgets everybody


class Object(Struct):
    """Base of every kind. `resource` is set by the decorator `resource`."""

    resource: ClassVar[Resource]
    apiVersion: str = ""
    kind: str = ""
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)


class LabelSelectorRequirement(Struct):
    key: str
    operator: str
    values: list[str] = []


class LabelSelector(Struct):
    """All of `matchLabels` and all of `matchExpressions` must hold; an empty selector matches everything."""

    matchLabels: dict[str, str] = {}
    matchExpressions: list[LabelSelectorRequirement] = []


class FieldSelectorRequirement(Struct):
    key: str
    operator: str
    values: list[str] = []


class Condition(Struct):
    """One aspect of an object's state, as its controller observed it."""

    type: str
    status: str
    reason: str = ""
    message: str = ""
    observedGeneration: Int64 | None = None
    lastTransitionTime: Time | None = None
    lastUpdateTime: Time | None = None
    lastHeartbeatTime: Time | None = None
    lastProbeTime: Time | None = None


class StatusCause(Struct):
    """One thing that is wrong with a request: which field, and why."""

    reason: str = ""
    message: str = ""
    field: str = ""


class StatusDetails(Struct):
    name: str = ""
    group: str = ""
    kind: str = ""
    uid: str = ""
    causes: list[StatusCause] = []
    retryAfterSeconds: Int32 = 0


class ListMeta(Struct):
    resourceVersion: str = ""
    remainingItemCount: Int64 | None = None
    # `continue` is a word of Python; msgspec renames it on the wire.
    continue_: str = msgspec.field(default="", name="continue")


def says(value: str) -> Any:
    """A default that is always written: a factory's value is never taken for "left out"."""
    return msgspec.field(default_factory=lambda: value)


class Status(Struct):
    """The answer to a request that has no object to show, errors above all."""

    kind: str = says("Status")
    apiVersion: str = says("v1")
    metadata: ListMeta = msgspec.field(default_factory=ListMeta)
    status: str = ""
    message: str = ""
    reason: str = ""
    details: StatusDetails | None = None
    code: Int32 = 0


class Preconditions(Struct):
    uid: str | None = None
    resourceVersion: str | None = None


class DeleteOptions(Struct):
    """How to delete: `gracePeriodSeconds` 0 is at once; `propagationPolicy` is Background, Foreground or Orphan."""

    kind: str = says("DeleteOptions")
    apiVersion: str = says("v1")
    gracePeriodSeconds: Int64 | None = None
    preconditions: Preconditions | None = None
    propagationPolicy: str | None = None
    orphanDependents: bool | None = None
    dryRun: list[str] = []


T = TypeVar("T", bound=type[Object])


def resource(  # noqa: PLR0913 (each says one thing of a kind, and by name)
    plural: str,
    *,
    short: tuple[str, ...] = (),
    namespaced: bool = True,
    categories: tuple[str, ...] = (),
    subresources: tuple[str, ...] = (),
    verbs: tuple[str, ...] = VERBS,
) -> Callable[[T], T]:
    """Tell a kind its API address; version and kind are those its own fields say."""

    def tell(cls: T) -> T:
        blank = cls()
        group, _, version = blank.apiVersion.rpartition("/")
        cls.resource = Resource(
            group=group,
            version=version,
            kind=blank.kind,
            plural=plural,
            singular=blank.kind.lower(),
            shortNames=short,
            namespaced=namespaced,
            categories=categories,
            subresources=subresources,
            verbs=verbs,
        )
        return cls

    return tell


def key(obj: Object) -> str:
    """`namespace/name`, or `name` where there is no namespace: how queues and caches call an object."""
    meta = obj.metadata
    return f"{meta.namespace}/{meta.name}" if meta.namespace else meta.name


def ref(obj: Object) -> str:
    """`pods/default/web-1@123`: an object as it was looked at, for audit, journal and `X-Minik8s-From`."""
    return f"{obj.resource.plural}/{key(obj)}@{obj.metadata.resourceVersion}"


def owner_of(obj: Object, *, controller: bool = True) -> OwnerReference:
    """A reference by which `obj` owns another object."""
    return OwnerReference(
        apiVersion=obj.resource.apiVersion,
        kind=obj.resource.kind,
        name=obj.metadata.name,
        uid=obj.metadata.uid,
        controller=controller,
        blockOwnerDeletion=controller,
    )


def controller_of(obj: Object) -> OwnerReference | None:
    """The one owner that manages `obj`, if any."""
    return next((owner for owner in obj.metadata.ownerReferences if owner.controller), None)
