"""Label and field selectors of a request, as one question: does this object belong? Pure.

Invariant: a field that is not known here is refused, never ignored: a watcher that believes it is filtered and is not
would be wrong silently. Objects are judged from their bytes, of which only the fields asked for are decoded.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from minik8s.api import selectors, selectortext
from minik8s.api.meta import Object
from minik8s.apiserver import errors

# Field labels by kind, as upstream has them: label → where it stands in the object, and what its absence means. A kind
# that is not here has the two of EVERYWHERE.
Label = tuple[str, str]
EVERYWHERE = ("metadata.name", "metadata.namespace")
_REFERENCE = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")


def _plain(*paths: str) -> dict[str, Label]:
    return {path: (path, "") for path in paths}


FIELDS: dict[str, dict[str, Label]] = {
    "pods": _plain(
        *EVERYWHERE,
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "status.phase",
        "status.podIP",
        "status.nominatedNodeName",
    )
    | {"spec.hostNetwork": ("spec.hostNetwork", "false"), "spec.host": ("spec.nodeName", "")},
    "events": _plain(*EVERYWHERE, *(f"involvedObject.{each}" for each in _REFERENCE), "reason", "reportingComponent")
    | {"source": ("source.component", ""), "type": ("type", "")},
    "events.events.k8s.io": _plain(*EVERYWHERE, *(f"regarding.{each}" for each in _REFERENCE), "reason", "type")
    | {"reportingController": ("reportingController", "")},
    "services": _plain(*EVERYWHERE, "spec.clusterIP", "spec.type"),
    "nodes": _plain("metadata.name") | {"spec.unschedulable": ("spec.unschedulable", "false")},
    "namespaces": _plain("metadata.name", "status.phase"),
    "secrets": _plain(*EVERYWHERE, "type"),
    "replicasets.apps": _plain(*EVERYWHERE) | {"status.replicas": ("status.replicas", "0")},
    "statefulsets.apps": _plain(*EVERYWHERE) | {"status.successful": ("status.replicas", "0")},
    "jobs.batch": _plain(*EVERYWHERE) | {"status.successful": ("status.succeeded", "0")},
}

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
        labels = selectortext.parse_labels(query.get("labelSelector", ""))
        terms = selectortext.parse_fields(query.get("fieldSelector", ""))
    except ValueError as error:
        raise errors.bad_request(str(error)) from error
    fields = [(_label(cls, term.path), term) for term in terms]
    if not labels and not fields:
        return None

    def matches(data: bytes) -> bool:
        if labels and not selectors.all_hold(labels, _labels.decode(data).metadata.labels):
            return False
        return not fields or _fields_hold(fields, _raw.decode(data))

    return matches


def _label(cls: type[Object], name: str) -> Label:
    known = FIELDS.get(cls.resource.qualified)
    found = (known or _plain(*EVERYWHERE)).get(name)
    if found is None:
        only = ", ".join(f'"{each}"' for each in EVERYWHERE)
        default = f'"{name}" is not a known field selector: only {only}'
        raise errors.bad_request(default if known is None else f"field label not supported: {name}")
    return found


def _fields_hold(fields: list[tuple[Label, selectors.FieldTerm]], obj: dict[str, Any]) -> bool:
    return all((_text(obj, label) == term.value) == term.equal for label, term in fields)


def _text(obj: dict[str, Any], label: Label) -> str:
    """A field as text."""
    path, absent = label
    value: Any = obj
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    if path == "source.component" and not value:
        value = obj.get("reportingComponent")  # newer senders of Events say it there
    if value is None:
        return absent
    return str(value).lower() if isinstance(value, bool) else str(value)
