"""OpenAPI v2, one document for everything: what kubectl before 1.29 and some generators of clients ask for. Pure.

The same schemas and operations as in v3, in the older form: parameters with their types in them, bodies as parameters,
one list of media types. Kept in both encodings from when it is first asked for: JSON, and the protobuf that kubectl
takes alone (`gnostic.py`).
"""

from functools import cache
from typing import Any

from minik8s.api import codec, kinds
from minik8s.api.meta import ListMeta, Status
from minik8s.apiserver import discovery
from minik8s.apiserver.wire import gnostic, operations, parameters, schemas
from minik8s.apiserver.wire.openapi import PATCH, PATCH_SCHEMA, TITLE
from minik8s.apiserver.wire.operations import JSON, Operation
from minik8s.apiserver.wire.schemas import V2


@cache
def as_json() -> bytes:
    return codec.encode(build())


@cache
def as_protobuf() -> bytes:
    return gnostic.encode(build())


def build() -> dict[str, Any]:
    """The document, as plain values."""
    found = [each for cls in kinds.ALL for each in operations.of(cls)]
    made = schemas.gather({*operations.types(found), ListMeta}, V2)
    listed = [cls for cls in kinds.ALL if "list" in cls.resource.verbs]
    made |= {schemas.list_name(cls): schemas.of_list(cls, V2) for cls in listed} | {PATCH: PATCH_SCHEMA}
    return {
        "swagger": "2.0",
        "info": {"title": TITLE, "version": discovery.version()["gitVersion"]},
        "paths": operations.by_path(found, _operation, _in_path),
        "definitions": dict(sorted(made.items())),
        "securityDefinitions": {
            "BearerToken": {
                "type": "apiKey",
                "name": "authorization",
                "in": "header",
                "description": "A token, instead of a certificate.",
            }
        },
        "security": [{"BearerToken": []}],
    }


def _operation(each: Operation) -> dict[str, Any]:
    answers = {str(code): _answer(name) for code, name in each.answers.items()}
    failures = {str(code): _failure(parameters.FAILURES[code]) for code in each.failures}
    return {
        "tags": [each.tag],
        "description": each.description,
        "operationId": each.id,
        "produces": [JSON] if any(each.answers.values()) else ["*/*"],
        "consumes": list(each.body) or ["*/*"],
        "parameters": [_in_query(name) for name in each.query] + _body(each),
        "responses": answers | failures,
        "x-kubernetes-action": each.action,
        "x-kubernetes-group-version-kind": each.group_version_kind,
    }


def _body(each: Operation) -> list[dict[str, Any]]:
    """The body as a parameter; all media types have the same type here."""
    if not each.body:
        return []
    (cls,) = set(each.body.values())
    schema = V2.ref(schemas.name_of(cls) if cls else PATCH)
    return [{"name": "body", "in": "body", "required": each.method != "delete", "schema": schema}]


def _answer(name: str) -> dict[str, Any]:
    return {"description": "OK", "schema": V2.ref(name) if name else {"type": "string"}}


def _failure(words: str) -> dict[str, Any]:
    return {"description": words, "schema": V2.ref(schemas.name_of(Status))}


def _in_path(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "type": "string", "description": parameters.PATH[name]}


def _in_query(name: str) -> dict[str, Any]:
    kind, words = parameters.QUERY[name]
    return {"name": name, "in": "query", "type": kind, "description": words, "uniqueItems": True}
