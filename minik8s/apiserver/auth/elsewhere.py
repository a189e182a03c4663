"""What our components have to be given on another API server, to be sent there with `kubectl apply`. Pure.

Upstream's own roles know the work of upstream's programs, which is not quite that of ours: our proxy also looks at
Pods, our agents write the slice of their node's DNS. The names here are none that a server keeps for itself. What
`authz.py` makes depend on the object cannot be said in a role: there, every agent may write any slice in kube-system,
and every proxy any Lease.
"""

from collections.abc import Iterable

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
    made: list[Object] = []
    for name, here in OURS.items():
        house = authz.RULES.get(here, ())
        subjects = [subject(who) for who in BOUND.get(here, (f"group {here}",))]
        # A condition that holds for a node's own objects everywhere is upstream's node authorizer's business.
        if rules := [
            *CLUSTER_ROLES.get(here, ()),
            *_said(each for each in house if not each.namespace and not each.only),
        ]:
            made.append(ClusterRole(metadata=ObjectMeta(name=name), rules=rules))
            made.append(
                ClusterRoleBinding(metadata=ObjectMeta(name=name), subjects=subjects, roleRef=ref("ClusterRole", name))
            )
        local = ROLES[here][0] if here in ROLES else []
        if rules := [*local, *_said(each for each in house if each.namespace == SYSTEM)]:
            made.append(Role(metadata=ObjectMeta(name=name, namespace=SYSTEM), rules=rules))
            made.append(
                RoleBinding(
                    metadata=ObjectMeta(name=name, namespace=SYSTEM), subjects=subjects, roleRef=ref("Role", name)
                )
            )
    return made


def _said(rules: Iterable[authz.Rule]) -> list[PolicyRule]:
    """Rules of the house as those of a role, one for each API group."""
    return [
        rule(each.verbs, group, " ".join(name for name in each.resources if GROUPS[name] == group))
        for each in rules
        for group in sorted({GROUPS[name] for name in each.resources})
    ]
