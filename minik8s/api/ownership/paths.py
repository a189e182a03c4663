"""A field as people read it: `.spec.template.spec.containers[name="c"].image`."""

import msgspec

from minik8s.api.ownership.fieldset import Fields, members


def written(path: tuple[str, ...]) -> str:
    return "".join(_part(each) for each in path)


def _part(part: str) -> str:
    kind, _, rest = part.partition(":")
    if kind == "f":
        return f".{rest}"
    if kind == "k":
        try:
            keys = msgspec.json.decode(rest)
        except msgspec.DecodeError:
            keys = rest
        if isinstance(keys, dict):
            return "[" + ",".join(f"{key}={msgspec.json.encode(keys[key]).decode()}" for key in sorted(keys)) + "]"
    return f"[={rest}]" if kind == "v" else f"[{rest}]"


def every(fields: Fields) -> list[str]:
    """All fields of a set, as they are read."""
    return [written(path) for path in members(fields)]
