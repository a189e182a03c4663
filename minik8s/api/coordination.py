"""The group coordination.k8s.io/v1: Lease, a heartbeat for nodes and a token for whoever leads.

Source: the published OpenAPI of Kubernetes 1.33; KEP-589 (node heartbeats).
"""

import msgspec

from minik8s.api.meta import Int32, MicroTime, Object, Struct, resource, says


class LeaseSpec(Struct):
    holderIdentity: str | None = None
    leaseDurationSeconds: Int32 | None = None
    acquireTime: MicroTime | None = None
    renewTime: MicroTime | None = None
    leaseTransitions: Int32 | None = None
    preferredHolder: str | None = None
    strategy: str | None = None


@resource("leases")
class Lease(Object):
    """Who holds something, and when it was last heard of."""

    apiVersion: str = says("coordination.k8s.io/v1")
    kind: str = says("Lease")
    spec: LeaseSpec = msgspec.field(default_factory=LeaseSpec)
