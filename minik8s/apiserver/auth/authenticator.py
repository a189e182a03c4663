"""Puts the ways to say who one is in order: certificate, then token, then nobody.

Invariant: a token that does not count is a 401 whose reason stands in the log alone, so that nobody learns by trying.
Read `authn.py`, `tokens.py` and `bootstrap.py` for each of them.
"""

import logging
from collections.abc import Mapping
from typing import Any

from minik8s.apiserver import errors
from minik8s.apiserver.auth import authn, bootstrap
from minik8s.apiserver.auth.authn import ANONYMOUS, User
from minik8s.apiserver.auth.signing import BadToken
from minik8s.apiserver.auth.tokens import AUDIENCES, Bearer, Tokens
from minik8s.apiserver.registry import Registry

log = logging.getLogger(__name__)


class Authenticator:
    """Tells who asks. Thread-safe. Without `tokens`, ServiceAccounts cannot show themselves here."""

    def __init__(self, registry: Registry, tokens: Tokens | None) -> None:
        self._registry, self._tokens = registry, tokens

    def user_of(self, environ: Mapping[str, Any]) -> User:
        """The user at the other end of a request. Raises a 401 for a token that does not count."""
        user = authn.certified(environ)
        if not user.anonymous:
            return user
        token = authn.bearer_token(environ)
        if token is None:
            return ANONYMOUS
        try:
            return self.bearer(token).user
        except BadToken as error:
            log.warning("a bearer token was refused: %s", error)
            raise errors.unauthorized() from error

    def bearer(self, token: str, audiences: tuple[str, ...] = AUDIENCES) -> Bearer:
        """Who shows this token. Raises BadToken."""
        invited = bootstrap.bearer(self._registry, token)
        if invited is not None:
            return Bearer(invited, audiences)
        if self._tokens is None:
            raise BadToken("this server was given no key to check tokens with")
        return self._tokens.bearer(token, audiences)
