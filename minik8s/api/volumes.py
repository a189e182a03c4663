"""Volumes: the files that containers of a Pod share, or get from a ConfigMap or Secret.

A Pod's `volumes` say what there is; a container's `volumeMounts` say where it appears. Source: the published OpenAPI of
Kubernetes 1.33.
"""

from minik8s.api.containers import ObjectFieldSelector
from minik8s.api.meta import Int64, Quantity, Struct


class KeyToPath(Struct):
    key: str
    path: str
    mode: int | None = None


class ConfigMapVolumeSource(Struct):
    name: str = ""
    items: list[KeyToPath] = []
    defaultMode: int | None = None
    optional: bool | None = None


class SecretVolumeSource(Struct):
    secretName: str = ""
    items: list[KeyToPath] = []
    defaultMode: int | None = None
    optional: bool | None = None


class EmptyDirVolumeSource(Struct):
    medium: str = ""
    sizeLimit: Quantity | None = None


class DownwardAPIVolumeFile(Struct):
    path: str
    fieldRef: ObjectFieldSelector | None = None
    mode: int | None = None


class DownwardAPIVolumeSource(Struct):
    items: list[DownwardAPIVolumeFile] = []
    defaultMode: int | None = None


# --- Several sources in one directory ---------------------------------------------------------------------------------


class SecretProjection(Struct):
    name: str = ""
    items: list[KeyToPath] = []
    optional: bool | None = None


class ConfigMapProjection(Struct):
    name: str = ""
    items: list[KeyToPath] = []
    optional: bool | None = None


class DownwardAPIProjection(Struct):
    items: list[DownwardAPIVolumeFile] = []


class ServiceAccountTokenProjection(Struct):
    """A token of the Pod's ServiceAccount, renewed before it ends."""

    path: str
    audience: str = ""
    expirationSeconds: Int64 | None = None


class VolumeProjection(Struct):
    secret: SecretProjection | None = None
    downwardAPI: DownwardAPIProjection | None = None
    configMap: ConfigMapProjection | None = None
    serviceAccountToken: ServiceAccountTokenProjection | None = None


class ProjectedVolumeSource(Struct):
    sources: list[VolumeProjection] = []
    defaultMode: int | None = None


class Volume(Struct):
    name: str
    emptyDir: EmptyDirVolumeSource | None = None
    configMap: ConfigMapVolumeSource | None = None
    secret: SecretVolumeSource | None = None
    downwardAPI: DownwardAPIVolumeSource | None = None
    projected: ProjectedVolumeSource | None = None
