"""Who asks: the user and the groups in the certificate of the other side.

The TLS handshake has checked that the cluster's authority signed it and that the other side holds its key, so the
subject can be believed: the common name is the user, each organisation a group. Invariant: whoever shows no
certificate is `system:anonymous`, never nobody. Read next: authz.py.
"""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

AUTHENTICATED = "system:authenticated"
UNAUTHENTICATED = "system:unauthenticated"


@dataclass(frozen=True, slots=True)
class User:
    """A name and the groups it is in, all of them."""

    name: str
    groups: tuple[str, ...] = ()

    @property
    def anonymous(self) -> bool:
        return AUTHENTICATED not in self.groups


ANONYMOUS = User("system:anonymous", (UNAUTHENTICATED,))


def user_of(environ: Mapping[str, Any]) -> User:
    """The user at the other end of the connection that a request came in on (gunicorn puts the socket there)."""
    sock = environ.get("gunicorn.socket")
    return subject(sock.getpeercert()) if isinstance(sock, ssl.SSLSocket) else ANONYMOUS


def subject(certificate: Mapping[str, Any] | None) -> User:
    """The user in a verified certificate, as `SSLSocket.getpeercert` gives it."""
    parts = [part for names in (certificate or {}).get("subject", ()) for part in names]
    name = next((value for field, value in parts if field == "commonName"), "")
    if not name:
        return ANONYMOUS
    groups = tuple(value for field, value in parts if field == "organizationName")
    return User(name, (*groups, AUTHENTICATED))
