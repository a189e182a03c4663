"""Decides what ClusterRoles that collect have to say. Pure.

One that collects from another that collects is right after the next look. Read `api/rbac.py` for what is collected.
"""

from collections.abc import Iterable

from minik8s.api import codec
from minik8s.api.rbac import ClusterRole, aggregated
from minik8s.controllers.actions import Action, Patch


def plan(roles: Iterable[ClusterRole]) -> list[Action]:
    """The writes after which every ClusterRole that collects says what it must."""
    known = list(roles)
    actions: list[Action] = []
    for role in sorted(known, key=lambda each: each.metadata.name):
        if role.aggregationRule is None:
            continue
        rules = aggregated(role, known)
        if rules != role.rules:
            change = {"rules": [codec.to_dict(each) for each in rules]}
            actions.append(Patch(role, change, "what it collects has changed"))
    return actions
