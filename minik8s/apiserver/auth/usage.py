"""Which ConfigMaps and Secrets a node's Pods use: a node may read those and no others.

Invariant: found from the Pods themselves, as new as etcd has them; so a Pod that was bound a moment ago can start,
and a node whose last such Pod is gone can read no more. Read `authz.py` for the rule.
"""

from typing import Any

from minik8s.api import codec
from minik8s.api.core import Pod
from minik8s.apiserver.registry import Registry, prefix_of

# The fields of a Pod's spec that name one. A Secret as a volume has the name in `secretName`, as all others in `name`.
NAMED_BY = {
    "configMapKeyRef": "configmaps",
    "configMapRef": "configmaps",
    "configMap": "configmaps",
    "secretKeyRef": "secrets",
    "secretRef": "secrets",
    "secret": "secrets",
}


def used_on_node(registry: Registry, resource: str, namespace: str, name: str, node: str) -> bool:
    """Does a Pod on this node use that ConfigMap or Secret?"""
    registry.wait_fresh()
    found, _ = registry.cache.items(prefix_of(Pod, namespace))
    pods = (codec.decode(Pod, value) for _, value in found if node.encode() in value)
    return any(pod.spec.nodeName == node and (resource, name) in references(pod) for pod in pods)


def references(pod: Pod) -> set[tuple[str, str]]:
    """All (resource, name) that a Pod refers to, wherever in its spec."""
    return set(_walk(codec.to_dict(pod.spec)))


def _walk(value: Any) -> list[tuple[str, str]]:
    if isinstance(value, list):
        return [each for item in value for each in _walk(item)]
    if not isinstance(value, dict):
        return []
    found = []
    for field, inner in value.items():
        if field in NAMED_BY and isinstance(inner, dict):
            found.append((NAMED_BY[field], str(inner.get("secretName") or inner.get("name", ""))))
        found += _walk(inner)
    return found
