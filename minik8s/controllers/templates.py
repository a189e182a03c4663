"""Do two templates make the same Pods, and a short name for one. Pure.

Invariant: templates are compared by meaning, never by hash: the order of keys, nulls, empty lists and fields left out
that have a default make no difference. A hash only makes a name, so that a collision costs a longer search and nothing
else. Used by Deployments (for ReplicaSets) and by StatefulSets and DaemonSets (for ControllerRevisions).
"""

import hashlib

import msgspec

from minik8s.api import codec, defaults
from minik8s.api.pods import PodTemplateSpec

# Kubernetes' alphabet of generated names, so that the end of a name looks the way people know it.
_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
HASH_LABEL = "pod-template-hash"  # what a Deployment adds to its ReplicaSets' templates


def same(one: PodTemplateSpec, other: PodTemplateSpec) -> bool:
    """Do both make the same Pods?"""
    return _canonical(one) == _canonical(other)


def name_of(template: PodTemplateSpec, attempt: int = 0) -> str:
    """Ten characters that are the same whenever the template is."""
    digest = hashlib.sha256(_canonical(template) + (str(attempt).encode() if attempt else b"")).digest()
    return "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in digest[:10])


def _canonical(template: PodTemplateSpec) -> bytes:
    copy = codec.from_dict(PodTemplateSpec, codec.to_dict(template))
    copy.metadata.labels.pop(HASH_LABEL, None)
    copy.metadata.creationTimestamp = None
    defaults.pod_spec(copy.spec)
    return msgspec.json.encode(codec.to_dict(copy), order="deterministic")
