"""May they? Asks the rights that a request comes with, and says no in Kubernetes' words.

A request is asked about twice: when it arrives (who, verb, kind, name), and before a write with the objects before
and after it, because a node's rights depend on what is in them. Read `authz.py` for the rules.
"""

from minik8s.api import selectortext
from minik8s.api.core import Namespace
from minik8s.api.meta import Object
from minik8s.apiserver import errors
from minik8s.apiserver.auth import authz, grants
from minik8s.apiserver.request import Request


def check(
    request: Request, before: Object | None = None, after: Object | None = None, uses: authz.Uses | None = None
) -> None:
    """Raise a 403 unless the user may do this; a 401 if nobody knows who the user is."""
    target, group = request.target, request.shown.resource.group
    # As upstream has it, a Namespace is in itself: who has a role in it may be shown it.
    name, namespace = _name(request), target.namespace or (target.name if request.cls is Namespace else "")
    ask = authz.Ask(request.user, request.verb, target.resource, namespace, name, before, after, group)
    reason = request.rights.allowed(ask, uses)
    if reason is None:
        grants.check(request, before, after)
        return
    if request.user.anonymous:
        raise errors.unauthorized()
    said = f'User "{request.user.name}" cannot {described(ask)}'
    raise errors.forbidden(request.cls, name, f"{said}: {reason}" if reason else said)


def _name(request: Request) -> str:
    """The object that is asked for. A list or watch that selects one name asks for that one object."""
    if request.target.name or request.verb not in ("list", "watch"):
        return request.target.name
    try:
        terms = selectortext.parse_fields(request.query.get("fieldSelector", ""))
    except ValueError:
        return ""  # which is refused when it is read
    return next((term.value for term in terms if term.path == "metadata.name" and term.equal), "")


def described(ask: authz.Ask) -> str:
    """`list resource "pods" in API group "" in the namespace "default"`."""
    where = f'in the namespace "{ask.namespace}"' if ask.namespace else "at the cluster scope"
    return f'{ask.verb} resource "{ask.resource}" in API group "{ask.group}" {where}'
