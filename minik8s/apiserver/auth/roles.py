"""The roles and bindings that every cluster begins with: Kubernetes' own, and one for each box of ours. Pure.

For people: `cluster-admin` may do everything; `admin`, `edit` and `view` are for a namespace, and collect what is
labelled for them. For all who are known: to find one's way (`system:discovery`) and to ask what one may do
(`system:basic-user`). For components: each just its own work, under upstream's names where upstream has them. What a
node may do depends on objects and stands in `authz.py`. Upstream's programs find what they need under the same names,
so that they can take the place of ours; upstream's roles for kinds that are not here are left out.

Source: upstream's default roles, documented under "Using RBAC Authorization". Read `controllerroles.py` for what
upstream's controllers have, each by itself, and `preparing.py` next.
"""

from collections.abc import Iterable

from minik8s.api import kinds
from minik8s.api.meta import READS, LabelSelector, Object, ObjectMeta
from minik8s.api.rbac import (
    GROUP,
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
from minik8s.apiserver.auth import controllerroles
from minik8s.apiserver.auth.authz import CHANGE

WRITE = (*CHANGE, "delete", "deletecollection")
LABELS = {"kubernetes.io/bootstrapping": "rbac-defaults"}
# Upstream's switch: with "false", what was taken away from a default role stays away.
AUTOUPDATE = "rbac.authorization.kubernetes.io/autoupdate"
AGGREGATE = "rbac.authorization.k8s.io/aggregate-to-"

CORE, APPS, BATCH, POLICY, AUTOSCALING = "", "apps", "batch", "policy", "autoscaling"
COORDINATION, DISCOVERY, NETWORKING = "coordination.k8s.io", "discovery.k8s.io", "networking.k8s.io"
AUTHN, AUTHZ, STORAGE = "authentication.k8s.io", "authorization.k8s.io", "storage.k8s.io"

# In a namespace: what users with `edit` write, and what `view` shows beside it.
EDITED = {
    CORE: "configmaps events pods pods/attach pods/exec pods/portforward pods/proxy serviceaccounts services "
    "services/proxy",
    APPS: "daemonsets deployments deployments/scale replicasets replicasets/scale statefulsets statefulsets/scale",
    BATCH: "cronjobs jobs",
    POLICY: "poddisruptionbudgets",
    AUTOSCALING: "horizontalpodautoscalers",
    NETWORKING: "ingresses networkpolicies",
    COORDINATION: "leases",
}
# Endpoints are not to be written by users: they could lead a Service's clients anywhere (CVE-2021-25740).
VIEWED = {
    CORE: "configmaps endpoints events limitranges namespaces namespaces/status persistentvolumeclaims pods pods/log "
    "pods/status replicationcontrollers resourcequotas serviceaccounts services services/status",
    APPS: "controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status "
    "replicasets replicasets/scale replicasets/status statefulsets statefulsets/scale statefulsets/status",
    BATCH: "cronjobs cronjobs/status jobs jobs/status",
    POLICY: "poddisruptionbudgets poddisruptionbudgets/status",
    AUTOSCALING: "horizontalpodautoscalers horizontalpodautoscalers/status",
    NETWORKING: "ingresses ingresses/status networkpolicies",
    DISCOVERY: "endpointslices",
}


def rule(verbs: Iterable[str], group: str, resources: str, names: Iterable[str] = ()) -> PolicyRule:
    return PolicyRule(verbs=[*verbs], apiGroups=[group], resources=resources.split(), resourceNames=[*names])


def paths(verbs: Iterable[str], urls: str) -> PolicyRule:
    return PolicyRule(verbs=[*verbs], nonResourceURLs=urls.split())


EVENTS = [rule(CHANGE, CORE, "events"), rule(CHANGE, "events.k8s.io", "events")]
REVIEWS = [rule(["create"], AUTHN, "tokenreviews"), rule(["create"], AUTHZ, "subjectaccessreviews")]
HEALTH = "/healthz /livez /readyz /version /version/"
HEALTH_PARTS = "/healthz /healthz/* /livez /livez/* /metrics /metrics/slis /readyz /readyz/*"
ISSUER = "/.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks /openid/v1/jwks/"


def _leader(name: str) -> list[PolicyRule]:
    """To lead, by the Lease of this name and no other."""
    return [rule(["create"], COORDINATION, "leases"), rule(("get", "update", "patch"), COORDINATION, "leases", [name])]


def _everything(verbs: Iterable[str]) -> list[PolicyRule]:
    """Every kind and its status, and no other subresource: the garbage collector and the namespace controller."""
    groups: dict[str, list[str]] = {}
    for cls in (*kinds.KINDS, *kinds.FACES):
        found = groups.setdefault(cls.resource.group, [])
        found.append(cls.resource.plural)
        found += [f"{cls.resource.plural}/status"] if "status" in cls.resource.subresources else []
    return [PolicyRule(verbs=[*verbs], apiGroups=[group], resources=found) for group, found in groups.items()]


CONTROLLERS = [
    *_everything((*READS, "update", "patch", "delete", "deletecollection")),
    rule(("list", "watch"), "*", "*"),  # upstream's looks at every kind there is, whatever it is
    rule(CHANGE, CORE, "namespaces/finalize"),
    rule((*READS, "update", "patch"), APPS, "deployments/scale replicasets/scale statefulsets/scale"),
    rule(["create"], CORE, "configmaps endpoints events namespaces pods secrets serviceaccounts services"),
    rule(["create"], CORE, "pods/eviction serviceaccounts/token"),
    rule(["create"], APPS, "controllerrevisions replicasets"),
    rule(["create"], BATCH, "jobs"),
    rule(["create"], DISCOVERY, "endpointslices"),
    rule(["create"], COORDINATION, "leases"),
    rule(["create"], NETWORKING, "ipaddresses"),
    rule(["create"], "events.k8s.io", "events"),
    rule(["escalate"], GROUP, "clusterroles"),  # it collects into ClusterRoles what others may do
    *REVIEWS,
]
# Upstream's scheduler also asks after volumes, and deletes Pods that have to make room; ours does neither.
SCHEDULER = [
    *_leader("kube-scheduler"),  # in any namespace: upstream's may be told where its Lease is
    rule(READS, CORE, "namespaces nodes pods services"),
    rule(READS, CORE, "persistentvolumeclaims persistentvolumes replicationcontrollers"),
    rule(["delete"], CORE, "pods"),
    rule(READS, STORAGE, "csidrivers csinodes csistoragecapacities storageclasses"),
    rule(READS, APPS, "deployments replicasets statefulsets"),
    rule(READS, POLICY, "poddisruptionbudgets"),
    rule(["create"], CORE, "bindings pods/binding"),
    rule(["update", "patch"], CORE, "pods/status"),
    *EVENTS,
    *REVIEWS,
]
PROXY = [
    # Pods, which upstream's proxy does not read: some of them ask for a sidecar.
    rule(READS, CORE, "services endpoints nodes namespaces pods"),
    rule(READS, DISCOVERY, "endpointslices"),
    rule(READS, NETWORKING, "servicecidrs"),
    *EVENTS,
]
DNS = [rule(READS, CORE, "services endpoints namespaces pods nodes"), rule(READS, DISCOVERY, "endpointslices")]
# Whose certificates it serves is decided by Ingresses in any namespace, so it reads all Secrets, as upstream does.
INGRESS = [
    rule(READS, CORE, "services nodes secrets"),
    rule(READS, DISCOVERY, "endpointslices"),
    rule(READS, NETWORKING, "ingresses ingressclasses"),
    rule(["create"], NETWORKING, "ingressclasses"),
    rule(["patch", "update"], NETWORKING, "ingresses/status"),
    *EVENTS,
]
LEASES = [rule(READS, COORDINATION, "leases")]

# name → its rules
OF_CONTROLLERS = controllerroles.controller_roles()
CLUSTER_ROLES: dict[str, list[PolicyRule]] = {
    "cluster-admin": [rule(["*"], "*", "*"), paths(["*"], "*")],
    "system:aggregate-to-admin": [
        rule(["create"], AUTHZ, "localsubjectaccessreviews"),
        rule((*READS, *WRITE), GROUP, "roles rolebindings"),
    ],
    "system:aggregate-to-edit": [
        *(rule(WRITE, group, resources) for group, resources in EDITED.items()),
        rule((*READS, *WRITE), CORE, "secrets"),
        rule(READS, CORE, "pods/attach pods/exec pods/portforward pods/proxy services/proxy"),
        rule(READS, COORDINATION, "leases"),
        rule(["create"], CORE, "pods/eviction serviceaccounts/token"),
        rule(["impersonate"], CORE, "serviceaccounts"),
    ],
    "system:aggregate-to-view": [rule(READS, group, resources) for group, resources in VIEWED.items()],
    "system:discovery": [paths(["get"], f"/api /api/* /apis /apis/* /openapi /openapi/* {HEALTH}")],
    "system:public-info-viewer": [paths(["get"], HEALTH)],
    "system:monitoring": [paths(["get"], HEALTH_PARTS)],
    "system:basic-user": [
        rule(["create"], AUTHZ, "selfsubjectaccessreviews selfsubjectrulesreviews"),
        rule(["create"], AUTHN, "selfsubjectreviews"),
    ],
    "system:auth-delegator": REVIEWS,
    "system:service-account-issuer-discovery": [
        paths(
            ["get"],
            "/.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks /openid/v1/jwks/",
        )
    ],
    "system:kubelet-api-admin": [
        rule(READS, CORE, "nodes"),
        rule(["proxy"], CORE, "nodes"),
        rule(["*"], CORE, "nodes/log nodes/metrics nodes/proxy nodes/stats"),
    ],
    "system:kube-controller-manager": CONTROLLERS,
    "system:kube-scheduler": SCHEDULER,
    "system:kube-dns": [rule(["list", "watch"], CORE, "endpoints services")],
    "system:node-proxier": PROXY,
    "system:node-dns": DNS,
    "system:node-ingress": INGRESS,
    **{controllerroles.PREFIX + name: rules for name, rules in OF_CONTROLLERS.items()},
}
# Each collects what is labelled for it, and is itself collected by the next.
COLLECTING = {"view": "edit", "edit": "admin", "admin": ""}
EVERYBODY, KNOWN, NODES = "system:unauthenticated", "system:authenticated", "system:nodes"
# A ClusterRole's name → who has it everywhere: users, or groups with `group ` before the name; `account ` is a
# ServiceAccount in kube-system.
BOUND: dict[str, tuple[str, ...]] = {
    "cluster-admin": ("group system:masters",),
    "system:discovery": (f"group {KNOWN}",),
    "system:public-info-viewer": (f"group {KNOWN}", f"group {EVERYBODY}"),
    "system:basic-user": (f"group {KNOWN}",),
    "system:monitoring": ("group system:monitoring",),
    "system:service-account-issuer-discovery": ("group system:serviceaccounts",),
    "system:kube-controller-manager": ("system:kube-controller-manager",),
    "system:kube-scheduler": ("system:kube-scheduler",),
    "system:node-proxier": ("system:kube-proxy", "group system:node-proxier"),
    "system:node-dns": ("group system:node-dns",),
    "system:node-ingress": ("group system:node-ingress",),
    **{controllerroles.PREFIX + name: (f"account {name}",) for name in OF_CONTROLLERS},
}
# In kube-system: name → (its rules, who has it).
ROLES: dict[str, tuple[list[PolicyRule], tuple[str, ...]]] = {
    "system::leader-locking-kube-controller-manager": (
        _leader("kube-controller-manager"),
        ("system:kube-controller-manager",),
    ),
    "system::leader-locking-kube-scheduler": (_leader("kube-scheduler"), ("system:kube-scheduler",)),
    # Whose certificates to trust, for programs that are asked for their own metrics.
    "extension-apiserver-authentication-reader": (
        [rule(READS, CORE, "configmaps", ["extension-apiserver-authentication"])],
        ("system:kube-controller-manager", "system:kube-scheduler"),
    ),
    "system:node-proxier": (LEASES, ("group system:node-proxier",)),
    "system:node-ingress": (LEASES, ("group system:node-ingress",)),
}


def wanted() -> list[Object]:
    """All of them, complete."""
    plain = [_cluster_role(name, rules) for name, rules in CLUSTER_ROLES.items()]
    for name, collector in COLLECTING.items():
        plain.append(_collecting(name, collector, plain))
    bindings: list[Object] = []
    for name, everybody in BOUND.items():
        subjects = [subject(who) for who in everybody]
        bindings.append(ClusterRoleBinding(metadata=_meta(name), subjects=subjects, roleRef=ref("ClusterRole", name)))
    local: list[Object] = []
    for name, (rules, who) in ROLES.items():
        local.append(Role(metadata=_meta(name, "kube-system"), rules=rules))
        bound = name if name.startswith("system:") else f"system::{name}"
        subjects = [subject(each) for each in who]
        meta = _meta(bound, "kube-system")
        local.append(RoleBinding(metadata=meta, subjects=subjects, roleRef=ref("Role", name)))
    return [*plain, *bindings, *local]


def _cluster_role(name: str, rules: list[PolicyRule]) -> ClusterRole:
    meta = _meta(name)
    collected = name.removeprefix("system:aggregate-to-")
    if collected != name:
        meta.labels[AGGREGATE + collected] = "true"
    return ClusterRole(metadata=meta, rules=rules)


def _collecting(name: str, collector: str, known: list[ClusterRole]) -> ClusterRole:
    """Its rules are there from the beginning; the controller `clusterroles` keeps them so."""
    collects = AggregationRule(clusterRoleSelectors=[LabelSelector(matchLabels={AGGREGATE + name: "true"})])
    role = ClusterRole(metadata=_meta(name), aggregationRule=collects)
    if collector:
        role.metadata.labels[AGGREGATE + collector] = "true"
    role.rules = aggregated(role, known)
    return role


def _meta(name: str, namespace: str = "") -> ObjectMeta:
    return ObjectMeta(name=name, namespace=namespace, labels=dict(LABELS), annotations={AUTOUPDATE: "true"})


def subject(who: str) -> Subject:
    kind, _, name = who.rpartition(" ")
    if kind == "account":
        return Subject(kind="ServiceAccount", name=name, namespace="kube-system")
    return Subject(kind="Group" if kind == "group" else "User", apiGroup=GROUP, name=name)


def ref(kind: str, name: str) -> RoleRef:
    return RoleRef(apiGroup=GROUP, kind=kind, name=name)


def mended(there: Object, wanted: Object) -> Object | None:
    """What a default role that is there has to become: what it lacks is added, nothing is taken away; None: it fits."""
    if there.metadata.annotations.get(AUTOUPDATE) != "true":
        return None
    if isinstance(there, Role | ClusterRole) and isinstance(wanted, Role | ClusterRole):
        if isinstance(there, ClusterRole) and there.aggregationRule:
            return None  # the controller's business
        lacking = [each for each in wanted.rules if each not in there.rules]
        there.rules = [*there.rules, *lacking]
        return there if lacking else None
    if isinstance(there, RoleBinding | ClusterRoleBinding) and isinstance(wanted, RoleBinding | ClusterRoleBinding):
        absent = [each for each in wanted.subjects if each not in there.subjects]
        there.subjects = [*there.subjects, *absent]
        return there if absent and there.roleRef == wanted.roleRef else None
    return None
