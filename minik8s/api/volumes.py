"""Volumes: the files that containers of a Pod share, or get from a ConfigMap, a Secret or the node.

A Pod's `volumes` say what there is; a container's `volumeMounts` say where it appears. Of most storage systems there is
nothing here but the name of their field: who asks for one is warned, and the Pod waits as it does in Kubernetes where
nobody can mount it. Source: the published OpenAPI of Kubernetes 1.33.
"""

from typing import Any

import msgspec

from minik8s.api.claims import PersistentVolumeClaimSpec
from minik8s.api.meta import Int32, Int64, LabelSelector, ObjectMeta, Quantity, Struct
from minik8s.api.references import LocalObjectReference


class KeyToPath(Struct):
    key: str
    path: str
    mode: Int32 | None = None


class ConfigMapVolumeSource(Struct):
    name: str = ""
    items: list[KeyToPath] = []
    defaultMode: Int32 | None = None
    optional: bool | None = None


class SecretVolumeSource(Struct):
    secretName: str = ""
    items: list[KeyToPath] = []
    defaultMode: Int32 | None = None
    optional: bool | None = None


class EmptyDirVolumeSource(Struct):
    medium: str = ""
    sizeLimit: Quantity | None = None


class HostPathVolumeSource(Struct):
    path: str
    type: str | None = None


# --- The Pod's own fields as files ------------------------------------------------------------------------------------


class ObjectFieldSelector(Struct):
    fieldPath: str
    apiVersion: str = ""


class ResourceFieldSelector(Struct):
    resource: str
    containerName: str = ""
    divisor: Quantity | None = None


class DownwardAPIVolumeFile(Struct):
    path: str
    fieldRef: ObjectFieldSelector | None = None
    resourceFieldRef: ResourceFieldSelector | None = None
    mode: Int32 | None = None


class DownwardAPIVolumeSource(Struct):
    items: list[DownwardAPIVolumeFile] = []
    defaultMode: Int32 | None = None


# --- Several sources in one directory ---------------------------------------------------------------------------------


class ConfigMapProjection(Struct):
    name: str = ""
    items: list[KeyToPath] = []
    optional: bool | None = None


class SecretProjection(Struct):
    name: str = ""
    items: list[KeyToPath] = []
    optional: bool | None = None


class DownwardAPIProjection(Struct):
    items: list[DownwardAPIVolumeFile] = []


class ServiceAccountTokenProjection(Struct):
    path: str
    audience: str = ""
    expirationSeconds: Int64 | None = None


class ClusterTrustBundleProjection(Struct):
    path: str
    name: str | None = None
    signerName: str | None = None
    labelSelector: LabelSelector | None = None
    optional: bool | None = None


class VolumeProjection(Struct):
    """One of these."""

    secret: SecretProjection | None = None
    downwardAPI: DownwardAPIProjection | None = None
    configMap: ConfigMapProjection | None = None
    serviceAccountToken: ServiceAccountTokenProjection | None = None
    clusterTrustBundle: ClusterTrustBundleProjection | None = None


class ProjectedVolumeSource(Struct):
    sources: list[VolumeProjection] = []
    defaultMode: Int32 | None = None


# --- Storage that minik8s has not -------------------------------------------------------------------------------------


class PersistentVolumeClaimVolumeSource(Struct):
    claimName: str
    readOnly: bool = False


class PersistentVolumeClaimTemplate(Struct):
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: PersistentVolumeClaimSpec = msgspec.field(default_factory=PersistentVolumeClaimSpec)


class EphemeralVolumeSource(Struct):
    volumeClaimTemplate: PersistentVolumeClaimTemplate | None = None


class CSIVolumeSource(Struct):
    driver: str
    readOnly: bool | None = None
    fsType: str | None = None
    volumeAttributes: dict[str, str] = {}
    nodePublishSecretRef: LocalObjectReference | None = None


class NFSVolumeSource(Struct):
    server: str
    path: str
    readOnly: bool = False


class ImageVolumeSource(Struct):
    reference: str = ""
    pullPolicy: str = ""


# A storage system's own settings, kept as they were written.
Foreign = Any


class Volume(Struct):
    """One source beside the name."""

    name: str
    emptyDir: EmptyDirVolumeSource | None = None
    configMap: ConfigMapVolumeSource | None = None
    secret: SecretVolumeSource | None = None
    hostPath: HostPathVolumeSource | None = None
    downwardAPI: DownwardAPIVolumeSource | None = None
    projected: ProjectedVolumeSource | None = None
    persistentVolumeClaim: PersistentVolumeClaimVolumeSource | None = None
    ephemeral: EphemeralVolumeSource | None = None
    csi: CSIVolumeSource | None = None
    nfs: NFSVolumeSource | None = None
    image: ImageVolumeSource | None = None
    awsElasticBlockStore: Foreign | None = None
    azureDisk: Foreign | None = None
    azureFile: Foreign | None = None
    cephfs: Foreign | None = None
    cinder: Foreign | None = None
    fc: Foreign | None = None
    flexVolume: Foreign | None = None
    flocker: Foreign | None = None
    gcePersistentDisk: Foreign | None = None
    gitRepo: Foreign | None = None
    glusterfs: Foreign | None = None
    iscsi: Foreign | None = None
    photonPersistentDisk: Foreign | None = None
    portworxVolume: Foreign | None = None
    quobyte: Foreign | None = None
    rbd: Foreign | None = None
    scaleIO: Foreign | None = None
    storageos: Foreign | None = None
    vsphereVolume: Foreign | None = None


MOUNTED = (
    "emptyDir",
    "configMap",
    "secret",
    "downwardAPI",
    "projected",
    "hostPath",
)  # what the agent knows how to mount
SOURCES = tuple(name for name in Volume.__struct_fields__ if name != "name")
