"""An OpenAPI v2 document as protobuf, in gnostic's form, the only one in which kubectl takes it.

One table for each message: its fields, each with its number and what it holds. Pure. What the table does not know is
an error, so that nothing that we describe is lost on the way. Source: gnostic's OpenAPIv2.proto; the wire format of
Protocol Buffers.
"""

from collections.abc import Callable, Mapping
from typing import Any

from minik8s.api import codec

# A field: its number, and what it holds: a scalar ("string", "bool"), a message, or one of the forms in `_field`.
Fields = Mapping[str, tuple[int, str]]

MESSAGES: dict[str, Fields] = {
    "Document": {
        "swagger": (1, "string"),
        "info": (2, "Info"),
        "paths": (8, "Paths"),
        "definitions": (9, "named Schema"),
        "security": (12, "each named StringArray"),
        "securityDefinitions": (13, "named SecurityDefinition"),
    },
    "Info": {"title": (1, "string"), "version": (2, "string")},
    "PathItem": {
        "get": (2, "Operation"),
        "put": (3, "Operation"),
        "post": (4, "Operation"),
        "delete": (5, "Operation"),
        "patch": (8, "Operation"),
        "parameters": (9, "each Parameter"),
    },
    "Operation": {
        "tags": (1, "each string"),
        "description": (3, "string"),
        "operationId": (5, "string"),
        "produces": (6, "each string"),
        "consumes": (7, "each string"),
        "parameters": (8, "each Parameter"),
        "responses": (9, "Responses"),
        "x-": (13, "extension"),
    },
    "BodyParameter": {"name": (2, "string"), "in": (3, "string"), "required": (4, "bool"), "schema": (5, "Schema")},
    "QueryParameter": {
        "in": (2, "string"),
        "description": (3, "string"),
        "name": (4, "string"),
        "type": (6, "string"),
        "uniqueItems": (20, "bool"),
    },
    "PathParameter": {
        "required": (1, "bool"),
        "in": (2, "string"),
        "description": (3, "string"),
        "name": (4, "string"),
        "type": (5, "string"),
    },
    "Response": {"description": (1, "string"), "schema": (2, "in Schema")},
    "Schema": {
        "$ref": (1, "string"),
        "format": (2, "string"),
        "description": (4, "string"),
        "default": (5, "any"),
        "required": (19, "each string"),
        "additionalProperties": (21, "in Schema"),
        "type": (22, "in string"),
        "items": (23, "in Schema"),
        "properties": (25, "named Schema"),
        "x-": (31, "extension"),
    },
    "ApiKey": {"type": (1, "string"), "name": (2, "string"), "in": (3, "string"), "description": (4, "string")},
}


def encode(document: dict[str, Any]) -> bytes:
    """The bytes of a whole document."""
    return _message("Document", document)


# --- the document's forms ---------------------------------------------------------------------------------------------


def _message(kind: str, value: Mapping[str, Any]) -> bytes:
    special = SPECIAL.get(kind)
    if special is not None:
        return special(value)
    known = MESSAGES[kind]
    parts = []
    for name, inner in value.items():
        number, holds = known["x-" if name.startswith("x-") else name]
        parts.append(_named(number, name, _any(inner)) if holds == "extension" else _field(number, holds, inner))
    return b"".join(parts)


def _field(number: int, holds: str, value: Any) -> bytes:
    """One field. `each T`: a list; `named T`: an object as a list of pairs; `in T`: alone in a message of its own."""
    form, _, inner = holds.partition(" ")
    if form == "each":
        return b"".join(_field(number, inner, one) for one in value)
    if form == "named":
        pairs = (_named(1, name, _message(inner, one)) for name, one in value.items())
        return _bytes(number, b"".join(pairs))
    if form == "in":
        return _bytes(number, _field(1, inner, value))
    return _plain(number, holds, value)


def _plain(number: int, holds: str, value: Any) -> bytes:
    if holds == "string":
        return _bytes(number, value.encode())
    if holds == "bool":
        return _varint(number << 3) + _varint(int(value))
    if holds == "any":
        return _bytes(number, _any(value))
    return _bytes(number, _message(holds, value))


def _named(number: int, name: str, value: bytes) -> bytes:
    """A pair of a name and a message, as protobuf has objects."""
    return _bytes(number, _bytes(1, name.encode()) + _bytes(2, value))


def _any(value: Any) -> bytes:
    """A value of any form: its YAML, of which JSON is a part."""
    return _bytes(2, codec.encode(value) + b"\n")


def _paths(value: Mapping[str, Any]) -> bytes:
    return b"".join(_named(2, path, _message("PathItem", item)) for path, item in value.items())


def _responses(value: Mapping[str, Any]) -> bytes:
    return b"".join(_named(1, code, _bytes(1, _message("Response", answer))) for code, answer in value.items())


def _parameter(value: Mapping[str, Any]) -> bytes:
    """A choice in a choice: a parameter (or a pointer to one) that is a body or of another place."""
    if value["in"] == "body":
        return _bytes(1, _bytes(1, _message("BodyParameter", value)))
    number, kind = {"query": (3, "QueryParameter"), "path": (4, "PathParameter")}[value["in"]]
    return _bytes(1, _bytes(2, _bytes(number, _message(kind, value))))


def _texts(value: list[str]) -> bytes:
    return _field(1, "each string", value)


def _security(value: Mapping[str, Any]) -> bytes:
    return _bytes(2, _message("ApiKey", value))


SPECIAL: dict[str, Callable[[Any], bytes]] = {
    "Paths": _paths,
    "Responses": _responses,
    "Parameter": _parameter,
    "SecurityDefinition": _security,
    "StringArray": _texts,
}


# --- the wire ---------------------------------------------------------------------------------------------------------


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _bytes(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content
