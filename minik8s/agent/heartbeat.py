"""The node itself: its Node object, and the Lease by which the rest of the cluster knows that it lives.

The Lease is the heartbeat: small, and renewed often. The Node's status is written when something in it changed, and
every five minutes. Ready is true only when Docker answers and the Pod network stands. Read next: nodeinfo.py for what
a node says of itself.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from minik8s import params
from minik8s.agent import nodeinfo
from minik8s.api import codec, patch
from minik8s.api.coordination import Lease, LeaseSpec
from minik8s.api.core import Node
from minik8s.api.meta import ObjectMeta, OwnerReference
from minik8s.api.times import rfc3339
from minik8s.client.rest import AlreadyExists, ApiError, Client, NotFound, Unreachable, Why
from minik8s.host import clock

log = logging.getLogger("agent")
LEASE_NAMESPACE = "kube-node-lease"


@dataclass(frozen=True)
class Ground:
    """What the node's readiness hangs on, asked anew each time: "" or what is wrong."""

    runtime: Callable[[], str]
    network: Callable[[], str]
    images: Callable[[], list[tuple[list[str], int]]]


class NodeStatus:
    """Keeps the Node object true. One thread calls `write`."""

    def __init__(self, client: Client, machine: nodeinfo.Machine, ground: Ground) -> None:
        self._client, self._machine, self._ground = client, machine, ground
        self._written_at = 0.0

    def register(self) -> None:
        """Make the Node, if the cluster has none of this name."""
        try:
            self._client.create(nodeinfo.node(self._machine), why=Why("the node's agent started"))
            log.info("registered node %s", self._machine.name)
        except AlreadyExists:
            pass

    def write(self, node: Node) -> None:
        """Patch labels and status where they differ from what is true now."""
        down = self._ground.runtime()  # asked once: each answer is a request to Docker
        wrong = down or self._ground.network()
        images = [] if down else self._ground.images()
        now = clock.wall()
        wanted = nodeinfo.status(self._machine, node, images, (wrong, now))
        labels = {k: v for k, v in nodeinfo.labels(self._machine).items() if node.metadata.labels.get(k) != v}
        if labels:
            body = {"metadata": {"labels": labels}}
            self._client.patch(Node, self._machine.name, "", body, why=Why("labels every node has", [node]))
        difference = patch.diff(codec.to_dict(node.status), codec.to_dict(wanted))
        if nodeinfo.same_but_heartbeat(node.status, wanted) and now - self._written_at < params.NODE_STATUS_REPORT_S:
            return
        why = Why(wrong or "the node is ready", [node])
        self._client.patch(Node, self._machine.name, "", {"status": difference}, subresource="status", why=why)
        self._written_at = now


class Heart:
    """Renews the node's Lease until told to stop."""

    def __init__(self, client: Client, machine: nodeinfo.Machine, timers: params.Timers) -> None:
        self._client, self._machine, self._timers = client, machine, timers

    def run(self, stop: threading.Event, owner: Callable[[], Node | None]) -> None:
        while not stop.is_set():
            try:
                self.beat(owner())
            except (ApiError, Unreachable) as error:
                log.warning("lease not renewed: %s", error)
            stop.wait(self._timers.node_lease_renew_interval)

    def beat(self, owner: Node | None) -> None:
        name, now = self._machine.name, rfc3339(clock.wall(), micro=True)
        why = Why("heartbeat", [owner] if owner else ())
        try:
            body = {"spec": {"holderIdentity": name, "renewTime": now}}
            self._client.patch(Lease, name, LEASE_NAMESPACE, body, why=why)
        except NotFound:
            if owner is not None:  # so that the Lease goes when the Node does
                self._client.create(self._lease(owner, now), why=why)

    def _lease(self, owner: Node, now: str) -> Lease:
        reference = OwnerReference(apiVersion="v1", kind="Node", name=owner.metadata.name, uid=owner.metadata.uid)
        return Lease(
            metadata=ObjectMeta(name=self._machine.name, namespace=LEASE_NAMESPACE, ownerReferences=[reference]),
            spec=LeaseSpec(
                holderIdentity=self._machine.name,
                leaseDurationSeconds=self._timers.node_lease_duration_seconds,
                renewTime=now,
            ),
        )
