"""Who asks: by a client certificate, by a bearer token, or nobody.

The TLS handshake has checked that the cluster's authority signed the certificate and that the other side holds its
key, so its subject can be believed: the common name is the user, each organisation a group. Where there is none, a
token may say it: that of a ServiceAccount (`tokens.py`) or a bootstrap token (`bootstrap.py`). Invariants: whoever
shows nothing is `system:anonymous`, never nobody; whoever shows a token that does not count is refused, and never
taken for anonymous. Read next: authz.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

AUTHENTICATED = "system:authenticated"
UNAUTHENTICATED = "system:unauthenticated"
CERTIFIED = "minik8s.certified"  # where a request's environment has the user of its connection's certificate


@dataclass(frozen=True, slots=True)
class User:
    """A name and the groups it is in, all of them. `extra` tells how it was found out.

    `by` is who really asks, where somebody asks as somebody else.
    """

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: tuple[tuple[str, tuple[str, ...]], ...] = ()
    by: str = ""

    @property
    def anonymous(self) -> bool:
        return AUTHENTICATED not in self.groups


ANONYMOUS = User("system:anonymous", (UNAUTHENTICATED,))


def certified(environ: Mapping[str, Any]) -> User:
    """The user in the certificate of the connection that a request came in on (worker.py has looked once)."""
    found = environ.get(CERTIFIED)
    return found if isinstance(found, User) else ANONYMOUS


def subject(certificate: Mapping[str, Any] | None) -> User:
    """The user in a verified certificate, as `SSLSocket.getpeercert` gives it."""
    parts = [part for names in (certificate or {}).get("subject", ()) for part in names]
    name = next((value for field, value in parts if field == "commonName"), "")
    if not name:
        return ANONYMOUS
    groups = tuple(value for field, value in parts if field == "organizationName")
    return User(name, (*groups, AUTHENTICATED))


def bearer_token(environ: Mapping[str, Any]) -> str | None:
    """The token of an `Authorization: Bearer …` header, or None."""
    scheme, _, token = str(environ.get("HTTP_AUTHORIZATION", "")).partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None
