"""Answers questions about rights and identities: kinds that are created, answered in their status, and forgotten.

One function for each kind, in the table at the end of the file. Invariants: the answer is what would happen to the
request itself, for both are judged by the same rights; whoever asks about others needs a role that says so. Of a right
that depends on the object, the answer is the one before the object is known: "perhaps" counts as yes.
Read `authz.py` for how it is judged.
"""

import functools
from collections.abc import Callable
from typing import Any, cast

from minik8s.api import authentication, authorization, codec
from minik8s.api.authentication import SelfSubjectReview, TokenReview, UserInfo
from minik8s.api.authorization import (
    LocalSubjectAccessReview,
    NonResourceAttributes,
    ResourceAttributes,
    SelfSubjectAccessReview,
    SelfSubjectRulesReview,
    SubjectAccessReview,
)
from minik8s.api.meta import Object
from minik8s.api.validation.fields import Problems
from minik8s.apiserver import admission, errors
from minik8s.apiserver.auth import usage
from minik8s.apiserver.auth.authenticator import Authenticator
from minik8s.apiserver.auth.authn import User
from minik8s.apiserver.auth.authz import MASTERS, RULES, Ask
from minik8s.apiserver.auth.signing import BadToken
from minik8s.apiserver.auth.tokens import AUDIENCES
from minik8s.apiserver.registry import Registry
from minik8s.apiserver.request import Answer, Request, Written

ONE_OF = "exactly one of nonResourceAttributes or resourceAttributes must be specified"


class Reviews:
    """Answers them. Thread-safe: nothing is kept."""

    def __init__(self, registry: Registry, authenticator: Authenticator) -> None:
        self._registry, self._authenticator = registry, authenticator

    def answerers(self) -> dict[type[Object], Callable[[Request], Answer]]:
        """Who answers for which kind."""
        return dict.fromkeys(HOW, self.answer)

    def answer(self, request: Request) -> Answer:
        """The object as it was sent, with the answer in its status."""
        review = cast(Any, admission.decode(request, admission.document(request)))
        review.status = type(review)().status
        how: Callable[[Reviews, Request, Any], None] = HOW[request.cls]
        how(self, request, review)
        # Nothing was stored, so no revision was made; the audit says at which it was.
        told = Written(request.target.namespace, review.metadata.name, self._registry.newest)
        return Answer(201, codec.encode(review), writes=(told,))

    # --- Who --------------------------------------------------------------------------------------------------

    def whoami(self, request: Request, review: SelfSubjectReview) -> None:
        review.status.userInfo = _info(request.user)

    def token(self, request: Request, review: TokenReview) -> None:
        if not review.spec.token:
            _refuse(request, lambda problems: problems.required("spec.token"))
        audiences = tuple(review.spec.audiences) or AUDIENCES
        try:
            bearer = self._authenticator.bearer(review.spec.token, audiences)
        except BadToken as error:
            review.status.error = f"invalid bearer token: {error}"
            return
        review.status.authenticated, review.status.user = True, _info(bearer.user)
        review.status.audiences = list(bearer.audiences)

    # --- May they ---------------------------------------------------------------------------------------------

    def mine(self, request: Request, review: SelfSubjectAccessReview) -> None:
        _check_question(request, review.spec.resourceAttributes, review.spec.nonResourceAttributes)
        self._judge(request, request.user, review)

    def theirs(self, request: Request, review: SubjectAccessReview) -> None:
        spec = review.spec
        _check_question(request, spec.resourceAttributes, spec.nonResourceAttributes)
        if not spec.user and not spec.groups:
            message = "at least one of user or group must be specified"
            _refuse(request, lambda problems: problems.invalid("spec.user", spec.user, message))
        extra = tuple((name, tuple(values)) for name, values in spec.extra.items())
        self._judge(request, User(spec.user, tuple(spec.groups), spec.uid, extra), review)

    def local(self, request: Request, review: LocalSubjectAccessReview) -> None:
        asked = review.spec.resourceAttributes
        if asked is None:
            _refuse(request, lambda problems: problems.required("spec.resourceAttributes", ONE_OF))
        elif asked.namespace != request.target.namespace:
            field = "spec.resourceAttributes.namespace"
            namespace = asked.namespace
            _refuse(request, lambda problems: problems.invalid(field, namespace, "must match metadata.namespace"))
        self.theirs(request, cast(SubjectAccessReview, review))

    def _judge(self, request: Request, user: User, review: SelfSubjectAccessReview | SubjectAccessReview) -> None:
        spec, status = review.spec, review.status
        if spec.nonResourceAttributes is not None:
            path = spec.nonResourceAttributes
            status.allowed = request.rights.path_allowed(user, path.verb, path.path)
        if spec.resourceAttributes is not None:
            uses = functools.partial(usage.used_on_node, self._registry)
            reason = request.rights.allowed(_ask(user, spec.resourceAttributes), uses)
            status.allowed, status.reason = reason is None, reason or ""

    def rules(self, request: Request, review: SelfSubjectRulesReview) -> None:
        if not review.spec.namespace:
            _refuse(request, lambda problems: problems.required("spec.namespace"))
        status, user = review.status, request.user
        for rule in request.rights.policies.rules_of(user, review.spec.namespace):
            if rule.nonResourceURLs:
                found = authorization.NonResourceRule(verbs=rule.verbs, nonResourceURLs=rule.nonResourceURLs)
                status.nonResourceRules.append(found)
            else:
                told = (rule.verbs, rule.apiGroups, rule.resources, rule.resourceNames)
                status.resourceRules.append(
                    authorization.ResourceRule(
                        verbs=told[0], apiGroups=told[1], resources=told[2], resourceNames=told[3]
                    )
                )
        if MASTERS not in user.groups and any(group in RULES for group in user.groups):
            status.incomplete = True
            status.evaluationError = "what lives on a node has rights that depend on the object; those are not listed"


def _ask(user: User, asked: ResourceAttributes) -> Ask:
    resource = f"{asked.resource}/{asked.subresource}" if asked.subresource else asked.resource
    return Ask(user, asked.verb, resource, asked.namespace, asked.name, group=asked.group)


def _check_question(request: Request, resource: ResourceAttributes | None, path: NonResourceAttributes | None) -> None:
    if (resource is None) == (path is None):
        _refuse(request, lambda problems: problems.required("spec.resourceAttributes", ONE_OF))


def _refuse(request: Request, say: Callable[[Problems], None]) -> None:
    problems = Problems()
    say(problems)
    raise errors.invalid(request.cls, "", problems.causes)


def _info(user: User) -> UserInfo:
    extra = {name: list(values) for name, values in user.extra}
    return authentication.UserInfo(username=user.name, uid=user.uid, groups=list(user.groups), extra=extra)


HOW: dict[type[Object], Callable[[Reviews, Request, Any], None]] = {
    SelfSubjectReview: Reviews.whoami,
    TokenReview: Reviews.token,
    SelfSubjectAccessReview: Reviews.mine,
    SubjectAccessReview: Reviews.theirs,
    LocalSubjectAccessReview: Reviews.local,
    SelfSubjectRulesReview: Reviews.rules,
}
