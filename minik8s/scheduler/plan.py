"""Decides which node a Pod goes to, or says for each node why not. Pure.

Of the nodes that fit, the one with the fewest Pods of the same kind wins (same controller, or behind the same
Service: so that one dead node takes few of them), then the one with the least of its CPU and memory asked for, then
the first by name. Invariant: the order in which nodes and Pods are listed makes no difference. Read `main.py` next.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from minik8s.api import quantity, selectors
from minik8s.api.core import Node, Service
from minik8s.api.meta import controller_of
from minik8s.api.pods import Pod, is_terminal, is_terminating
from minik8s.scheduler.fit import Place, Reason, reasons, requests

# For scoring only: a Pod that asks for nothing still needs something (upstream's DefaultMilliCPURequest and
# -MemoryRequest).
ASSUMED = {"cpu": Fraction(1, 10), "memory": Fraction(200 * 1024 * 1024)}


@dataclass(frozen=True)
class Decision:
    """The node and why it; or, when there is none, the reasons for each."""

    node: str
    because: str
    reasons: Mapping[str, Sequence[Reason]] = field(default_factory=dict)


def plan(pod: Pod, nodes: Sequence[Node], placed: Iterable[Pod], services: Iterable[Service] = ()) -> Decision:
    """Where the Pod goes. `placed` are the Pods that have a node already."""
    places = _places(nodes, placed)
    against = {name: reasons(pod, place) for name, place in places.items()}
    fitting = [place for name, place in places.items() if not against[name]]
    if not fitting:
        return Decision("", message(against), against)
    selecting = [service.spec.selector for service in services if _selects(service, pod)]
    best = min(fitting, key=lambda place: _score(pod, place, selecting))
    alike = _alike(pod, best, selecting)
    because = f"{len(fitting)} of {len(places)} nodes fit; {best.node.metadata.name} has {alike} of the same kind"
    return Decision(
        best.node.metadata.name, f"{because} and {float(_load(best, pod)):.0%} of its resources asked for", against
    )


def _places(nodes: Sequence[Node], placed: Iterable[Pod]) -> dict[str, Place]:
    """Nodes in order of name, each with its Pods."""
    by_node: dict[str, list[Pod]] = {}
    for pod in placed:
        by_node.setdefault(pod.spec.nodeName, []).append(pod)
    ordered = sorted(nodes, key=lambda node: node.metadata.name)
    return {node.metadata.name: Place(node, tuple(by_node.get(node.metadata.name, ()))) for node in ordered}


# --- Scores --------------------------------------------------------------------------------------------------


def _score(pod: Pod, place: Place, selecting: Sequence[dict[str, str] | None]) -> tuple[int, Fraction, str]:
    """Smaller is better."""
    return (_alike(pod, place, selecting), _load(place, pod), place.node.metadata.name)


def _selects(service: Service, pod: Pod) -> bool:
    same = service.metadata.namespace == pod.metadata.namespace
    return same and bool(service.spec.selector) and selectors.matches(service.spec.selector, pod.metadata.labels)


def _alike(pod: Pod, place: Place, selecting: Sequence[dict[str, str] | None]) -> int:
    """How many living Pods of the same kind the node has."""
    owner = controller_of(pod)
    count = 0
    for other in place.pods:
        if other.metadata.namespace != pod.metadata.namespace or is_terminating(other) or is_terminal(other):
            continue
        others = controller_of(other)
        same_owner = owner is not None and others is not None and owner.uid == others.uid
        count += same_owner or any(selectors.matches(each, other.metadata.labels) for each in selecting)
    return count


def _load(place: Place, pod: Pod) -> Fraction:
    """The part of CPU and memory that would be asked for with this Pod on the node, on average."""
    parts = []
    for name, assumed in ASSUMED.items():
        room = quantity.parse(place.node.status.allocatable.get(name, 0))
        asked = sum(requests(each).get(name, assumed) for each in (*place.pods, pod) if not is_terminal(each))
        parts.append(asked / room if room else Fraction(1))
    return sum(parts, Fraction(0)) / len(parts)


# --- Words ---------------------------------------------------------------------------------------------------


def message(against: Mapping[str, Sequence[Reason]]) -> str:
    """`0/3 nodes are available: 1 node(s) were unschedulable, 2 Insufficient cpu. node-1: …`"""
    if not against:
        return "0/0 nodes are available: no nodes available to schedule pods."
    counts = Counter(reason.text for found in against.values() for reason in found)
    summary = ", ".join(sorted(f"{count} {text}" for text, count in counts.items()))
    details = [f"{name}: {_detail(found)}" for name, found in against.items() if any(each.detail for each in found)]
    return f"0/{len(against)} nodes are available: {summary}." + (f" {'; '.join(details)}." if details else "")


def _detail(found: Sequence[Reason]) -> str:
    return ", ".join(f"{each.text} ({each.detail})" if each.detail else each.text for each in found)
