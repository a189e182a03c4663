"""The group networking.k8s.io/v1: IPAddress, one object for each allocated ClusterIP.

The object *is* the allocation (KEP-1880): it is written in the same etcd transaction as the Service that uses it.
"""

import msgspec

from minik8s.api.meta import Object, Struct, resource, says


class ParentReference(Struct):
    group: str = ""
    resource: str = ""
    namespace: str = ""
    name: str = ""


class IPAddressSpec(Struct):
    parentRef: ParentReference | None = None


@resource("ipaddresses", short=("ip",), namespaced=False)
class IPAddress(Object):
    """An address of the Service range that is in use, and by which Service."""

    apiVersion: str = says("networking.k8s.io/v1")
    kind: str = says("IPAddress")
    spec: IPAddressSpec = msgspec.field(default_factory=IPAddressSpec)
