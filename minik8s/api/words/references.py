"""Words for objects that are pointed at: `api/references.py`."""

from minik8s.api import references
from minik8s.api.words.table import Words

WORDS: Words = {
    references.ObjectReference: {
        "": "Another object, pointed at.",
        "kind": "Its kind.",
        "namespace": "Its namespace.",
        "name": "Its name.",
        "uid": "Its identity.",
        "apiVersion": "Its group and version.",
        "resourceVersion": "The version of it that was meant.",
        "fieldPath": "The part of it that is meant, such as spec.containers{web}.",
    },
    references.LocalObjectReference: {"": "An object in the same namespace.", "name": "Its name."},
    references.TypedLocalObjectReference: {
        "": "An object in the same namespace.",
        "apiGroup": "Its API group; empty for the core group.",
        "kind": "Its kind.",
        "name": "Its name.",
    },
    references.TypedObjectReference: {
        "": "An object, perhaps in another namespace.",
        "apiGroup": "Its API group; empty for the core group.",
        "kind": "Its kind.",
        "name": "Its name.",
        "namespace": "Its namespace; the same one if empty.",
    },
}
