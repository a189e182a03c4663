"""OpenAPI v3: a document for each group and version, and an index that names each by its hash.

A document never changes while a server runs, so it is made when it is first asked for and kept as bytes. Its URL in
the index carries its hash: a client that has that URL may keep the document for ever and does so (kubectl on disk).
Read `schemas.py` and `operations.py` first.
"""

import hashlib
from functools import cache, lru_cache
from typing import Any

from minik8s.api import codec, kinds
from minik8s.api.meta import ListMeta, Object, Status
from minik8s.apiserver import discovery
from minik8s.apiserver.wire import operations, parameters, schemas
from minik8s.apiserver.wire.operations import JSON, Operation
from minik8s.apiserver.wire.schemas import V3

TITLE = "Kubernetes, as minik8s implements it"
PATCH = f"{schemas.META}.Patch"
PATCH_SCHEMA = {"type": "object", "description": "A change; its Content-Type says in which of the four forms."}


def index() -> bytes:
    """/openapi/v3"""
    paths = {_path(*each): {"serverRelativeURL": _url(*each)} for each in _group_versions()}
    return codec.encode({"paths": paths})


def document(path: str) -> bytes | None:
    """/openapi/v3/<path>: `api/v1` or `apis/<group>/<version>`."""
    found = next((each for each in _group_versions() if _path(*each) == path), None)
    return _document(*found) if found else None


@lru_cache(maxsize=64)
def etag(content: bytes) -> str:
    """What tells one content from another, in letters that may stand in a URL."""
    return hashlib.sha256(content).hexdigest().upper()


def _group_versions() -> list[tuple[str, str]]:
    return list(dict.fromkeys((cls.resource.group, cls.resource.version) for cls in kinds.ALL))


def _path(group: str, version: str) -> str:
    return f"apis/{group}/{version}" if group else f"api/{version}"


def _url(group: str, version: str) -> str:
    return f"/openapi/v3/{_path(group, version)}?hash={etag(_document(group, version))}"


@cache
def _document(group: str, version: str) -> bytes:
    return codec.encode(build(group, version))


def build(group: str, version: str) -> dict[str, Any]:
    """The document of one group and version, as plain values."""
    classes = [cls for cls in kinds.ALL if (cls.resource.group, cls.resource.version) == (group, version)]
    found = [each for cls in classes for each in operations.of(cls)]
    return {
        "openapi": "3.0.0",
        "info": {"title": TITLE, "version": discovery.version()["gitVersion"]},
        "paths": operations.by_path(found, _operation, _in_path),
        "components": {
            "schemas": _schemas(classes, found),
            "responses": {str(code): _failure(words) for code, words in parameters.FAILURES.items()},
            "securitySchemes": {
                "BearerToken": {"type": "http", "scheme": "bearer", "description": "A token, instead of a certificate."}
            },
        },
        "security": [{"BearerToken": []}],
    }


def _schemas(classes: list[type[Object]], found: list[Operation]) -> dict[str, Any]:
    made = schemas.gather(operations.types(found), V3)
    made |= {schemas.list_name(cls): schemas.of_list(cls, V3) for cls in classes if "list" in cls.resource.verbs}
    made |= schemas.gather([ListMeta], V3)
    return dict(sorted({**made, PATCH: PATCH_SCHEMA}.items()))


def _failure(words: str) -> dict[str, Any]:
    return {"description": words, "content": {JSON: {"schema": V3.ref(schemas.name_of(Status))}}}


def _operation(each: Operation) -> dict[str, Any]:
    made: dict[str, Any] = {
        "tags": [each.tag],
        "operationId": each.id,
        "description": each.description,
        "parameters": [_in_query(name) for name in each.query],
        "responses": {str(code): _answer(name) for code, name in each.answers.items()}
        | {str(code): {"$ref": f"#/components/responses/{code}"} for code in each.failures},
        "x-kubernetes-action": each.action,
        "x-kubernetes-group-version-kind": each.group_version_kind,
    }
    if "" in each.answers.values():
        made["responses"]["default"] = {"description": "Or whatever the container or server answers with."}
    if each.body:
        content = {
            media: {"schema": V3.ref(schemas.name_of(cls) if cls else PATCH)} for media, cls in each.body.items()
        }
        made["requestBody"] = {"content": content, "required": each.method != "delete"}
    return made


def _answer(name: str) -> dict[str, Any]:
    if not name:
        return {"description": "What the container or server says.", "content": {"*/*": {"schema": {"type": "string"}}}}
    return {"description": "OK", "content": {JSON: {"schema": V3.ref(name)}}}


def _in_path(name: str) -> dict[str, Any]:
    words = parameters.PATH[name]
    return {"name": name, "in": "path", "required": True, "description": words, "schema": {"type": "string"}}


def _in_query(name: str) -> dict[str, Any]:
    kind, words = parameters.QUERY[name]
    return {"name": name, "in": "query", "description": words, "schema": {"type": kind}}
