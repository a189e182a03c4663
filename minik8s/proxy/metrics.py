"""What the proxy counts, under kube-proxy's names, so that its dashboards and habits carry over."""

from minik8s.host import clock
from minik8s.host.metrics import Registry

# From a millisecond to two minutes: kube-proxy's own bounds begin at a millisecond too.
_SYNC = tuple(0.001 * 2**power for power in range(15))
_PROGRAMMING = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0)


class Metrics:
    """The proxy's page of numbers."""

    def __init__(self, registry: Registry) -> None:
        prefix = "kubeproxy_sync_proxy_rules"
        self._duration = registry.histogram(f"{prefix}_duration_seconds", "One sync: plan and commit", (), _SYNC)
        self._programming = registry.histogram(
            "kubeproxy_network_programming_duration_seconds",
            "From the change of a Pod or Service (as the slice's annotation tells) until the rules are in force",
            (),
            _PROGRAMMING,
        )
        self._last = registry.gauge(f"{prefix}_last_timestamp_seconds", "When the last sync ended")
        self._endpoints = registry.counter(f"{prefix}_endpoint_changes_total", "Endpoints that joined or left rules")
        self._services = registry.counter(f"{prefix}_service_changes_total", "Services whose rules changed")
        self._failures = registry.counter(
            f"{prefix}_nftables_sync_failures_total", "Transactions that the kernel refused, mended by the whole table"
        )
        self._refused = registry.counter(
            "minik8s_proxy_refused_services_total", "Services whose rules the kernel refused", ("service",)
        )
        self._mended = registry.counter(
            "minik8s_proxy_mended_tables_total", "Tables written anew because somebody else wrote into them"
        )

    def synced(self, seconds: float) -> None:
        self._duration.observe(seconds)
        self._last.set(clock.wall())

    def programmed(self, triggered: float) -> None:
        """`triggered`: the wall time at which the change behind these rules happened."""
        self._programming.observe(max(0.0, clock.wall() - triggered))

    def changed(self, endpoints: int, services: int) -> None:
        self._endpoints.inc(endpoints)
        self._services.inc(services)

    def failed(self) -> None:
        self._failures.inc()

    def refused(self, service: str) -> None:
        self._refused.inc(service=service)

    def mended(self) -> None:
        self._mended.inc()
