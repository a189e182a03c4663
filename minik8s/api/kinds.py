"""The table of kinds: a new kind is one class and one line here.

Routes, discovery, the store's keys, the client and the command line are all derived from this table.
"""

from minik8s.api import events
from minik8s.api.absent import ABSENT
from minik8s.api.apps import ControllerRevision, DaemonSet, Deployment, ReplicaSet, StatefulSet
from minik8s.api.authentication import SelfSubjectReview, TokenReview
from minik8s.api.authorization import (
    LocalSubjectAccessReview,
    SelfSubjectAccessReview,
    SelfSubjectRulesReview,
    SubjectAccessReview,
)
from minik8s.api.autoscaling import HorizontalPodAutoscaler
from minik8s.api.batch import Job
from minik8s.api.coordination import Lease
from minik8s.api.core import (
    ConfigMap,
    Endpoints,
    Event,
    Namespace,
    Node,
    Pod,
    Secret,
    Service,
    ServiceAccount,
)
from minik8s.api.discovery import EndpointSlice
from minik8s.api.meta import Object
from minik8s.api.metrics import NodeMetrics, PodMetrics
from minik8s.api.networking import Ingress, IngressClass, IPAddress, ServiceCIDR
from minik8s.api.policy import PodDisruptionBudget
from minik8s.api.rbac import ClusterRole, ClusterRoleBinding, Role, RoleBinding

# The kinds whose objects are kept.
KINDS: tuple[type[Object], ...] = (
    Namespace,
    Node,
    Pod,
    Service,
    Endpoints,
    ConfigMap,
    Secret,
    ServiceAccount,
    Event,
    Deployment,
    ReplicaSet,
    StatefulSet,
    DaemonSet,
    ControllerRevision,
    Job,
    HorizontalPodAutoscaler,
    PodDisruptionBudget,
    EndpointSlice,
    Lease,
    Ingress,
    IngressClass,
    IPAddress,
    ServiceCIDR,
    Role,
    RoleBinding,
    ClusterRole,
    ClusterRoleBinding,
)

# Kinds that are answered when somebody asks, and never stored: what is measured, and questions.
MOMENTARY: tuple[type[Object], ...] = (
    NodeMetrics,
    PodMetrics,
    TokenReview,
    SelfSubjectReview,
    SelfSubjectAccessReview,
    SubjectAccessReview,
    LocalSubjectAccessReview,
    SelfSubjectRulesReview,
)

# Other faces of kinds that are stored: the same objects in other words.
FACES: tuple[type[Object], ...] = (events.Event,)

ALL: tuple[type[Object], ...] = (*KINDS, *MOMENTARY, *FACES, *ABSENT)

_BY_KIND = {(cls.resource.apiVersion, cls.resource.kind): cls for cls in ALL}
_BY_PLURAL = {(cls.resource.group, cls.resource.version, cls.resource.plural): cls for cls in ALL}


def _words(cls: type[Object]) -> set[str]:
    where = cls.resource
    names = {where.plural, where.singular, *where.shortNames}
    if where.group:
        names |= {f"{where.plural}.{where.group}", f"{where.singular}.{where.group}"}
        names |= {f"{where.plural}.{where.version}.{where.group}"}
    return names


# First come, first named: the core group stands first in the table, as it does for kubectl.
_BY_WORD: dict[str, type[Object]] = {}
for _cls in ALL:
    for _word in _words(_cls):
        _BY_WORD.setdefault(_word, _cls)


def by_kind(api_version: str, kind: str) -> type[Object]:
    """The class of `apiVersion`, `kind`; KeyError when there is none."""
    return _BY_KIND[api_version, kind]


def by_plural(group: str, version: str, plural: str) -> type[Object]:
    """The class of a URL's parts; KeyError when there is none."""
    return _BY_PLURAL[group, version, plural]


def find(word: str) -> type[Object]:
    """The class that people mean by `po`, `pod`, `pods`, `Pod` or `deployments.apps`; KeyError when there is none."""
    return _BY_WORD[word.lower()]
