"""What our components have to be given on another API server, to be sent there with `kubectl apply`. Pure.

Upstream's own roles know the work of upstream's programs, which is not quite that of ours: our proxy also looks at
Pods, our agents write the slice of their node's DNS. The names here are none that a server keeps for itself. What
`authz.py` makes depend on the object cannot be said in a role: there, every agent may write any slice in kube-system,
and every proxy any Lease.
"""

from collections.abc import Iterable, Iterator

from minik8s.api import kinds
from minik8s.api.meta import Object, ObjectMeta
from minik8s.api.rbac import ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding
from minik8s.apiserver.auth import authz
from minik8s.apiserver.auth.roles import BOUND, CLUSTER_ROLES, ROLES, ref, rule, subject

# A component's role there → under which name it has its rights here: that of a role, or of a group of `authz.RULES`.
OURS = {
    "minik8s:agent": "system:nodes",
    "minik8s:controllers": "system:kube-controller-manager",
    "minik8s:dns": "system:node-dns",
    "minik8s:ingress": "system:node-ingress",
    "minik8s:proxy": "system:node-proxier",
    "minik8s:scheduler": "system:kube-scheduler",
}
SYSTEM = "kube-system"
GROUPS = {cls.resource.plural: cls.resource.group for cls in reversed(kinds.ALL)}


def manifests() -> list[Object]:
    """Roles and bindings, complete. Whom they are bound to is whom the certificates of `up` name."""
    return [each for name, here in OURS.items() for each in _given(name, here)]


def _given(name: str, here: str) -> Iterator[Object]:
    """What one component has everywhere, and what it has in kube-system beside it."""
    subjects = [subject(who) for who in BOUND.get(here, (f"group {here}",))]
    house = authz.RULES.get(here, ())
    # A condition that holds for a node's own objects everywhere is upstream's node authorizer's business.
    everywhere = [*CLUSTER_ROLES.get(here, ()), *_said(each for each in house if not each.namespace and not each.only)]
    if everywhere:
        meta = ObjectMeta(name=name)
        yield ClusterRole(metadata=meta, rules=everywhere)
        yield ClusterRoleBinding(metadata=meta, subjects=subjects, roleRef=ref("ClusterRole", name))
    local, _ = ROLES.get(here, ([], ()))
    if rules := [*local, *_said(each for each in house if each.namespace == SYSTEM)]:
        meta = ObjectMeta(name=name, namespace=SYSTEM)
        yield Role(metadata=meta, rules=rules)
        yield RoleBinding(metadata=meta, subjects=subjects, roleRef=ref("Role", name))


def _said(rules: Iterable[authz.Rule]) -> list[PolicyRule]:
    """Rules of the house as those of a role, one for each API group."""
    return [
        rule(each.verbs, group, " ".join(name for name in each.resources if GROUPS[name] == group))
        for each in rules
        for group in sorted({GROUPS[name] for name in each.resources})
    ]
