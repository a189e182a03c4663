"""Rows of role bindings: which role, and who has it. Roles themselves show their name alone. Pure."""

from minik8s.api.meta import Object
from minik8s.api.rbac import AnyBinding, ClusterRoleBinding, RoleBinding
from minik8s.apiserver.tables.columns import AGE, NAME, Cells, Table, age, text, wide

COLUMNS = (
    NAME,
    text("Role", "The role that is given."),
    AGE,
    wide("Users", "Users who have it."),
    wide("Groups", "Groups whose members have it."),
    wide("ServiceAccounts", "ServiceAccounts that have it."),
)


def _binding(binding: AnyBinding, now: float) -> Cells:
    def named(kind: str) -> str:
        who = [each for each in binding.subjects if each.kind == kind]
        return ", ".join(f"{each.namespace}/{each.name}" if kind == "ServiceAccount" else each.name for each in who)

    role = f"{binding.roleRef.kind}/{binding.roleRef.name}"
    return [binding.metadata.name, role, age(binding, now), named("User"), named("Group"), named("ServiceAccount")]


TABLES: dict[type[Object], Table] = {cls: Table(COLUMNS, _binding) for cls in (RoleBinding, ClusterRoleBinding)}
