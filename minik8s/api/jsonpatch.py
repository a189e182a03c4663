"""JSON patches: a list of operations, done one after the other or not at all (RFC 6902, paths by RFC 6901).

What `kubectl patch --type=json` and `rollout undo` send. `test` makes a patch conditional: with a test of
`/metadata/resourceVersion` it changes exactly the version that its author saw.
"""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import msgspec

MAX_OPERATIONS = 10_000
# `copy` may double a document with each operation: what all of them copy together is bounded.
MAX_COPIED_BYTES = 3 * 1024 * 1024


class BadPatch(ValueError):
    """It is no JSON patch."""


class Failed(ValueError):
    """An operation does not fit the document, or a test does not hold."""


def check(patch: Any) -> list[dict[str, Any]]:
    """Is it a JSON patch at all? Returns its operations."""
    if not isinstance(patch, list):
        raise BadPatch("a JSON patch is a list of operations")
    for at, operation in enumerate(patch):
        if not isinstance(operation, dict):
            raise BadPatch(f"operation {at} is not an object")
        name = operation.get("op")
        if name not in OPERATIONS:
            raise BadPatch(f"operation {at}: unknown op {name!r}: one of {', '.join(OPERATIONS)}")
        for field in ("path", "from") if name in ("move", "copy") else ("path",):
            pointer(operation.get(field), f"operation {at}: {field}")
        if name in ("add", "replace", "test") and "value" not in operation:
            raise BadPatch(f"operation {at}: {name} needs a value")
    return patch


def unknown_members(patch: list[dict[str, Any]]) -> list[str]:
    """What the operations have and nobody reads, as `[0].vlaue`."""
    known = {"op", "path", "from", "value"}
    return [f"[{at}].{name}" for at, operation in enumerate(patch) for name in operation if name not in known]


def apply(document: Any, patch: list[dict[str, Any]]) -> Any:
    """The document with all operations done. It may be changed on the way; keep none of it after a failure."""
    root = [document]  # so that the whole document, too, is a value in something
    copied = 0
    for operation in patch:
        if operation["op"] == "copy":
            copied += len(msgspec.json.encode(_get(root, pointer(operation["from"]))))
            if copied > MAX_COPIED_BYTES:
                raise Failed(f"the copy operations copy more than {MAX_COPIED_BYTES} bytes")
        OPERATIONS[operation["op"]](root, operation)
    return root[0]


def pointer(text: Any, what: str = "path") -> list[str]:
    """`/metadata/labels/a~1b` → its parts, beginning at the root."""
    if not isinstance(text, str) or (text and not text.startswith("/")):
        raise BadPatch(f"{what}: {text!r} is no JSON pointer, such as /spec/replicas")
    return ["0", *(part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:])]


# --- operations -------------------------------------------------------------------------------------------------------


def _add(root: Any, operation: dict[str, Any]) -> None:
    _insert(root, pointer(operation["path"]), deepcopy(operation["value"]))


def _remove(root: Any, operation: dict[str, Any]) -> None:
    _take(root, pointer(operation["path"]))


def _replace(root: Any, operation: dict[str, Any]) -> None:
    parts = pointer(operation["path"])
    _get(root, parts)  # it must be there
    holder, last = _get(root, parts[:-1]), parts[-1]
    holder[last if isinstance(holder, dict) else int(last)] = deepcopy(operation["value"])


def _move(root: Any, operation: dict[str, Any]) -> None:
    source, target = pointer(operation["from"]), pointer(operation["path"])
    if target != source and target[: len(source)] == source:
        raise Failed(f"{operation['from']} cannot be moved into itself")
    _insert(root, target, _take(root, source))


def _copy(root: Any, operation: dict[str, Any]) -> None:
    _insert(root, pointer(operation["path"]), deepcopy(_get(root, pointer(operation["from"]))))


def _test(root: Any, operation: dict[str, Any]) -> None:
    try:
        found = _get(root, pointer(operation["path"]))
    except Failed:
        found = None  # a field that is not there is null
    if not _same(found, operation["value"]):
        raise Failed(f"testing value {operation['path']} failed")


OPERATIONS: dict[str, Callable[[Any, dict[str, Any]], None]] = {
    "add": _add,
    "remove": _remove,
    "replace": _replace,
    "move": _move,
    "copy": _copy,
    "test": _test,
}


# --- places -----------------------------------------------------------------------------------------------------------


def _get(root: Any, parts: list[str]) -> Any:
    value = root
    for at, part in enumerate(parts):
        if isinstance(value, dict):
            if part not in value:
                raise Failed(f"there is no {_shown(parts[: at + 1])}")
            value = value[part]
        elif isinstance(value, list):
            value = value[_index(part, len(value) - 1, parts)]
        else:
            raise Failed(f"{_shown(parts[:at])} has no parts")
    return value


def _insert(root: Any, parts: list[str], value: Any) -> None:
    if len(parts) == 1:
        root[0] = value
        return
    holder, last = _get(root, parts[:-1]), parts[-1]
    if isinstance(holder, dict):
        holder[last] = value
    elif isinstance(holder, list):
        holder.insert(len(holder) if last == "-" else _index(last, len(holder), parts), value)
    else:
        raise Failed(f"{_shown(parts[:-1])} has no parts")


def _take(root: Any, parts: list[str]) -> Any:
    value = _get(root, parts)
    holder, last = _get(root, parts[:-1]), parts[-1]
    if len(parts) == 1:
        raise Failed("the whole document cannot be taken away")
    if isinstance(holder, dict):
        del holder[last]
    else:
        del holder[int(last)]
    return value


def _index(part: str, most: int, parts: list[str]) -> int:
    if not (part.isascii() and part.isdigit()) or (part[0] == "0" and part != "0"):
        raise Failed(f"{_shown(parts)}: {part!r} is no index")
    # Longer than any list is: not turned into a number at all.
    if len(part) > 9 or int(part) > most:
        raise Failed(f"{_shown(parts)}: the list is not that long")
    return int(part)


def _shown(parts: list[str]) -> str:
    return "/" + "/".join(part.replace("~", "~0").replace("/", "~1") for part in parts[1:])


def _same(left: Any, right: Any) -> bool:
    """Equal as JSON has it, where true is not 1."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_same, left, right))
    return isinstance(left, bool) == isinstance(right, bool) and left == right
