"""Can a Pod run on a node? If not, every reason why. Pure.

Reasons are worded as upstream words them, so that they can be searched for; `detail` adds the numbers. A filter is a
function that returns reasons; an empty list means that it has nothing against the node. Read `plan.py` next.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from minik8s.api import eligibility, quantity
from minik8s.api.core import Node, Taint
from minik8s.api.pods import (
    Container,
    Pod,
    condition,
    is_terminal,
)
from minik8s.params import MAX_PODS_PER_NODE


class Reason(NamedTuple):
    """Why a node will not do: `text` is upstream's and counted over all nodes, `detail` speaks of this one."""

    text: str
    detail: str = ""


@dataclass(frozen=True)
class Place:
    """A node and the Pods that are on it or on their way to it."""

    node: Node
    pods: tuple[Pod, ...] = ()


def reasons(pod: Pod, place: Place) -> list[Reason]:
    """Everything that speaks against this node; empty when the Pod fits."""
    return [reason for check in FILTERS for reason in check(pod, place)]


# --- The node itself -----------------------------------------------------------------------------------------


UNSCHEDULABLE = Taint(key="node.kubernetes.io/unschedulable", effect="NoSchedule")


def _schedulable(pod: Pod, place: Place) -> list[Reason]:
    """Upstream's too: who tolerates the taint that a cordoned node gets may come before it has it."""
    cordoned = place.node.spec.unschedulable and eligibility.untolerated(pod.spec, [UNSCHEDULABLE])
    return [Reason("node(s) were unschedulable", "cordoned")] if cordoned else []


def _ready(pod: Pod, place: Place) -> list[Reason]:
    """Upstream leaves this to taints; a node that has not reported yet has neither."""
    found = condition(place.node.status.conditions, "Ready")
    if found is None:
        return [Reason("node(s) had not reported their status yet")]
    tainted = any(taint.key.startswith("node.kubernetes.io/") for taint in place.node.spec.taints)
    if found.status != "True" and not tainted:
        return [Reason("node(s) were not ready", f"Ready is {found.status}")]
    return []


def _taints(pod: Pod, place: Place) -> list[Reason]:
    others = [taint for taint in place.node.spec.taints if taint.key != UNSCHEDULABLE.key]
    found = eligibility.untolerated(pod.spec, others)
    texts = [Reason(f"node(s) had untolerated taint {{{taint.key}: {taint.value}}}") for taint in found]
    return list(dict.fromkeys(texts))


# --- Labels --------------------------------------------------------------------------------------------------


def _labels(pod: Pod, place: Place) -> list[Reason]:
    text = "node(s) didn't match Pod's node affinity/selector"
    if not eligibility.selects(pod.spec, place.node):
        labels, wanted = place.node.metadata.labels, pod.spec.nodeSelector
        missing = ", ".join(f"{key}={value}" for key, value in sorted(wanted.items()) if labels.get(key) != value)
        return [Reason(text, f"nodeSelector asks for {missing}")]
    if not eligibility.attracted(pod.spec, place.node):
        return [Reason(text, "no term of nodeAffinity holds")]
    return []


# --- What it needs -------------------------------------------------------------------------------------------


def requests(pod: Pod) -> dict[str, Fraction]:
    """What the Pod asks for: its containers together, or the greediest init container when that is more."""
    total: dict[str, Fraction] = {}
    for container in pod.spec.containers:
        for name, amount in _asked(container).items():
            total[name] = total.get(name, Fraction(0)) + amount
    for container in pod.spec.initContainers:
        for name, amount in _asked(container).items():
            total[name] = max(total.get(name, Fraction(0)), amount)
    return total


def _asked(container: Container) -> dict[str, Fraction]:
    return {name: quantity.parse(value) for name, value in container.resources.requests.items()}


def used(pods: Iterable[Pod]) -> dict[str, Fraction]:
    """What these Pods ask for together. Pods that have ended need nothing."""
    total: dict[str, Fraction] = {}
    for pod in pods:
        if not is_terminal(pod):
            for name, amount in requests(pod).items():
                total[name] = total.get(name, Fraction(0)) + amount
    return total


def _resources(pod: Pod, place: Place) -> list[Reason]:
    room = {name: quantity.parse(value) for name, value in place.node.status.allocatable.items()}
    found = []
    running = sum(1 for each in place.pods if not is_terminal(each))
    limit = room.get("pods", Fraction(MAX_PODS_PER_NODE))
    if running + 1 > limit:
        found.append(Reason("Too many pods", f"has {running} of {limit}"))
    taken = used(place.pods)
    for name, amount in sorted(requests(pod).items()):
        free = room.get(name, Fraction(0)) - taken.get(name, Fraction(0))
        if amount > free:
            whole = room.get(name, Fraction(0))
            detail = f"wants {_plain(amount)}, {_plain(max(free, Fraction(0)))} of {_plain(whole)} free"
            found.append(Reason(f"Insufficient {name}", detail))
    return found


def _plain(amount: Fraction) -> str:
    """A number as people write quantities: 2, 1500m, 128Mi."""
    if amount.denominator != 1:
        return f"{int(amount * 1000)}m"
    for suffix, size in (("Gi", 1 << 30), ("Mi", 1 << 20), ("Ki", 1 << 10)):
        if amount >= size and amount % size == 0:
            return f"{amount // size}{suffix}"
    return str(amount)


# --- Host ports ----------------------------------------------------------------------------------------------


def host_ports(pod: Pod) -> set[tuple[str, str, int]]:
    """(address, protocol, port) of the node that the Pod wants for itself."""
    return {
        (port.hostIP or "0.0.0.0", port.protocol, port.hostPort)
        for container in pod.spec.containers
        for port in container.ports
        if port.hostPort
    }


def _ports(pod: Pod, place: Place) -> list[Reason]:
    taken = {each for other in place.pods if not is_terminal(other) for each in host_ports(other)}
    for wanted in sorted(host_ports(pod)):
        if any(_same_port(wanted, other) for other in taken):
            text = "node(s) didn't have free ports for the requested pod ports"
            return [Reason(text, f"port {wanted[2]}/{wanted[1]} is taken")]
    return []


def _same_port(one: tuple[str, str, int], other: tuple[str, str, int]) -> bool:
    return one[1:] == other[1:] and (one[0] == other[0] or "0.0.0.0" in (one[0], other[0]))


FILTERS: tuple[Callable[[Pod, Place], list[Reason]], ...] = (_schedulable, _ready, _taints, _labels, _resources, _ports)
