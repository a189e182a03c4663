"""Which Pod is which: a StatefulSet's Pods by their ordinal, and the Pod that a missing ordinal gets. Pure.

Invariant: name, hostname and the two labels of a Pod say the same ordinal; only Pods called `<set>-<number>` are ever
the set's. Read `order.py` next.
"""

import re

import msgspec

from minik8s.api import codec
from minik8s.api.apps import ControllerRevision, StatefulSet
from minik8s.api.pods import EmptyDirVolumeSource, Pod, PodSpec, Volume
from minik8s.controllers import revisions
from minik8s.controllers.podcontrol import new_pod

POD_NAME, POD_INDEX = "statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index"
_NAME = re.compile(r"(?P<parent>.*)-(?P<ordinal>0|[1-9][0-9]*)")


def ordinal_of(sts: StatefulSet, pod: Pod) -> int | None:
    """3 for web-3; None when the name is not one of this set's."""
    found = _NAME.fullmatch(pod.metadata.name)
    return int(found["ordinal"]) if found and found["parent"] == sts.metadata.name else None


def wanted_ordinals(sts: StatefulSet) -> range:
    start = sts.spec.ordinals.start if sts.spec.ordinals else 0
    return range(start, start + (1 if sts.spec.replicas is None else sts.spec.replicas))


def partition(sts: StatefulSet) -> int:
    """Pods with a lower ordinal keep the template they have."""
    rolling = sts.spec.updateStrategy.rollingUpdate
    return wanted_ordinals(sts).start + ((rolling.partition or 0) if rolling else 0)


def new_member(sts: StatefulSet, ordinal: int, revision: ControllerRevision) -> Pod:
    """The Pod of an ordinal, from a revision's template."""
    name = f"{sts.metadata.name}-{ordinal}"
    labels = {POD_NAME: name, POD_INDEX: str(ordinal), revisions.LABEL: revision.metadata.name}
    pod = new_pod(sts, revisions.template_of(revision), name, labels)
    spec = codec.from_dict(PodSpec, codec.to_dict(pod.spec))
    spec.hostname, spec.subdomain = name, sts.spec.serviceName
    named = {claim.metadata.name for claim in sts.spec.volumeClaimTemplates}
    spec.volumes = [each for each in spec.volumes if each.name not in named]
    # A claim's place is taken by a directory that lives as long as the Pod; the author was told so.
    spec.volumes += [Volume(name=each, emptyDir=EmptyDirVolumeSource()) for each in sorted(named)]
    return msgspec.structs.replace(pod, spec=spec)
