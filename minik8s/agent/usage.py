"""What the containers of this node use of it: the page `/metrics/resource`, from which `kubectl top` is answered. Pure.

The numbers are sums since a container began (CPU seconds) or what it holds now (bytes): whoever asks twice gets a
rate. A node's own use is that of its containers and of the agent. Names, labels and the path are the kubelet's.

Source: the kubelet's resource metrics (KEP-1206). Read pages.py for who serves it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

NANO = 1e9


@dataclass(frozen=True)
class Use:
    """One container's use; no name for the sandbox of a Pod."""

    namespace: str
    pod: str
    container: str
    cpu_seconds: float
    memory_bytes: int


def measured(stats: dict[str, Any]) -> tuple[float, int]:
    """CPU seconds and working set in bytes, from Docker's answer: the working set is what cannot be dropped at once."""
    memory = stats.get("memory_stats", {})
    detail = memory.get("stats", {})
    cached = detail.get("inactive_file", detail.get("total_inactive_file", 0))  # cgroup v2, v1
    cpu = stats.get("cpu_stats", {}).get("cpu_usage", {}).get("total_usage", 0)
    return cpu / NANO, max(0, memory.get("usage", 0) - cached)


def page(uses: Iterable[Use], own: tuple[float, int], at_ms: int) -> str:
    """The page's text. `own`: CPU seconds and bytes of the agent itself; `at_ms`: when all this was measured."""
    each = list(uses)
    named = [use for use in each if use.container]
    cpu = own[0] + sum(use.cpu_seconds for use in each)
    memory = own[1] + sum(use.memory_bytes for use in each)
    families = (
        ("container_cpu_usage_seconds_total", "counter", [(use, use.cpu_seconds) for use in named]),
        ("container_memory_working_set_bytes", "gauge", [(use, use.memory_bytes) for use in named]),
        ("node_cpu_usage_seconds_total", "counter", [(None, cpu)]),
        ("node_memory_working_set_bytes", "gauge", [(None, memory)]),
    )
    lines = []
    for name, kind, samples in families:
        lines.append(f"# TYPE {name} {kind}")
        lines += [f"{name}{_labels(use)} {value:.17g} {at_ms}" for use, value in samples]
    return "\n".join(lines) + "\n"


def _labels(use: Use | None) -> str:
    if use is None:
        return ""
    return f'{{container="{use.container}",namespace="{use.namespace}",pod="{use.pod}"}}'
