"""Which ReplicaSet stands for the Deployment's present template, and what a new one is called. Pure.

Invariant: the oldest ReplicaSet with the present template is the current one, whatever it is called. How templates are
compared and named stands in `controllers/templates.py`.
"""

from collections.abc import Iterable

import msgspec

from minik8s.api.apps import Deployment, ReplicaSet, ReplicaSetSpec
from minik8s.api.meta import LabelSelector, ObjectMeta, owner_of
from minik8s.controllers.templates import HASH_LABEL, name_of, same

REVISION = "deployment.kubernetes.io/revision"
DESIRED, MAXIMUM = "deployment.kubernetes.io/desired-replicas", "deployment.kubernetes.io/max-replicas"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
# These speak of the Deployment itself; all other annotations of it are for its ReplicaSets too.
_OWN_ANNOTATIONS = {REVISION, DESIRED, MAXIMUM, LAST_APPLIED}


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
    while f"{deployment.metadata.name}-{name_of(spec.template, attempt)}" in taken:
        attempt += 1
    mark = {HASH_LABEL: name_of(spec.template, attempt)}
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
