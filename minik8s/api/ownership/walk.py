"""An object → the set of fields it has, and two objects → the sets of fields that came or changed, and that went.

Both walk plain values beside their type: what is one value to server-side apply (a list without keys, a struct of
`mergekeys.ATOMIC`) is one field, however much is in it. Cheap where it matters: what is equal is not walked at all.
Read `fieldset.py` for the sets, `merge.py` next.
"""

from functools import cache
from typing import Any

import msgspec

from minik8s.api.ownership.fieldset import SELF, Fields, node
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
_TYPES: dict[str, type] = {"struct": dict, "map": dict, "list": list, "set": list}


def content(obj: dict[str, Any]) -> dict[str, Any]:
    """The part of an object that somebody may own."""
    result = {key: value for key, value in obj.items() if key not in UNOWNED}
    if "metadata" in result:
        result["metadata"] = {key: each for key, each in result["metadata"].items() if key not in UNOWNED_METADATA}
    return result


def form(shape: Shape, value: Any) -> str:
    """How the value is gone into: as its shape is, unless it is of another type."""
    kind = shape.owned
    return kind if kind == "leaf" or isinstance(value, _TYPES[kind]) else "leaf"


@cache
def _struct(cls: type[msgspec.Struct]) -> Shape:
    return Shape("struct", cls)


def is_whole_list(cls: type[msgspec.Struct], field: str) -> bool:
    """Is the field a list that is owned as one value?"""
    shape = shapes(cls)[field]
    return shape.form == "list" and shape.owned == "leaf"


def inside(shape: Shape, field: str) -> Shape:
    """The shape of a field of a struct, or of a value in a map or list."""
    if shape.form == "struct" and shape.cls is not None:
        return shapes(shape.cls).get(field, PLAIN)
    return _struct(shape.cls) if shape.cls is not None else PLAIN


def pieces(shape: Shape, value: Any) -> list[tuple[str, Shape, Any]] | None:
    """What is owned one by one in a value: part of a path, its shape, what is there. None: it is one value."""
    kind = form(shape, value)
    if kind == "struct" and shape.cls is not None:
        known = shapes(shape.cls)
        return [(f"f:{name}", known.get(name, PLAIN), each) for name, each in value.items()]
    if kind == "map":
        return [(f"f:{name}", inside(shape, name), each) for name, each in value.items()]
    if kind == "list":
        return [(element(shape, each), inside(shape, ""), each) for each in value if isinstance(each, dict)]
    if kind == "set":
        return [("v:" + msgspec.json.encode(each).decode(), PLAIN, each) for each in value]
    return None


def parts(shape: Shape, value: Any) -> dict[str, Any] | None:
    """The same without the shapes: part of a path → what is there."""
    found = pieces(shape, value)
    return None if found is None else {part: each for part, _, each in found}


def element(shape: Shape, item: dict[str, Any]) -> str:
    """Which element of its list this is: `k:{"containerPort":80,"protocol":"TCP"}`; a key left out has its default."""
    usual = _keys(shape.cls, shape.rule.list_map_keys)
    present = {key: each for key, default in usual.items() if (each := item.get(key, default)) is not None}
    return "k:" + msgspec.json.encode(present).decode()


@cache
def _keys(cls: type[msgspec.Struct], keys: tuple[str, ...]) -> dict[str, Any]:
    """The keys in order, each with its default: one that is always written has one, as the protocol of a port."""
    fields = {field.encode_name: field.default_factory for field in msgspec.structs.fields(cls)}
    makes = {key: fields.get(key, msgspec.NODEFAULT) for key in sorted(keys)}
    return {key: None if make is msgspec.NODEFAULT else make() for key, make in makes.items()}


def child(shape: Shape, part: str) -> Shape:
    """The shape of a part."""
    if part.startswith("f:"):
        return inside(shape, part[2:])
    return inside(shape, "") if part.startswith("k:") else PLAIN


def describe(shape: Shape, value: Any, whole: bool, itself: bool = False) -> Fields:
    """The fields of a value. `whole`: it came with its containers, which are fields too. `itself`: so is the value, as
    the element of a list is.
    """
    found = pieces(shape, value)
    if not found and not itself:
        return {}
    fields: Fields = {SELF: {}} if itself or (whole and _is_container(shape)) else {}
    elements = shape.owned == "list"
    for part, inner, each in found or ():
        fields[part] = {} if inner is PLAIN and not elements else describe(inner, each, whole, elements)
    return fields


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
    before = parts(shape, old) or {}
    after = {part: (inner, each) for part, inner, each in pieces(shape, new) or ()}
    changed, gone = {}, {}
    for part, (inner, value) in after.items():
        was = before.get(part)
        if was == value and part in before:
            continue
        touched, lost = _compare_value(inner, part, was, value)
        if touched is not None:
            changed[part] = touched
        if lost:
            gone[part] = lost
    for part in before.keys() - after.keys():
        gone[part] = describe(child(shape, part), before[part], whole=True, itself=part.startswith("k:"))
    return changed, gone


def _compare_value(shape: Shape, part: str, old: Any, new: Any) -> tuple[Fields | None, Fields]:
    if old is None and _is_container(shape):
        return describe(shape, new, whole=True, itself=part.startswith("k:")), {}
    inner = parts(shape, new)
    if inner is None or (old is not None and parts(shape, old) is None):
        return {}, {}
    changed, gone = _compare_parts(shape, {} if old is None else old, new)
    return node(False, changed), gone
