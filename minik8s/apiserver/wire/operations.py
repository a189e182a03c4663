"""What can be asked of each kind: the paths, methods, parameters and answers that OpenAPI lists. Pure.

Derived from the table of kinds and from discovery's verbs, so it promises what discovery promises. Read `openapi.py`
for how it is written down.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from minik8s.api.authentication import TokenRequest
from minik8s.api.autoscaling import Scale
from minik8s.api.core import Binding
from minik8s.api.meta import DeleteOptions, Object, Status
from minik8s.api.policy import Eviction
from minik8s.apiserver import discovery, strategy
from minik8s.apiserver.wire import parameters, schemas

METHODS = {
    "list": "get",
    "get": "get",
    "create": "post",
    "update": "put",
    "patch": "patch",
    "delete": "delete",
    "deletecollection": "delete",
}
ACTIONS = {"create": "post", "update": "put"}  # what upstream calls the others is our verb
WORDS_OF = {"get": "read", "update": "replace", "deletecollection": "delete"}  # in operation ids
OF_COLLECTION = ("list", "create", "deletecollection")
CONNECTED = ("exec", "attach", "portforward", "proxy")
WITH_BODY = ("create", "update", "patch")

JSON = "application/json"
PATCHES = (
    "application/apply-patch+yaml",
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
)
# Subresources whose body is not the object itself.
BODIES: dict[str, type[msgspec.Struct]] = {
    "binding": Binding,
    "eviction": Eviction,
    "scale": Scale,
    "token": TokenRequest,
}


@dataclass(frozen=True)
class Operation:
    """One method at one path."""

    cls: type[Object]
    verb: str
    path: str
    subresource: str = ""
    everywhere: bool = False  # a list over all namespaces

    @property
    def method(self) -> str:
        return METHODS[self.verb]

    @property
    def connects(self) -> bool:
        """What comes back is a stream of somebody else's, no object."""
        return self.subresource in CONNECTED

    @property
    def action(self) -> str:
        return "connect" if self.connects else ACTIONS.get(self.verb, self.verb)

    @property
    def id(self) -> str:
        """readCoreV1NamespacedPodStatus: upstream's way to name it, which clients are generated from."""
        where = self.cls.resource
        group = "".join(each.title() for each in _group(self.cls)) + where.version.title()
        namespaced = "Namespaced" if where.namespaced and not self.everywhere else ""
        collection = "Collection" if self.verb == "deletecollection" else ""
        verb = "connect" if self.connects else WORDS_OF.get(self.verb, self.verb)
        method = METHODS[self.verb].title() if self.connects else ""
        rest = "ForAllNamespaces" if self.everywhere else self.subresource.title() + self._tail
        return f"{verb}{group}{method}{collection}{namespaced}{where.kind}{rest}"

    @property
    def _tail(self) -> str:
        return "WithPath" if self.path.endswith("{path}") else ""

    @property
    def description(self) -> str:
        subresource = f"/{self.subresource}" if self.subresource else ""
        return f"{self.verb} {self.cls.resource.qualified}{subresource}"

    @property
    def tag(self) -> str:
        first, *rest = _group(self.cls)
        return f"{first}{''.join(each.title() for each in rest)}_{self.cls.resource.version}"

    @property
    def group_version_kind(self) -> dict[str, str]:
        found = discovery.kind_of(self.cls, self.subresource)
        return dict(zip(("group", "version", "kind"), found, strict=True))

    @property
    def query(self) -> tuple[str, ...]:
        return parameters.BY_SUBRESOURCE.get(self.subresource, parameters.BY_VERB[self.verb])

    @property
    def places(self) -> list[str]:
        """Parameters in the path."""
        return [name for name in parameters.PATH if f"{{{name}}}" in self.path]

    @property
    def body(self) -> dict[str, type[msgspec.Struct] | None]:
        """Content type → type of the body; None is a patch, which has no type."""
        if self.connects or self.verb not in (*WITH_BODY, "delete", "deletecollection"):
            return {}
        if self.verb == "patch":
            return dict.fromkeys(PATCHES)
        return {JSON: DeleteOptions if self.method == "delete" else BODIES.get(self.subresource, self.cls)}

    @property
    def answers(self) -> dict[int, str]:
        """Codes of success → name of the schema; "" is text or a stream."""
        if self.connects or self.subresource == "log":
            return {200: ""}
        if self.verb == "list":
            return {200: schemas.list_name(self.cls)}
        if self.method == "delete":
            one = self.verb == "delete" and self.cls in strategy.SHOWN_WHEN_GONE
            return {200: schemas.name_of(self.cls if one else Status), 202: schemas.name_of(self.cls)}
        name = schemas.name_of(BODIES.get(self.subresource, self.cls))
        codes = {"get": (200,), "create": (200, 201, 202)}.get(self.verb, (200, 201))
        return dict.fromkeys(codes, name)

    @property
    def failures(self) -> tuple[int, ...]:
        reads = self.verb in ("get", "list")
        return parameters.READING_FAILURES if reads else tuple(parameters.FAILURES)


def _group(cls: type[Object]) -> list[str]:
    """The words of a group's name: rbac.authorization.k8s.io is "rbac", "authorization"."""
    return (cls.resource.group or "core").removesuffix(".k8s.io").split(".")


def of(cls: type[Object]) -> Iterator[Operation]:
    """Everything that can be asked of a kind."""
    where = cls.resource
    collection = where.path("{namespace}" if where.namespaced else "")
    verbs = [verb for verb in discovery.verbs_of(cls) if verb in METHODS]
    for verb in verbs:
        yield Operation(cls, verb, collection if verb in OF_COLLECTION else f"{collection}/{{name}}")
    if where.namespaced and "list" in verbs:
        yield Operation(cls, "list", where.path(), everywhere=True)
    for subresource in where.subresources:
        path = f"{collection}/{{name}}/{subresource}"
        for verb in discovery.verbs_of(cls, subresource):
            yield Operation(cls, verb, path, subresource)
            if subresource == "proxy":
                yield Operation(cls, verb, f"{path}/{{path}}", subresource)


def types(operations: list[Operation]) -> set[type[Any]]:
    """The types that these operations speak of."""
    found: set[type[Any]] = {Status, DeleteOptions}
    for each in operations:
        found |= {each.cls, BODIES.get(each.subresource, each.cls), *(cls for cls in each.body.values() if cls)}
    return found


def by_path(
    operations: Iterable[Operation], describe: Callable[[Operation], Any], in_path: Callable[[str], Any]
) -> dict[str, Any]:
    """A document's `paths`: each operation below its path and its method, as an edition of OpenAPI describes it."""
    paths: dict[str, Any] = {}
    for each in sorted(operations, key=lambda each: (each.path, each.method)):
        item = paths.setdefault(each.path, {})
        item[each.method] = describe(each)
        if each.places:
            item["parameters"] = [in_path(name) for name in each.places]
    return paths
