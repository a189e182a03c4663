"""Who may do what to what is one's own and to what is somebody else's: every cell of it.

A row is a resource, `own` or `else`. Own is what is in the user's own namespace, or bound to the node, or named after
it; else is what is in another namespace, or of another node. A cell has a letter for each verb that is allowed:

    g get  l list  w watch  c create  u update  p patch  d delete  D deletecollection    all  - nothing

Verbs that are not written in a cell are forbidden there, and are tried as well. The answer is the one before the write,
with the object as it was and as it would be.
"""

import pytest

from minik8s.api import kinds
from minik8s.api.coordination import Lease, LeaseSpec
from minik8s.api.core import Node, Pod, ServiceAccount
from minik8s.api.discovery import EndpointSlice
from minik8s.api.meta import ObjectMeta
from minik8s.api.rbac import RoleBinding, RoleRef, Subject
from minik8s.apiserver.auth import roles
from minik8s.apiserver.auth.authn import ANONYMOUS, User
from minik8s.apiserver.auth.authz import Ask, Rights
from minik8s.apiserver.auth.policies import policies_of

VERBS = {
    "g": "get",
    "l": "list",
    "w": "watch",
    "c": "create",
    "u": "update",
    "p": "patch",
    "d": "delete",
    "D": "deletecollection",
}


def user(name, *groups):
    return User(name, (*groups, "system:authenticated"))


USERS = {
    "masters": user("kubernetes-admin", "system:masters"),
    "sched": user("system:kube-scheduler"),
    "control": user("system:kube-controller-manager"),
    "node": user("system:node:node-1", "system:nodes"),
    "proxy": user("system:kube-proxy:node-1", "system:node-proxier"),
    "dns": user("system:dns:node-1", "system:node-dns"),
    "ingress": user("system:ingress:node-1", "system:node-ingress"),
    "admin": user("ann"),  # by a RoleBinding in the namespace `own`, like the next two
    "edit": user("ed"),
    "view": user("vic"),
    "robot": user("system:serviceaccount:own:robot", "system:serviceaccounts", "system:serviceaccounts:own"),
    "nobody": ANONYMOUS,
}

TABLE = """
resource:whose                 masters sched control node    proxy   dns ingress admin edit view robot nobody
pods:own                       all     glwd  all     glwd    glw     glw -       all   all  glw  -     -
pods:else                      all     glwd  all     glw     glw     glw -       -     -    -    -     -
pods/status:own                all     up    glwupdD up      -       -   -       glw   glw  glw  -     -
pods/status:else               all     up    glwupdD -       -       -   -       -     -    -    -     -
pods/binding:own               all     c     lw      -       -       -   -       -     -    -    -     -
pods/binding:else              all     c     lw      -       -       -   -       -     -    -    -     -
pods/exec:own                  all     -     lw      -       -       -   -       all   all  -    -     -
pods/exec:else                 all     -     lw      -       -       -   -       -     -    -    -     -
pods/eviction:own              all     -     lwc     -       -       -   -       c     c    -    -     -
pods/eviction:else             all     -     lwc     -       -       -   -       -     -    -    -     -
serviceaccounts:own            all     -     all     -       -       -   -       all   all  glw  -     -
serviceaccounts:else           all     -     all     -       -       -   -       -     -    -    -     -
serviceaccounts/token:own      all     -     lwc     c       -       -   -       c     c    -    -     -
serviceaccounts/token:else     all     -     lwc     -       -       -   -       -     -    -    -     -
secrets:own                    all     -     all     g       -       -   glw     all   all  -    -     -
secrets:else                   all     -     all     -       -       -   glw     -     -    -    -     -
configmaps:own                 all     -     all     g       -       -   -       all   all  glw  -     -
configmaps:else                all     -     all     -       -       -   -       -     -    -    -     -
services:own                   all     glw   all     glw     glw     glw glw     all   all  glw  -     -
services:else                  all     glw   all     glw     glw     glw glw     -     -    -    -     -
endpoints:own                  all     -     all     glw     glw     glw -       glw   glw  glw  -     -
endpoints:else                 all     -     all     glw     glw     glw -       -     -    -    -     -
endpointslices:own             all     -     all     glw     glw     glw glw     glw   glw  glw  -     -
endpointslices:else            all     -     all     glw     glw     glw glw     -     -    -    -     -
endpointslices(dns):own        all     -     all     glwcupd glw     glw glw     -     -    -    -     -
endpointslices(dns):else       all     -     all     glw     glw     glw glw     -     -    -    -     -
nodes:own                      all     glw   glwupdD glwcup  glw     glw glw     -     -    -    -     -
nodes:else                     all     glw   glwupdD glw     glw     glw glw     -     -    -    -     -
nodes/status:own               all     -     glwupdD cup     -       -   -       -     -    -    -     -
nodes/status:else              all     -     glwupdD -       -       -   -       -     -    -    -     -
nodes/proxy:own                all     -     lw      -       -       -   -       -     -    -    -     -
nodes/proxy:else               all     -     lw      -       -       -   -       -     -    -    -     -
leases:own                     all     c     all     -       -       -   -       all   all  -    -     -
leases:else                    all     c     all     -       -       -   -       -     -    -    -     -
leases(node):own               all     c     all     gcup    -       -   -       -     -    -    -     -
leases(node):else              all     c     all     -       -       -   -       -     -    -    -     -
leases(address):own            all     c     all     -       glwcupd -   glw     -     -    -    -     -
leases(address):else           all     c     all     -       glw     -   glw     -     -    -    -     -
leases(ingress):own            all     c     all     -       glw     -   glwcup  -     -    -    -     -
leases(ingress):else           all     c     all     -       glw     -   glw     -     -    -    -     -
leases(leader):own             all     gcup  all     -       glw     -   glw     -     -    -    -     -
events:own                     all     cup   all     cup     cup     -   cup     all   all  glw  -     -
events:else                    all     cup   all     cup     cup     -   cup     -     -    -    -     -
deployments:own                all     glw   glwupdD -       -       -   -       all   all  glw  -     -
deployments:else               all     glw   glwupdD -       -       -   -       -     -    -    -     -
deployments/scale:own          all     -     glwup   -       -       -   -       all   all  glw  -     -
deployments/scale:else         all     -     glwup   -       -       -   -       -     -    -    -     -
ingresses:own                  all     -     glwupdD -       -       -   glw     all   all  glw  -     -
ingresses:else                 all     -     glwupdD -       -       -   glw     -     -    -    -     -
ingresses/status:own           all     -     glwupdD -       -       -   up      glw   glw  glw  -     -
ingresses/status:else          all     -     glwupdD -       -       -   up      -     -    -    -     -
roles:own                      all     -     glwupdD -       -       -   -       all   -    -    -     -
roles:else                     all     -     glwupdD -       -       -   -       -     -    -    -     -
rolebindings:own               all     -     glwupdD -       -       -   -       all   -    -    -     -
rolebindings:else              all     -     glwupdD -       -       -   -       -     -    -    -     -
clusterroles:own               all     -     glwupdD -       -       -   -       -     -    -    -     -
clusterrolebindings:own        all     -     glwupdD -       -       -   -       -     -    -    -     -
namespaces:own                 all     glw   all     glw     glw     glw -       glw   glw  glw  -     -
namespaces:else                all     glw   all     glw     glw     glw -       -     -    -    -     -
namespaces/finalize:own        all     -     lwcup   -       -       -   -       -     -    -    -     -
namespaces/finalize:else       all     -     lwcup   -       -       -   -       -     -    -    -     -
ipaddresses:own                all     -     all     -       -       -   -       -     -    -    -     -
tokenreviews:own               all     c     lwc     -       -       -   -       -     -    -    -     -
subjectaccessreviews:own       all     c     lwc     -       -       -   -       -     -    -    -     -
localsubjectaccessreviews:own  all     -     lw      -       -       -   -       c     -    -    -     -
localsubjectaccessreviews:else all     -     lw      -       -       -   -       -     -    -    -     -
selfsubjectaccessreviews:own   all     c     lwc     c       c       c   c       c     c    c    c     -
"""

ROWS = [line.split() for line in TABLE.strip().splitlines()]
COLUMNS = ROWS[0][1:]


def given(role, name):
    """A RoleBinding in the namespace `own`."""
    ref = RoleRef(apiGroup="rbac.authorization.k8s.io", kind="ClusterRole", name=role)
    return RoleBinding(
        metadata=ObjectMeta(name=role, namespace="own"), roleRef=ref, subjects=[Subject(kind="User", name=name)]
    )


RIGHTS = Rights(policies_of([*roles.wanted(), given("admin", "ann"), given("edit", "ed"), given("view", "vic")]))
GROUPS = {cls.resource.plural: cls.resource.group for cls in reversed(kinds.ALL)}
NODES = {"own": "node-1", "else": "node-2"}
# Objects that are known by their names: how the node's own is called, and where.
NAMED = {
    "nodes": ("", "{node}"),
    "leases(node)": ("kube-node-lease", "{node}"),
    "leases(leader)": ("kube-system", "kube-scheduler"),
    "leases(ingress)": ("kube-system", "ingress-{node}"),
    "leases(address)": ("kube-system", "loadbalancer-192.168.56.200"),
    "endpointslices(dns)": ("kube-system", "kube-dns-{node}"),
}
CLUSTER_WIDE = {cls.resource.plural for cls in kinds.ALL if not cls.resource.namespaced}


def where(row, whose):
    """The namespace and the name of what a row speaks of."""
    base = row.partition("/")[0]
    if base == "namespaces":
        return whose, whose  # it is in itself, as access.py has it
    namespace, name = NAMED.get(base, ("" if base in CLUSTER_WIDE else whose, "x"))
    return namespace, name.format(node=NODES[whose])


def the_object(row, whose):
    """The object itself, where the answer depends on it."""
    namespace, name = where(row, whose)
    meta = ObjectMeta(name=name, namespace=namespace)
    base = row.partition("/")[0].partition("(")[0]
    if base == "pods" or row == "serviceaccounts/token":
        made = Pod(metadata=ObjectMeta(name="x", namespace=whose))
        made.spec.nodeName = NODES[whose]
        return made
    if base == "leases":
        return Lease(metadata=meta, spec=LeaseSpec(holderIdentity=NODES[whose]))
    return {"nodes": Node, "endpointslices": EndpointSlice}.get(base, ServiceAccount)(metadata=meta)


def is_used(resource, namespace, name, node):
    """Pods of node-1 use what is in `own`."""
    return (namespace, node) == ("own", "node-1")


def allowed(who, verb, row, whose):
    base, _, subresource = row.partition("/")
    resource = base.partition("(")[0]
    namespace, name = where(row, whose)
    obj = the_object(row, whose)
    alone = verb in ("list", "watch", "deletecollection")
    asked_name = "" if alone or (verb == "create" and not subresource) else name
    before = obj if verb in ("update", "patch", "delete") else None
    after = obj if verb in ("create", "update", "patch") else None
    full = f"{resource}/{subresource}" if subresource else resource
    ask = Ask(USERS[who], verb, full, namespace, asked_name, before, after, GROUPS[resource])
    return RIGHTS.allowed(ask, is_used) is None


def cell(who, row, whose):
    found = "".join(letter for letter, verb in VERBS.items() if allowed(who, verb, row, whose))
    return "all" if len(found) == len(VERBS) else found or "-"


def test_the_table_speaks_of_everybody():
    assert list(USERS) == COLUMNS


@pytest.mark.parametrize("row", ROWS[1:], ids=lambda row: row[0])
def test_each_cell_is_what_is_allowed_and_all_that_is(row):
    resource, whose = row[0].split(":")
    assert dict(zip(COLUMNS, row[1:], strict=True)) == {who: cell(who, resource, whose) for who in COLUMNS}
