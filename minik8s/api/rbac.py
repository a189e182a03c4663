"""rbac.authorization.k8s.io/v1: roles say what may be done, bindings say by whom.

A Role counts in its namespace, a ClusterRole everywhere; a RoleBinding gives either within its own namespace, a
ClusterRoleBinding gives a ClusterRole everywhere. There are no rules that forbid: what no rule allows is not allowed.
Source: the published OpenAPI of Kubernetes 1.33. Read `apiserver/auth/rbac.py` next: how a request is judged by these.
"""

from collections.abc import Iterable

import msgspec

from minik8s.api import selectors
from minik8s.api.meta import LabelSelector, Object, Struct, resource, says

GROUP = "rbac.authorization.k8s.io"
V1 = f"{GROUP}/v1"


class PolicyRule(Struct):
    """Verbs on resources, or on paths that are no resources. `*` stands for all of them; no names means any name."""

    verbs: list[str] = []
    apiGroups: list[str] = []
    resources: list[str] = []
    resourceNames: list[str] = []
    nonResourceURLs: list[str] = []


class RoleRef(Struct):
    """The role that a binding gives. It cannot be changed: whoever was to have another role gets another binding."""

    kind: str
    name: str
    apiGroup: str = says("")


class Subject(Struct):
    """Who gets it: a User or a Group by name, or a ServiceAccount by namespace and name."""

    kind: str
    name: str
    apiGroup: str = ""
    namespace: str = ""


@resource("roles")
class Role(Object):
    """What may be done in a namespace."""

    apiVersion: str = says(V1)
    kind: str = says("Role")
    rules: list[PolicyRule] = msgspec.field(default_factory=list)


@resource("rolebindings")
class RoleBinding(Object):
    """Gives a role within a namespace."""

    apiVersion: str = says(V1)
    kind: str = says("RoleBinding")
    subjects: list[Subject] = []
    roleRef: RoleRef = msgspec.field(default_factory=lambda: RoleRef(kind="", name=""))


class AggregationRule(Struct):
    """Whose rules a ClusterRole collects; those that it has itself are replaced by them."""

    clusterRoleSelectors: list[LabelSelector] = []


@resource("clusterroles", namespaced=False)
class ClusterRole(Object):
    """What may be done everywhere, or in any namespace that a RoleBinding names."""

    apiVersion: str = says(V1)
    kind: str = says("ClusterRole")
    rules: list[PolicyRule] = msgspec.field(default_factory=list)
    aggregationRule: AggregationRule | None = None


@resource("clusterrolebindings", namespaced=False)
class ClusterRoleBinding(Object):
    """Gives a ClusterRole everywhere."""

    apiVersion: str = says(V1)
    kind: str = says("ClusterRoleBinding")
    subjects: list[Subject] = []
    roleRef: RoleRef = msgspec.field(default_factory=lambda: RoleRef(kind="", name=""))


AnyRole = Role | ClusterRole
AnyBinding = RoleBinding | ClusterRoleBinding


def aggregated(role: ClusterRole, others: Iterable[ClusterRole]) -> list[PolicyRule]:
    """What a ClusterRole that collects has to say: the rules of those its selectors name, each once, by name."""
    assert role.aggregationRule is not None
    found: list[PolicyRule] = []
    for other in sorted(others, key=lambda each: each.metadata.name):
        picked = any(
            selectors.matches(each, other.metadata.labels) for each in role.aggregationRule.clusterRoleSelectors
        )
        if picked and other.metadata.name != role.metadata.name:
            found += [rule for rule in other.rules if rule not in found]
    return found
