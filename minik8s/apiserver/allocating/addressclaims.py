"""An IPAddress that a Service holds stays: it is what keeps a second Service from getting the address. Pure but for a
look at the Service.

Upstream lets anybody delete one, and a repair loop makes it again a while later; in between two Services may get the
same address. Here it is refused, with the way to be rid of it. IPAddresses of other parents are their makers' business.
"""

from minik8s.api import codec
from minik8s.api.core import Service
from minik8s.api.meta import Object
from minik8s.api.networking import IPAddress
from minik8s.apiserver import errors
from minik8s.apiserver.registry import Registry


def protect(registry: Registry, obj: Object) -> None:
    """Raise a 403 if this is the claim of a Service that is there and has the address."""
    parent = obj.spec.parentRef if isinstance(obj, IPAddress) else None
    if parent is None or parent.group or parent.resource != "services":
        return
    stored = registry.read(Service, parent.namespace, parent.name)
    service = codec.decode(Service, stored.kv.value) if stored else None
    if service is not None and obj.metadata.name in service.spec.clusterIPs:
        because = f"Service {parent.namespace}/{parent.name} holds it; it goes when that does"
        raise errors.forbidden(IPAddress, obj.metadata.name, because)
