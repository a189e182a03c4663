"""Questions about rights and identities, and asking as somebody else."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from memory_store import MemoryStore, ask, registry

from minik8s.api import codec, kinds
from minik8s.api.authentication import SelfSubjectReview, TokenReview
from minik8s.api.authorization import (
    LocalSubjectAccessReview,
    SelfSubjectAccessReview,
    SelfSubjectRulesReview,
    SubjectAccessReview,
)
from minik8s.api.core import Namespace, ServiceAccount
from minik8s.api.meta import ObjectMeta
from minik8s.api.rbac import RoleBinding, RoleRef, Subject
from minik8s.apiserver import audit
from minik8s.apiserver.auth import impersonation, roles
from minik8s.apiserver.auth.authn import ANONYMOUS, User
from minik8s.apiserver.auth.authz import Rights
from minik8s.apiserver.auth.policies import policies_of
from minik8s.apiserver.auth.signing import Keys
from minik8s.apiserver.dispatch import Dispatcher
from minik8s.apiserver.errors import Failure
from minik8s.apiserver.request import Request, Written
from minik8s.apiserver.routes import Target

REVIEWS = [cls for cls in kinds.MOMENTARY if cls.resource.kind.endswith("Review")]
JANE = User("jane", ("devs", "system:authenticated"), "7", (("from", ("hr",)),))
ADMIN = User("admin", ("system:masters", "system:authenticated"))
NODE = User("system:node:node-1", ("system:nodes", "system:authenticated"))
EDITOR = RoleBinding(
    metadata=ObjectMeta(name="jane", namespace="a"),
    subjects=[Subject(kind="User", name="jane")],
    roleRef=RoleRef(kind="ClusterRole", name="edit", apiGroup="rbac.authorization.k8s.io"),
)
RIGHTS = Rights(policies_of([*roles.wanted(), EDITOR]))


@pytest.fixture
def dispatcher():
    return Dispatcher(registry(), Keys(ec.generate_private_key(ec.SECP256R1())))


def post(dispatcher, cls, who, /, **spec):
    namespace = spec.pop("at", "")
    body = codec.encode({"spec": spec} if spec else {})
    made = dispatcher.answer(Request(Target(cls, namespace), "create", who, body=body, rights=RIGHTS))
    assert made.code == 201
    return json.loads(made.body)["status"]


def of(verb, resource, namespace="a", group="", **more):
    return {"resourceAttributes": {"verb": verb, "resource": resource, "namespace": namespace, "group": group, **more}}


MAY_I = [
    (ADMIN, of("delete", "nodes", ""), True),
    (JANE, of("create", "pods"), True),
    (JANE, of("create", "pods", "b"), False),
    (JANE, of("create", "pods", ""), False),
    (JANE, of("create", "pods", subresource="exec"), True),
    (JANE, of("create", "roles", group="rbac.authorization.k8s.io"), False),
    (JANE, of("*", "*", group="*"), False),
    (ADMIN, of("*", "*", group="*"), True),
    (JANE, {"nonResourceAttributes": {"verb": "get", "path": "/apis/apps"}}, True),
    (JANE, {"nonResourceAttributes": {"verb": "get", "path": "/metrics"}}, False),
    (NODE, of("update", "nodes", "", name="node-1", subresource="status"), True),
    (NODE, of("update", "nodes", "", name="node-2", subresource="status"), False),
]


@pytest.mark.parametrize("user, spec, answer", MAY_I)
def test_everybody_may_ask_what_they_may_do(dispatcher, user, spec, answer):
    assert post(dispatcher, SelfSubjectAccessReview, user, **spec)["allowed"] is answer


def test_a_no_says_why_where_there_is_something_to_say(dispatcher):
    status = post(dispatcher, SelfSubjectAccessReview, NODE, **of("get", "secrets", name="x"))
    assert status == {"allowed": False, "reason": "no Pod on node-1 uses it"}


def test_who_asks_about_others_needs_a_right_to_and_hears_of_them_alone(dispatcher):
    question = {**of("create", "pods"), "user": "jane"}
    assert post(dispatcher, SubjectAccessReview, ADMIN, **question)["allowed"]
    assert not post(dispatcher, SubjectAccessReview, ADMIN, **{**question, "user": "jack"})["allowed"]
    with pytest.raises(Failure) as refused:
        post(dispatcher, SubjectAccessReview, JANE, **question)
    assert refused.value.code == 403
    assert post(dispatcher, LocalSubjectAccessReview, ADMIN, at="a", **question)["allowed"]


AT_A = {"user": "x", "at": "a"}
WRONG = [
    (SelfSubjectAccessReview, {"resourceAttributes": None}, "spec.resourceAttributes"),
    (SelfSubjectAccessReview, {**of("get", "pods"), "nonResourceAttributes": {"path": "/"}}, "spec.resourceAttributes"),
    (SubjectAccessReview, of("get", "pods"), "spec.user"),
    (LocalSubjectAccessReview, {**of("get", "pods", "b"), "user": "x", "at": "a"}, "spec.resourceAttributes.namespace"),
    (
        LocalSubjectAccessReview,
        {"nonResourceAttributes": {"path": "/"}, "user": "x", "at": "a"},
        "spec.resourceAttributes",
    ),
    (SelfSubjectRulesReview, {"namespace": ""}, "spec.namespace"),
    (TokenReview, {"token": ""}, "spec.token"),
]


@pytest.mark.parametrize("cls, spec, field", WRONG)
def test_a_question_that_says_too_little_or_too_much_is_refused(dispatcher, cls, spec, field):
    with pytest.raises(Failure) as refused:
        post(dispatcher, cls, ADMIN, **spec)
    assert [cause.field for cause in refused.value.status.details.causes] == [field]


def test_all_that_one_may_do_is_listed(dispatcher):
    status = post(dispatcher, SelfSubjectRulesReview, JANE, namespace="a")
    rules = [(each["verbs"], each["resources"]) for each in status["resourceRules"]]
    assert (["create"], ["selfsubjectaccessreviews", "selfsubjectrulesreviews"]) in rules
    assert any("pods" in resources and "create" in verbs for verbs, resources in rules)
    assert any("/api/*" in each["nonResourceURLs"] for each in status["nonResourceRules"])
    assert status["incomplete"] is False
    elsewhere = post(dispatcher, SelfSubjectRulesReview, JANE, namespace="b")
    assert not any("pods" in each["resources"] for each in elsewhere["resourceRules"])
    assert post(dispatcher, SelfSubjectRulesReview, NODE, namespace="a")["incomplete"]


def test_one_learns_who_one_is(dispatcher):
    assert post(dispatcher, SelfSubjectReview, JANE) == {
        "userInfo": {
            "username": "jane",
            "uid": "7",
            "groups": ["devs", "system:authenticated"],
            "extra": {"from": ["hr"]},
        }
    }


def test_a_token_is_reviewed_for_the_audience_that_asks(dispatcher):
    for cls, name in ((Namespace, "a"), (ServiceAccount, "robot")):
        dispatcher.verbs.create(ask("create", cls, body={"metadata": {"name": name}}))
    spec = {"spec": {"audiences": ["vault"]}}
    made = dispatcher.answer(ask("create", ServiceAccount, "robot", body=spec, subresource="token"))
    token = json.loads(made.body)["status"]["token"]
    status = post(dispatcher, TokenReview, ADMIN, token=token, audiences=["vault", "bank"])
    assert (status["authenticated"], status["audiences"]) == (True, ["vault"])
    assert status["user"]["username"] == "system:serviceaccount:a:robot"
    for wrong in ({"token": token}, {"token": token[:-9] + "AAAAAAAAA", "audiences": ["vault"]}, {"token": "x"}):
        status = post(dispatcher, TokenReview, ADMIN, **wrong)
        assert "authenticated" not in status
        assert "invalid bearer token" in status["error"]


@pytest.mark.parametrize("cls", REVIEWS, ids=lambda cls: cls.resource.kind)
def test_a_review_is_created_and_nothing_else_and_stored_nowhere(dispatcher, cls):
    where = "a" if cls.resource.namespaced else ""
    for verb, name in (("list", ""), ("get", "x"), ("delete", "x"), ("patch", "x"), ("watch", "")):
        with pytest.raises(Failure) as refused:
            dispatcher.answer(Request(Target(cls, where, name), verb, ADMIN))
        assert refused.value.code == 405
    assert isinstance(dispatcher.registry.store, MemoryStore)
    assert dispatcher.registry.store.kvs == {}


# --- Asking as somebody else ------------------------------------------------------------------------------------------


def as_(user, /, **headers):
    environ = {f"HTTP_IMPERSONATE_{name.upper()}": value for name, value in headers.items()}
    return impersonation.apply(user, environ, RIGHTS.allowed)


def test_who_may_is_somebody_else_with_the_groups_of_that_one():
    assert as_(ADMIN) is ADMIN
    jack = as_(ADMIN, user="jack", group="devs,ops", uid="9", extra_scope="view,edit")
    assert jack == User(
        "jack", ("devs", "ops", "system:authenticated"), "9", (("scope", ("view", "edit")),), by="admin"
    )
    robot = as_(ADMIN, user="system:serviceaccount:a:robot")
    assert robot.groups == ("system:serviceaccounts", "system:serviceaccounts:a", "system:authenticated")
    assert as_(ADMIN, user="system:anonymous").groups == ANONYMOUS.groups


REFUSED = [
    (
        {"user": "jack"},
        403,
        'users "jack" is forbidden: User "jane" cannot impersonate resource "users" in API group ""',
    ),
    ({"user": "system:serviceaccount:b:robot"}, 403, 'serviceaccounts "robot" is forbidden'),
    ({"user": "system:serviceaccount:a:robot", "group": "system:masters"}, 403, 'groups "system:masters" is forbidden'),
    ({"group": "system:masters"}, 400, "need an Impersonate-User"),
]


@pytest.mark.parametrize("headers, code, message", REFUSED)
def test_who_may_not_is_refused_and_never_taken_for_itself(headers, code, message):
    with pytest.raises(Failure) as refused:
        as_(JANE, **headers)
    assert refused.value.code == code
    assert message in str(refused.value)


def test_an_editor_may_be_the_service_accounts_of_its_namespace():
    assert as_(JANE, user="system:serviceaccount:a:robot").name == "system:serviceaccount:a:robot"


def test_the_audit_names_both():
    request = Request(Target(Namespace), "create", as_(ADMIN, user="jack"))
    line = audit.entry(request, Written("", "x", 1), 201, {})
    assert (line.user, line.impersonated) == ("admin", "jack")
