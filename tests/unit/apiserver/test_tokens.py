"""ServiceAccounts' tokens and bootstrap tokens: who gets one, and until when it is believed."""

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from memory_store import ask, registry

from minik8s.api.core import Namespace, Node, Pod, Secret, ServiceAccount
from minik8s.apiserver.auth import bootstrap, tokens
from minik8s.apiserver.auth.authenticator import Authenticator
from minik8s.apiserver.auth.authn import User
from minik8s.apiserver.auth.signing import BadToken, Keys
from minik8s.apiserver.auth.tokens import Tokens
from minik8s.apiserver.errors import Failure
from minik8s.apiserver.request import Request
from minik8s.apiserver.routes import Target
from minik8s.apiserver.verbs import Verbs

KEYS = Keys(ec.generate_private_key(ec.SECP256R1()))
SPEC = {"containers": [{"name": "main", "image": "x:1"}], "nodeName": "node-1"}
NODE = User("system:node:node-1", ("system:nodes", "system:authenticated"))
FOREIGN = User("system:node:node-2", ("system:nodes", "system:authenticated"))


class World:
    """A namespace `a` with the ServiceAccount `default`, a Pod of it, and another ServiceAccount."""

    def __init__(self, monkeypatch):
        self.now = 1_800_000_000.0
        monkeypatch.setattr("minik8s.host.clock.wall", lambda: self.now)
        self.registry = registry()
        self.verbs, self.tokens = Verbs(self.registry), Tokens(self.registry, KEYS)
        self.make(Namespace, "a")
        self.make(Namespace, "kube-system")
        for name in ("default", "other"):
            self.make(ServiceAccount, name)
        self.make(Node, "node-1")
        self.make(Pod, "web", spec=SPEC)

    def make(self, cls, name, namespace="a", **more):
        where = namespace if cls.resource.namespaced else ""
        body = {"metadata": {"name": name}, **more}
        return json.loads(self.verbs.create(ask("create", cls, body=body, namespace=where)).body)

    def drop(self, cls, name):
        where = "a" if cls.resource.namespaced else ""
        query = {"gracePeriodSeconds": "0"}
        self.verbs.delete(ask("delete", cls, name, namespace=where, query=query))

    def request(self, account="default", user=None, **spec):
        target = Target(ServiceAccount, "a", account, "token")
        asked = ask("create", ServiceAccount, account, body={"spec": spec}, subresource="token")
        made = self.tokens.request(Request(target, "create", user or asked.user, body=asked.body))
        return json.loads(made.body), made

    def token(self, account="default", user=None, **spec):
        return self.request(account, user, **spec)[0]["status"]["token"]


@pytest.fixture
def world(monkeypatch):
    return World(monkeypatch)


OF_POD = {"kind": "Pod", "apiVersion": "v1", "name": "web"}


def test_a_token_speaks_for_its_service_account_and_its_groups(world):
    user = world.tokens.bearer(world.token()).user
    assert user.name == "system:serviceaccount:a:default"
    assert user.groups == ("system:serviceaccounts", "system:serviceaccounts:a", "system:authenticated")
    assert user.uid


def test_a_token_of_a_pod_tells_the_pod_and_its_node(world):
    extra = dict(world.tokens.bearer(world.token(boundObjectRef=OF_POD)).user.extra)
    assert extra["authentication.kubernetes.io/pod-name"] == ("web",)
    assert extra["authentication.kubernetes.io/node-name"] == ("node-1",)


def test_the_answer_says_until_when_and_the_audit_never_learns_the_token(world):
    answer, made = world.request(expirationSeconds=600)
    assert answer["status"]["expirationTimestamp"] == "2027-01-15T08:10:00Z"
    assert answer["spec"] == {"audiences": [tokens.ISSUER], "expirationSeconds": 600}
    assert [(each.namespace, each.name) for each in made.writes] == [("a", "default")]
    assert answer["status"]["token"] not in str(made.writes)


def test_a_token_ends_by_its_clock(world):
    token = world.token(expirationSeconds=600)
    world.now += 600
    assert world.tokens.bearer(token)
    world.now += tokens.LEEWAY_S + 1
    with pytest.raises(BadToken, match="expired"):
        world.tokens.bearer(token)


def test_a_token_from_the_future_does_not_count_yet(world):
    token = world.token()
    world.now -= tokens.LEEWAY_S + 1
    with pytest.raises(BadToken, match="not yet valid"):
        world.tokens.bearer(token)


@pytest.mark.parametrize("cls, name, spec", [(ServiceAccount, "default", {}), (Pod, "web", {"boundObjectRef": OF_POD})])
def test_a_token_ends_with_what_it_is_bound_to_and_no_namesake_revives_it(world, cls, name, spec):
    token = world.token(**spec)
    assert world.tokens.bearer(token)
    world.drop(cls, name)
    with pytest.raises(BadToken, match="gone"):
        world.tokens.bearer(token)
    world.make(cls, name, **({"spec": SPEC} if cls is Pod else {}))
    with pytest.raises(BadToken, match="gone"):
        world.tokens.bearer(token)


def test_a_token_counts_only_for_those_it_was_made_for(world):
    token = world.token(audiences=["vault"])
    with pytest.raises(BadToken, match="others"):
        world.tokens.bearer(token)
    assert world.tokens.bearer(token, ("bank", "vault")).audiences == ("vault",)


def test_a_server_whose_cache_is_behind_still_believes_a_new_account(world):
    world.registry.cache.freeze()
    world.make(ServiceAccount, "new")
    assert world.tokens.bearer(world.token("new")).user.name.endswith(":new")


REFUSED = [
    ({"expirationSeconds": 599}, 422, "spec.expirationSeconds: Invalid value: 599: may not specify a duration less"),
    ({"expirationSeconds": 1 << 33}, 422, "larger than 2^32 seconds"),
    ({"boundObjectRef": {**OF_POD, "name": "none"}}, 404, 'pods "none" not found'),
    ({"boundObjectRef": {**OF_POD, "uid": "no"}}, 409, "does not match the UID in record"),
    ({"boundObjectRef": {**OF_POD, "kind": "Service"}}, 400, "cannot bind token to object of type v1, Kind=Service"),
]


@pytest.mark.parametrize("spec, code, message", REFUSED)
def test_a_request_that_cannot_be_met_is_refused_in_kubernetes_words(world, spec, code, message):
    with pytest.raises(Failure) as refused:
        world.request(**spec)
    assert refused.value.code == code
    assert message in str(refused.value)


def test_a_pod_s_token_is_that_of_its_own_service_account(world):
    with pytest.raises(Failure, match='cannot bind token for serviceaccount "other" to pod running with different'):
        world.request("other", boundObjectRef=OF_POD)


def test_a_node_gets_tokens_for_its_own_pods_alone(world):
    assert world.token(user=NODE, boundObjectRef=OF_POD)
    for user, spec in ((NODE, {}), (FOREIGN, {"boundObjectRef": OF_POD}), (FOREIGN, {})):
        with pytest.raises(Failure, match="bound to its own Pods") as refused:
            world.request(user=user, **spec)
        assert refused.value.code == 403


# --- Bootstrap tokens -------------------------------------------------------------------------------------------------

INVITATION = {
    "token-id": "abcdef",
    "token-secret": "0123456789abcdef",
    "usage-bootstrap-authentication": "true",
    "auth-extra-groups": "system:bootstrappers:kubeadm:default-node-token",
    "expiration": "2027-01-15T09:00:00Z",
}
SHOWN = "abcdef.0123456789abcdef"


def invite(world, kind=bootstrap.SECRET_TYPE, **changes):
    given = {**INVITATION, **{name.replace("_", "-"): value for name, value in changes.items()}}
    data = {name: base64.b64encode(value.encode()).decode() for name, value in given.items() if value}
    world.make(Secret, "bootstrap-token-abcdef", "kube-system", type=kind, data=data)


def test_a_bootstrap_token_makes_a_bootstrapper(world):
    invite(world)
    user = bootstrap.bearer(world.registry, SHOWN)
    assert user.name == "system:bootstrap:abcdef"
    assert "system:bootstrappers" in user.groups
    assert "system:bootstrappers:kubeadm:default-node-token" in user.groups


NOT_BELIEVED = [
    {"token_secret": "0123456789abcdee"},
    {"token_id": "abcdee"},
    {"usage_bootstrap_authentication": ""},
    {"auth_extra_groups": "system:masters"},
    {"expiration": "2027-01-15T07:59:59Z"},
    {"expiration": "soon"},
    {"kind": "Opaque"},
]


@pytest.mark.parametrize("changes", NOT_BELIEVED)
def test_a_bootstrap_token_that_says_something_else_is_refused(world, changes):
    invite(world, **changes)
    with pytest.raises(BadToken):
        bootstrap.bearer(world.registry, SHOWN)


def test_an_unknown_or_shapeless_bootstrap_token_is_nobody_s(world):
    with pytest.raises(BadToken, match="no bootstrap token of that name"):
        bootstrap.bearer(world.registry, SHOWN)
    assert bootstrap.bearer(world.registry, "Abcdef.0123456789abcdef") is None


# --- Which of the ways counts -----------------------------------------------------------------------------------------


def test_whoever_shows_a_bad_token_is_refused_and_not_anonymous(world):
    who = Authenticator(world.registry, world.tokens)
    assert who.user_of({"HTTP_AUTHORIZATION": f"Bearer {world.token()}"}).name == "system:serviceaccount:a:default"
    assert who.user_of({}).anonymous
    for header in ("Bearer x", "bearer ", f"Bearer {SHOWN}"):
        with pytest.raises(Failure) as refused:
            who.user_of({"HTTP_AUTHORIZATION": header})
        assert refused.value.code == 401
