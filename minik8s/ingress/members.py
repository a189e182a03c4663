"""Which nodes serve, and so which addresses an Ingress has: pure decisions, and the Lease by which a node says so.

The instance on each node renews a Lease of its own while HAProxy runs; a sync that failed renews nothing. Age is judged
by the observer's monotonic clock since it last saw the Lease change. Of the nodes that live the first by name publishes
for all, so nobody has to be elected; should two believe it for a moment, they write the same.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from minik8s import params
from minik8s.api.coordination import Lease, LeaseSpec
from minik8s.api.core import Node
from minik8s.api.meta import ObjectMeta
from minik8s.api.networking import LEASE_PREFIX, Ingress
from minik8s.api.pods import condition
from minik8s.api.times import rfc3339
from minik8s.client.rest import Client, NotFound, Why
from minik8s.host import clock

NAMESPACE = "kube-system"


def alive(leases: Iterable[Lease], changed: Mapping[str, float], now: float) -> list[str]:
    """The nodes whose instance lives, by name. `changed`: when each Lease was seen to change last, monotonic."""
    return sorted(
        lease.metadata.name.removeprefix(LEASE_PREFIX)
        for lease in leases
        if lease.metadata.name.startswith(LEASE_PREFIX) and lease.spec.holderIdentity
        if now - changed.get(lease.metadata.name, now) <= (lease.spec.leaseDurationSeconds or params.INGRESS_LEASE_S)
    )


def addresses(members: Collection[str], nodes: Iterable[Node]) -> list[str]:
    """The addresses of those that are Ready too, in the order of their names."""
    found = []
    for node in sorted(nodes, key=lambda each: each.metadata.name):
        ready = condition(node.status.conditions, "Ready")
        if node.metadata.name in members and ready and ready.status == "True":
            found += [each.address for each in node.status.addresses if each.type == "InternalIP"]
    return found


def status_patches(ingresses: Sequence[Ingress], at: Sequence[str]) -> list[tuple[Ingress, dict[str, Any]]]:
    """What to write into the status of those that say something else."""
    wanted = [{"ip": each} for each in at]
    return [
        (each, {"status": {"loadBalancer": {"ingress": wanted}}})
        for each in ingresses
        if [one.ip for one in each.status.loadBalancer.ingress] != list(at)
    ]


def renew(client: Client, node: str, *, leave: bool = False) -> None:
    """Say that this node's instance lives, or that it is about to go."""
    name = LEASE_PREFIX + node
    holder, now = "" if leave else node, rfc3339(clock.wall(), micro=True)
    try:
        spec = {"holderIdentity": holder, "renewTime": now}
        client.patch(Lease, name, NAMESPACE, {"spec": spec}, why=Why("stopping" if leave else "alive"))
    except NotFound:
        lease = LeaseSpec(holderIdentity=holder, renewTime=now, leaseDurationSeconds=params.INGRESS_LEASE_S)
        client.create(Lease(metadata=ObjectMeta(name=name, namespace=NAMESPACE), spec=lease), why=Why("alive"))
