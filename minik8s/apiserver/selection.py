"""Label and field selectors of a request, as one question: does this object belong? Pure.

Invariant: a field that is not known here is refused, never ignored: a watcher that believes it is filtered and is not
would be wrong silently. Objects are judged from their bytes, of which only the fields asked for are decoded.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from minik8s.api import selectors
from minik8s.api.meta import Object
from minik8s.apiserver import errors

# Upstream's field labels, by kind; metadata.name and metadata.namespace work for every kind.
_INVOLVED = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
FIELDS: dict[str, tuple[str, ...]] = {
    "Pod": (
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "spec.hostNetwork",
        "status.phase",
        "status.podIP",
        "status.nominatedNodeName",
    ),
    "Event": (*(f"involvedObject.{each}" for each in _INVOLVED), "reason", "reportingComponent", "source", "type"),
    "Service": ("spec.clusterIP", "spec.type"),
    "Node": ("spec.unschedulable",),
    "Namespace": ("status.phase",),
    "Secret": ("type",),
    "ReplicaSet": ("status.replicas",),
}
EVERYWHERE = ("metadata.name", "metadata.namespace")

Matches = Callable[[bytes], bool]


class _Meta(msgspec.Struct):
    labels: dict[str, str] = {}


class _Labelled(msgspec.Struct):
    metadata: _Meta = msgspec.field(default_factory=_Meta)


_labels = msgspec.json.Decoder(_Labelled)
_raw = msgspec.json.Decoder(dict[str, Any])


def matcher(cls: type[Object], query: Mapping[str, str]) -> Matches | None:
    """The question a request's selectors ask; None when it has none. Raises a 400 for what cannot be read."""
    try:
        labels = selectors.parse_labels(query.get("labelSelector", ""))
        fields = selectors.parse_fields(query.get("fieldSelector", ""))
    except ValueError as error:
        raise errors.bad_request(str(error)) from error
    for term in fields:
        if term.path not in EVERYWHERE and term.path not in FIELDS.get(cls.resource.kind, ()):
            label = f'"{term.path}" is not a known field selector: only {", ".join(map(repr, known(cls)))}'
            raise errors.bad_request(f"field label not supported: {label}".replace("'", '"'))
    if not labels and not fields:
        return None

    def matches(data: bytes) -> bool:
        if labels and not selectors.all_hold(labels, _labels.decode(data).metadata.labels):
            return False
        return not fields or _fields_hold(fields, _raw.decode(data))

    return matches


def known(cls: type[Object]) -> tuple[str, ...]:
    return (*EVERYWHERE, *FIELDS.get(cls.resource.kind, ()))


def _fields_hold(terms: list[selectors.FieldTerm], obj: dict[str, Any]) -> bool:
    return all((field(obj, term.path) == term.value) == term.equal for term in terms)


def field(obj: dict[str, Any], path: str) -> str:
    """A field as text; one that is not there is empty."""
    if path == "source":  # of an Event: upstream means the component
        return str((obj.get("source") or {}).get("component", "")) or str(obj.get("reportingComponent", ""))
    value: Any = obj
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "false" if path in ("spec.unschedulable", "spec.hostNetwork") else ""
    return str(value)
