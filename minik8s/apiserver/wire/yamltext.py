"""A body in YAML → plain values as JSON would have given them, and the fields that it gives twice.

Invariants: what JSON cannot say (dates, aliases, keys that are no text) is refused; an alias could make a small body
a huge object. JSON is tried first: it is YAML too, and what clients send.
"""

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import yaml

from minik8s.apiserver import errors

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Plain(_Loader):  # type: ignore[misc]
    """Without dates, which would not be the text that was written."""


_Plain.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in known if tag != "tag:yaml.org,2002:timestamp"]
    for first, known in _Loader.yaml_implicit_resolvers.items()
}


def from_yaml(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        pass
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(body, Loader=_Plain)):
            raise errors.bad_request("error decoding YAML: aliases are not taken")
        found = yaml.load(body, Loader=_Plain)
        return json.loads(json.dumps(found, allow_nan=False))
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, TypeError, RecursionError) as error:
        raise errors.bad_request(f"error decoding YAML: {error}") from error


def given_twice(body: bytes) -> list[str]:
    """Paths of all fields that this document, which was read already, gives more than once."""
    return list(_twice(yaml.compose(body, Loader=_Plain), ""))


def _twice(node: Any, path: str) -> Iterator[str]:
    if isinstance(node, yaml.SequenceNode):
        for at, item in enumerate(node.value):
            yield from _twice(item, f"{path}[{at}]")
    elif isinstance(node, yaml.MappingNode):
        names = [key.value for key, _ in node.value]
        for name in dict.fromkeys(each for each in names if names.count(each) > 1):
            yield f"{path}.{name}" if path else name
        for key, value in node.value:
            yield from _twice(value, f"{path}.{key.value}" if path else key.value)
