"""How a list or a map of an object is changed: whole, or element by element, and by which key. One table.

A strategic merge patch asks for `patch_strategy` and `patch_merge_key`; server-side apply for `list_type`,
`list_map_keys` and `map_type`; the OpenAPI documents publish all five as `x-kubernetes-…`. What is not in the table is
upstream's default: a list is replaced whole, a map and a struct are merged key by key. The two questions may have
different answers for one field (`hostIPs`), because they are of different age.

Source: the published OpenAPI of Kubernetes 1.33. Read `strategic.py` and `ownership/` for who asks.
"""

from dataclasses import dataclass
from typing import Any

from minik8s.api import (
    apps,
    autoscaling,
    batch,
    claims,
    core,
    discovery,
    meta,
    networking,
    pods,
    policy,
    rbac,
    references,
)
from minik8s.api.meta import Struct


@dataclass(frozen=True)
class Rule:
    """How one field merges. `list_map_keys` together name an element of a list of type "map"."""

    patch_strategy: str = ""
    patch_merge_key: str = ""
    list_type: str = ""
    list_map_keys: tuple[str, ...] = ()
    map_type: str = ""

    @property
    def merges(self) -> bool:
        """Does a strategic merge patch go into the elements?"""
        return "merge" in self.patch_strategy.split(",")


def by(*keys: str, also: str = "") -> Rule:
    """A list whose elements are told apart by these fields; a patch looks at the first alone."""
    return Rule(f"merge{also}", keys[0], "map", keys)


DEFAULT = Rule()
BY_TYPE = by("type")
BY_NAME = by("name")
ONE_BY_ONE = Rule("merge", list_type="set")  # plain values, each there or not
A_SET = Rule(list_type="set")
WHOLE_MAP = Rule(map_type="atomic")
CONDITIONS = {"conditions": BY_TYPE}
CONTAINER = {
    "env": BY_NAME,
    "ports": by("containerPort", "protocol"),
    "volumeMounts": by("mountPath"),
    "volumeDevices": by("devicePath"),
}

RULES: dict[type[Struct], dict[str, Rule]] = {
    meta.ObjectMeta: {"ownerReferences": by("uid"), "finalizers": ONE_BY_ONE},
    pods.PodSpec: {
        "containers": BY_NAME,
        "initContainers": BY_NAME,
        "ephemeralContainers": BY_NAME,
        "volumes": by("name", also=",retainKeys"),
        "imagePullSecrets": BY_NAME,
        "resourceClaims": by("name", also=",retainKeys"),
        "schedulingGates": BY_NAME,
        "topologySpreadConstraints": by("topologyKey", "whenUnsatisfiable"),
        "hostAliases": by("ip"),
        "nodeSelector": WHOLE_MAP,
    },
    pods.Container: CONTAINER,
    pods.EphemeralContainer: CONTAINER,
    pods.ResourceRequirements: {"claims": Rule(list_type="map", list_map_keys=("name",))},
    pods.ContainerStatus: {"allocatedResourcesStatus": BY_NAME, "volumeMounts": by("mountPath")},
    pods.ResourceStatus: {"resources": Rule(list_type="map", list_map_keys=("resourceID",))},
    pods.PodStatus: {
        "conditions": BY_TYPE,
        "podIPs": by("ip"),
        "hostIPs": Rule("merge", "ip"),
        "resourceClaimStatuses": by("name", also=",retainKeys"),
    },
    core.ServiceSpec: {"ports": by("port", "protocol"), "selector": WHOLE_MAP},
    core.ServiceStatus: CONDITIONS,
    core.NodeSpec: {"podCIDRs": ONE_BY_ONE},
    core.NodeStatus: {"conditions": BY_TYPE, "addresses": BY_TYPE},
    core.NamespaceStatus: CONDITIONS,
    core.ServiceAccount: {"secrets": BY_NAME},
    apps.DeploymentSpec: {"strategy": Rule("retainKeys")},
    apps.DeploymentStatus: CONDITIONS,
    apps.ReplicaSetStatus: CONDITIONS,
    apps.StatefulSetStatus: CONDITIONS,
    apps.DaemonSetStatus: CONDITIONS,
    claims.PersistentVolumeClaimStatus: CONDITIONS,
    # Applied whole, merged by type: upstream's Job is like that.
    batch.JobStatus: {"conditions": Rule("merge", "type", "atomic")},
    batch.PodFailurePolicyOnExitCodesRequirement: {"values": A_SET},
    batch.UncountedTerminatedPods: {"succeeded": A_SET, "failed": A_SET},
    policy.PodDisruptionBudgetSpec: {"selector": Rule("replace")},
    policy.PodDisruptionBudgetStatus: CONDITIONS,
    claims.PersistentVolumeClaimStatus: CONDITIONS,
    networking.ServiceCIDRSpec: {"cidrs": Rule(list_type="atomic")},
    networking.ServiceCIDRStatus: CONDITIONS,
    discovery.Endpoint: {"addresses": A_SET},
}

# These are one value to server-side apply: who sets a part of it sets all of it.
ATOMIC: frozenset[type[Struct]] = frozenset(
    {
        autoscaling.CrossVersionObjectReference,
        meta.LabelSelector,
        meta.OwnerReference,
        pods.ConfigMapKeySelector,
        pods.SecretKeySelector,
        pods.ObjectFieldSelector,
        pods.ResourceFieldSelector,
        pods.NodeSelector,
        pods.NodeSelectorTerm,
        core.ObjectReference,
        core.LocalObjectReference,
        core.EndpointAddress,
        core.EndpointPort,
        discovery.EndpointPort,
        networking.ServiceBackendPort,
        references.TypedLocalObjectReference,
        rbac.RoleRef,
        rbac.Subject,
    }
)


def rule(cls: type[Any], field: str) -> Rule:
    """How the field of that name (as the wire has it) merges."""
    return RULES.get(cls, {}).get(field, DEFAULT)
