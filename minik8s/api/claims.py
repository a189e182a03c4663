"""PersistentVolumeClaim, as a StatefulSet's `volumeClaimTemplates` has it; of its own there is none (`absent.py`).

Nothing in minik8s keeps data beyond a Pod, so a claim is read for its name alone: `apps.py` says what becomes of it.
Source: the published OpenAPI of Kubernetes 1.33.
"""

from typing import Any

import msgspec

from minik8s.api.meta import READS, Condition, LabelSelector, Object, Quantity, Struct, resource, says
from minik8s.api.references import TypedLocalObjectReference, TypedObjectReference


class VolumeResourceRequirements(Struct):
    limits: dict[str, Quantity] = {}
    requests: dict[str, Quantity] = {}


class PersistentVolumeClaimSpec(Struct):
    accessModes: list[str] = []
    selector: LabelSelector | None = None
    resources: VolumeResourceRequirements = msgspec.field(default_factory=VolumeResourceRequirements)
    volumeName: str = ""
    storageClassName: str | None = None
    volumeMode: str | None = None
    dataSource: TypedLocalObjectReference | None = None
    dataSourceRef: TypedObjectReference | None = None
    volumeAttributesClassName: str | None = None


class PersistentVolumeClaimStatus(Struct):
    phase: str = ""
    accessModes: list[str] = []
    capacity: dict[str, Quantity] = {}
    conditions: list[Condition] = []
    allocatedResources: dict[str, Quantity] = {}
    allocatedResourceStatuses: dict[str, str] = {}
    currentVolumeAttributesClassName: str | None = None
    modifyVolumeStatus: dict[str, Any] | None = None


@resource("persistentvolumeclaims", short=("pvc",), verbs=READS)
class PersistentVolumeClaim(Object):
    """A wish for a volume that outlives a Pod."""

    apiVersion: str = says("v1")
    kind: str = says("PersistentVolumeClaim")
    spec: PersistentVolumeClaimSpec = msgspec.field(default_factory=PersistentVolumeClaimSpec)
    status: PersistentVolumeClaimStatus = msgspec.field(default_factory=PersistentVolumeClaimStatus)
