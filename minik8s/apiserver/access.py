"""May they? Asks `authz.py`, and says no in Kubernetes' words.

A request is asked about twice: when it arrives (who, verb, kind, name), and before a write with the objects before
and after it, because a node's rights depend on what is in them.
"""

from minik8s.api.meta import Object
from minik8s.apiserver import authz, errors
from minik8s.apiserver.request import Request


def check(
    request: Request, before: Object | None = None, after: Object | None = None, uses: authz.Uses | None = None
) -> None:
    """Raise a 403 unless the user may do this."""
    target = request.target
    namespace, name = target.namespace, target.name
    ask = authz.Ask(request.user, request.verb, target.resource, namespace, name, before, after)
    reason = authz.allowed(ask, uses)
    if reason is None:
        return
    where = f' in the namespace "{namespace}"' if namespace else " at the cluster scope"
    what = f'resource "{target.resource}" in API group "{request.cls.resource.group}"{where}'
    said = f'User "{request.user.name}" cannot {request.verb} {what}'
    raise errors.forbidden(request.cls, name, f"{said}: {reason}" if reason else said)
