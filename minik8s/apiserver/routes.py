"""A URL path to what it names: kind, namespace, name, subresource. Pure.

Invariant: every path of the API is understood here, from the table of kinds; no other file looks at a path.
Read `http.py` for what is then done with it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from minik8s.api import kinds
from minik8s.api.core import Namespace
from minik8s.api.meta import Object
from minik8s.api.pods import Pod


@dataclass(frozen=True)
class Target:
    """What a request is about. No name: the whole collection. `rest` follows a subresource, as in `proxy/metrics`."""

    cls: type[Object]
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    rest: str = ""

    @property
    def resource(self) -> str:
        """`pods`, `pods/status`: what rules of access speak of."""
        plural = self.cls.resource.plural
        return f"{plural}/{self.subresource}" if self.subresource else plural


def resolve(path: str) -> Target | None:
    """`/api/v1/namespaces/default/pods/web-1/status` → its Target; None when no kind lives there."""
    parts = path.strip("/").split("/")
    if "" in parts and "proxy" not in parts[: parts.index("")]:
        return None  # an empty namespace or name is not "all of them"
    if parts[0] == "api":
        group, version, rest = "", "".join(parts[1:2]), parts[2:]
    elif parts[0] == "apis" and len(parts) > 2:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return None
    namespace, rest = _namespace(group, rest)
    if not rest:
        return None
    if not group and version == "v1" and rest == ["bindings"] and namespace:
        return Target(Pod, namespace, "", "binding")  # the Pod's name stands in the body
    try:
        cls = kinds.by_plural(group, version, rest[0])
    except KeyError:
        return None
    return _target(cls, namespace, rest[1:])


def _namespace(group: str, parts: list[str]) -> tuple[str, list[str]]:
    """`namespaces/x/pods` is about Pods in x; `namespaces/x` and `namespaces/x/finalize` are about the Namespace."""
    if len(parts) < 3 or parts[0] != "namespaces":
        return "", parts
    if not group and len(parts) == 3 and parts[2] in Namespace.resource.subresources:
        return "", parts
    return parts[1], parts[2:]


def _target(cls: type[Object], namespace: str, parts: list[str]) -> Target | None:
    if namespace and not cls.resource.namespaced:
        return None
    if parts and cls.resource.namespaced and not namespace:
        return None
    name, subresource, *rest = [*parts, "", ""][: max(2, len(parts))]
    if subresource and subresource not in cls.resource.subresources:
        return None
    if rest and subresource != "proxy":
        return None
    return Target(cls, namespace, name, subresource, "/".join(rest))


VERBS_OF_OBJECT = {"GET": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete", "POST": "create"}
VERBS_OF_COLLECTION = {"GET": "list", "POST": "create", "DELETE": "deletecollection"}


def verb(target: Target, method: str, watch: bool) -> str | None:
    """Kubernetes' verb for an HTTP method; None when the method makes no sense there."""
    if method == "HEAD":
        method, watch = "GET", False  # there is no head without a body that never ends: it is that of the list
    if method == "OPTIONS" and target.subresource == "proxy":
        method = "GET"  # for whoever is behind it
    if target.name:
        if method == "POST" and not target.subresource:
            return None
        return VERBS_OF_OBJECT.get(method)
    found = VERBS_OF_COLLECTION.get(method)
    return "watch" if found == "list" and watch else found


def group_versions(classes: Iterable[type[Object]]) -> dict[str, list[str]]:
    """Group → its versions, in the order of the table of kinds."""
    found: dict[str, list[str]] = {}
    for cls in classes:
        versions = found.setdefault(cls.resource.group, [])
        if cls.resource.version not in versions:
            versions.append(cls.resource.version)
    return found
