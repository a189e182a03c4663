"""NodeMetrics and PodMetrics: what the agents measured, twice, as a rate. `kubectl top` asks for them.

An agent tells CPU seconds since a container began. A rate needs two looks: the second is taken when the first is at
least `WINDOW_S` old, so the first answer after a quiet time takes that long and later ones nothing. Nothing is stored,
and nobody measures when nobody asks. Invariant: a container that began between the looks is left out until the next.

Source: metrics.k8s.io/v1beta1; the kubelet's `/metrics/resource`. Read `metering.py` next.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from minik8s.api import times
from minik8s.api.meta import ObjectMeta, Quantity
from minik8s.api.metrics import ContainerMetrics, NodeMetrics, PodMetrics

WINDOW_S = 1.0
STALE_S = 30.0  # a first look that is older says little about now

_LINE = re.compile(r"^(?P<name>\w+)(?:\{(?P<labels>[^}]*)\})? (?P<value>\S+) (?P<at>\d+)$")
_LABEL = re.compile(r'(\w+)="([^"]*)"')

# (namespace, pod, container); three empty words are the node itself.
Owner = tuple[str, str, str]
NODE: Owner = ("", "", "")


@dataclass(frozen=True)
class Look:
    """One node's page: when it was measured (unix seconds), CPU seconds and bytes of each owner."""

    at: float
    cpu: Mapping[Owner, float]
    memory: Mapping[Owner, float]


def read(page: str) -> Look:
    """An agent's page `/metrics/resource`; lines of other metrics are passed over."""
    at, cpu, memory = 0.0, {}, {}
    for line in page.splitlines():
        found = _LINE.match(line)
        if not found:
            continue
        labels = dict(_LABEL.findall(found["labels"] or ""))
        owner = labels.get("namespace", ""), labels.get("pod", ""), labels.get("container", "")
        if found["name"].endswith("_cpu_usage_seconds_total"):
            cpu[owner] = float(found["value"])
        elif found["name"].endswith("_memory_working_set_bytes"):
            memory[owner] = float(found["value"])
        else:
            continue
        at = int(found["at"]) / 1000
    return Look(at, cpu, memory)


def usage(first: Look, second: Look, owner: Owner) -> dict[str, Quantity] | None:
    """`{"cpu": "12m", "memory": "34Ki"}` in Kubernetes' quantities; None if the owner was not there both times."""
    if owner not in first.cpu or owner not in second.cpu or second.at <= first.at:
        return None
    spent = max(0.0, second.cpu[owner] - first.cpu[owner])  # a container that began anew counts from 0
    nanocores = int(spent / (second.at - first.at) * 1e9)
    return {"cpu": f"{nanocores}n", "memory": f"{int(second.memory.get(owner, 0)) // 1024}Ki"}


def node_metrics(name: str, labels: dict[str, str], looks: tuple[Look, Look]) -> list[NodeMetrics]:
    """What a node uses; nothing while it has not been measured twice."""
    used = usage(*looks, NODE)
    if used is None:
        return []
    return [NodeMetrics(metadata=_meta(name, "", labels, looks), **_when(looks), usage=used)]


def pod_metrics(place: tuple[str, str], labels: dict[str, str], looks: tuple[Look, Look]) -> list[PodMetrics]:
    """What a Pod uses, container by container; nothing while none of them has been measured twice."""
    namespace, name = place
    owners = sorted(owner for owner in looks[1].cpu if owner[:2] == place)
    measured = [(owner[2], usage(*looks, owner)) for owner in owners]
    containers = [ContainerMetrics(name=container, usage=used) for container, used in measured if used is not None]
    if not containers:
        return []
    return [PodMetrics(metadata=_meta(name, namespace, labels, looks), **_when(looks), containers=containers)]


def _meta(name: str, namespace: str, labels: dict[str, str], looks: tuple[Look, Look]) -> ObjectMeta:
    return ObjectMeta(name=name, namespace=namespace, labels=labels, creationTimestamp=times.rfc3339(looks[1].at))


def _when(looks: tuple[Look, Look]) -> dict[str, str]:
    return {"timestamp": times.rfc3339(looks[1].at), "window": f"{looks[1].at - looks[0].at:.3f}s"}
