"""May they? By the roles that they are bound to, or by the rules of the house for what lives on a node.

Everything not allowed is forbidden. Roles (`rbac.py`) say what can be said with names alone. What depends on the object
stands in a table here, such as "the Pod is bound to the node that asks": upstream's node authorizer and its admission
plugin NodeRestriction in one. So a request is asked about twice: when it arrives, when only its names are known (a
condition that needs the object then says "perhaps"), and again before a write with the object before and after it.
Invariant: a node can write nothing about other nodes, even if its key is stolen.

Pure. Read `RULES` from top to bottom, then `roles.py`: the two are the whole policy.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from minik8s.api.coordination import Lease
from minik8s.api.core import Pod
from minik8s.api.meta import READS, Object
from minik8s.api.networking import LEASE_PREFIX
from minik8s.apiserver.auth import rbac
from minik8s.apiserver.auth.authn import User
from minik8s.apiserver.auth.rbac import Policies

CHANGE = ("create", "update", "patch")
NODE_USER, PROXY_USER = "system:node:", "system:kube-proxy:"
ANNOUNCEMENT = "loadbalancer-"  # Leases of load balancer addresses are named loadbalancer-<address>
DENIED = ""  # no rule says yes: nothing to add to "User … cannot …"


@dataclass(frozen=True, slots=True)
class Ask:
    """A request: who, what, and for a write the object before and after, where they exist."""

    user: User
    verb: str
    resource: str  # pods, pods/status
    namespace: str = ""
    name: str = ""
    before: Object | None = None
    after: Object | None = None
    group: str = ""  # of the API

    @property
    def node(self) -> str:
        """The node that asks."""
        return self.user.name.removeprefix(NODE_USER) if self.user.name.startswith(NODE_USER) else ""

    @property
    def object_name(self) -> str | None:
        """The name in the path, or in the object that is created; None when not known yet."""
        return self.name or (self.after.metadata.name if self.after else None)


# Does a node use this ConfigMap or Secret? (resource, namespace, name, node); None while nobody can say.
Uses = Callable[[str, str, str, str], bool]
Condition = Callable[[Ask], bool]


def own_name(ask: Ask) -> bool:
    """The object has the node's own name."""
    return bool(ask.node) and ask.object_name in (None, ask.node)


def own_dns_slice(ask: Ask) -> bool:
    """It is the slice in which the node says whether its DNS lives."""
    return bool(ask.node) and ask.object_name in (None, f"kube-dns-{ask.node}")


def own_ingress_lease(ask: Ask) -> bool:
    """It is the Lease by which the ingress of a node says that it lives."""
    node = ask.user.name.removeprefix("system:ingress:")
    return ask.object_name in (None, LEASE_PREFIX + node)


def own_pod(ask: Ask) -> bool:
    """The Pod is bound to the node, before and after."""
    pods = [pod for pod in (ask.before, ask.after) if isinstance(pod, Pod)]
    return bool(ask.node) and all(pod.spec.nodeName == ask.node for pod in pods)


def own_report(ask: Ask) -> bool:
    """A report on an own Pod that leaves its labels alone: they say which Services it is behind."""
    pods = [pod for pod in (ask.before, ask.after) if isinstance(pod, Pod)]
    return own_pod(ask) and all(pod.metadata.labels == pods[0].metadata.labels for pod in pods)


def own_announcement(ask: Ask) -> bool:
    """It is the Lease of a load balancer's address, and the node's own proxy takes, renews or gives it back."""
    if ask.object_name is not None and not ask.object_name.startswith(ANNOUNCEMENT):
        return False
    held, holds = (
        each.spec.holderIdentity or "" if isinstance(each, Lease) else "" for each in (ask.before, ask.after)
    )
    me = ask.user.name.removeprefix(PROXY_USER)
    known = ask.before is not None or ask.after is not None
    return not known or holds == me or (not holds and held in ("", me))


def own_token(ask: Ask) -> bool:
    """A ServiceAccount's token for a Pod that is bound to the node, and that ends with it."""
    return bool(ask.node) and (ask.after is None or (isinstance(ask.after, Pod) and own_pod(ask)))


def by_name(ask: Ask) -> bool:
    """One object, asked for by its name."""
    return bool(ask.name)


@dataclass(frozen=True, slots=True)
class Rule:
    """Verbs on resources, under a condition."""

    verbs: tuple[str, ...]
    resources: tuple[str, ...]
    namespace: str = ""  # only there
    only: Condition | None = None
    because: str = ""  # what to say when the condition fails


EVENTS = Rule(CHANGE, ("events",))

# Who (a group's name) → what they may do, depending on the object.
RULES: dict[str, tuple[Rule, ...]] = {
    "system:nodes": (
        Rule(READS, ("pods", "services", "endpoints", "endpointslices", "nodes", "namespaces")),
        Rule(READS, ("configmaps", "secrets"), only=by_name, because="a node may read it only by name"),
        Rule(CHANGE, ("nodes", "nodes/status"), only=own_name, because="a node may change only its own Node"),
        Rule(
            ("get", *CHANGE),
            ("leases",),
            namespace="kube-node-lease",
            only=own_name,
            because="a node may touch only its own Lease",
        ),
        Rule(
            ("update", "patch"),
            ("pods/status",),
            only=own_report,
            because="a node may report only on Pods that are bound to it, and not change their labels",
        ),
        Rule(
            ("create",),
            ("serviceaccounts/token",),
            only=own_token,
            because="a node may ask only for tokens that are bound to its own Pods",
        ),
        Rule(("delete",), ("pods",), only=own_pod, because="a node may delete only Pods that are bound to it"),
        Rule(
            (*CHANGE, "delete"),
            ("endpointslices",),
            namespace="kube-system",
            only=own_dns_slice,
            because="a node may write only the slice of its own DNS",
        ),
        EVENTS,
    ),
    "system:node-proxier": (
        Rule(
            (*CHANGE, "delete"),
            ("leases",),
            namespace="kube-system",
            only=own_announcement,
            because="a proxy may take, renew and give back only Leases of load balancer addresses, for its own node",
        ),
    ),
    "system:node-ingress": (
        Rule(CHANGE, ("leases",), namespace="kube-system", only=own_ingress_lease, because="only its own Lease"),
    ),
}

MASTERS = "system:masters"  # whoever is in this group may do everything, whatever the roles say
# Who asks for these is a prober without a name; they are answered even before there are any roles.
HEALTH_PATHS = ("/healthz", "/livez", "/readyz", "/version")
REMEMBERED = 10_000  # decisions


class Rights:
    """What everybody may do by one state of the roles and bindings. Thread-safe: what is decided twice is the same."""

    def __init__(self, policies: Policies | None = None) -> None:
        self.policies = policies or Policies()
        self._decided: dict[tuple[object, ...], bool] = {}

    def allowed(self, ask: Ask, uses: Uses | None = None) -> str | None:
        """None: yes. Otherwise why not, possibly without words (`DENIED`)."""
        if MASTERS in ask.user.groups:
            return None
        act = rbac.Act(ask.verb, ask.group, ask.resource)
        # Most rules name no objects; so that most answers are found without asking for each name anew.
        if self._bound(ask.user, ask.namespace, act):
            return None
        if ask.name and self._bound(ask.user, ask.namespace, replace(act, name=ask.name)):
            return None
        return by_house(ask, uses)

    def path_allowed(self, user: User, verb: str, path: str) -> bool:
        """Whether a path that is no object may be used."""
        if path.rstrip("/") in HEALTH_PATHS or path.startswith(("/livez/", "/readyz/", "/healthz/")):
            return True
        return MASTERS in user.groups or self._bound(user, "", rbac.Act(verb, path=path))

    def _bound(self, user: User, namespace: str, act: rbac.Act) -> bool:
        """Does a role say yes? Decided once for each question; the roles do not change under us."""
        key = (user.name, user.groups, namespace, act)
        found = self._decided.get(key)
        if found is None:
            if len(self._decided) >= REMEMBERED:
                self._decided.clear()
            found = self._decided[key] = rbac.permits(self.policies.rules_of(user, namespace), act)
        return found


def by_house(ask: Ask, uses: Uses | None = None) -> str | None:
    """None: a rule of the table says yes. Otherwise why not."""
    reason = DENIED
    for rule in _rules(ask.user):
        if not _speaks_of(rule, ask):
            continue
        if rule.only is None or rule.only(ask):
            return _used(ask, uses)
        reason = reason or rule.because
    return reason


def _rules(user: User) -> list[Rule]:
    return [rule for subject in user.groups if not user.anonymous for rule in RULES.get(subject, ())]


def _speaks_of(rule: Rule, ask: Ask) -> bool:
    if ask.verb not in rule.verbs:
        return False
    if rule.namespace and ask.namespace != rule.namespace:
        return False
    return ask.resource in rule.resources


def _used(ask: Ask, uses: Uses | None) -> str | None:
    """A node gets only those ConfigMaps and Secrets that a Pod on it uses, where somebody can tell."""
    if not ask.node or uses is None or ask.resource not in ("configmaps", "secrets"):
        return None
    if uses(ask.resource, ask.namespace, ask.name, ask.node):
        return None
    return f"no Pod on {ask.node} uses it"
