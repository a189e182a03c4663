"""Role-based access: what roles and bindings allow whom. Pure; the objects come from `policies.py`.

A request is allowed when one rule of one role that is bound to the user, or to a group of the user, speaks of its
verb, its group, its resource, and of its name if the rule names any. Invariant: nothing here says no; what no rule
allows is left to others, and in the end forbidden. Read `grants.py` next: nobody gives away what they do not have.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from minik8s.api.rbac import AnyBinding, AnyRole, ClusterRoleBinding, PolicyRule, RoleBinding, RoleRef, Subject
from minik8s.apiserver.auth.authn import User

ACCOUNT = "system:serviceaccount:"


@dataclass(frozen=True, slots=True)
class Act:
    """What is to be done, as rules see it: on a resource, or on a `path` that is none."""

    verb: str
    group: str = ""
    resource: str = ""  # pods, pods/status
    name: str = ""
    path: str = ""


@dataclass(frozen=True)
class Policies:
    """All roles and bindings. A role's key is (namespace, name), with no namespace for a ClusterRole."""

    roles: Mapping[tuple[str, str], AnyRole] = field(default_factory=dict)
    everywhere: tuple[ClusterRoleBinding, ...] = ()
    within: Mapping[str, tuple[RoleBinding, ...]] = field(default_factory=dict)  # by namespace

    def rules_of(self, user: User, namespace: str = "") -> list[PolicyRule]:
        """All rules for a user: those that count everywhere, then those of a namespace."""
        found: list[PolicyRule] = []
        bindings: tuple[AnyBinding, ...] = (*self.everywhere, *self.within.get(namespace, ()))
        for binding in bindings:
            if any(names(subject, user) for subject in binding.subjects):
                found += self.rules(binding.roleRef, binding.metadata.namespace)
        return found

    def role(self, ref: RoleRef, namespace: str) -> AnyRole | None:
        return self.roles.get((namespace if ref.kind == "Role" else "", ref.name))

    def rules(self, ref: RoleRef, namespace: str) -> list[PolicyRule]:
        """The rules of a role that a binding in this namespace names; none if there is no such role (yet)."""
        role = self.role(ref, namespace)
        return role.rules if role is not None else []


def names(subject: Subject, user: User) -> bool:
    """Is the user meant?"""
    if subject.kind == "User":
        return subject.name == user.name
    if subject.kind == "Group":
        return subject.name in user.groups
    return user.name == f"{ACCOUNT}{subject.namespace}:{subject.name}"


def permits(rules: Iterable[PolicyRule], act: Act) -> bool:
    return any(rule_permits(rule, act) for rule in rules)


def rule_permits(rule: PolicyRule, act: Act) -> bool:
    if act.verb not in rule.verbs and "*" not in rule.verbs:
        return False
    if act.path:
        return any(_path_fits(pattern, act.path) for pattern in rule.nonResourceURLs)
    if act.group not in rule.apiGroups and "*" not in rule.apiGroups:
        return False
    if rule.resourceNames and act.name not in rule.resourceNames:
        return False
    return any(_resource_fits(pattern, act.resource) for pattern in rule.resources)


def _path_fits(pattern: str, path: str) -> bool:
    return pattern in ("*", path) or (pattern.endswith("*") and path.startswith(pattern[:-1]))


def _resource_fits(pattern: str, resource: str) -> bool:
    """`*` is everything, subresources too; `*/scale` is the scale of everything."""
    if pattern in ("*", resource):
        return True
    _, slash, subresource = resource.partition("/")
    return bool(slash) and pattern == f"*/{subresource}"


# --- Comparing rules --------------------------------------------------------------------------------------------------


def acts_of(rule: PolicyRule) -> list[tuple[Act, PolicyRule]]:
    """A rule taken apart: each single thing it allows, and the rule that says just this."""
    if rule.nonResourceURLs:
        return [
            (Act(verb, path=path), PolicyRule(verbs=[verb], nonResourceURLs=[path]))
            for verb in rule.verbs
            for path in rule.nonResourceURLs
        ]
    return [
        (
            Act(verb, group, resource, name),
            PolicyRule(verbs=[verb], apiGroups=[group], resources=[resource], resourceNames=[name] if name else []),
        )
        for verb in rule.verbs
        for group in rule.apiGroups
        for resource in rule.resources
        for name in (rule.resourceNames or [""])
    ]


def missing(owned: list[PolicyRule], wanted: Iterable[PolicyRule]) -> list[PolicyRule]:
    """What `wanted` allows and `owned` does not. A `*` is only covered by a `*`."""
    return [single for rule in wanted for act, single in acts_of(rule) if not permits(owned, act)]
