"""Bootstrap tokens: a short secret by which a machine that has no certificate yet may ask for one.

`abcdef.0123456789abcdef`: the part before the dot names the Secret `kube-system/bootstrap-token-abcdef`, the part after
it is what only the invited know. Invariant: the Secret is asked for at every use, so a token ends when it is deleted
or expires. Source: upstream's cluster bootstrapping with bootstrap tokens. Read `authn.py` for who calls this.
"""

import base64
import hmac
import re

from minik8s.api import codec, times
from minik8s.api.core import Secret
from minik8s.apiserver.auth.authn import AUTHENTICATED, User
from minik8s.apiserver.auth.signing import BadToken
from minik8s.apiserver.registry import Registry, key_of
from minik8s.host import clock

FORM = re.compile(r"([a-z0-9]{6})\.([a-z0-9]{16})")
SECRET_TYPE = "bootstrap.kubernetes.io/token"
GROUP = "system:bootstrappers"
EXTRA_GROUP = re.compile(r"system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]")


def bearer(registry: Registry, token: str) -> User | None:
    """Who shows this token; None when it has not the form of one. Raises BadToken."""
    parts = FORM.fullmatch(token)
    if parts is None:
        return None
    cached = registry.cache.get(key_of(Secret, "kube-system", f"bootstrap-token-{parts[1]}"))
    if cached is None:
        raise BadToken("there is no bootstrap token of that name")
    secret = codec.decode(Secret, cached)
    data = {name: base64.b64decode(value).decode("ascii", "replace") for name, value in secret.data.items()}
    _check(secret, data, parts[1], parts[2])
    extra = [each.strip() for each in data.get("auth-extra-groups", "").split(",") if each.strip()]
    if not all(EXTRA_GROUP.fullmatch(each) for each in extra):
        raise BadToken("auth-extra-groups must begin with system:bootstrappers:")
    return User(f"system:bootstrap:{parts[1]}", (GROUP, *extra, AUTHENTICATED))


def _check(secret: Secret, data: dict[str, str], name: str, word: str) -> None:
    """It is meant for this, says what was shown, and has not expired."""
    if secret.type != SECRET_TYPE or secret.metadata.deletionTimestamp or data.get("token-id") != name:
        raise BadToken("the Secret of that name is no bootstrap token")
    if not hmac.compare_digest(data.get("token-secret", "").encode(), word.encode()):
        raise BadToken("the secret part is wrong")
    if data.get("usage-bootstrap-authentication") != "true":
        raise BadToken("it is not meant for authentication")
    try:
        over = "expiration" in data and times.parse(data["expiration"]) <= clock.wall()
    except ValueError:
        over = True
    if over:
        raise BadToken("it has expired")
