"""Strategic merge patches: like a merge patch, but lists that have a key are merged element by element.

What `kubectl apply`, `edit`, `set` and `cordon` send. The key of each list is in `mergekeys.py`; all other lists are
replaced whole. Beside values a patch may hold directives, which are obeyed and never stored:

    $patch: delete | replace | merge            of a map, or of an element of a list that has a key
    $retainKeys: [a, b]                         all other keys of this map go
    $setElementOrder/<list>: […]                how the list is to be ordered
    $deleteFromPrimitiveList/<list>: […]        plain values that go

Invariant: neither the current value nor the patch is changed. Read `patch.py` for plain merge patches.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from minik8s.api.order import arranged
from minik8s.api.shapes import PLAIN, Shape, shapes

PATCH = "$patch"
RETAIN = "$retainKeys"
ORDER = "$setElementOrder/"
REMOVE = "$deleteFromPrimitiveList/"

Cls = type[msgspec.Struct] | None


class BadPatch(ValueError):
    """The patch says something that cannot be meant."""


class NoMergeKey(BadPatch):
    """An element of a list does not say which element it is."""


def merge(cls: Cls, current: Any, patch: dict[str, Any]) -> dict[str, Any]:
    """`current`, a value of type `cls`, with the patch applied."""
    directive = patch.get(PATCH, "merge")
    if directive == "delete":
        return {}
    if directive not in ("merge", "replace"):
        raise BadPatch(f"Unknown patch type found: {directive}")
    result = dict(current) if isinstance(current, dict) and directive == "merge" else {}
    if RETAIN in patch:
        _retain(result, patch)
    known = shapes(cls) if cls else {}
    for key, value in patch.items():
        if key not in (PATCH, RETAIN) and not key.startswith((ORDER, REMOVE)):
            _merge_field(known.get(key, PLAIN), result, key, value)
    for key in _merging_lists(known, patch):
        result[key] = _merge_list(known[key], result.get(key) or [], key, patch)
    return result


def _merge_field(shape: Shape, result: dict[str, Any], key: str, value: Any) -> None:
    """Everything but the lists that are merged."""
    if value is None:
        result.pop(key, None)
    elif isinstance(value, dict):
        result[key] = _entries(shape, result.get(key), value)
    elif not (isinstance(value, list) and shape.rule.merges):
        result[key] = value


def _entries(shape: Shape, current: Any, patch: dict[str, Any]) -> dict[str, Any]:
    """A struct; or a map, whose values may be structs."""
    if shape.form != "map" or shape.cls is None:
        return merge(shape.cls, current, patch)
    before = current if isinstance(current, dict) else {}
    inner = {key: merge(shape.cls, before.get(key), each) for key, each in patch.items() if isinstance(each, dict)}
    return merge(None, {key: each for key, each in before.items() if key not in inner}, {**patch, **inner})


def _retain(result: dict[str, Any], patch: dict[str, Any]) -> None:
    kept = patch[RETAIN]
    others = [key for key in patch if not key.startswith("$") and patch[key] is not None]
    if not isinstance(kept, list) or any(each not in kept for each in others):
        raise BadPatch("The patch has keys that $retainKeys does not list")
    for key in [each for each in result if each not in kept]:
        del result[key]


def _merging_lists(known: dict[str, Shape], patch: dict[str, Any]) -> Iterator[str]:
    """Names of the lists that are merged: each that the patch has itself, or a directive for."""
    named = dict.fromkeys(key.removeprefix(ORDER).removeprefix(REMOVE) for key in patch)
    for key in named:
        shape = known.get(key, PLAIN)
        if shape.form == "list" and shape.rule.merges and patch.get(key, []) is not None:
            yield key


def _merge_list(shape: Shape, current: list[Any], key: str, patch: dict[str, Any]) -> list[Any]:
    given, order, gone = patch.get(key, []), patch.get(ORDER + key), patch.get(REMOVE + key, [])
    if not all(isinstance(each, list) for each in (given, order or [], gone)):
        raise BadPatch(f"{key} must be a list, and so must its directives")
    if shape.cls is None:
        if not all(isinstance(each, str | int | float) for each in (*given, *(order or []), *gone)):
            raise BadPatch(f"{key} is a list of plain values, and so are its directives")
        left = [each for each in current if each not in gone]
        merged = [each for each in dict.fromkeys(given) if each not in left] + left
        return arranged([(each, each) for each in merged], given if order is None else order)
    if any(isinstance(each, dict) and each.get(PATCH) == "replace" for each in given):
        return [merge(shape.cls, {}, each) for each in given if each.get(PATCH) != "replace"]
    name = shape.rule.patch_merge_key
    merged = _merge_elements(shape, current, given, name)
    # With no order of its own, the patch's elements are in the patch's; new ones stand before what it leaves alone.
    wanted = [_key_of(each, name) for each in (given if order is None else order)]
    for each in given:
        if each.get(PATCH) != "delete" and each[name] not in wanted:
            raise BadPatch(f"The {ORDER}{key} list does not have the patch's element with {name} {each[name]!r}")
    return arranged([(_key_of(each, name), each) for each in merged], wanted)


def _merge_elements(shape: Shape, current: list[Any], given: list[Any], name: str) -> list[Any]:
    merged = list(current)
    for each in given:
        key = _key_of(each, name)
        at = next((at for at, known in enumerate(merged) if known.get(name) == key), None)
        if each.get(PATCH) == "delete":
            merged = [known for known in merged if known.get(name) != key]
        elif at is None:
            merged.insert(0, merge(shape.cls, {}, each))
        else:
            merged[at] = merge(shape.cls, merged[at], each)
    return merged


def _key_of(element: Any, name: str) -> Any:
    if not isinstance(element, dict) or not isinstance(element.get(name), str | int | float):
        raise NoMergeKey(f"map: {element} does not contain declared merge key: {name}")
    return element[name]
