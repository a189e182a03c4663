"""What is wrong with an object: every mistake at once, each with its field and in Kubernetes' own words.

Pure: an object in (and, for an update, the one before it), a list of causes out; empty means valid. Read `fields.py`
(the vocabulary), then `metadata.py`, `pods.py` and `services.py`. Whether an address is *free* is not asked here: that
is decided in the transaction that claims it.
"""

from collections.abc import Callable
from typing import Any

from minik8s.api.apps import ControllerRevision, DaemonSet, Deployment, ReplicaSet, StatefulSet
from minik8s.api.autoscaling import HorizontalPodAutoscaler
from minik8s.api.batch import Job
from minik8s.api.core import ConfigMap, Endpoints, Namespace, Node, Secret, Service
from minik8s.api.discovery import EndpointSlice
from minik8s.api.meta import Object, StatusCause
from minik8s.api.networking import Ingress, IngressClass, IPAddress, ServiceCIDR
from minik8s.api.pods import Pod
from minik8s.api.policy import PodDisruptionBudget
from minik8s.api.rbac import ClusterRole, ClusterRoleBinding, Role, RoleBinding
from minik8s.api.validation import (
    endpoints,
    ephemeral,
    ingresses,
    ipranges,
    jobs,
    metadata,
    pods,
    rbac,
    services,
    small,
    workloads,
)
from minik8s.api.validation.fields import Problems

_CHECKS: dict[type[Object], Callable[[Problems, Any], None]] = {
    Pod: pods.check,
    Service: services.check,
    ReplicaSet: workloads.check_replica_set,
    Deployment: workloads.check_deployment,
    StatefulSet: workloads.check_stateful_set,
    DaemonSet: workloads.check_daemon_set,
    ControllerRevision: workloads.check_revision,
    Job: jobs.check,
    HorizontalPodAutoscaler: small.check_autoscaler,
    PodDisruptionBudget: small.check_budget,
    EndpointSlice: endpoints.check_slice,
    Endpoints: endpoints.check_endpoints,
    ConfigMap: small.check_config_map,
    Secret: small.check_secret,
    Node: small.check_node,
    Namespace: small.check_namespace,
    Ingress: ingresses.check,
    IngressClass: ingresses.check_class,
    IPAddress: ipranges.check_address,
    ServiceCIDR: ipranges.check_range,
    Role: rbac.check_role,
    ClusterRole: rbac.check_role,
    RoleBinding: rbac.check_binding,
    ClusterRoleBinding: rbac.check_binding,
}

_CREATIONS: dict[type[Object], Callable[[Problems, Any], None]] = {
    Pod: ephemeral.check_new,
    Ingress: ingresses.check_new,
}

_UPDATES: dict[type[Object], Callable[[Problems, Any, Any], None]] = {
    Pod: pods.check_update,
    Service: services.check_update,
    ReplicaSet: workloads.check_update,
    Deployment: workloads.check_update,
    StatefulSet: workloads.check_stateful_set_update,
    DaemonSet: workloads.check_update,
    ControllerRevision: workloads.check_revision_update,
    Job: jobs.check_update,
    EndpointSlice: endpoints.check_slice_update,
    ConfigMap: small.check_immutable,
    Secret: small.check_immutable,
    Node: small.check_node_update,
    IngressClass: ingresses.check_class_update,
    IPAddress: ipranges.check_address_update,
    ServiceCIDR: ipranges.check_range_update,
    RoleBinding: rbac.check_binding_update,
    ClusterRoleBinding: rbac.check_binding_update,
}


def validate(obj: Object, old: Object | None = None) -> list[StatusCause]:
    """Everything that is wrong with `obj`, as the replacement of `old` if given; in a stable order."""
    problems = Problems()
    metadata.check(problems, obj)
    if type(obj) in _CHECKS:
        _CHECKS[type(obj)](problems, obj)
    if old is None and type(obj) in _CREATIONS:
        _CREATIONS[type(obj)](problems, obj)
    if old is not None and type(obj) in _UPDATES:
        _UPDATES[type(obj)](problems, obj, old)
    return problems.causes
