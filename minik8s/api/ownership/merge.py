"""What an apply makes of the object: what is stated is merged into it, what was given up is pruned.

Merging: structs and maps key by key, lists with keys element by element (in the stated order), everything else whole.
Pruning: a field of the manager's last apply goes if nobody owns it now, and with it what stands below it. Invariant:
applying the same once more changes nothing. Neither function changes its arguments. Read `managers.py` next.
"""

from typing import Any

import msgspec

from minik8s.api import order
from minik8s.api.ownership.fieldset import Fields, below, is_member
from minik8s.api.ownership.walk import child, form, parts
from minik8s.api.shapes import Shape


class Doubled(ValueError):
    """An applied list has two elements of the same key."""


def merge(cls: type[msgspec.Struct], live: dict[str, Any], stated: dict[str, Any]) -> dict[str, Any]:
    return _merge(Shape("struct", cls), live, stated, "")


def _merge(shape: Shape, live: Any, stated: Any, path: str) -> Any:
    kind = form(shape, stated)
    if kind == "leaf":
        return stated
    if kind in ("struct", "map"):
        result = dict(live) if isinstance(live, dict) else {}
        for name, value in stated.items():
            result[name] = _merge(child(shape, f"f:{name}"), result.get(name), value, f"{path}.{name}")
        return result
    return _merge_list(shape, live if isinstance(live, list) else [], stated, path)


def _merge_list(shape: Shape, live: list[Any], stated: list[Any], path: str) -> list[Any]:
    given = parts(shape, stated) or {}
    if len(given) < len(stated):
        raise Doubled(f"{path}: duplicate entries for one key")
    merged: list[tuple[str, Any]] = []
    seen = set()
    for item in live:
        (key,) = parts(shape, [item]) or ("",)
        if key not in given:
            merged.append((key, item))  # of two with one key that nobody states, both stay
        elif key not in seen:
            merged.append((key, _merge(child(shape, key), item, given[key], path)))
        seen.add(key)
    merged += [(key, _merge(child(shape, key), None, item, path)) for key, item in given.items() if key not in seen]
    return order.arranged(merged, list(given))


def prune(cls: type[msgspec.Struct], obj: dict[str, Any], last: Fields, owned: Fields) -> dict[str, Any]:
    """The object without those fields of `last` that are not `owned` by anybody, metadata as such excepted."""
    result = {**obj}
    for part, fields in last.items():
        kept = owned.get(part, {} if part == "f:metadata" else None)
        name = part[2:]
        if name not in result:
            continue
        if kept is None:
            del result[name]
        else:
            result[name] = _prune(child(Shape("struct", cls), part), result[name], fields, kept)
    return result


def _prune(shape: Shape, value: Any, last: Fields, owned: Fields) -> Any:
    found = parts(shape, value)
    gone, deeper = set(), {}
    for part, fields in below(last).items():
        if found is None or part not in found:
            continue
        if part in owned:
            deeper[part] = _prune(child(shape, part), found[part], fields, owned[part])
        elif is_member(fields) or shape.form == "struct":
            gone.add(part)
        else:
            deeper[part] = _prune(child(shape, part), found[part], fields, {})
    return _rebuilt(shape, value, gone, deeper) if gone or deeper else value


def _rebuilt(shape: Shape, value: Any, gone: set[str], deeper: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        return {name: deeper.get(f"f:{name}", each) for name, each in value.items() if f"f:{name}" not in gone}
    result = []
    for item in value:
        (key,) = parts(shape, [item]) or ("",)
        if key not in gone:
            result.append(deeper.get(key, item))
    return result
