"""In which form an answer is written: the object itself, a row of a table for people, or its metadata alone.

Clients say it in `Accept`: kubectl's `get` asks for `application/json;as=Table;v=v1;g=meta.k8s.io`, programs that only
count or own things ask for `as=PartialObjectMetadata`. All three are JSON. Whoever offers several forms gets the
first that is known here, so protobuf before JSON is answered with JSON, as clients of Kubernetes allow.

The seam: `of(request)` gives the form, and refuses what cannot be written (406, 400) before anything is done. A form
turns encoded objects into encoded answers: `one` for an object, `several` for a list, `event` for the object inside a
watch event (`first`: nothing was sent on this stream yet; a table names its columns only then. A bookmark is a row
too, and the Status of an ERROR stays one). A `plain` form changes no byte of an object, so whoever sends an event to
many may encode it once. Read `tables/__init__.py` for what stands in a row.
"""

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from minik8s.api import events
from minik8s.api.meta import Object
from minik8s.apiserver import errors, tables
from minik8s.apiserver.request import Request
from minik8s.host import clock

META_GROUP = "meta.k8s.io"
VERSIONS = ("v1", "v1beta1")
# What may stand for JSON. Protobuf: every client that prefers it also reads JSON, and tells by the Content-Type.
TYPES = ("application/json", "application/*", "*/*", "application/vnd.kubernetes.protobuf")
LISTS = ("list", "deletecollection")
INCLUDE = ("Metadata", "Object", "None")


class Form(Protocol):
    """How answers are written."""

    @property
    def plain(self) -> bool: ...
    def one(self, value: bytes) -> bytes: ...
    def several(self, values: Sequence[bytes], meta: Mapping[str, object]) -> bytes: ...
    def event(self, value: bytes, first: bool) -> bytes: ...


class _Head(msgspec.Struct):
    """As much of an object as its other forms need; its metadata stays encoded."""

    kind: str = ""
    metadata: msgspec.Raw = msgspec.Raw(b"{}")


class _Version(msgspec.Struct):
    resourceVersion: str = ""


_head = msgspec.json.Decoder(_Head)
_version = msgspec.json.Decoder(_Version)


@dataclass(frozen=True)
class Plain:
    """Objects as they are."""

    cls: type[Object]
    plain = True

    def one(self, value: bytes) -> bytes:
        return value

    def several(self, values: Sequence[bytes], meta: Mapping[str, object]) -> bytes:
        where = self.cls.resource
        return _document((f"{where.kind}List", where.apiVersion), meta, b'"items":[', values)

    def event(self, value: bytes, first: bool) -> bytes:
        return value


@dataclass(frozen=True)
class Face:
    """Core Events in the words of events.k8s.io; see `faces.py`."""

    cls: type[Object]
    plain = False

    def one(self, value: bytes) -> bytes:
        found = msgspec.json.decode(value)
        return msgspec.json.encode(events.shown_form(found)) if found.get("kind") == self.cls.resource.kind else value

    def several(self, values: Sequence[bytes], meta: Mapping[str, object]) -> bytes:
        return Plain(self.cls).several([self.one(value) for value in values], meta)

    def event(self, value: bytes, first: bool) -> bytes:
        return self.one(value)


@dataclass(frozen=True)
class Metadata:
    """PartialObjectMetadata: of every object its metadata."""

    apiVersion: str
    plain = False

    def one(self, value: bytes) -> bytes:
        head = _head.decode(value)
        return value if head.kind == "Status" else _metadata(head, self.apiVersion)

    def several(self, values: Sequence[bytes], meta: Mapping[str, object]) -> bytes:
        items = (_metadata(_head.decode(value), self.apiVersion) for value in values)
        return _document(("PartialObjectMetadataList", self.apiVersion), meta, b'"items":[', items)

    def event(self, value: bytes, first: bool) -> bytes:
        return self.one(value)


@dataclass(frozen=True)
class Table:
    """Rows of text. `include` says how much of each object goes with its row: Metadata, Object or None."""

    cls: type[Object]
    apiVersion: str
    include: str = "Metadata"
    now: Callable[[], float] = clock.wall
    plain = False

    def one(self, value: bytes) -> bytes:
        return self.event(value, first=True)

    def several(self, values: Sequence[bytes], meta: Mapping[str, object]) -> bytes:
        return self._table(values, meta, headed=True)

    def event(self, value: bytes, first: bool) -> bytes:
        head = _head.decode(value)
        if head.kind != self.cls.resource.kind:
            return value  # a Status, a Scale: these have no table of this kind
        meta = {"resourceVersion": _version.decode(head.metadata).resourceVersion}
        return self._table([value], meta, headed=first)

    def _table(self, values: Sequence[bytes], meta: Mapping[str, object], headed: bool) -> bytes:
        now = self.now()
        columns = tables.definitions(self.cls) if headed else b"null"
        rows = (self._row(value, now) for value in values)
        return _document(("Table", self.apiVersion), meta, b'"columnDefinitions":%s,"rows":[' % columns, rows)

    def _row(self, value: bytes, now: float) -> bytes:
        row = tables.row(self.cls, value, now)
        return b'%s,"object":%s}' % (row[:-1], self._beside(value))

    def _beside(self, value: bytes) -> bytes:
        if self.include == "None":
            return b"null"
        return value if self.include == "Object" else _metadata(_head.decode(value), self.apiVersion)


def _metadata(head: _Head, version: str) -> bytes:
    who = b'"kind":"PartialObjectMetadata","apiVersion":"%s"' % version.encode()
    return b'{%s,"metadata":%s}' % (who, bytes(head.metadata))


def _document(what: tuple[str, str], meta: Mapping[str, object], opens: bytes, values: Iterable[bytes]) -> bytes:
    """A document around a list: `what` is its kind and version, `opens` what stands before the first value.

    All is joined once: a list may have megabytes, and every further copy would cost as much as all the rest.
    """
    head = f'{{"kind":"{what[0]}","apiVersion":"{what[1]}","metadata":'.encode()
    parts = [*values]
    first = parts[0] if parts else b""
    parts[:1] = [b"%s%s,%s%s" % (head, msgspec.json.encode(meta), opens, first)]
    parts[-1] += b"]}\n"
    return b",".join(parts)


# --- Which one ------------------------------------------------------------------------------------------------


def of(request: Request) -> Form:
    """The form a request asks for."""
    for offered in offers(request.accept):
        if offered["type"] not in TYPES:
            continue
        if "as" not in offered:
            return Face(request.face) if request.face else Plain(request.cls)
        if offered.get("g") == META_GROUP and offered.get("v") in VERSIONS:
            found = _converted(request, offered["as"], f"{META_GROUP}/{offered['v']}")
            if found is not None:
                return found
    raise errors.not_acceptable(f"only the following media types are accepted: {', '.join(TYPES[:1])}")


def _converted(request: Request, kind: str, version: str) -> Form | None:
    if kind == "Table":
        if "list" not in request.cls.resource.verbs:  # a question, not an object that people look at
            what = request.cls.resource.qualified
            raise errors.not_acceptable(f"the resource {what} does not support being converted to a Table")
        return Table(request.cls, version, _include(request.query))
    if kind == "PartialObjectMetadataList":
        if request.verb not in LISTS:
            raise errors.not_acceptable(f"you requested {kind}, but the requested object is not a list")
        return Metadata(version)
    if kind == "PartialObjectMetadata":
        if request.verb in LISTS:
            raise errors.not_acceptable(f"you requested {kind}, but the requested object is a list")
        return Metadata(version)
    return None


def _include(query: Mapping[str, str]) -> str:
    given = query.get("includeObject") or "Metadata"
    if given not in INCLUDE:
        known = ", ".join(f'"{each}"' for each in INCLUDE)
        raise errors.bad_request(
            f'Unable to convert to Table as requested: includeObject: Unsupported value: "{given}": '
            f"supported values: {known}"
        )
    return given


@functools.lru_cache(maxsize=128)  # clients say the same again and again
def offers(accept: str) -> tuple[dict[str, str], ...]:
    """What an `Accept` header offers, best first: each a media `type` and its parameters."""
    found = []
    for clause in (accept or "*/*").split(","):
        kind, *parameters = (part.strip() for part in clause.split(";"))
        pairs = (parameter.partition("=")[::2] for parameter in parameters)
        offer = {"type": kind.lower(), **{name.strip(): value.strip().strip('"') for name, value in pairs}}
        found.append((-_weight(offer.get("q", "1")), offer))
    return tuple(offer for weight, offer in sorted(found, key=lambda pair: pair[0]) if weight < 0)


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
