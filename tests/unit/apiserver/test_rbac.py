"""Roles and bindings: whom they allow what, what nobody may give away, and what a cluster begins with."""

import pytest
from memory_store import registry

from minik8s.api import codec
from minik8s.api.core import ConfigMap
from minik8s.api.meta import LabelSelector, ObjectMeta
from minik8s.api.rbac import (
    AggregationRule,
    ClusterRole,
    ClusterRoleBinding,
    PolicyRule,
    Role,
    RoleBinding,
    RoleRef,
    Subject,
    aggregated,
)
from minik8s.api.validation import validate
from minik8s.apiserver import preparing
from minik8s.apiserver.auth import access, roles
from minik8s.apiserver.auth.authn import User
from minik8s.apiserver.auth.authz import Ask, Rights
from minik8s.apiserver.auth.policies import policies_of
from minik8s.apiserver.auth.rbac import Act, permits
from minik8s.apiserver.errors import Failure
from minik8s.apiserver.registry import key_of
from minik8s.apiserver.request import Request
from minik8s.apiserver.routes import Target
from minik8s.controllers.clusterroles.plan import plan

JANE = User("jane", ("devs", "system:authenticated"))
ROBOT = User("system:serviceaccount:a:robot", ("system:serviceaccounts", "system:authenticated"))


def rule(text, names=""):
    """`get,list apps deployments` → a rule; `core` is the core group."""
    verbs, group, resources = text.split()
    groups = ["" if each == "core" else each for each in group.split(",")]
    return PolicyRule(
        verbs=verbs.split(","), apiGroups=groups, resources=resources.split(","), resourceNames=names.split()
    )


def act(text):
    """`get core pods web`."""
    verb, group, resource, *name = text.split()
    return Act(verb, "" if group == "core" else group, resource, "".join(name))


PERMITTED = [
    # a rule, its names, what is asked, the answer
    ("get core pods", "", "get core pods web", True),
    ("get core pods", "", "list core pods", False),
    ("get core pods", "", "get core pods/log web", False),
    ("get core pods", "", "get apps pods web", False),
    ("* * *", "", "delete apps deployments/scale web", True),
    ("get core *", "", "get core pods/log web", True),
    ("update apps */scale", "", "update apps deployments/scale web", True),
    ("update apps */scale", "", "update apps deployments web", False),
    ("get core secrets", "one two", "get core secrets two", True),
    ("get core secrets", "one two", "get core secrets three", False),
    ("get,list core secrets", "one", "list core secrets", False),
    ("create core secrets", "one", "create core secrets", False),
    ("get core,apps pods", "", "get apps pods", True),
]


@pytest.mark.parametrize("text, names, asked, answer", PERMITTED)
def test_a_rule_allows_what_it_says_and_nothing_else(text, names, asked, answer):
    assert permits([rule(text, names)], act(asked)) is answer


URLS = [
    ("/api", "/api", True),
    ("/api", "/api/v1", False),
    ("/api/*", "/api/v1", True),
    ("*", "/x", True),
    ("/a/*", "/b", False),
]


@pytest.mark.parametrize("pattern, path, answer", URLS)
def test_a_rule_for_paths_ends_where_it_says(pattern, path, answer):
    assert permits([PolicyRule(verbs=["get"], nonResourceURLs=[pattern])], Act("get", path=path)) is answer


def named(name, namespace=""):
    return ObjectMeta(name=name, namespace=namespace)


def world(*more):
    """Two roles to read Pods, one for a namespace `a`, one for everywhere, and whatever is added."""
    reader = [rule("get,list core pods")]
    return [
        Role(metadata=named("reader", "a"), rules=reader),
        ClusterRole(metadata=named("reader"), rules=reader),
        *more,
    ]


def binding(namespace, kind, *subjects, name="reader"):
    ref = RoleRef(kind=kind, name=name, apiGroup="rbac.authorization.k8s.io")
    if namespace:
        return RoleBinding(metadata=named("b", namespace), subjects=[*subjects], roleRef=ref)
    return ClusterRoleBinding(metadata=named("b"), subjects=[*subjects], roleRef=ref)


def robot(namespace):
    return Subject(kind="ServiceAccount", namespace=namespace, name="robot")


def may(rights, user, namespace, verb="list", resource="pods"):
    return rights.allowed(Ask(user, verb, resource, namespace)) is None


GIVEN = [
    # the binding, who asks, may they in namespace a, in b, everywhere
    (binding("a", "Role", Subject(kind="User", name="jane")), JANE, (True, False, False)),
    (binding("a", "ClusterRole", Subject(kind="Group", name="devs")), JANE, (True, False, False)),
    (binding("", "ClusterRole", Subject(kind="User", name="jane")), JANE, (True, True, True)),
    (binding("b", "Role", Subject(kind="User", name="jane")), JANE, (False, False, False)),
    (
        binding("b", "ClusterRole", Subject(kind="ServiceAccount", namespace="a", name="robot")),
        ROBOT,
        (False, True, False),
    ),
    (
        binding("b", "ClusterRole", Subject(kind="ServiceAccount", namespace="b", name="robot")),
        ROBOT,
        (False, False, False),
    ),
    (binding("", "ClusterRole", Subject(kind="User", name="jane"), name="none"), JANE, (False, False, False)),
    (binding("", "ClusterRole", Subject(kind="User", name="devs")), JANE, (False, False, False)),
]


@pytest.mark.parametrize("given, user, answers", GIVEN)
def test_a_binding_gives_a_role_where_it_stands_to_whom_it_names(given, user, answers):
    rights = Rights(policies_of(world(given)))
    assert tuple(may(rights, user, where) for where in ("a", "b", "")) == answers
    assert not may(rights, User("joe", ("system:authenticated",)), "a")


def test_masters_need_no_role_and_a_right_may_stand_for_one_object_alone():
    assert may(Rights(), User("root", ("system:masters",)), "a")
    one = Role(metadata=named("one", "a"), rules=[rule("get core pods", "web")])
    rights = Rights(policies_of([one, binding("a", "Role", Subject(kind="User", name="jane"), name="one")]))
    answers = [rights.allowed(Ask(JANE, "get", "pods", "a", name)) is None for name in ("web", "db", "")]
    assert answers == [True, False, False]


# --- Nobody gives away what they do not have --------------------------------------------------------------------------

WRITER = rule("create,update rbac.authorization.k8s.io roles,rolebindings,clusterroles,clusterrolebindings")


def author(*rules):
    """Jane, who may write roles and bindings, and whatever else these rules allow her."""
    role = ClusterRole(metadata=named("author"), rules=[WRITER, *rules])
    given = binding("", "ClusterRole", Subject(kind="User", name="jane"), name="author")
    secrets = ClusterRole(metadata=named("secrets"), rules=[rule("get core secrets")])
    return Rights(policies_of([*world(role, given), secrets]))


def write(rights, obj, before=None):
    target = Target(type(obj), obj.metadata.namespace, obj.metadata.name)
    access.check(Request(target, "update" if before else "create", JANE, rights=rights), before, obj)


def test_who_writes_a_role_must_hold_all_that_it_allows():
    role = Role(metadata=named("r", "a"), rules=[rule("get core pods,secrets")])
    write(author(rule("get core pods,secrets")), role)
    write(author(rule("* * *")), role)
    write(author(rule("escalate rbac.authorization.k8s.io roles")), role)
    with pytest.raises(Failure) as refused:
        write(author(rule("get core pods")), role)
    assert str(refused.value) == (
        'roles.rbac.authorization.k8s.io "r" is forbidden: user "jane" (groups=["devs" "system:authenticated"]) is '
        "attempting to grant RBAC permissions not currently held:\n"
        '{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}'
    )


@pytest.mark.parametrize("wanted", ["* core pods", "get * pods", "get core *"])
def test_a_star_is_only_held_by_who_holds_a_star(wanted):
    with pytest.raises(Failure, match="not currently held"):
        write(
            author(rule("get,list,create core,apps pods,secrets")), Role(metadata=named("r", "a"), rules=[rule(wanted)])
        )


def test_a_role_that_allows_no_more_than_before_may_be_relabelled_by_anybody_who_may_write_it():
    old = Role(metadata=named("r", "a"), rules=[rule("get core secrets")])
    new = codec.decode(Role, codec.encode(old))
    new.metadata.labels = {"a": "b"}
    write(author(), new, old)
    new.rules.append(rule("get core nodes"))
    with pytest.raises(Failure, match='Resources:\\["nodes"\\]'):
        write(author(), new, old)


def test_who_makes_a_role_collect_may_need_everything():
    collecting = AggregationRule(clusterRoleSelectors=[LabelSelector(matchLabels={"a": "b"})])
    role = ClusterRole(metadata=named("c"), aggregationRule=collecting)
    with pytest.raises(Failure, match="not currently held"):
        write(author(), role)
    write(author(rule("* * *")), role)


def test_who_binds_a_role_must_hold_it_or_be_allowed_to_bind_it():
    jack = Subject(kind="User", name="jack")
    write(author(rule("get core secrets")), binding("a", "ClusterRole", jack, name="secrets"))
    write(
        author(rule("bind rbac.authorization.k8s.io clusterroles", "secrets")),
        binding("", "ClusterRole", jack, name="secrets"),
    )
    for given in (binding("a", "ClusterRole", jack, name="secrets"), binding("", "ClusterRole", jack, name="secrets")):
        with pytest.raises(Failure, match="not currently held"):
            write(author(), given)
    with pytest.raises(Failure, match='"none" not found') as unknown:
        write(author(), binding("a", "Role", jack, name="none"))
    assert unknown.value.code == 404


# --- What objects must keep to ----------------------------------------------------------------------------------------

WRONG = [
    (Role(metadata=named("r", "a"), rules=[PolicyRule(apiGroups=[""], resources=["pods"])]), "rules[0].verbs"),
    (Role(metadata=named("r", "a"), rules=[PolicyRule(verbs=["get"], resources=["pods"])]), "rules[0].apiGroups"),
    (Role(metadata=named("r", "a"), rules=[PolicyRule(verbs=["get"], apiGroups=[""])]), "rules[0].resources"),
    (
        Role(metadata=named("r", "a"), rules=[PolicyRule(verbs=["get"], nonResourceURLs=["/x"])]),
        "rules[0].nonResourceURLs",
    ),
    (Role(metadata=named("a/b", "a")), "metadata.name"),
    (binding("", "Role", Subject(kind="User", name="jane", apiGroup="rbac.authorization.k8s.io")), "roleRef.kind"),
    (binding("a", "Role", Subject(kind="Robot", name="jane")), "subjects[0].kind"),
    (binding("a", "Role", Subject(kind="User", name="jane", apiGroup="apps")), "subjects[0].apiGroup"),
    (binding("a", "Role", Subject(kind="ServiceAccount", name="robot")), "subjects[0].namespace"),
]


@pytest.mark.parametrize("obj, field", WRONG)
def test_what_is_wrong_is_named_by_its_field(obj, field):
    assert field in [cause.field for cause in validate(obj)]


def test_a_binding_keeps_its_role():
    old, new = binding("a", "Role"), binding("a", "ClusterRole")
    assert [cause.field for cause in validate(new, old)] == ["roleRef"]
    assert validate(old, old) == []


SELECTED = [
    # verb, name in the path, field selector, allowed
    ("get", "mine", "", True),
    ("list", "", "metadata.name=mine", True),
    ("watch", "", "metadata.name==mine", True),
    ("watch", "", "metadata.namespace=a,metadata.name=mine", True),
    ("list", "", "", False),
    ("list", "", "metadata.name=other", False),
    ("list", "", "metadata.name!=mine", False),
    ("list", "", "metadata.name=mine=", False),
    ("deletecollection", "", "metadata.name=mine", False),
]


@pytest.mark.parametrize("verb, name, selected, answer", SELECTED)
def test_who_may_read_one_object_may_list_and_watch_it_by_its_name(verb, name, selected, answer):
    role = Role(metadata=named("reader", "a"), rules=[rule("get,list,watch,deletecollection core configmaps", "mine")])
    rights = Rights(policies_of([role, binding("a", "Role", Subject(kind="User", name="jane"))]))
    request = Request(Target(ConfigMap, "a", name), verb, JANE, {"fieldSelector": selected}, rights=rights)
    if answer:
        access.check(request)
        return
    with pytest.raises(Failure) as found:
        access.check(request)
    assert found.value.code == 403


# --- What a cluster begins with ---------------------------------------------------------------------------------------


def test_a_cluster_begins_with_namespaces_and_roles_in_one_transaction_and_a_second_server_writes_nothing():
    known = registry()
    before = known.store.now
    assert preparing.prepare(known)
    assert known.store.now == before + 1
    assert {key_of(type(each), each.metadata.namespace, each.metadata.name) for each in preparing.wanted()} == set(
        known.store.kvs
    )
    assert preparing.prepare(known)
    assert known.store.now == before + 1


def test_default_roles_are_valid():
    for each in preparing.wanted():
        assert validate(each) == [], each.metadata.name


def test_upstreams_controllers_find_a_role_each_under_their_own_accounts():
    rights = Rights(policies_of(roles.wanted()))

    def may_account(name, verb, resource, group=""):
        account = User(f"system:serviceaccount:kube-system:{name}", ("system:authenticated",))
        return rights.allowed(Ask(account, verb, resource, "a", group=group)) is None

    assert may_account("deployment-controller", "create", "replicasets", "apps")
    assert may_account("deployment-controller", "update", "deployments/status", "apps")
    assert may_account("deployment-controller", "patch", "events")
    assert not may_account("deployment-controller", "create", "pods")
    assert may_account("generic-garbage-collector", "delete", "widgets", "example.com")
    assert may_account("disruption-controller", "get", "widgets/scale", "example.com")
    assert not may_account("namespace-controller", "create", "events")
    assert not may_account("no-such-controller", "list", "pods")
    cleaner = roles.CLUSTER_ROLES["system:controller:legacy-service-account-token-cleaner"]
    assert [(each.verbs, each.resources) for each in cleaner if each.resourceNames] == [(["get"], ["configmaps"])]


def test_upstreams_programs_find_whose_certificates_to_trust():
    known = registry()
    assert preparing.prepare(known, "-----BEGIN CERTIFICATE-----")
    told = known.read(ConfigMap, "kube-system", "extension-apiserver-authentication").decode()
    assert told.data == {"client-ca-file": "-----BEGIN CERTIFICATE-----"}


def test_what_a_default_role_lacks_is_added_and_what_somebody_added_stays():
    known = registry()
    preparing.prepare(known)
    for autoupdate, fits in (("true", True), ("false", False)):
        stored = known.read(ClusterRole, "", "system:kube-dns")
        role = stored.decode()
        role.rules = [rule("get core nodes")]
        role.metadata.annotations[roles.AUTOUPDATE] = autoupdate
        put = preparing.put(stored.kv.key, codec.encode(role), ClusterRole)
        known.commit(preparing.Txn((), (put,)))
        assert preparing.prepare(known)
        rules = known.read(ClusterRole, "", "system:kube-dns").decode().rules
        assert rules[0] == rule("get core nodes")
        assert (rules[1:] == roles.CLUSTER_ROLES["system:kube-dns"]) is fits


def test_the_roles_for_people_have_what_is_labelled_for_them_from_the_beginning():
    known = {each.metadata.name: each for each in roles.wanted() if isinstance(each, ClusterRole)}
    assert plan(known.values()) == []
    for more, less in (("admin", "edit"), ("edit", "view")):
        assert all(each in known[more].rules for each in known[less].rules)
    rights = Rights(
        policies_of([*roles.wanted(), binding("a", "ClusterRole", Subject(kind="User", name="jane"), name="view")])
    )
    assert may(rights, JANE, "a")
    assert all(may(rights, JANE, "a", resource=none) for none in ("persistentvolumeclaims", "resourcequotas"))
    assert not may(rights, JANE, "a", resource="secrets")
    assert not may(rights, JANE, "b")


def test_a_role_that_a_program_brings_along_is_collected():
    mine = ClusterRole(metadata=named("widgets"), rules=[rule("get example.com widgets")])
    mine.metadata.labels = {"rbac.authorization.k8s.io/aggregate-to-view": "true"}
    known = [*(each for each in roles.wanted() if isinstance(each, ClusterRole)), mine]
    (patch,) = plan(known)
    assert patch.target.metadata.name == "view"
    assert {"verbs": ["get"], "apiGroups": ["example.com"], "resources": ["widgets"]} in patch.patch["rules"]
    view = next(each for each in known if each.metadata.name == "view")
    assert mine.rules[0] in aggregated(view, known)
