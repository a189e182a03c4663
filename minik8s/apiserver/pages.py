"""Pages that are the same for everybody who may read them: discovery, OpenAPI, the version. Pure.

`find` takes a path and an `Accept` header, and gives bytes and headers. Read `discovery.py` for what the API says it
has, `wire/` for how it describes itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from minik8s.api import codec
from minik8s.apiserver import discovery, forms
from minik8s.apiserver.wire import openapi, swagger

JSON = "application/json"
SWAGGER_PROTOBUF = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
# How clients ask for it; a name with an @ is no media type, and Go refuses it in answers.
ASK_FOR_PROTOBUF = (SWAGGER_PROTOBUF, "application/com.github.proto-openapi.spec.v2@v1.0+protobuf")
# A document under the hash of its content: whoever has it need never ask again.
KEPT = {"Cache-Control": "public, immutable", "Expires": "Tue, 19 Jan 2038 03:14:07 GMT", "Vary": "Accept"}
PATHS = [
    "/api",
    "/api/v1",
    "/apis",
    "/healthz",
    "/livez",
    "/minik8s/audit",
    "/openapi/v2",
    "/openapi/v3",
    "/readyz",
    "/version",
]


@dataclass(frozen=True)
class Page:
    """What is answered, before HTTP."""

    body: bytes
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


def find(path: str, query: Mapping[str, str], accept: str = "") -> Page | None:
    """The page at a path, if there is one, in the first form of `accept` that there is."""
    parts = path.strip("/").split("/")
    if parts[0] == "openapi":
        return _swagger(accept) if parts[1:] == ["v2"] else _openapi("/".join(parts[1:]), query)
    found = _discovery(parts)
    return None if found is None else Page(codec.encode(found))


def _openapi(path: str, query: Mapping[str, str]) -> Page | None:
    if path == "v3":
        return _tagged(openapi.index())
    edition, _, rest = path.partition("/")
    content = openapi.document(rest) if edition == "v3" else None
    if content is None:
        return None
    return _tagged(content, KEPT if query.get("hash") == openapi.etag(content) else {})


def _swagger(accept: str) -> Page:
    """For kubectl the protobuf that it asks for; programs that ask for anything else read JSON."""
    if any(offered["type"] in ASK_FOR_PROTOBUF for offered in forms.offers(accept)):
        return replace(_tagged(swagger.as_protobuf()), content_type=SWAGGER_PROTOBUF)
    return _tagged(swagger.as_json())


def _tagged(content: bytes, headers: Mapping[str, str] | None = None) -> Page:
    return Page(content, headers={"ETag": f'"{openapi.etag(content)}"', **(headers or {})})


def _discovery(parts: list[str]) -> dict[str, Any] | None:
    match parts:
        case [""]:
            return {"paths": PATHS}
        case ["version"]:
            return discovery.version()
        case ["api"]:
            return discovery.core_versions()
        case ["api", version]:
            return discovery.resources("", version)
        case ["apis"]:
            return discovery.groups()
        case ["apis", group]:
            return discovery.group(group)
        case ["apis", group, version]:
            return discovery.resources(group, version)
    return None
