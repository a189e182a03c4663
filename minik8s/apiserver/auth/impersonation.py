"""Asking as somebody else: `kubectl --as jane`, for those who may `impersonate` her.

Invariants: what is then decided is decided for the other user alone, as if they had asked themselves; the audit names
both. A header that asks for it is never ignored: who may not, is refused. Source: the Kubernetes documentation, "User
impersonation". Read `authz.py` next.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from minik8s.apiserver import errors
from minik8s.apiserver.auth import access
from minik8s.apiserver.auth.authn import ANONYMOUS, AUTHENTICATED, UNAUTHENTICATED, User
from minik8s.apiserver.auth.authz import Ask

USER, GROUP, UID = "HTTP_IMPERSONATE_USER", "HTTP_IMPERSONATE_GROUP", "HTTP_IMPERSONATE_UID"
EXTRA = "HTTP_IMPERSONATE_EXTRA_"
ACCOUNT = "system:serviceaccount:"
AUTHENTICATION = "authentication.k8s.io"

Allowed = Callable[[Ask], str | None]


def apply(user: User, environ: Mapping[str, Any], allowed: Allowed) -> User:
    """Who counts as asking. Raises a 403, or a 400 when it is not said who."""
    wanted = {name: str(value) for name, value in environ.items() if name.startswith("HTTP_IMPERSONATE_")}
    if not wanted:
        return user
    if not wanted.get(USER):
        raise errors.bad_request("Impersonate-Group, -Uid and -Extra need an Impersonate-User beside them")
    # gunicorn joins headers that come several times.
    groups = tuple(each.strip() for each in wanted.get(GROUP, "").split(",") if each.strip())
    other = User(wanted[USER], groups, wanted.get(UID, ""), tuple(_extra(wanted)), by=user.name)
    for ask in _asks(user, other):
        if allowed(ask) is not None:
            raise errors.forbidden_to(ask.user.name, ask.resource, ask.group, ask.name, access.described(ask))
    return _completed(other)


def _extra(wanted: Mapping[str, str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, value in sorted(wanted.items()):
        if name.startswith(EXTRA):
            key = unquote(name.removeprefix(EXTRA).replace("_", "-").lower())
            yield key, tuple(each.strip() for each in value.split(","))


def _asks(user: User, other: User) -> Iterator[Ask]:
    """All that must be allowed for it."""
    namespace, colon, account = other.name.removeprefix(ACCOUNT).partition(":")
    if other.name.startswith(ACCOUNT) and colon:
        yield Ask(user, "impersonate", "serviceaccounts", namespace, account)
    else:
        yield Ask(user, "impersonate", "users", "", other.name)
    for group in other.groups:
        yield Ask(user, "impersonate", "groups", "", group)
    if other.uid:
        yield Ask(user, "impersonate", "uids", "", other.uid, group=AUTHENTICATION)
    for key, values in other.extra:
        for value in values:
            yield Ask(user, "impersonate", f"userextras/{key}", "", value, group=AUTHENTICATION)


def _completed(other: User) -> User:
    """With the groups that everybody of this sort is in."""
    groups = list(other.groups)
    namespace, colon, _ = other.name.removeprefix(ACCOUNT).partition(":")
    if other.name.startswith(ACCOUNT) and colon and not groups:
        groups += ["system:serviceaccounts", f"system:serviceaccounts:{namespace}"]
    known = UNAUTHENTICATED if other.name == ANONYMOUS.name else AUTHENTICATED
    if known not in groups:
        groups.append(known)
    return User(other.name, tuple(groups), other.uid, other.extra, other.by)
