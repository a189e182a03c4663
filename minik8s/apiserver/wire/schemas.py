"""A type of `api/` → its schema, under the name that upstream's published OpenAPI gives it. Pure.

Two editions of OpenAPI differ in how they point from one schema to another; `Edition` holds the difference. Invariant:
every schema that another points to is in the same document. Descriptions come from `api/words`. Read `operations.py`
next.
"""

import types
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec

from minik8s.api import mergekeys, words
from minik8s.api.meta import Condition, Object
from minik8s.apiserver.wire.required import REQUIRED

GROUP_VERSION_KIND = "x-kubernetes-group-version-kind"
PUBLISHED = "io.k8s.api."
CORE = f"{PUBLISHED}core.v1"
META = "io.k8s.apimachinery.pkg.apis.meta.v1"
# Packages of our modules; any other module has the name of its group.
PACKAGES = {
    "meta": META,
    "claims": CORE,
    "containers": CORE,
    "nodes": CORE,
    "references": CORE,
    "pods": CORE,
    "volumes": CORE,
    "placement": CORE,
    "metrics": "io.k8s.metrics.pkg.apis.metrics.v1beta1",
}

# What an annotated type is called upstream, and its schema in either edition.
TIME = {"type": "string", "format": "date-time", "description": "A moment, in UTC, as RFC 3339 writes it."}
FIELDS = {"type": "object", "description": "A set of fields: each name after `f:`, and below it the fields inside."}
RAW = {"type": "object", "description": "Anything, kept as it is written."}
QUANTITY_WORDS = "An amount: a number with or without a unit, such as 500m (half of one), 2, 64Mi (mebibytes), 1e3."
INT_OR_STRING_WORDS = "A number, or a text: the name of a port, or a percentage."
NAMED: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "Time": (f"{META}.Time", TIME, TIME),
    "MicroTime": (f"{META}.MicroTime", TIME, TIME),
    "Quantity": (
        "io.k8s.apimachinery.pkg.api.resource.Quantity",
        {"description": QUANTITY_WORDS, "type": "string"},
        {"description": QUANTITY_WORDS, "oneOf": [{"type": "string"}, {"type": "number"}]},
    ),
    "FieldsV1": (f"{META}.FieldsV1", FIELDS, FIELDS),
    "RawExtension": ("io.k8s.apimachinery.pkg.runtime.RawExtension", RAW, RAW),
    "IntOrString": (
        "io.k8s.apimachinery.pkg.util.intstr.IntOrString",
        {"description": INT_OR_STRING_WORDS, "type": "string", "format": "int-or-string"},
        {
            "description": INT_OR_STRING_WORDS,
            "format": "int-or-string",
            "oneOf": [{"type": "integer"}, {"type": "string"}],
        },
    ),
}
FORMATS = {
    "int32": {"type": "integer", "format": "int32"},
    "int64": {"type": "integer", "format": "int64"},
    "byte": {"type": "string", "format": "byte"},
}
PLAIN: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    float: {"type": "number", "format": "double"},
}
ANYTHING: dict[str, Any] = {"type": "object"}
# For conditions upstream has, of old, a type for each kind; ours is one that has the fields of all. Status type → which
# of them its conditions have beside those that all have; a status that is not here has the general metav1.Condition.
CONDITION = ("type", "status", "reason", "message", "lastTransitionTime")
CONDITIONS: dict[str, tuple[str, ...]] = {
    "PodStatus": ("lastProbeTime", "observedGeneration"),
    "NodeStatus": ("lastHeartbeatTime",),
    "NamespaceStatus": (),
    "PersistentVolumeClaimStatus": ("lastProbeTime",),
    "DeploymentStatus": ("lastUpdateTime",),
    "ReplicaSetStatus": (),
    "StatefulSetStatus": (),
    "DaemonSetStatus": (),
    "JobStatus": ("lastProbeTime",),
}


@dataclass(frozen=True)
class Edition:
    """How schemas point to each other: since v3 a description may stand beside a pointer only if that is in allOf."""

    v3: bool

    def ref(self, name: str) -> dict[str, Any]:
        return {"$ref": f"#/{'components/schemas' if self.v3 else 'definitions'}/{name}"}

    def described(self, schema: dict[str, Any], said: dict[str, Any]) -> dict[str, Any]:
        if "$ref" in schema and self.v3:
            return {"allOf": [schema], **said}
        return {**schema, **said}


V2, V3 = Edition(v3=False), Edition(v3=True)


def name_of(cls: type[msgspec.Struct]) -> str:
    """`Pod` → io.k8s.api.core.v1.Pod"""
    module = cls.__module__.rpartition(".")[2]
    package = PACKAGES.get(module, f"{PUBLISHED}{module}.v1")
    return f"{package}.{cls.__name__}"


@dataclass(frozen=True)
class Type:
    """A type as it stands in a field of another; only of conditions the owner makes a difference."""

    cls: type[msgspec.Struct]
    owner: type[msgspec.Struct] | None = None

    @property
    def _extra(self) -> tuple[str, ...] | None:
        """What conditions of the owner have beside the usual; None for any other type, and for metav1.Condition."""
        return CONDITIONS.get(self.owner.__name__) if self.cls is Condition and self.owner else None

    @property
    def name(self) -> str:
        if self._extra is None or self.owner is None:
            return name_of(self.cls)
        return name_of(self.owner).removesuffix("Status") + "Condition"

    @property
    def fields(self) -> dict[str, Any]:
        """By their names on the wire."""
        found = {field.encode_name: field for field in msgspec.structs.fields(self.cls)}
        if self.cls is not Condition:
            return found
        wanted = {*CONDITION, *(("observedGeneration",) if self._extra is None else self._extra)}
        return {name: field for name, field in found.items() if name in wanted}

    @property
    def required(self) -> list[str]:
        always = REQUIRED.get(self.name.removeprefix(PUBLISHED), ())
        return sorted({name for name, field in self.fields.items() if field.required} | set(always))


def list_name(cls: type[Object]) -> str:
    return f"{name_of(cls)}List"


def group_version_kind(cls: type[Object], suffix: str = "") -> dict[str, str]:
    where = cls.resource
    return {"group": where.group, "version": where.version, "kind": where.kind + suffix}


def gather(roots: Iterable[type[msgspec.Struct]], edition: Edition) -> dict[str, dict[str, Any]]:
    """The schemas of these types and of all types that they are made of, by name."""
    found: dict[str, dict[str, Any]] = {}
    waiting = [Type(cls) for cls in roots]
    while waiting:
        each = waiting.pop()
        if each.name in found:
            continue
        hints = get_type_hints(each.cls, include_extras=True)
        found[each.name] = _schema(each, hints, edition)
        for field in each.fields.values():
            waiting += _inside(hints[field.name], each, edition, found)
    return dict(sorted(found.items()))


def of_list(cls: type[Object], edition: Edition) -> dict[str, Any]:
    """The schema of a list of a kind, which is no type of ours: lists are joined from encoded objects."""
    items = {"type": "array", "items": edition.ref(name_of(cls)), "description": "The objects."}
    meta = edition.described(edition.ref(f"{META}.ListMeta"), {"description": "Where the list stands."})
    return {
        "description": f"A list of objects of kind {cls.resource.kind}.",
        "type": "object",
        "required": ["items"],
        "properties": {
            "apiVersion": _text(Object, "apiVersion"),
            "items": items,
            "kind": _text(Object, "kind"),
            "metadata": meta,
        },
        GROUP_VERSION_KIND: [group_version_kind(cls, "List")],
    }


def _text(cls: type[msgspec.Struct], field: str) -> dict[str, Any]:
    return {"type": "string", "description": words.about(cls, field)}


def _schema(each: Type, hints: dict[str, Any], edition: Edition) -> dict[str, Any]:
    fields = each.fields
    properties = {name: _property(each, field, hints[field.name], edition) for name, field in sorted(fields.items())}
    schema: dict[str, Any] = {"description": words.about(each.cls), "type": "object", "properties": properties}
    if each.required:
        schema["required"] = each.required
    if each.cls in mergekeys.ATOMIC:
        schema["x-kubernetes-map-type"] = "atomic"
    if "kind" in fields and fields["kind"].default_factory is not msgspec.NODEFAULT:
        blank: Any = each.cls()  # a document of its own: it says what it is
        group, _, version = blank.apiVersion.rpartition("/")
        schema[GROUP_VERSION_KIND] = [{"group": group, "version": version, "kind": blank.kind}]
    return schema


def _property(each: Type, field: Any, hint: Any, edition: Edition) -> dict[str, Any]:
    said: dict[str, Any] = {"description": words.about(each.cls, field.encode_name)}
    made: Any = field.default_factory
    # A struct that is always there, and has nothing that must be: what is left out of it has its default.
    if isinstance(made, type) and issubclass(made, msgspec.Struct) and not Type(made, each.cls).required:
        said["default"] = {}
    said |= _merging(mergekeys.rule(each.cls, field.encode_name))
    return edition.described(_shape(hint, each, edition), said)


def _merging(rule: mergekeys.Rule) -> dict[str, Any]:
    """How a list or a map is changed: kubectl's patches and server-side apply go by it."""
    told = {
        "x-kubernetes-patch-strategy": rule.patch_strategy,
        "x-kubernetes-patch-merge-key": rule.patch_merge_key,
        "x-kubernetes-list-type": rule.list_type,
        "x-kubernetes-list-map-keys": list(rule.list_map_keys),
        "x-kubernetes-map-type": rule.map_type,
    }
    return {name: value for name, value in told.items() if value}


def _shape(hint: Any, owner: Type, edition: Edition) -> dict[str, Any]:
    """The schema of a value of this type, in a field of its owner."""
    hint = _without_none(hint)
    origin = get_origin(hint)
    if origin is Annotated:
        mark = hint.__metadata__[0]
        return edition.ref(NAMED[mark][0]) if mark in NAMED else FORMATS[mark]
    if origin is list:
        return {"type": "array", "items": _shape(get_args(hint)[0], owner, edition)}
    if origin is dict:
        inner = get_args(hint)[1]
        if inner is Any:
            return ANYTHING
        return {"type": "object", "additionalProperties": _shape(inner, owner, edition)}
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return edition.ref(Type(hint, owner.cls).name)
    return PLAIN.get(hint, ANYTHING)


def _inside(hint: Any, owner: Type, edition: Edition, found: dict[str, dict[str, Any]]) -> list[Type]:
    """The types that a value of this type holds; named scalars are put down at once."""
    hint = _without_none(hint)
    if get_origin(hint) is Annotated:
        if hint.__metadata__[0] in NAMED:
            name, v2, v3 = NAMED[hint.__metadata__[0]]
            found[name] = v3 if edition.v3 else v2
        return []
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return [Type(hint, owner.cls)]
    return [each for inner in get_args(hint) for each in _inside(inner, owner, edition, found)]


def _without_none(hint: Any) -> Any:
    """The type that matters of `X | None`."""
    if get_origin(hint) in (Union, types.UnionType):
        kept = [each for each in get_args(hint) if each is not type(None)]
        return kept[0] if len(kept) == 1 else hint
    return hint
