"""A body in Kubernetes' protobuf encoding → the plain values that its JSON would have been.

kubectl from 1.32 on sends some bodies so, and a refusal is final: it does not fall back to JSON. A body is `k8s\\0` and
a message Unknown: the kind, and the object's own message. What the numbers of fields mean stands in numbers.py; there
is no generated code.

Two things the bytes do not tell. Go writes a field that is no pointer even when nobody set it (`hostPort: 0`,
`status: {}`): such emptiness is dropped, except where our type says that the field may be absent (`replicas: 0`).
And some of Go's structs are flat in JSON, nested here: `>` in the table.

Invariant: whatever the bytes, the outcome is plain values or `Malformed`, in time proportional to their length; a field
that nobody here knows is kept under some name, for admission to refuse or to warn of. Pure.
"""

import base64
import functools
from collections.abc import Iterator
from typing import Any

import msgspec

from minik8s.api import kinds, times
from minik8s.api.meta import DeleteOptions
from minik8s.api.shapes import Shape, shapes
from minik8s.apiserver.wire import numbers
from minik8s.apiserver.wire.numbers import Field

MEDIA_TYPE = "application/vnd.kubernetes.protobuf"
MAGIC = b"k8s\0"
VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
MAX_DEPTH = 20  # of what is looked into only to see whether it is empty
Cls = type[msgspec.Struct] | None
# Types of messages that are no kinds, and in which an empty value says something.
OTHERS: dict[str, Cls] = {"DeleteOptions": DeleteOptions}


class Malformed(ValueError):
    """These bytes are no such message."""


def decode(body: bytes) -> dict[str, Any]:
    """The object of a body, with its apiVersion and kind."""
    if not body.startswith(MAGIC):
        raise Malformed("it does not begin with the four bytes that mark protobuf of Kubernetes")
    unknown = _message(body[len(MAGIC) :], "Unknown", None)
    api_version, kind = (unknown.get("typeMeta", {}).get(name, "") for name in ("apiVersion", "kind"))
    name = numbers.message_of(api_version, kind)
    if name is None:
        raise Malformed(f'no kind "{kind}" is registered for version "{api_version}"')
    try:
        cls: Cls = kinds.by_kind(api_version, kind)
    except KeyError:
        cls = OTHERS.get(name)
    return {"apiVersion": api_version, "kind": kind, **_message(unknown.get("raw", b""), name, cls)}


def _message(data: bytes, name: str, cls: Cls) -> dict[str, Any]:
    """One message; `cls` is our type of it, if there is one."""
    fields = numbers.messages()[name]
    known = shapes(cls) if cls is not None else {}
    found: dict[str, Any] = {}
    for number, wire in _wire(data):
        field = fields.get(number) or Field(f"(field {number})", ":", "closed")
        shape = known.get(field.name)
        if field.form == ">":
            found |= _message(_bytes(wire), field.type, cls)
        elif field.form == "*":
            found.setdefault(field.name, []).extend(_items(wire, field.type, shape))
        elif field.form == "%":
            key, value = _entry(wire, field.type)
            found.setdefault(field.name, {})[key] = value
        else:
            found[field.name] = _value(wire, field.type, _cls(field.type, shape))
    return {key: value for key, value in found.items() if value or _says_something(value, key, cls)}


def _cls(name: str, shape: Shape | None) -> Cls:
    return shape.cls if shape is not None and shape.cls is not None else OTHERS.get(name)


def _says_something(value: Any, name: str, cls: Cls) -> bool:
    """Whether an empty value is one that somebody set: only where absence would have been possible."""
    return value is not None and cls is not None and name in _may_be_absent(cls)


@functools.cache
def _may_be_absent(cls: type[msgspec.Struct]) -> frozenset[str]:
    return frozenset(each.encode_name for each in msgspec.structs.fields(cls) if each.default is None)


# --- Values ----------------------------------------------------------------------------------------------------------


def _value(wire: int | bytes, kind: str, cls: Cls) -> Any:
    if kind in ("int", "bool"):
        if not isinstance(wire, int):
            raise Malformed("a number is expected, there are bytes")
        return bool(wire) if kind == "bool" else wire - (1 << 64) if wire >> 63 else wire
    if kind == "closed":
        return not _blank(wire)
    data = _bytes(wire)
    read = _READERS.get(kind)
    return read(data) if read is not None else _message(data, kind, cls)


def _items(wire: int | bytes, kind: str, shape: Shape | None) -> Iterator[Any]:
    """The items of a list that one field carries: one, or many packed numbers."""
    if kind == "int" and isinstance(wire, bytes):
        at = 0
        while at < len(wire):
            number, at = _varint(wire, at)
            yield _value(number, kind, None)
        return
    yield _value(wire, kind, _cls(kind, shape))


def _entry(wire: int | bytes, kind: str) -> tuple[str, Any]:
    """A map is a list of messages: 1 is the key, 2 the value."""
    pair = dict(_wire(_bytes(wire)))
    return _text(_bytes(pair.get(1, b""))), _value(pair.get(2, b""), kind, None)


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise Malformed(f"a text is not UTF-8: {error}") from error


def _time(data: bytes, micro: bool = False) -> str | None:
    """Seconds and nanoseconds since 1970; no bytes are no time."""
    found = dict(_wire(data))
    if not found:
        return None
    seconds, nanos = (_value(found.get(number, 0), "int", None) for number in (1, 2))
    try:
        return times.rfc3339(seconds + nanos / 1e9 if micro else seconds, micro)
    except (OverflowError, OSError, ValueError) as error:
        raise Malformed(f"{seconds} seconds are no time: {error}") from error


def _int_or_text(data: bytes) -> int | str:
    """1 says which of the two: 0 the number in 2, 1 the text in 3."""
    found = dict(_wire(data))
    return _text(_bytes(found.get(3, b""))) if found.get(1) else _value(found.get(2, 0), "int", None)


def _json(data: bytes) -> Any:
    try:
        return msgspec.json.decode(_bytes(dict(_wire(data)).get(1, b"null")))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(f"what is inside is not valid JSON: {error}") from error


_READERS: dict[str, Any] = {
    "": _text,
    "raw": lambda data: data,
    "bytes": lambda data: base64.b64encode(data).decode(),
    "Time": _time,
    "MicroTime": lambda data: _time(data, micro=True),
    "Quantity": lambda data: _text(_bytes(dict(_wire(data)).get(1, b""))),
    "IntOrString": _int_or_text,
    "Port": lambda data: _int_or_text(data) or None,
    "Json": _json,
    "ExtraValue": lambda data: [_text(_bytes(wire)) for _, wire in _wire(data)],
}


# --- The wire --------------------------------------------------------------------------------------------------------


def _wire(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a message as they stand there: number, and an integer or bytes."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        wire = tag & 7
        if wire == VARINT:
            value, at = _varint(data, at)
            yield tag >> 3, value
            continue
        if wire == LENGTH:
            length, at = _varint(data, at)
        elif wire in (FIXED64, FIXED32):
            length = 8 if wire == FIXED64 else 4
        else:
            raise Malformed(f"there is no wire type {wire}")
        if length > len(data) - at:
            raise Malformed("it ends in the middle of a field")
        yield tag >> 3, data[at : at + length]
        at += length


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise Malformed("it ends in the middle of a number")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, at
    raise Malformed("a number has more than ten bytes")


def _bytes(wire: int | bytes) -> bytes:
    if isinstance(wire, int):
        raise Malformed("bytes are expected, there is a number")
    return wire


def _blank(wire: int | bytes, depth: int = 0) -> bool:
    """Is this what Go writes of a value that nobody set? Nothing, or a message of nothing but such values."""
    if isinstance(wire, int) or not wire:
        return not wire
    if depth >= MAX_DEPTH:
        return False
    try:
        return all(_blank(inner, depth + 1) for _, inner in _wire(wire))
    except Malformed:
        return False
