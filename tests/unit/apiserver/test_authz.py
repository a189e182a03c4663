"""Who may do what: one line for each answer that matters."""

import pytest

from minik8s.api import kinds
from minik8s.api.coordination import Lease, LeaseSpec
from minik8s.api.core import Node, Pod
from minik8s.api.meta import ObjectMeta
from minik8s.apiserver.auth import authz, roles
from minik8s.apiserver.auth.authn import ANONYMOUS, User
from minik8s.apiserver.auth.authz import Rights
from minik8s.apiserver.auth.policies import policies_of

RIGHTS = Rights(policies_of(roles.wanted()))
GROUPS = {cls.resource.plural: cls.resource.group for cls in reversed(kinds.ALL)}


def Ask(who, verb, resource, *more):
    """A question about a resource, which says its API group by itself."""
    return authz.Ask(who, verb, resource, *more, group=GROUPS[resource.partition("/")[0]])


def allowed(ask, uses=None):
    return RIGHTS.allowed(ask, uses)


def user(name, *groups):
    return User(name, (*groups, "system:authenticated"))


USERS = {
    "admin": user("kubernetes-admin", "system:masters"),
    "scheduler": user("system:kube-scheduler"),
    "controllers": user("system:kube-controller-manager"),
    "node-1": user("system:node:node-1", "system:nodes"),
    "impostor": user("web", "system:nodes"),
    "proxy": user("system:kube-proxy:node-1", "system:node-proxier"),
    "ingress": user("system:ingress:node-1", "system:node-ingress"),
    "dns": user("system:dns:node-1", "system:node-dns"),
    "stranger": user("jane"),
    "nobody": ANONYMOUS,
}

CASES = """
admin        create  services              default          web          yes
admin        get     pods/exec             default          web          yes
scheduler    list    pods                  -                -            yes
scheduler    create  pods/binding          default          web          yes
scheduler    patch   pods/status           default          web          yes
scheduler    delete  pods                  default          web          yes
scheduler    update  pods                  default          web          no
scheduler    watch   csinodes              -                -            yes
scheduler    watch   configmaps            kube-system      extension-apiserver-authentication  yes
scheduler    watch   configmaps            kube-system      -            no
scheduler    update  leases                kube-system      kube-scheduler  yes
scheduler    update  leases                kube-system      kube-controller-manager  no
scheduler    update  leases                kube-node-lease  node-1       no
scheduler    update  leases                elsewhere        kube-scheduler  yes
scheduler    list    secrets               -                -            no
controllers  create  pods                  default          -            yes
controllers  patch   deployments/status    default          web          yes
controllers  delete  configmaps            default          web          yes
controllers  update  namespaces/finalize   -                web          yes
controllers  get     pods/exec             default          web          no
controllers  create  pods/binding          default          web          no
controllers  create  secrets               default          -            yes
controllers  watch   csinodes              -                -            yes
controllers  get     csinodes              -                web          no
node-1       list    pods                  -                -            yes
node-1       watch   services              -                -            yes
node-1       get     configmaps            default          settings     yes
node-1       list    configmaps            default          -            no
node-1       watch   configmaps            default          settings     yes
node-1       delete  configmaps            default          settings     no
node-1       list    secrets               -                -            no
node-1       create  pods                  default          -            no
node-1       patch   pods                  default          web          no
node-1       patch   pods/status           default          web          yes
node-1       delete  pods                  default          web          yes
node-1       create  nodes                 -                -            yes
node-1       patch   nodes/status          -                node-1       yes
node-1       patch   nodes/status          -                node-2       no
node-1       delete  nodes                 -                node-1       no
node-1       update  leases                kube-node-lease  node-1       yes
node-1       update  leases                kube-node-lease  node-2       no
node-1       update  leases                kube-system      node-1       no
node-1       patch   endpointslices        kube-system      kube-dns-node-1  yes
node-1       patch   endpointslices        kube-system      kube-dns-node-2  no
node-1       patch   endpointslices        default          kube-dns-node-1  no
node-1       create  events                default          -            yes
node-1       create  services              default          -            no
node-1       get     pods/exec             default          web          no
node-1       get     nodes/proxy           -                node-1       no
impostor     delete  pods                  default          web          no
impostor     patch   nodes                 -                web          no
proxy        watch   endpointslices        -                -            yes
proxy        patch   services/status       default          web          no
proxy        list    secrets               -                -            no
proxy        watch   leases                kube-system      -            yes
proxy        watch   leases                kube-node-lease  -            no
proxy        patch   leases                kube-system      loadbalancer-192.168.56.200  yes
proxy        patch   leases                kube-system      kube-scheduler  no
proxy        patch   leases                kube-node-lease  node-1       no
proxy        create  leases                default          loadbalancer-192.168.56.200  no
ingress      watch   ingresses             -                -            yes
ingress      list    secrets               -                -            yes
ingress      create  ingressclasses        -                -            yes
ingress      patch   ingresses/status      default          web          yes
ingress      patch   ingresses             default          web          no
ingress      patch   leases                kube-system      ingress-node-1  yes
ingress      patch   leases                kube-system      ingress-node-2  no
ingress      patch   leases                kube-system      kube-scheduler  no
ingress      patch   secrets               default          web          no
dns          watch   services              -                -            yes
dns          create  events                default          -            no
stranger     list    pods                  default          -            no
nobody       get     pods                  default          web          no
"""


@pytest.mark.parametrize("line", CASES.strip().splitlines())
def test_the_table(line):
    who, verb, resource, namespace, name, answer = line.replace(" - ", "   ~ ").split()
    namespace, name = namespace.strip("-~"), name.strip("-~")
    assert (allowed(Ask(USERS[who], verb, resource, namespace, name)) is None) is (answer == "yes")


ANNOUNCED = [
    # verb, who holds the Lease before and after, is that allowed to node-1's proxy?
    ("create", None, "node-1", True),
    ("create", None, "node-2", False),
    ("patch", "node-1", "node-1", True),
    ("patch", "node-2", "node-1", True),
    ("patch", "node-1", "", True),
    ("patch", "node-2", "", False),
    ("patch", "node-1", "node-2", False),
    ("delete", "node-1", None, True),
    ("delete", "", None, True),
    ("delete", "node-2", None, False),
]


@pytest.mark.parametrize(("verb", "before", "after", "answer"), ANNOUNCED)
def test_a_proxy_takes_and_gives_back_addresses_for_its_own_node(verb, before, after, answer):
    held = [each if each is None else Lease(spec=LeaseSpec(holderIdentity=each)) for each in (before, after)]
    asked = Ask(USERS["proxy"], verb, "leases", "kube-system", "loadbalancer-192.168.56.200", *held)
    assert (allowed(asked) is None) is answer


def pod(node):
    made = Pod(metadata=ObjectMeta(name="web", namespace="default"))
    made.spec.nodeName = node
    return made


def ask(verb, resource, before=None, after=None, name="web"):
    return Ask(USERS["node-1"], verb, resource, "default", name, before, after)


def test_a_node_reports_only_on_pods_that_are_bound_to_it():
    assert allowed(ask("patch", "pods/status", pod("node-1"), pod("node-1"))) is None
    for before, after in ((pod("node-2"), pod("node-2")), (pod("node-2"), pod("node-1")), (pod(""), pod("node-1"))):
        assert "bound to it" in allowed(ask("patch", "pods/status", before, after))


def test_a_node_cannot_move_its_pods_behind_another_service():
    relabelled = pod("node-1")
    relabelled.metadata.labels = {"app": "bank"}
    assert "not change their labels" in allowed(ask("patch", "pods/status", pod("node-1"), relabelled))


def test_a_node_deletes_only_pods_that_are_bound_to_it():
    assert allowed(ask("delete", "pods", pod("node-1"))) is None
    assert "bound to it" in allowed(ask("delete", "pods", pod("node-2")))
    assert "bound to it" in allowed(ask("delete", "pods", pod("")))


def test_a_node_creates_only_itself():
    def node(name):
        return Node(metadata=ObjectMeta(name=name))

    assert allowed(ask("create", "nodes", None, node("node-1"), name="")) is None
    for name in ("node-2", ""):
        assert "own Node" in allowed(ask("create", "nodes", None, node(name), name=""))


def test_a_node_reads_only_the_secrets_its_pods_use_where_that_can_be_told():
    used = {("secrets", "default", "password", "node-1")}
    question = Ask(USERS["node-1"], "get", "secrets", "default", "password")
    assert allowed(question, lambda *what: what in used) is None
    assert "no Pod on node-1 uses it" in allowed(question, lambda *what: False)
    assert allowed(Ask(USERS["admin"], "get", "secrets", "default", "x"), lambda *what: False) is None


@pytest.mark.parametrize("group", ["", "events.k8s.io"])
def test_upstreams_namespace_controller_may_empty_a_namespace_of_events_in_both_their_groups(group):
    question = authz.Ask(USERS["controllers"], "deletecollection", "events", "default", group=group)
    assert allowed(question) is None


PATHS = [
    # path            nobody  stranger  admin
    ("/healthz", True, True, True),
    ("/livez/etcd", True, True, True),
    ("/version/", True, True, True),
    ("/version", True, True, True),
    ("/api", False, True, True),
    ("/apis/apps/v1", False, True, True),
    ("/apiserver-secrets", False, False, True),
    ("/openapi/v3", False, True, True),
    ("/openid/v1/jwks", False, False, True),
    ("/metrics", False, False, True),
    ("/minik8s/audit", False, False, True),
]


@pytest.mark.parametrize("path, nobody, stranger, admin", PATHS)
def test_nobody_sees_health_everybody_finds_the_way_masters_see_all(path, nobody, stranger, admin):
    answers = tuple(RIGHTS.path_allowed(USERS[who], "get", path) for who in ("nobody", "stranger", "admin"))
    assert answers == (nobody, stranger, admin)
