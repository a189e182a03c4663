"""What stands in each field of a type: for whoever walks plain values beside their type.

Unknown fields, strategic merge patches and the ownership of fields all walk like this. Invariant: a shape is derived
from the Struct and from `mergekeys.py`, never written down. Read `unknown.py` for the simplest walk.
"""

import types
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec

from minik8s.api import mergekeys


@dataclass(frozen=True)
class Shape:
    """One field. `form` is struct, list, map or plain; `cls` the struct that it is, or that its elements are."""

    form: str
    cls: type[msgspec.Struct] | None = None
    rule: mergekeys.Rule = mergekeys.DEFAULT
    optional: bool = False  # a struct that may be absent; one that is not stands there even when it is empty

    @cached_property
    def owned(self) -> str:
        """How server-side apply goes into it: struct, map, list (with keys) or set; a leaf is owned as one value."""
        if self.form == "struct":
            return "leaf" if self.cls in mergekeys.ATOMIC else "struct"
        if self.form == "map":
            return "leaf" if self.rule.map_type == "atomic" else "map"
        return {"map": "list", "set": "set"}.get(self.rule.list_type, "leaf")


PLAIN = Shape("plain")


@cache
def shapes(cls: type[msgspec.Struct]) -> dict[str, Shape]:
    """Field as the wire names it → its shape."""
    hints = get_type_hints(cls)
    return {
        field.encode_name: _shape(hints[field.name], mergekeys.rule(cls, field.encode_name))
        for field in msgspec.structs.fields(cls)
    }


def _shape(hint: Any, rule: mergekeys.Rule) -> Shape:
    optional = False
    if get_origin(hint) in (Union, types.UnionType):
        inner = [arg for arg in get_args(hint) if arg is not type(None)]
        optional = len(inner) < len(get_args(hint))
        hint = inner[0] if len(inner) == 1 else None
    struct = _struct(hint)
    if struct:
        return Shape("struct", struct, rule, optional)
    if get_origin(hint) is list:
        return Shape("list", _struct(get_args(hint)[0]), rule, optional)
    if get_origin(hint) is dict:
        return Shape("map", _struct(get_args(hint)[1]), rule, optional)
    return PLAIN


def _struct(hint: Any) -> type[msgspec.Struct] | None:
    return hint if isinstance(hint, type) and issubclass(hint, msgspec.Struct) else None
