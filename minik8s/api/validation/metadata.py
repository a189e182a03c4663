"""What every object's metadata must keep to: names, labels, annotations, owners.

Source: apimachinery's ValidateObjectMeta.
"""

import ipaddress

from minik8s.api import rbac
from minik8s.api.core import Namespace, Service
from minik8s.api.meta import Object, ObjectMeta
from minik8s.api.networking import IPAddress
from minik8s.api.validation.fields import LABEL_1035, LABEL_1035_MESSAGE, QUALIFIED, Problems

MAX_ANNOTATIONS = 256 * 1024
FINALIZERS = ("foregroundDeletion", "kubernetes", "orphan")
NO_FINALIZER = "name is neither a standard finalizer name nor is it fully qualified"

NO_ADDRESS = "must be an IP address in canonical form (e.g. 10.9.8.7, 2001:db8::f)"


def check(problems: Problems, obj: Object) -> None:
    meta = obj.metadata
    if not meta.name and not meta.generateName:
        problems.required("metadata.name", "name or generateName is required")
    if meta.name:
        _check_name(problems, obj)
    if obj.resource.namespaced and meta.namespace:
        problems.label_name("metadata.namespace", meta.namespace)
    check_labels(problems, "metadata.labels", meta.labels)
    _check_annotations(problems, meta.annotations)
    _check_ties(problems, meta)


def _check_ties(problems: Problems, meta: ObjectMeta) -> None:
    for at, finalizer in enumerate(meta.finalizers):
        if finalizer not in FINALIZERS and "/" not in finalizer:
            problems.invalid(f"metadata.finalizers[{at}]", finalizer, NO_FINALIZER)
    for at, owner in enumerate(meta.ownerReferences):
        for field in ("apiVersion", "kind", "name", "uid"):
            if not getattr(owner, field):
                problems.required(f"metadata.ownerReferences[{at}].{field}", "must not be empty")
    if sum(1 for owner in meta.ownerReferences if owner.controller) > 1:
        problems.invalid("metadata.ownerReferences", "", "Only one reference can have Controller set to true")


def _check_name(problems: Problems, obj: Object) -> None:
    name = obj.metadata.name
    if isinstance(obj, Service):
        # It becomes a label of a DNS name, and those once had to begin with a letter.
        if len(name) > 63:
            problems.invalid("metadata.name", name, "must be no more than 63 characters")
        elif not LABEL_1035.fullmatch(name):
            problems.invalid("metadata.name", name, LABEL_1035_MESSAGE)
    elif isinstance(obj, IPAddress):
        if not is_canonical(name):
            problems.invalid("metadata.name", name, NO_ADDRESS)
    elif isinstance(obj, Namespace):
        problems.label_name("metadata.name", name)
    elif obj.resource.group == rbac.GROUP:
        problems.path_segment("metadata.name", name)  # names of roles may have colons in them
    else:
        problems.subdomain("metadata.name", name)


def is_canonical(address: str) -> bool:
    try:
        return str(ipaddress.ip_address(address)) == address
    except ValueError:
        return False


def check_key(problems: Problems, field: str, key: str) -> None:
    """A label or annotation key: `name` or `prefix.example.com/name`."""
    prefix, slash, name = key.rpartition("/")
    if slash:
        if not prefix:
            problems.invalid(field, key, "prefix part must be non-empty")
        else:
            problems.subdomain(field, prefix)
    if not name:
        problems.invalid(field, key, "name part must be non-empty")
    elif len(name) > 63:
        problems.invalid(field, key, "name part must be no more than 63 characters")
    elif not QUALIFIED.fullmatch(name):
        problems.invalid(
            field,
            key,
            "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
            "alphanumeric character",
        )


def check_labels(problems: Problems, field: str, labels: dict[str, str]) -> None:
    for key, value in labels.items():
        check_key(problems, field, key)
        if len(value) > 63:
            problems.invalid(field, value, "must be no more than 63 characters")
        elif value and not QUALIFIED.fullmatch(value):
            problems.invalid(
                field,
                value,
                "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and "
                "must start and end with an alphanumeric character",
            )


def _check_annotations(problems: Problems, annotations: dict[str, str]) -> None:
    for key in annotations:
        check_key(problems, "metadata.annotations", key.lower())
    if sum(len(key) + len(value) for key, value in annotations.items()) > MAX_ANNOTATIONS:
        problems.too_long("metadata.annotations", MAX_ANNOTATIONS)
