"""authentication.k8s.io/v1: who is asking? Tokens are asked for, shown to be checked, and one's own name is told.

These objects are questions: they are created, answered in `status`, and stored nowhere. Source: the published OpenAPI
of Kubernetes 1.33. Read `authorization.py` next: what somebody may do.
"""

import msgspec

from minik8s.api.meta import Int64, Object, ObjectMeta, Struct, Time, resource, says


class UserInfo(Struct):
    """A user as the API server knows it. `extra` says how it was found out: the Pod a token is bound to."""

    username: str = ""
    uid: str = ""
    groups: list[str] = []
    extra: dict[str, list[str]] = {}


# --- TokenRequest: serviceaccounts/x/token ----------------------------------------------------------------------------


class BoundObjectReference(Struct):
    """The object whose end is the token's end: a Pod, a Secret or a Node."""

    kind: str = ""
    apiVersion: str = ""
    name: str = ""
    uid: str = ""


class TokenRequestSpec(Struct):
    audiences: list[str] = []
    expirationSeconds: Int64 | None = None
    boundObjectRef: BoundObjectReference | None = None


class TokenRequestStatus(Struct):
    token: str = says("")
    expirationTimestamp: Time | None = None


class TokenRequest(Struct):
    """Asks for a token of a ServiceAccount. A subresource and no kind of its own."""

    apiVersion: str = says("authentication.k8s.io/v1")
    kind: str = says("TokenRequest")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: TokenRequestSpec = msgspec.field(default_factory=TokenRequestSpec)
    status: TokenRequestStatus = msgspec.field(default_factory=TokenRequestStatus)


# --- Reviews ----------------------------------------------------------------------------------------------------------


class TokenReviewSpec(Struct):
    token: str = ""
    audiences: list[str] = []


class TokenReviewStatus(Struct):
    authenticated: bool = False
    user: UserInfo | None = None
    audiences: list[str] = []
    error: str = ""


@resource("tokenreviews", namespaced=False, verbs=("create",))
class TokenReview(Object):
    """Whose token is this? Programs in the cluster ask it of tokens that they are shown."""

    apiVersion: str = says("authentication.k8s.io/v1")
    kind: str = says("TokenReview")
    spec: TokenReviewSpec = msgspec.field(default_factory=TokenReviewSpec)
    status: TokenReviewStatus = msgspec.field(default_factory=TokenReviewStatus)


class SelfSubjectReviewStatus(Struct):
    userInfo: UserInfo = msgspec.field(default_factory=UserInfo)


@resource("selfsubjectreviews", namespaced=False, verbs=("create",))
class SelfSubjectReview(Object):
    """Who am I? `kubectl auth whoami` asks this."""

    apiVersion: str = says("authentication.k8s.io/v1")
    kind: str = says("SelfSubjectReview")
    status: SelfSubjectReviewStatus = msgspec.field(default_factory=SelfSubjectReviewStatus)
