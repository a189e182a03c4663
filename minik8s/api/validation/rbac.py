"""What roles and bindings must keep to. Source: upstream's validation of rbac.authorization.k8s.io."""

from minik8s.api.rbac import GROUP, AnyBinding, AnyRole, ClusterRoleBinding, PolicyRule, Role, Subject
from minik8s.api.validation.fields import Problems


def check_role(problems: Problems, role: AnyRole) -> None:
    for at, rule in enumerate(role.rules):
        _check_rule(problems, f"rules[{at}]", rule, namespaced=isinstance(role, Role))


def _check_rule(problems: Problems, field: str, rule: PolicyRule, *, namespaced: bool) -> None:
    if not rule.verbs:
        problems.required(f"{field}.verbs", "verbs must contain at least one value")
    if rule.nonResourceURLs:
        if namespaced:
            problems.invalid(
                f"{field}.nonResourceURLs", rule.nonResourceURLs, "namespaced rules cannot apply to non-resource URLs"
            )
        if rule.apiGroups or rule.resources or rule.resourceNames:
            problems.invalid(
                f"{field}.nonResourceURLs",
                rule.nonResourceURLs,
                "rules cannot apply to both regular resources and non-resource URLs",
            )
        return
    if not rule.apiGroups:
        problems.required(f"{field}.apiGroups", "resource rules must supply at least one api group")
    if not rule.resources:
        problems.required(f"{field}.resources", "resource rules must supply at least one resource")


def check_binding(problems: Problems, binding: AnyBinding) -> None:
    ref = binding.roleRef
    problems.one_of("roleRef.apiGroup", ref.apiGroup, (GROUP,))
    kinds = ("ClusterRole",) if isinstance(binding, ClusterRoleBinding) else ("Role", "ClusterRole")
    problems.one_of("roleRef.kind", ref.kind, kinds)
    if not ref.name:
        problems.required("roleRef.name")
    else:
        problems.path_segment("roleRef.name", ref.name)
    for at, subject in enumerate(binding.subjects):
        _check_subject(problems, f"subjects[{at}]", subject)


def _check_subject(problems: Problems, field: str, subject: Subject) -> None:
    if not subject.name:
        problems.required(f"{field}.name")
    if not problems.one_of(f"{field}.kind", subject.kind, ("ServiceAccount", "User", "Group")):
        return
    account = subject.kind == "ServiceAccount"
    problems.one_of(f"{field}.apiGroup", subject.apiGroup, ("",) if account else (GROUP,))
    if not account:
        return
    if subject.name:
        problems.subdomain(f"{field}.name", subject.name)
    if not subject.namespace:
        problems.required(f"{field}.namespace")


def check_binding_update(problems: Problems, new: AnyBinding, old: AnyBinding) -> None:
    if new.roleRef != old.roleRef:
        problems.invalid("roleRef", new.roleRef, "cannot change roleRef")
