"""Fields that nobody reads: those that a kind does not have, and all but the last of a field given twice.

All of them are found, not just the first: the former by walking plain values beside their type, the latter in the text.

The types themselves are lenient (see `codec.py`); only admission asks this question.
"""

import json
from collections.abc import Iterator
from typing import Any

import msgspec

from minik8s.api.shapes import Shape, shapes

# Server-kept bookkeeping that clients send back as they read it; not having it is no reason to refuse them.
_FORGIVEN = frozenset({"metadata.selfLink"})


def unknown_fields(cls: type[msgspec.Struct], value: dict[str, Any]) -> list[str]:
    """Paths of all fields in `value` that `cls` does not have, as `spec.containers[0].imagee`, in document order."""
    return [path for path in _unknown(cls, value) if path not in _FORGIVEN]


def _unknown(cls: type[msgspec.Struct], value: dict[str, Any]) -> list[str]:
    """The same, from here on: usually there are none, and nobody has to say where he is."""
    known = shapes(cls)
    found = []
    for name, inner in value.items():
        shape = known.get(name)
        if shape is None:
            found.append(name)
        elif shape.cls is not None:
            found += [name + rest for rest in _inside(shape, shape.cls, inner)]
    return found


def _inside(shape: Shape, cls: type[msgspec.Struct], value: Any) -> list[str]:
    parts: list[tuple[str, Any]] = [("", value)]
    if shape.form == "list":
        parts = [(f"[{at}]", item) for at, item in enumerate(value)] if isinstance(value, list) else []
    elif shape.form == "map":
        parts = [(f".{key}", item) for key, item in value.items()] if isinstance(value, dict) else []
    return [f"{at}.{rest}" for at, item in parts if isinstance(item, dict) for rest in _unknown(cls, item)]


class _Twice(dict[str, Any]):
    """A JSON object some of whose fields are given more than once."""

    doubled: list[str]


def duplicate_fields(text: bytes) -> list[str]:
    """Paths of all fields that this JSON document, which is known to be one, gives more than once."""
    if not text or _same_quotes(text):
        return []
    found = []

    def build(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) == len(pairs):
            return made
        twice = _Twice(made)
        names = [name for name, _ in pairs]
        twice.doubled = [name for name in made if names.count(name) > 1]
        found.append(twice)
        return twice

    # Numbers stay text: nobody looks at them, and Python refuses to read the longest.
    document = json.loads(text, object_pairs_hook=build, parse_int=str, parse_float=str)
    # Where they stand is only asked when there are any.
    return list(_doubled(document, "")) if found else []


def _same_quotes(text: bytes) -> bool:
    """What is given twice is read once: when it is written again there are fewer quotes, unless some were escaped."""
    again = msgspec.json.encode(msgspec.json.decode(text))
    return again.count(b'"') == text.count(b'"') and b"\\u0022" not in text


def _doubled(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        twice = value.doubled if isinstance(value, _Twice) else []
        for name, inner in value.items():
            here = f"{path}.{name}" if path else name
            if name in twice:
                yield here
            yield from _doubled(inner, here)
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from _doubled(item, f"{path}[{at}]")
