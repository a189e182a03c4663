"""Tokens of ServiceAccounts: who gets one, what it says, and when it is still believed.

A token is a signed statement ("the bearer is this ServiceAccount, in this Pod, until then"), so nothing is stored. Its
end comes by its clock, or when the ServiceAccount or the object it is bound to is gone: that is asked at every use, of
the watch cache, by uid, so that a new object of the same name does not revive an old token. Invariant: a token counts
only for the audience that it was made for. Source: KEP-1205 and KEP-4193. Read `signing.py` for the form.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

import msgspec

from minik8s import params
from minik8s.api import codec, times
from minik8s.api.authentication import BoundObjectReference, TokenRequest
from minik8s.api.core import Node, Pod, Secret, ServiceAccount
from minik8s.api.meta import Object, StatusCause
from minik8s.apiserver import admission, errors
from minik8s.apiserver.auth import access
from minik8s.apiserver.auth.authn import AUTHENTICATED, User
from minik8s.apiserver.auth.signing import BadToken, Keys
from minik8s.apiserver.registry import Registry, key_of
from minik8s.apiserver.request import Answer, Request, Written
from minik8s.host import clock

ISSUER = f"https://kubernetes.default.svc.{params.CLUSTER_DOMAIN}"
AUDIENCES = (ISSUER,)  # what a token for this API server is made for
PREFIX = "system:serviceaccount:"
MIN_SECONDS, USUAL_SECONDS, MAX_SECONDS = 600, 3600, 1 << 32
LEEWAY_S = 60.0  # between the clocks of several API servers
REMEMBERED = 4096  # tokens whose signature was checked
# Kinds that a token may be bound to, by the name under which its claims have them.
BOUND: dict[str, type[Object]] = {"pod": Pod, "secret": Secret, "node": Node}
EXTRA = "authentication.kubernetes.io/"
# Where OpenID's clients look: who issues tokens, and by which key to check them.
PUBLISHED = ("/.well-known/openid-configuration", "/openid/v1/jwks")


class _Named(msgspec.Struct):
    name: str
    uid: str


class _Private(msgspec.Struct):
    """The claims under `kubernetes.io`."""

    namespace: str
    serviceaccount: _Named
    pod: _Named | None = None
    secret: _Named | None = None
    node: _Named | None = None


class Claims(msgspec.Struct):
    """What a token says."""

    iss: str
    sub: str
    exp: float
    private: _Private = msgspec.field(name="kubernetes.io")
    aud: list[str] = []
    nbf: float = 0.0
    jti: str = ""


class _Metadata(msgspec.Struct):
    uid: str = ""


class _Anything(msgspec.Struct):
    """As much of an object as tells which one it is."""

    metadata: _Metadata = msgspec.field(default_factory=_Metadata)


_uids = msgspec.json.Decoder(_Anything)


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who a token speaks for, and for which of the audiences asked about it was made."""

    user: User
    audiences: tuple[str, ...]


class Tokens:
    """Makes and checks tokens. Thread-safe: of two threads that check the same token, one remembers it."""

    def __init__(self, registry: Registry, keys: Keys) -> None:
        self._registry, self.keys = registry, keys
        self._checked: dict[bytes, Claims] = {}  # hash of a token → what it says; its signature was good

    # --- checking ---------------------------------------------------------------------------------------------

    def bearer(self, token: str, audiences: tuple[str, ...] = AUDIENCES) -> Bearer:
        """Who shows this token. Raises BadToken."""
        claims = self._claims(token)
        now = clock.wall()
        if claims.iss != ISSUER:
            raise BadToken(f"it was issued by {claims.iss}")
        if claims.exp + LEEWAY_S < now or claims.nbf - LEEWAY_S > now:
            raise BadToken("it has expired, or is not yet valid")
        meant = tuple(each for each in audiences if each in claims.aud)
        if not meant:
            raise BadToken("it was made for others")
        self._check_alive(claims.private)
        return Bearer(user_of(claims), meant)

    def _claims(self, token: str) -> Claims:
        digest = hashlib.sha256(token.encode()).digest()
        known = self._checked.get(digest)
        if known is None:
            try:
                known = codec.from_dict(Claims, self.keys.read(token))
            except msgspec.ValidationError as error:
                raise BadToken(f"it does not say what tokens of ours say: {error}") from error
            if len(self._checked) >= REMEMBERED:
                self._checked.clear()
            self._checked[digest] = known
        return known

    def _check_alive(self, private: _Private) -> None:
        self._check_there(ServiceAccount, private.namespace, private.serviceaccount)
        for field, cls in BOUND.items():
            bound: _Named | None = getattr(private, field)
            # Of a Pod's node only the name is told along; the Pod's own end is the token's end.
            if bound is not None and not (field == "node" and private.pod):
                self._check_there(cls, private.namespace if cls.resource.namespaced else "", bound)

    def _check_there(self, cls: type[Object], namespace: str, named: _Named) -> None:
        """It is there and is the same; a cache that is a moment behind is not believed when it says no."""
        cached = self._registry.cache.get(key_of(cls, namespace, named.name))
        if cached is not None and _uids.decode(cached).metadata.uid == named.uid:
            return
        stored = self._registry.read(cls, namespace, named.name)
        if stored is None or _uids.decode(stored.kv.value).metadata.uid != named.uid:
            raise BadToken(f"the {cls.resource.singular} {namespace}/{named.name} that it speaks of is gone")

    # --- making -----------------------------------------------------------------------------------------------

    def request(self, request: Request) -> Answer:
        """POST serviceaccounts/x/token."""
        wanted: TokenRequest = admission.typed(TokenRequest, admission.document(request))
        target = request.target
        stored = self._registry.read(ServiceAccount, target.namespace, target.name)
        if stored is None:
            raise errors.not_found(ServiceAccount, target.name)
        account = stored.decode()
        seconds = _seconds(request, wanted.spec.expirationSeconds)
        bound = self._bound(account, wanted.spec.boundObjectRef)
        access.check(request, None, bound or account)
        wanted.spec.audiences = wanted.spec.audiences or list(AUDIENCES)
        wanted.spec.expirationSeconds = seconds
        now = int(clock.wall())
        claims = _claims(account, wanted.spec.audiences, (now, now + seconds), self._told(bound))
        wanted.status.token = self.keys.sign(claims)
        wanted.status.expirationTimestamp = times.rfc3339(now + seconds)
        wanted.metadata.name, wanted.metadata.namespace = target.name, target.namespace
        wanted.metadata.creationTimestamp = times.rfc3339(now)
        wanted.apiVersion, wanted.kind = "authentication.k8s.io/v1", "TokenRequest"
        # Nothing was stored, so no revision was made; the audit says at which it was.
        told = Written(target.namespace, target.name, self._registry.newest)
        return Answer(201, codec.encode(wanted), writes=(told,))

    def _bound(self, account: Object, wanted: BoundObjectReference | None) -> Object | None:
        """The object whose end shall be the token's end."""
        if wanted is None:
            return None
        cls = next((each for each in BOUND.values() if each.resource.kind == wanted.kind), None)
        if cls is None or wanted.apiVersion not in ("", "v1"):
            raise errors.bad_request(f"cannot bind token to object of type {wanted.apiVersion}, Kind={wanted.kind}")
        stored = self._registry.read(cls, account.metadata.namespace if cls.resource.namespaced else "", wanted.name)
        if stored is None:
            raise errors.not_found(cls, wanted.name)
        found = stored.decode()
        if wanted.uid and wanted.uid != found.metadata.uid:
            because = (
                f"the UID in the bound object reference ({wanted.uid}) does not match the UID in record. "
                "The object might have been deleted and then recreated"
            )
            raise errors.conflict(cls, wanted.name, because)
        name = account.metadata.name
        if isinstance(found, Pod) and found.spec.serviceAccountName != name:
            raise errors.bad_request(
                f'cannot bind token for serviceaccount "{name}" to pod running with different serviceaccount name.'
            )
        return found

    def _told(self, bound: Object | None) -> dict[str, Any]:
        """The claims that name it, and the node of a Pod."""
        if bound is None:
            return {}
        told = {bound.resource.singular: {"name": bound.metadata.name, "uid": bound.metadata.uid}}
        if isinstance(bound, Pod) and bound.spec.nodeName:
            node = self._registry.read(Node, "", bound.spec.nodeName)
            if node is not None:
                told["node"] = {"name": bound.spec.nodeName, "uid": node.decode().metadata.uid}
        return told


def user_of(claims: Claims) -> User:
    """The user that a ServiceAccount is, with all that its token tells."""
    private = claims.private
    namespace, account = private.namespace, private.serviceaccount
    extra = [("credential-id", f"JTI={claims.jti}")]
    for field in ("node", "pod"):
        named: _Named | None = getattr(private, field)
        if named is not None:
            extra += [(f"{field}-name", named.name), (f"{field}-uid", named.uid)]
    return User(
        f"{PREFIX}{namespace}:{account.name}",
        ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", AUTHENTICATED),
        account.uid,
        tuple((EXTRA + name, (value,)) for name, value in extra),
    )


def _claims(account: Object, audiences: list[str], life: tuple[int, int], bound: dict[str, Any]) -> dict[str, Any]:
    meta, (now, end) = account.metadata, life
    return {
        "aud": audiences,
        "exp": end,
        "iat": now,
        "iss": ISSUER,
        "jti": clock.uid(),
        "kubernetes.io": {
            "namespace": meta.namespace,
            "serviceaccount": {"name": meta.name, "uid": meta.uid},
            **bound,
        },
        "nbf": now,
        "sub": f"{PREFIX}{meta.namespace}:{meta.name}",
    }


def _seconds(request: Request, wanted: int | None) -> int:
    """How long it shall live."""
    if wanted is None:
        return USUAL_SECONDS
    detail = ""
    if wanted < MIN_SECONDS:
        detail = "may not specify a duration less than 10 minutes"
    elif wanted > MAX_SECONDS:
        detail = "may not specify a duration larger than 2^32 seconds"
    if detail:
        message = f"Invalid value: {wanted}: {detail}"
        cause = StatusCause(reason="FieldValueInvalid", message=message, field="spec.expirationSeconds")
        raise errors.invalid(request.cls, request.target.name, [cause])
    return wanted


def configuration() -> dict[str, Any]:
    """What OpenID's discovery says."""
    return {
        "issuer": ISSUER,
        "jwks_uri": f"https://{params.CONTROL_PLANE_ADDRESS}:{params.API_PORT}{PUBLISHED[1]}",
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
    }
