"""A request and its answer as values.

Free of HTTP, so that everything below `http.py` can be tested without a server. Read `dispatch.py` next.
"""

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from minik8s.api.meta import Object
from minik8s.apiserver.auth.authn import User
from minik8s.apiserver.auth.authz import Ask, Rights, Uses
from minik8s.apiserver.auth.rbac import Policies
from minik8s.apiserver.routes import Target
from minik8s.host import clock


class Judge(Protocol):
    """What a request's rights are asked of: `authz.Rights`, or the newest of them (`policies.Authorizer`)."""

    def allowed(self, ask: Ask, uses: Uses | None = None) -> str | None: ...

    def path_allowed(self, user: User, verb: str, path: str) -> bool: ...

    @property
    def policies(self) -> Policies: ...


@dataclass(frozen=True)
class Request:
    """Who wants what. `warnings` collects what the answer's `Warning` headers will say."""

    target: Target
    verb: str
    user: User
    query: Mapping[str, str] = field(default_factory=dict)
    content_type: str = ""
    body: bytes = b""
    accept: str = ""
    user_agent: str = ""
    face: type[Object] | None = None  # the kind that the client knows, where it is another face of `target.cls`
    warnings: list[str] = field(default_factory=list)
    rights: Judge = field(default_factory=Rights)  # of users who are no masters: those of the house alone

    @property
    def cls(self) -> type[Object]:
        return self.target.cls

    @property
    def shown(self) -> type[Object]:
        """The kind that the client asked about."""
        return self.face or self.target.cls

    @property
    def dry_run(self) -> bool:
        return self.query.get("dryRun", "") == "All"


@dataclass(frozen=True)
class Written:
    """One object that a request changed, for the audit."""

    namespace: str
    name: str
    revision: int
    wall: float = field(default_factory=clock.wall)  # made as soon as the write is known to have taken place


class Stream(Protocol):
    """An answer that needs the connection for itself."""

    def carry(self, client: socket.socket) -> None:
        """Take the socket over, and its closing too."""


@dataclass(frozen=True)
class Answer:
    """What goes back: the bytes of one document, or what takes the connection over."""

    code: int
    body: bytes = b""
    stream: Stream | None = None
    writes: tuple[Written, ...] = ()
