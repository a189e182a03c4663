"""authorization.k8s.io/v1: may somebody do something? Reviews are created, answered in `status`, and stored nowhere.

Source: the published OpenAPI of Kubernetes 1.33. Read `rbac.py` for the objects by which they are answered.
"""

import msgspec

from minik8s.api.meta import FieldSelectorRequirement, LabelSelectorRequirement, Object, Struct, resource, says

V1 = "authorization.k8s.io/v1"

# --- What is to be done -----------------------------------------------------------------------------------------------


class FieldSelectorAttributes(Struct):
    rawSelector: str = ""
    requirements: list[FieldSelectorRequirement] = []


class LabelSelectorAttributes(Struct):
    rawSelector: str = ""
    requirements: list[LabelSelectorRequirement] = []


class ResourceAttributes(Struct):
    """A verb on a resource. `*` asks about all of them; no namespace: at the cluster scope, or in every namespace."""

    namespace: str = ""
    verb: str = ""
    group: str = ""
    version: str = ""
    resource: str = ""
    subresource: str = ""
    name: str = ""
    fieldSelector: FieldSelectorAttributes | None = None
    labelSelector: LabelSelectorAttributes | None = None


class NonResourceAttributes(Struct):
    """A verb on a path that is no resource."""

    path: str = ""
    verb: str = ""


# --- The questions ----------------------------------------------------------------------------------------------------


class SubjectAccessReviewStatus(Struct):
    allowed: bool = msgspec.field(default_factory=bool)
    denied: bool = False
    reason: str = ""
    evaluationError: str = ""


class SelfSubjectAccessReviewSpec(Struct):
    resourceAttributes: ResourceAttributes | None = None
    nonResourceAttributes: NonResourceAttributes | None = None


@resource("selfsubjectaccessreviews", namespaced=False, verbs=("create",))
class SelfSubjectAccessReview(Object):
    """May I? `kubectl auth can-i` asks this."""

    apiVersion: str = says(V1)
    kind: str = says("SelfSubjectAccessReview")
    spec: SelfSubjectAccessReviewSpec = msgspec.field(default_factory=SelfSubjectAccessReviewSpec)
    status: SubjectAccessReviewStatus = msgspec.field(default_factory=SubjectAccessReviewStatus)


class SubjectAccessReviewSpec(Struct):
    resourceAttributes: ResourceAttributes | None = None
    nonResourceAttributes: NonResourceAttributes | None = None
    user: str = ""
    groups: list[str] = []
    extra: dict[str, list[str]] = {}
    uid: str = ""


@resource("subjectaccessreviews", namespaced=False, verbs=("create",))
class SubjectAccessReview(Object):
    """May somebody else? Programs ask it of those who come to them."""

    apiVersion: str = says(V1)
    kind: str = says("SubjectAccessReview")
    spec: SubjectAccessReviewSpec = msgspec.field(default_factory=SubjectAccessReviewSpec)
    status: SubjectAccessReviewStatus = msgspec.field(default_factory=SubjectAccessReviewStatus)


@resource("localsubjectaccessreviews", verbs=("create",))
class LocalSubjectAccessReview(Object):
    """The same within one namespace, so that the right to ask can be given for that namespace alone."""

    apiVersion: str = says(V1)
    kind: str = says("LocalSubjectAccessReview")
    spec: SubjectAccessReviewSpec = msgspec.field(default_factory=SubjectAccessReviewSpec)
    status: SubjectAccessReviewStatus = msgspec.field(default_factory=SubjectAccessReviewStatus)


class ResourceRule(Struct):
    verbs: list[str] = msgspec.field(default_factory=list)
    apiGroups: list[str] = []
    resources: list[str] = []
    resourceNames: list[str] = []


class NonResourceRule(Struct):
    verbs: list[str] = msgspec.field(default_factory=list)
    nonResourceURLs: list[str] = []


class SelfSubjectRulesReviewSpec(Struct):
    namespace: str = ""


class SubjectRulesReviewStatus(Struct):
    """All that somebody may do in a namespace; `incomplete` when there are rights that cannot be listed."""

    resourceRules: list[ResourceRule] = msgspec.field(default_factory=list)
    nonResourceRules: list[NonResourceRule] = msgspec.field(default_factory=list)
    incomplete: bool = msgspec.field(default_factory=bool)
    evaluationError: str = ""


@resource("selfsubjectrulesreviews", namespaced=False, verbs=("create",))
class SelfSubjectRulesReview(Object):
    """What may I do? `kubectl auth can-i --list` asks this."""

    apiVersion: str = says(V1)
    kind: str = says("SelfSubjectRulesReview")
    spec: SelfSubjectRulesReviewSpec = msgspec.field(default_factory=SelfSubjectRulesReviewSpec)
    status: SubjectRulesReviewStatus = msgspec.field(default_factory=SubjectRulesReviewStatus)
