"""Volumes: the files that containers of a Pod share, or get from a ConfigMap or Secret.

A Pod's `volumes` say what there is; a container's `volumeMounts` say where it appears. Source: the published OpenAPI of
Kubernetes 1.33.
"""

from minik8s.api.meta import Quantity, Struct


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


class Volume(Struct):
    name: str
    emptyDir: EmptyDirVolumeSource | None = None
    configMap: ConfigMapVolumeSource | None = None
    secret: SecretVolumeSource | None = None
