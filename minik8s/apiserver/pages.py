"""Pages that are the same for everybody who may read them: discovery, OpenAPI, version, health. Pure.

`find` takes a path and an `Accept` header, and gives bytes and headers. Read `discovery.py` for what the API says it
has, `wire/` for how it describes itself.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from minik8s.api import codec, kinds
from minik8s.apiserver import discovery, forms
from minik8s.apiserver.wire import openapi, swagger

JSON = "application/json"
AGGREGATED = f"{JSON};g={discovery.AGGREGATED_GROUP};v={{version}};as={discovery.AGGREGATED}"
SWAGGER_PROTOBUF = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
# How clients ask for it; a name with an @ is no media type, and Go refuses it in answers.
ASK_FOR_PROTOBUF = (SWAGGER_PROTOBUF, "application/com.github.proto-openapi.spec.v2@v1.0+protobuf")
# A document under the hash of its content: whoever has it need never ask again.
KEPT = {"Cache-Control": "public, immutable", "Expires": "Tue, 19 Jan 2038 03:14:07 GMT"}
PATHS = [
    "/.well-known/openid-configuration",
    "/metrics",
    "/minik8s/audit",
    "/openapi/v2",
    "/openapi/v3",
    "/openid/v1/jwks",
]
HEALTH = ("healthz", "livez", "readyz")
# What must be well for a server to be called ready, by upstream's names → what is wrong if it is not.
CHECKS = {
    "ping": "",
    "etcd": "the watch cache is no longer fed",
    "informer-sync": "the watch cache is not filled yet",
    "poststarthook/start-system-namespaces-controller": "the first namespaces are missing",
}


@dataclass(frozen=True)
class Page:
    """What is answered, before HTTP."""

    body: bytes
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)
    code: int = 200


def find(path: str, query: Mapping[str, str], accept: str = "") -> Page | None:
    """The page at a path, if there is one, in the first form of `accept` that there is."""
    parts = path.strip("/").split("/")
    if parts[0] == "openapi":
        return _swagger(accept) if parts[1:] == ["v2"] else _openapi("/".join(parts[1:]), query)
    version = _aggregated(accept) if parts in (["api"], ["apis"]) else None
    if version is not None:
        return _tagged(_all_groups(version, parts == ["api"]), AGGREGATED.format(version=version))
    found = _discovery(parts)
    return None if found is None else Page(codec.encode(found))


def _aggregated(accept: str) -> str | None:
    """The version of aggregated discovery that a client prefers to the older documents, if it does."""
    for offered in forms.offers(accept):
        if offered["type"] not in forms.TYPES:
            continue
        if "as" not in offered:
            return None
        if (offered.get("g"), offered["as"]) != (discovery.AGGREGATED_GROUP, discovery.AGGREGATED):
            continue
        if offered.get("v") in discovery.AGGREGATED_VERSIONS:
            return str(offered["v"])
    return None


@cache
def _all_groups(version: str, core: bool) -> bytes:
    return codec.encode(discovery.aggregated(version, core))


def _openapi(path: str, query: Mapping[str, str]) -> Page | None:
    if path == "v3":
        return _tagged(openapi.index())
    edition, _, rest = path.partition("/")
    content = openapi.document(rest) if edition == "v3" else None
    if content is None:
        return None
    page = _tagged(content)
    return replace(page, headers=page.headers | KEPT) if query.get("hash") == openapi.etag(content) else page


def _swagger(accept: str) -> Page:
    """For kubectl the protobuf that it asks for; programs that ask for anything else read JSON."""
    if any(offered["type"] in ASK_FOR_PROTOBUF for offered in forms.offers(accept)):
        return _tagged(swagger.as_protobuf(), SWAGGER_PROTOBUF)
    return _tagged(swagger.as_json())


def _tagged(content: bytes, content_type: str = JSON) -> Page:
    return Page(content, content_type, {"ETag": f'"{openapi.etag(content)}"', "Vary": "Accept"})


def _paths() -> list[str]:
    """/: where something is to be found."""
    found = {f"/{each}" for each in (*HEALTH, "version", "api", "apis")} | set(PATHS)
    for cls in kinds.ALL:
        where = cls.resource
        found |= {f"/apis/{where.group}", f"/apis/{where.apiVersion}"} if where.group else {f"/api/{where.version}"}
    return sorted(found)


def health(parts: list[str], failed: Collection[str], query: Mapping[str, str]) -> Page | None:
    """/livez, /readyz and /healthz, each with `?verbose` and `?exclude=<check>`, or about a single check below it.

    A server that answers is alive; which of the checks of `readyz` fail is said by who knows.
    """
    endpoint, only = parts[0], "/".join(parts[1:])
    checks = CHECKS if endpoint == "readyz" else {"ping": ""}
    if only:
        checks = {name: text for name, text in checks.items() if name == only}
    if not checks:
        return None
    wrong = [name for name in checks if name in failed and name != query.get("exclude")]
    lines = [f"[-]{name} failed: {checks[name]}" if name in wrong else f"[+]{name} ok" for name in checks]
    lines.append(f"{endpoint} check {'failed' if wrong else 'passed'}")
    text = "\n".join(lines) + "\n" if wrong or "verbose" in query else "ok"
    return Page(text.encode(), "text/plain; charset=utf-8", code=500 if wrong else 200)


def _discovery(parts: list[str]) -> dict[str, Any] | None:
    match parts:
        case [""]:
            return {"paths": _paths()}
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
