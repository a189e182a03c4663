"""What an API server makes sure of before it says that it is ready: the first namespaces, and the default roles.

Invariant: of several servers that start together one makes each object, and nobody's changes are undone: what is there
is only added to. All that a new cluster needs is one transaction, because every component waits for it. Read
`roles.py` for the roles.
"""

import logging
from collections.abc import Sequence

from minik8s import params
from minik8s.api import codec, times
from minik8s.api.core import ConfigMap, Namespace
from minik8s.api.meta import Object, ObjectMeta
from minik8s.api.networking import ServiceCIDR, ServiceCIDRSpec
from minik8s.apiserver import errors, strategy
from minik8s.apiserver.auth import roles
from minik8s.apiserver.registry import Registry, key_of, put
from minik8s.host import clock, sysctl
from minik8s.store.model import Absent, Conflict, Txn, Unchanged

NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")
# Upstream's programs look here for whose certificates they may trust when they themselves are asked for something.
AUTHENTICATION, AUTHENTICATION_KEY = "extension-apiserver-authentication", "client-ca-file"

log = logging.getLogger(__name__)


def prepare(registry: Registry, authority: str = "") -> bool:
    """Make what is missing and mend what lacks something; True when all is there. `authority`: who signs clients."""
    try:
        registry.wait_fresh()
        _make([each for each in wanted(authority) if registry.cache.get(_key(each)) is None], registry)
        for each in roles.wanted():
            _mend(each, registry)
    except Conflict:
        return False  # another server was faster: look again
    except errors.Failure as failure:
        log.warning("cannot prepare the cluster yet: %s", failure)
        return False
    return True


def wanted(authority: str = "") -> list[Object]:
    namespaces = (Namespace(metadata=ObjectMeta(name=name)) for name in NAMESPACES)
    meta = ObjectMeta(name=AUTHENTICATION, namespace="kube-system")
    trusted = [ConfigMap(metadata=meta, data={AUTHENTICATION_KEY: authority})] if authority else []
    return [*namespaces, _service_range(), *trusted, *roles.wanted()]


def _service_range() -> ServiceCIDR:
    """The range that Services' addresses are of; that of IPv6 where the machine speaks it."""
    ranges = {"IPv4": params.SERVICE_CIDR, "IPv6": params.SERVICE_CIDR_V6}
    spec = ServiceCIDRSpec(cidrs=[ranges[family] for family in sysctl.ip_families()])
    return ServiceCIDR(metadata=ObjectMeta(name="kubernetes"), spec=spec)


def _make(absent: Sequence[Object], registry: Registry) -> None:
    for start in range(0, len(absent), params.ETCD_MAX_TXN_OPS):
        some = absent[start : start + params.ETCD_MAX_TXN_OPS]
        for each in some:
            strategy.prepare_create(each, strategy.Birth(times.rfc3339(clock.wall()), clock.uid(), ""))
        puts = tuple(put(_key(each), strategy.stored_bytes(each), type(each)) for each in some)
        registry.commit(Txn(tuple(Absent(_key(each)) for each in some), puts))


def _mend(default: Object, registry: Registry) -> None:
    """A newer minik8s may need more than the one that made the cluster."""
    cached = registry.cache.get(_key(default))
    if cached is None or roles.mended(codec.decode(type(default), cached), default) is None:
        return
    stored = registry.read(type(default), default.metadata.namespace, default.metadata.name)
    better = roles.mended(stored.decode(), default) if stored else None
    if stored is not None and better is not None:
        new = put(stored.kv.key, strategy.stored_bytes(better), type(better))
        registry.commit(Txn((Unchanged(stored.kv.key, stored.revision),), (new,)))


def _key(obj: Object) -> str:
    return key_of(type(obj), obj.metadata.namespace, obj.metadata.name)
