"""Electing one leader among several copies of a component, by a Lease object.

Invariant: at most one holder believes it leads, as long as clocks run equally fast: age is judged by our own monotonic
clock since we last saw the Lease change, never by comparing wall clocks. Who cannot renew in time stops (its process
ends).

Source: client-go's leaderelection; the Lease fields of coordination.k8s.io/v1.
"""

import logging
import threading
from collections.abc import Callable

from minik8s import params
from minik8s.api.coordination import Lease, LeaseSpec
from minik8s.api.meta import ObjectMeta
from minik8s.api.times import rfc3339
from minik8s.client.rest import AlreadyExists, ApiError, Client, Conflict, NotFound, Unreachable, Why
from minik8s.host import clock

log = logging.getLogger(__name__)


class LeaderElector:
    """Competes for the Lease `kube-system/<name>` as `identity`."""

    def __init__(self, client: Client, name: str, identity: str, namespace: str = "kube-system") -> None:
        self._client = client
        self._name, self._namespace, self._identity = name, namespace, identity
        self._seen = ("", 0.0)  # the Lease's resourceVersion, and our monotonic time when it became that
        self._held: Lease | None = None  # the Lease as we wrote it last: who holds it need not read it to renew it

    def run(self, lead: Callable[[], None], stop: threading.Event) -> None:
        """Wait for leadership, then call `lead` (which must return when `stop` is set).

        Sets `stop` when the Lease is lost.
        """
        while not self._try():
            if stop.wait(params.LEASE_RETRY_S):
                return
        log.info("%s leads %s", self._identity, self._name)
        renewing = threading.Thread(target=self._keep, args=(stop,), name="lease", daemon=True)
        renewing.start()
        lead()
        stop.set()
        renewing.join(params.CLIENT_READ_TIMEOUT_S)

    def _keep(self, stop: threading.Event) -> None:
        last = clock.monotonic()
        while not stop.wait(params.LEASE_RETRY_S):
            if self._try():
                last = clock.monotonic()
            elif clock.monotonic() - last > params.LEASE_RENEW_S:
                log.error("%s lost the lease %s", self._identity, self._name)
                stop.set()
                return
        self._release()

    def _try(self) -> bool:
        """Take or renew the Lease; False when another holds it or the API server is away."""
        try:
            return self._renew() or self._take()
        except (ApiError, Unreachable) as error:
            log.debug("lease %s: %s", self._name, error)
            return False

    def _renew(self) -> bool:
        """Write again what we wrote last; False when somebody else has written since, so one has to look."""
        held, self._held = self._held, None
        if held is None:
            return False
        held.spec.renewTime = rfc3339(clock.wall(), micro=True)
        try:
            self._held = self._client.replace(held, why=Why("leading", [held]))
        except (Conflict, NotFound):
            return False
        return True

    def _take(self) -> bool:
        now = rfc3339(clock.wall(), micro=True)
        try:
            lease = self._client.get(Lease, self._name, self._namespace)
        except NotFound:
            return self._create(now)
        if lease.metadata.resourceVersion != self._seen[0]:
            self._seen = (lease.metadata.resourceVersion, clock.monotonic())
        holder = lease.spec.holderIdentity or ""
        if holder not in ("", self._identity) and not self._expired(lease):
            return False
        if holder != self._identity:
            lease.spec.acquireTime = now
            lease.spec.leaseTransitions = (lease.spec.leaseTransitions or 0) + 1
        lease.spec.holderIdentity, lease.spec.renewTime = self._identity, now
        self._held = self._client.replace(
            lease, why=Why("leading" if holder == self._identity else f"{holder or 'nobody'} led", [lease])
        )
        return True

    def _expired(self, lease: Lease) -> bool:
        duration = lease.spec.leaseDurationSeconds or params.LEASE_DURATION_S
        return clock.monotonic() - self._seen[1] > duration

    def _create(self, now: str) -> bool:
        spec = LeaseSpec(
            holderIdentity=self._identity,
            leaseDurationSeconds=int(params.LEASE_DURATION_S),
            acquireTime=now,
            renewTime=now,
            leaseTransitions=0,
        )
        lease = Lease(metadata=ObjectMeta(name=self._name, namespace=self._namespace), spec=spec)
        try:
            self._client.create(lease, why=Why("nobody led"))
        except AlreadyExists:
            return False
        return True

    def _release(self) -> None:
        """Give the Lease back, so that another need not wait until it expires."""
        try:
            lease = self._client.get(Lease, self._name, self._namespace)
            if lease.spec.holderIdentity == self._identity:
                lease.spec.holderIdentity = ""
                self._client.replace(lease, why=Why("stopping", [lease]))
        except (ApiError, Unreachable) as error:
            log.debug("lease %s not released: %s", self._name, error)
