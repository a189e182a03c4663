"""What the sidecar counts."""

from collections.abc import Callable

from minik8s.host.metrics import Registry


class Metrics:
    """The sidecar's page of numbers."""

    def __init__(self, registry: Registry) -> None:
        prefix = "minik8s_sidecar"
        self._connections = registry.counter(
            f"{prefix}_connections_total", "Connections that reached an endpoint", ("service",)
        )
        self._retries = registry.counter(
            f"{prefix}_retries_total", "Endpoints that failed, so that another one was tried", ("service", "why")
        )
        self._failed = registry.counter(
            f"{prefix}_failed_connections_total",
            "Clients that were reset because nobody could be reached",
            ("service",),
        )
        self._bytes = registry.counter(f"{prefix}_bytes_total", "Bytes carried, by where they came from", ("side",))
        self._open = registry.gauge(f"{prefix}_open_connections", "Connections that are open now")
        self._pods = registry.gauge(f"{prefix}_pods", "Pods that are served")

    def follow(self, connections: Callable[[], int], pods: Callable[[], int]) -> None:
        """Ask these when the page is read."""
        self._open.follow(connections)
        self._pods.follow(pods)

    def established(self, service: str) -> None:
        self._connections.inc(service=service)

    def retried(self, service: str, why: str) -> None:
        self._retries.inc(service=service, why=why)

    def failed(self, service: str) -> None:
        self._failed.inc(service=service)

    def carried(self, client: int, endpoint: int) -> None:
        self._bytes.inc(client, side="client")
        self._bytes.inc(endpoint, side="endpoint")
