"""Kinds of which there are none here, and never will be: they can be listed and watched, and nothing else.

Programs that were written for Kubernetes look at more than they need. Its scheduler waits for the lists of all volumes,
drivers and devices before it places the first Pod; `kubectl apply --prune` looks for every kind that it might have to
prune. An empty list is the truth, and lets them go on; a 404 keeps them waiting. Whoever wants to make such an object
is told that it cannot be done. Source: the published OpenAPI of Kubernetes 1.33, for names and addresses alone.
"""

from typing import cast

import msgspec

from minik8s.api.claims import PersistentVolumeClaim
from minik8s.api.meta import READS, Object, resource, says

# apiVersion → kind, plural, whether it is in a namespace, short names.
_TABLE: dict[str, tuple[tuple[str, str, bool, tuple[str, ...]], ...]] = {
    "v1": (
        ("PersistentVolume", "persistentvolumes", False, ("pv",)),
        ("PodTemplate", "podtemplates", True, ()),
        ("ReplicationController", "replicationcontrollers", True, ("rc",)),
        ("ResourceQuota", "resourcequotas", True, ("quota",)),
        ("LimitRange", "limitranges", True, ("limits",)),
    ),
    "batch/v1": (("CronJob", "cronjobs", True, ("cj",)),),
    "certificates.k8s.io/v1": (("CertificateSigningRequest", "certificatesigningrequests", False, ("csr",)),),
    "networking.k8s.io/v1": (("NetworkPolicy", "networkpolicies", True, ("netpol",)),),
    "node.k8s.io/v1": (("RuntimeClass", "runtimeclasses", False, ()),),
    "resource.k8s.io/v1": (
        ("DeviceClass", "deviceclasses", False, ()),
        ("ResourceClaim", "resourceclaims", True, ()),
        ("ResourceClaimTemplate", "resourceclaimtemplates", True, ()),
        ("ResourceSlice", "resourceslices", False, ()),
    ),
    "scheduling.k8s.io/v1": (("PriorityClass", "priorityclasses", False, ("pc",)),),
    "storage.k8s.io/v1": (
        ("CSIDriver", "csidrivers", False, ()),
        ("CSINode", "csinodes", False, ()),
        ("CSIStorageCapacity", "csistoragecapacities", True, ()),
        ("StorageClass", "storageclasses", False, ("sc",)),
        ("VolumeAttachment", "volumeattachments", False, ()),
    ),
}


def _kind(version: str, kind: str) -> type[Object]:
    """A type with its name and its metadata; `module` is where the schemas look for the name of its group."""
    group = version.rpartition("/")[0].partition(".")[0]
    fields = [("apiVersion", str, says(version)), ("kind", str, says(kind))]
    made = msgspec.defstruct(kind, fields, bases=(Object,), module=group or "core", kw_only=True, omit_defaults=True)
    return cast(type[Object], made)


# Those of which nothing but the name is known.
BARE: tuple[type[Object], ...] = tuple(
    resource(plural, short=short, namespaced=namespaced, verbs=READS)(_kind(version, kind))
    for version, entries in _TABLE.items()
    for kind, plural, namespaced, short in entries
)

ABSENT: tuple[type[Object], ...] = (*BARE, PersistentVolumeClaim)
