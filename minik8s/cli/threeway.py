"""What `apply` wants an object to be: the manifest now, the manifest applied last, and what stands in the cluster.

    in the manifest                              take it
    not in it, but in the one applied last       remove it: its author took it out
    in neither                                   leave it: somebody else set it (a default, a controller, `scale`)

The same for maps and for lists whose elements have a name (containers, ports, env …), as Kubernetes merges them;
other lists are the manifest's as a whole. The result goes to the server as a JSON merge patch, in which a list that
changed is replaced whole.

Pure. Read next: apply.py.
"""

from collections.abc import Hashable
from typing import Any

from minik8s.api import patch

# The field that names a list's elements: `x-kubernetes-patch-merge-key` of Kubernetes' schemas.
MERGE_KEYS: dict[str, tuple[str, ...]] = {
    "containers": ("name",),
    "initContainers": ("name",),
    "env": ("name",),
    "volumes": ("name",),
    "volumeMounts": ("mountPath",),
    "hostAliases": ("ip",),
    "ports": ("containerPort", "port"),
    "imagePullSecrets": ("name",),
    "readinessGates": ("conditionType",),
}
Map = dict[str, Any]


def changes(last: Map, manifest: Map, live: Map) -> Map:
    """The merge patch that makes `live` what the manifest wants; empty if it is already."""
    return patch.diff(live, merged(last, manifest, live))


def merged(last: Map, manifest: Map, live: Map) -> Map:
    """The live object as it should be."""
    result = {key: value for key, value in live.items() if key in manifest or key not in last}
    for key, value in manifest.items():
        if value is None:
            result.pop(key, None)
        elif value not in ({}, []) or key in live:  # what is empty is not stored: nothing to set
            result[key] = _value(key, last.get(key), value, live.get(key))
    return result


def _value(key: str, last: Any, manifest: Any, live: Any) -> Any:
    if isinstance(manifest, dict) and isinstance(live, dict):
        return merged(last if isinstance(last, dict) else {}, manifest, live)
    if isinstance(manifest, list) and isinstance(live, list):
        return _list(key, last if isinstance(last, list) else [], manifest, live)
    return manifest


def _list(key: str, last: list[Any], manifest: list[Any], live: list[Any]) -> list[Any]:
    names = MERGE_KEYS.get(key, ())
    before, now, there = (_named(each, names) for each in (last, manifest, live))
    if now is None or there is None:
        return _covered(last, manifest, live)
    result = [_value("", (before or {}).get(name), value, there.get(name)) for name, value in now.items()]
    strangers = [value for name, value in there.items() if name not in now and name not in (before or {})]
    return result + strangers


def _named(values: list[Any], names: tuple[str, ...]) -> dict[Hashable, Any] | None:
    """The elements by name; None if one has none, or two have the same."""
    found: dict[Hashable, Any] = {}
    for value in values:
        key = next((name for name in names if isinstance(value, dict) and name in value), None)
        if key is None:
            return None
        found[key, value[key], value.get("protocol", "TCP")] = value
    return found if len(found) == len(values) else None


def _covered(last: list[Any], manifest: list[Any], live: list[Any]) -> list[Any]:
    """An unnamed list is the manifest's; where only defaults added by the server differ, it is left as it is."""
    if len(manifest) != len(live):
        return manifest
    whole = last if len(last) == len(manifest) else [None] * len(manifest)
    result = [_value("", *each) for each in zip(whole, manifest, live, strict=True)]
    return live if result == live else manifest
