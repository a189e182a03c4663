"""Merge patches: apply one (RFC 7386), and make one from two states.

A patch is plain values: a key with null goes, an object is merged, anything else (lists too) is replaced whole.
"""

from typing import Any


def merge(target: Any, patch: Any) -> Any:
    """The target with the patch applied, RFC 7386 section 2; neither argument is changed."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge(result.get(key), value)
    return result


def diff(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """The smallest merge patch that turns `old` into `new`; empty when they are equal.

    Needed because a field with its default value is not written at all: to set `readyReplicas` back to 0, the patch
    must say null.
    """
    patch: dict[str, Any] = {key: None for key in old if key not in new}
    for key, value in new.items():
        before = old.get(key)
        if isinstance(value, dict) and isinstance(before, dict):
            inner = diff(before, value)
            if inner:
                patch[key] = inner
        elif key not in old or before != value:
            patch[key] = value
    return patch
