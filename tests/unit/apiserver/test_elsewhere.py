"""The roles that our components get on another API server: as much as they have here, by names alone, and no more."""

import pytest
import yaml
from click.testing import CliRunner
from test_access_table import GROUPS, ROWS, USERS, VERBS, allowed, where

from minik8s.api.rbac import ClusterRole, Role
from minik8s.apiserver.auth import elsewhere
from minik8s.apiserver.auth.policies import policies_of
from minik8s.apiserver.auth.rbac import Act, permits
from minik8s.cli.main import root

THERE = policies_of(elsewhere.manifests())
COMPONENTS = ("control", "dns", "ingress", "node", "proxy", "sched")
# What a node may do with its own is not a matter of roles there, but of upstream's node authorizer; what everybody may
# ask about himself is one of `system:basic-user`.
GIVEN = {
    "pods",
    "pods/status",
    "nodes",
    "nodes/status",
    "leases(node)",
    "secrets",
    "configmaps",
    "serviceaccounts/token",
}
BY_ALL = "selfsubjectaccessreviews"


def allowed_there(who, verb, row):
    base, _, subresource = row.partition("/")
    resource = base.partition("(")[0]
    namespace, name = where(row, "own")
    asked_name = "" if verb in ("list", "watch", "deletecollection") else name
    full = f"{resource}/{subresource}" if subresource else resource
    act = Act(verb, GROUPS[resource], full, asked_name)
    return permits(THERE.rules_of(USERS[who], namespace), act)


# Objects in kube-system that a role cannot tell from one another by the component they belong to.
ALIKE = {"leases", "leases(address)", "leases(ingress)", "leases(leader)", "endpointslices(dns)"}
OWN = [each[0].removesuffix(":own") for each in ROWS[1:] if each[0].endswith(":own")]


@pytest.mark.parametrize("who", COMPONENTS)
def test_a_component_may_do_with_its_own_what_it_may_do_here(who):
    lacking = {
        (row, verb)
        for row in OWN
        for verb in VERBS.values()
        if allowed(who, verb, row, "own") and not allowed_there(who, verb, row)
    }
    assert {row for row, _ in lacking} == ({*GIVEN, BY_ALL} if who == "node" else {BY_ALL})


@pytest.mark.parametrize("who", COMPONENTS)
def test_it_may_do_nothing_more_but_where_names_do_not_tell(who):
    more = {
        row
        for row in OWN
        for verb in VERBS.values()
        if allowed_there(who, verb, row) and not allowed(who, verb, row, "own")
    }
    assert more <= ALIKE


def test_every_binding_leads_to_a_role_and_no_name_is_one_that_a_server_keeps():
    made = elsewhere.manifests()
    kept = {(each.kind, each.metadata.name) for each in made if isinstance(each, Role | ClusterRole)}
    bound = {(each.roleRef.kind, each.roleRef.name) for each in made if not isinstance(each, Role | ClusterRole)}
    assert kept == bound
    assert not [each for each in made if each.metadata.name.startswith("system:")]


def test_they_are_printed_for_kubectl():
    answer = CliRunner().invoke(root, ["run", "--roles"])
    assert answer.exit_code == 0
    assert len(yaml.safe_load(answer.output)["items"]) == len(elsewhere.manifests())
