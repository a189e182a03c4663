"""Fields that a kind does not have: found by walking plain values beside their type. All of them, not just the first.

The types themselves are lenient (see `codec.py`); only admission asks this question.
"""

import types
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec

# Server-kept bookkeeping that clients send back as they read it; not having it is no reason to refuse them.
_FORGIVEN = frozenset({"metadata.managedFields", "metadata.selfLink"})


@cache
def _fields(cls: type) -> dict[str, Any]:
    hints = get_type_hints(cls)
    return {field.encode_name: hints[field.name] for field in msgspec.structs.fields(cls)}


def _inner(hint: Any) -> Any:
    """The type that matters of `X | None`."""
    if get_origin(hint) in (Union, types.UnionType):
        structs = [arg for arg in get_args(hint) if arg is not type(None)]
        return structs[0] if len(structs) == 1 else None
    return hint


def _walk(hint: Any, value: Any, path: str) -> list[str]:
    hint = _inner(hint)
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return _walk_struct(hint, value, path) if isinstance(value, dict) else []
    if get_origin(hint) is list and isinstance(value, list):
        (element,) = get_args(hint)
        return [each for at, item in enumerate(value) for each in _walk(element, item, f"{path}[{at}]")]
    return []


def _walk_struct(cls: type, value: dict[str, Any], path: str) -> list[str]:
    known = _fields(cls)
    found = []
    for name, inner in value.items():
        here = f"{path}.{name}" if path else name
        if name in known:
            found += _walk(known[name], inner, here)
        elif here not in _FORGIVEN:
            found.append(here)
    return found


def unknown_fields(cls: type, value: dict[str, Any]) -> list[str]:
    """Paths of all fields in `value` that `cls` does not have, as `spec.containers[0].imagee`, in document order."""
    return _walk_struct(cls, value, "")
