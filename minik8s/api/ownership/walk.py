"""An object → the set of fields it has, and two objects → the sets of fields that came or changed, and that went.

Both walk plain values beside their type: what is one value to server-side apply (a list without keys, a struct of
`mergekeys.ATOMIC`) is one field, however much is in it. Cheap where it matters: what is equal is not walked at all.
Read `fieldset.py` for the sets, `merge.py` next.
"""

from functools import cache
from typing import Any

import msgspec

from minik8s.api import mergekeys
from minik8s.api.ownership.fieldset import SELF, Fields, below, node
from minik8s.api.shapes import PLAIN, Shape, shapes

# What the server keeps, and what names the object: nobody owns it.
UNOWNED = frozenset({"apiVersion", "kind"})
UNOWNED_METADATA = frozenset(
    {
        "name",
        "generateName",
        "namespace",
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "selfLink",
        "managedFields",
    }
)


def content(obj: dict[str, Any]) -> dict[str, Any]:
    """The part of an object that somebody may own."""
    result = {key: value for key, value in obj.items() if key not in UNOWNED}
    if "metadata" in result:
        result["metadata"] = {key: each for key, each in result["metadata"].items() if key not in UNOWNED_METADATA}
    return result


def form(shape: Shape, value: Any) -> str:
    """How the value is gone into: struct, map, list (with keys), set, or leaf."""
    if shape.form in ("struct", "map"):
        whole = shape.cls in mergekeys.ATOMIC if shape.form == "struct" else shape.rule.map_type == "atomic"
        return shape.form if isinstance(value, dict) and not whole else "leaf"
    if shape.form == "list" and isinstance(value, list):
        return {"map": "list", "set": "set"}.get(shape.rule.list_type, "leaf")
    return "leaf"


@cache
def _struct(cls: type[msgspec.Struct]) -> Shape:
    return Shape("struct", cls)


def is_whole_list(cls: type[msgspec.Struct], field: str) -> bool:
    """Is the field a list that is owned as one value?"""
    shape = shapes(cls)[field]
    return shape.form == "list" and form(shape, []) == "leaf"


def inside(shape: Shape, field: str) -> Shape:
    """The shape of a field of a struct, or of a value in a map or list."""
    if shape.form == "struct" and shape.cls is not None:
        return shapes(shape.cls).get(field, PLAIN)
    return _struct(shape.cls) if shape.cls is not None else PLAIN


def parts(shape: Shape, value: Any) -> dict[str, Any] | None:
    """A value by the parts that are owned one by one: part of a path → what is there. None: it is one value."""
    kind = form(shape, value)
    if kind in ("struct", "map"):
        return {f"f:{name}": each for name, each in value.items()}
    if kind == "list":
        return {element(shape, each): each for each in value if isinstance(each, dict)}
    if kind == "set":
        return {"v:" + msgspec.json.encode(each).decode(): each for each in value}
    return None


def element(shape: Shape, item: dict[str, Any]) -> str:
    """Which element of its list this is: `k:{"containerPort":80,"protocol":"TCP"}`; a key left out has its default."""
    usual = _key_defaults(shape.cls, shape.rule.list_map_keys)
    keys = {name: item.get(name, usual.get(name)) for name in sorted(shape.rule.list_map_keys)}
    present = {name: each for name, each in keys.items() if each is not None}
    return "k:" + msgspec.json.encode(present).decode()


@cache
def _key_defaults(cls: type[msgspec.Struct], keys: tuple[str, ...]) -> dict[str, Any]:
    """A key that is always written has a default: the protocol of a port."""
    fields = {field.encode_name: field for field in msgspec.structs.fields(cls)}
    given = {key: fields[key].default_factory for key in keys if key in fields}
    return {key: make() for key, make in given.items() if make is not msgspec.NODEFAULT}


def child(shape: Shape, part: str) -> Shape:
    """The shape of a part."""
    if part.startswith("f:"):
        return inside(shape, part[2:])
    return inside(shape, "") if part.startswith("k:") else PLAIN


def describe(shape: Shape, value: Any, whole: bool) -> Fields:
    """The fields of a value. `whole`: it came with its containers, which are fields too."""
    found = parts(shape, value)
    if not found:
        return {}
    fields = {part: describe(child(shape, part), each, whole) for part, each in found.items()}
    if shape.form == "list" and shape.rule.list_type == "map":
        fields = {part: {SELF: {}, **below(each)} for part, each in fields.items()}
    return {SELF: {}, **fields} if whole and _is_container(shape) else fields


def _is_container(shape: Shape) -> bool:
    """May it be absent? A struct that always stands there is no field of its own."""
    return shape.form != "struct" or shape.optional


def owned(cls: type[msgspec.Struct], obj: dict[str, Any]) -> Fields:
    """The fields that an applied object states."""
    return _without_empty(describe(Shape("struct", cls), content(obj), whole=False))


def _without_empty(fields: Fields) -> Fields:
    """An object without metadata of its own does not own `metadata`."""
    return {part: each for part, each in fields.items() if each or part != "f:metadata"}


def compare(cls: type[msgspec.Struct], old: dict[str, Any], new: dict[str, Any]) -> tuple[Fields, Fields]:
    """(fields that came or changed, fields that went) from one object to the next."""
    return _compare_parts(_struct(cls), content(old), content(new))


def _compare_parts(shape: Shape, old: Any, new: Any) -> tuple[Fields, Fields]:
    before, after = parts(shape, old) or {}, parts(shape, new) or {}
    changed, gone = {}, {}
    for part, value in after.items():
        was = before.get(part)
        if was == value and part in before:
            continue
        touched, lost = _compare_value(child(shape, part), part, was, value)
        if touched is not None:
            changed[part] = touched
        if lost:
            gone[part] = lost
    for part in before.keys() - after.keys():
        gone[part] = _as_part(part, describe(child(shape, part), before[part], whole=True))
    return changed, gone


def _as_part(part: str, fields: Fields) -> Fields:
    return {SELF: {}, **below(fields)} if part.startswith("k:") else fields


def _compare_value(shape: Shape, part: str, old: Any, new: Any) -> tuple[Fields | None, Fields]:
    if old is None and _is_container(shape):
        return _as_part(part, describe(shape, new, whole=True)), {}
    inner = parts(shape, new)
    if inner is None or (old is not None and parts(shape, old) is None):
        return {}, {}
    changed, gone = _compare_parts(shape, {} if old is None else old, new)
    return node(False, changed), gone
