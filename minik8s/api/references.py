"""Objects that are pointed at from within others: in the same namespace or in another, with or without their kind.

Part of the core group, in a file of its own because everything points. Source: the published OpenAPI of 1.33.
"""

from minik8s.api.meta import Struct


class LocalObjectReference(Struct):
    name: str = ""


class ObjectReference(Struct):
    kind: str = ""
    namespace: str = ""
    name: str = ""
    uid: str = ""
    apiVersion: str = ""
    resourceVersion: str = ""
    fieldPath: str = ""


class TypedLocalObjectReference(Struct):
    kind: str
    name: str
    apiGroup: str | None = None


class TypedObjectReference(Struct):
    kind: str
    name: str
    apiGroup: str | None = None
    namespace: str | None = None
