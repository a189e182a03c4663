"""What people may write for objects, and getting them: `pods`, `po web-1 web-2`, `pod/web-1 svc/web`, `pods,svc`.

Values are kept as the server sent them (plain dicts), so that `-o yaml` shows all of it; tables read them as typed
objects.

Read next: get.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from minik8s.api import codec, kinds
from minik8s.api.meta import Object
from minik8s.cli.session import Failed, Session
from minik8s.client.rest import NotFound

Value = dict[str, Any]


@dataclass(frozen=True)
class Target:
    """Objects of one kind: those named, or all of them."""

    cls: type[Object]
    names: tuple[str, ...] = ()


def kind(word: str) -> type[Object]:
    """The kind people mean by a word."""
    try:
        return kinds.find(word)
    except KeyError:
        raise Failed(f'error: the server doesn\'t have a resource type "{word}"') from None


def parse(words: Sequence[str]) -> list[Target]:
    """The targets of a command line; names with a slash and without are never mixed."""
    if not words:
        known = ", ".join(sorted(cls.resource.plural for cls in kinds.KINDS))
        raise Failed(f"error: You must specify the type of resource to get. There are: {known}")
    if any("/" in word for word in words):
        return [_slashed(word) for word in words]
    types: list[type[Object]] = []
    for word in words[0].split(","):
        types += [cls for cls in kinds.KINDS if word in cls.resource.categories] or [kind(word)]
    return [Target(cls, tuple(words[1:])) for cls in types]


def _slashed(word: str) -> Target:
    kind_word, slash, name = word.partition("/")
    if not slash or not name:
        raise Failed(
            "error: there is no need to specify a resource type as a separate argument when passing arguments in "
            "resource/name form (e.g. 'minik8s get resource/<resource_name>' instead of 'minik8s get resource "
            "resource/<resource_name>'"
        )
    return Target(kind(kind_word), (name,))


def check_selection(targets: Sequence[Target], selecting: object) -> None:
    """Objects are chosen by their names or by a selector; both would leave it open which of them counts."""
    if selecting and any(target.names for target in targets):
        raise Failed("error: name cannot be provided when a selector is specified")


def one(words: Sequence[str], default: str = "") -> tuple[type[Object], str]:
    """The single object a verb is about; a bare name is of the kind `default`."""
    if len(words) == 1 and "/" not in words[0] and default:
        return kind(default), words[0]
    targets = [(target.cls, name) for target in parse(words) for name in target.names]
    if len(targets) != 1:
        raise Failed("error: name one object, as KIND/NAME or KIND NAME")
    return targets[0]


def title(cls: type[Object], name: str) -> str:
    """`deployment.apps/web`: how kubectl reports what it did to an object."""
    return f"{cls.resource.singular}{'.' + cls.resource.group if cls.resource.group else ''}/{name}"


def namespace_of(session: Session, cls: type[Object]) -> str:
    return session.namespace if cls.resource.namespaced else ""


def path(session: Session, cls: type[Object], name: str = "", subresource: str = "") -> str:
    return cls.resource.path(namespace_of(session, cls), name, subresource)


def get(session: Session, cls: type[Object], name: str, headers: Mapping[str, str] | None = None) -> Value:
    return load(session.client.request("GET", path(session, cls, name), headers=headers).data)


def find(session: Session, cls: type[Object], name: str) -> Value | None:
    """The object, or None if there is none."""
    try:
        return get(session, cls, name)
    except NotFound:
        return None


def items(session: Session, cls: type[Object], query: str = "", headers: Mapping[str, str] | None = None) -> Value:
    """The list as the server sent it, with each item knowing its kind; a table if `headers` accept one."""
    found = load(session.client.request("GET", path(session, cls) + query, headers=headers).data)
    if found["kind"] == "Table":
        return found
    found["items"] = [
        {"apiVersion": cls.resource.apiVersion, "kind": cls.resource.kind, **item} for item in found.get("items") or ()
    ]
    return found


def load(data: bytes) -> Value:
    return msgspec.json.decode(data)


def typed(cls: type[Object], value: Value) -> Any:
    return codec.from_dict(cls, value)
