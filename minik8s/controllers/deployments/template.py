"""Which ReplicaSet stands for the Deployment's present template, and what a new one is called. Pure.

Invariants: templates are compared by meaning (key order and left-out defaults do not matter), never by hash; the hash
only makes a name, so that a collision costs a longer name and nothing else.
"""

import hashlib
from collections.abc import Iterable

import msgspec

from minik8s.api import codec
from minik8s.api.apps import Deployment, ReplicaSet, ReplicaSetSpec
from minik8s.api.meta import LabelSelector, ObjectMeta, owner_of
from minik8s.api.pods import PodTemplateSpec

HASH_LABEL = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"
DESIRED, MAXIMUM = "deployment.kubernetes.io/desired-replicas", "deployment.kubernetes.io/max-replicas"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
# These speak of the Deployment itself; all other annotations of it are for its ReplicaSets too.
_OWN_ANNOTATIONS = {REVISION, DESIRED, MAXIMUM, LAST_APPLIED}
# Kubernetes' alphabet of generated names, so that the end of a name looks the way people know it.
_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"


def same(one: PodTemplateSpec, other: PodTemplateSpec) -> bool:
    """Do both make the same Pods?"""
    return _canonical(one) == _canonical(other)


def _canonical(template: PodTemplateSpec) -> bytes:
    plain = codec.to_dict(template)
    plain.get("metadata", {}).get("labels", {}).pop(HASH_LABEL, None)
    return msgspec.json.encode(plain, order="deterministic")


def template_hash(template: PodTemplateSpec, attempt: int = 0) -> str:
    """Ten characters that are the same whenever the template is."""
    digest = hashlib.sha256(_canonical(template) + (str(attempt).encode() if attempt else b"")).digest()
    return "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in digest[:10])


def find_new(deployment: Deployment, mine: Iterable[ReplicaSet]) -> ReplicaSet | None:
    """The oldest ReplicaSet with the present template. Oldest, because a younger one can only be there by mistake."""
    ordered = sorted(mine, key=lambda rs: (rs.metadata.creationTimestamp or "", rs.metadata.name))
    return next((rs for rs in ordered if same(rs.spec.template, deployment.spec.template)), None)


def revision_of(obj: Deployment | ReplicaSet) -> int:
    text = obj.metadata.annotations.get(REVISION, "0")
    return int(text) if text.isdecimal() else 0


def next_revision(old: Iterable[ReplicaSet]) -> int:
    return max((revision_of(rs) for rs in old), default=0) + 1


def inherited(deployment: Deployment) -> dict[str, str]:
    """The Deployment's annotations that its ReplicaSets carry too."""
    return {name: value for name, value in deployment.metadata.annotations.items() if name not in _OWN_ANNOTATIONS}


def new_replicaset(deployment: Deployment, taken: set[str], annotations: dict[str, str]) -> ReplicaSet:
    """A ReplicaSet of the present template, with no replicas yet. `taken` are names that are in use."""
    spec, attempt = deployment.spec, 0
    while f"{deployment.metadata.name}-{template_hash(spec.template, attempt)}" in taken:
        attempt += 1
    mark = {HASH_LABEL: template_hash(spec.template, attempt)}
    selector = spec.selector or LabelSelector()
    template = msgspec.structs.replace(
        spec.template,
        metadata=msgspec.structs.replace(spec.template.metadata, labels=spec.template.metadata.labels | mark),
    )
    return ReplicaSet(
        metadata=ObjectMeta(
            name=f"{deployment.metadata.name}-{mark[HASH_LABEL]}",
            namespace=deployment.metadata.namespace,
            labels=dict(template.metadata.labels),
            annotations=inherited(deployment) | annotations,
            ownerReferences=[owner_of(deployment)],
        ),
        spec=ReplicaSetSpec(
            replicas=0,
            minReadySeconds=spec.minReadySeconds,
            selector=msgspec.structs.replace(selector, matchLabels=selector.matchLabels | mark),
            template=template,
        ),
    )
