"""Nobody gives away what they do not have: who writes roles and bindings must hold all that these allow.

Else whoever may write a role could write themselves everything. Two verbs free from it: `escalate` on the role, `bind`
on the role that a binding names. Invariant: checked at every write that changes what is given, by the rights of that
very moment. Source: upstream's escalation check. Read `rbac.py` for how rules are compared.
"""

from minik8s.api.meta import Object
from minik8s.api.rbac import GROUP, AnyBinding, AnyRole, ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding
from minik8s.apiserver import errors
from minik8s.apiserver.auth import rbac
from minik8s.apiserver.auth.authz import MASTERS, Ask
from minik8s.apiserver.request import Request


def check(request: Request, before: Object | None, after: Object | None) -> None:
    """Raise a 403 where a role or a binding would allow more than its author may do."""
    if MASTERS in request.user.groups:
        return
    if isinstance(after, Role | ClusterRole):
        _check_role(request, before, after)
    elif isinstance(after, RoleBinding | ClusterRoleBinding):
        _check_binding(request, before, after)


def _check_role(request: Request, before: Object | None, role: AnyRole) -> None:
    if isinstance(before, Role | ClusterRole) and before.rules == role.rules and not _collects_more(before, role):
        return
    if not _may(request, "escalate", role.resource.plural, role.metadata.namespace, role.metadata.name):
        wanted = list(role.rules)
        if isinstance(role, ClusterRole) and role.aggregationRule:
            wanted.append(PolicyRule(verbs=["*"], apiGroups=["*"], resources=["*"]))  # it may become anything
        _check_rules(request, role, wanted)


def _collects_more(before: AnyRole, after: AnyRole) -> bool:
    collected = [role.aggregationRule for role in (before, after) if isinstance(role, ClusterRole)]
    return collected[:1] != collected[1:]


def _check_binding(request: Request, before: Object | None, binding: AnyBinding) -> None:
    given = (binding.roleRef, binding.subjects)
    if isinstance(before, RoleBinding | ClusterRoleBinding) and (before.roleRef, before.subjects) == given:
        return
    ref, namespace = binding.roleRef, binding.metadata.namespace
    cls = Role if ref.kind == "Role" else ClusterRole
    if _may(request, "bind", cls.resource.plural, namespace, ref.name):
        return
    policies = request.rights.policies
    if policies.role(ref, namespace) is None:
        raise errors.not_found(cls, ref.name)
    _check_rules(request, binding, policies.rules(ref, namespace))


def _may(request: Request, verb: str, resource: str, namespace: str, name: str) -> bool:
    ask = Ask(request.user, verb, resource, namespace, name, group=GROUP)
    return request.rights.allowed(ask) is None


def _check_rules(request: Request, obj: Object, wanted: list[PolicyRule]) -> None:
    owned = request.rights.policies.rules_of(request.user, obj.metadata.namespace)
    lacking = rbac.missing(owned, wanted)
    if not lacking:
        return
    groups = " ".join(f'"{group}"' for group in request.user.groups)
    because = (
        f'user "{request.user.name}" (groups=[{groups}]) is attempting to grant RBAC permissions not currently held:\n'
        + "\n".join(_shown(rule) for rule in lacking)
    )
    raise errors.forbidden(type(obj), obj.metadata.name, because)


def _shown(rule: PolicyRule) -> str:
    """`{APIGroups:[""], Resources:["pods"], Verbs:["get"]}`."""
    parts = (
        ("APIGroups", rule.apiGroups),
        ("Resources", rule.resources),
        ("ResourceNames", rule.resourceNames),
        ("NonResourceURLs", rule.nonResourceURLs),
        ("Verbs", rule.verbs),
    )
    told = [f"{name}:[" + ", ".join(f'"{value}"' for value in values) + "]" for name, values in parts if values]
    return "{" + ", ".join(told) + "}"
