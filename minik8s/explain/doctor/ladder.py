"""The ladder: which questions are asked, in which order, and who judges the answer. Pure, but for `look`.

It is the order of Kubernetes' page "Debug Services", from the object to the packet. A rung is judged only when all
below it hold, so a judge may take them for granted; the first that does not hold ends the climb.

Read next: objects.py and traffic.py, the judges.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from minik8s.explain.doctor import objects, traffic
from minik8s.explain.doctor.facts import Facts
from minik8s.explain.doctor.verdict import RED, Verdict

OBJECTS, PODS, NETWORK = "objects", "pods", "network"  # stages of facts: see facts.py


@dataclass(frozen=True)
class Rung:
    """One question."""

    name: str  # for programs
    title: str
    needs: str  # the stage of facts that must be there
    judge: Callable[[Facts], Verdict]


RUNGS = (
    Rung("service", "The Service exists", OBJECTS, objects.exists),
    Rung("type", "Its type makes sense", OBJECTS, objects.makes_sense),
    Rung("selector", "Selector and labels meet", OBJECTS, objects.selector_meets),
    Rung("ready", "Pods are Ready", OBJECTS, objects.pods_ready),
    Rung("endpoints", "Endpoints list them", OBJECTS, objects.endpoints_list),
    Rung("pod", "Each Pod listens", PODS, traffic.pods_listen),
    Rung("target-port", "The target port answers", PODS, traffic.target_port),
    Rung("name", "The name resolves", NETWORK, traffic.name_resolves),
    Rung("cluster-ip", "The ClusterIP answers", NETWORK, traffic.cluster_ip),
    Rung("node-port", "The node port answers", NETWORK, traffic.node_port),
    Rung("rules", "The rules are right", NETWORK, traffic.rules_right),
)


@dataclass(frozen=True)
class Finding:
    """A rung and what became of it."""

    rung: Rung
    verdict: Verdict


def climb(facts: Facts, look: Callable[[str, Facts], None]) -> Iterator[Finding]:
    """Ask rung after rung; `look(stage, facts)` fills in the facts of a stage when it is reached."""
    seen: set[str] = set()
    for rung in RUNGS:
        if rung.needs not in seen:
            look(rung.needs, facts)
            seen.add(rung.needs)
        verdict = rung.judge(facts)
        yield Finding(rung, verdict)
        if verdict.state == RED:
            return
