"""Five faults, as one table: what each does to a healthy Service, what a client sees then, and what undoes it. Pure.

`make` of a fault looks at the facts of the doctor and gives deeds; the deeds and their opposites are all that
cli/breaking.py carries out and writes down. `complaints` judges a mend: what a client relies on must be as it was
before, however the learner got there, and the doctor must find nothing.

Invariant: a fault is made of a Service that the doctor finds well, and it leaves other Services alone, but for those
that share the same Pods or node.

Read next: README.md (the page of each code), doctor/ladder.py.
"""

import copy
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from minik8s.api import codec, selectors
from minik8s.api.core import Pod, Service
from minik8s.api.meta import key
from minik8s.api.selectors import format_labels
from minik8s.explain.doctor.facts import Facts

PATCH, DELETE, STOP, START = "patch", "delete", "stop", "start"


class NotPossible(Exception):
    """The fault cannot be made of this Service; the message says why."""


@dataclass(frozen=True)
class Deed:
    """One thing to do: patch or delete an object (kind, namespace/name), or stop or start a component."""

    do: str
    what: str  # services/default/web, proxy@node-2
    patch: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """What breaks it, and what mends it again."""

    deeds: tuple[Deed, ...]
    undo: tuple[Deed, ...]


@dataclass(frozen=True)
class Scene:
    """All that a fault may look at: the facts of a healthy Service, and the Deployment behind it as the API sent it."""

    facts: Facts
    deployment: Mapping[str, Any] | None = None
    sets: tuple[Mapping[str, Any], ...] = ()  # the Deployment's ReplicaSets


@dataclass(frozen=True)
class Fault:
    """A row of the table. `name` is told only when it is over; `symptom` before."""

    number: int
    name: str
    symptom: str
    code: str  # what the doctor says of it
    make: Callable[[Scene], Plan]


# --- The five -------------------------------------------------------------------------------------------------------


def wrong_selector(scene: Scene) -> Plan:
    """One label of the selector is spelt wrong, so that it matches no Pod."""
    service = scene.facts.spec
    wanted = service.spec.selector or {}
    if not wanted:
        raise NotPossible(f"Service {service.metadata.name} has no selector")
    label = max(wanted)
    spelt = misspelt(wanted[label])
    what = f"services/{key(service)}"
    patch = {"spec": {"selector": {label: spelt}}}
    return Plan((Deed(PATCH, what, patch),), (Deed(PATCH, what, {"spec": {"selector": {label: wanted[label]}}}),))


def misspelt(word: str) -> str:
    """As fingers do it: the last two letters that differ change places."""
    for at in range(len(word) - 2, -1, -1):
        if word[at] != word[at + 1] and (word[at] + word[at + 1]).isalnum():
            return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return word + "x"


def wrong_target_port(scene: Scene) -> Plan:
    """`targetPort` is a number on which nobody listens."""
    service = scene.facts.spec
    before = [codec.to_dict(port) for port in service.spec.ports]
    target = scene.facts.targets[0]
    first = service.spec.ports.index(target.port)
    after = copy.deepcopy(before)
    after[first]["targetPort"] = deaf_port(scene.facts, target.number)
    what = f"services/{key(service)}"
    return Plan(
        (Deed(PATCH, what, {"spec": {"ports": after}}),),
        (Deed(PATCH, what, {"spec": {"ports": before}}),),
    )


def deaf_port(facts: Facts, near: int) -> int:
    """The next number on which no Pod listens."""
    taken = {one.port for listening in facts.listeners.values() if not isinstance(listening, str) for one in listening}
    return next(number for number in range(near + 1, near + 1000) if number not in taken and number < 65536)


def never_ready(scene: Scene) -> Plan:
    """The readinessProbe asks where nobody answers; the Pods from before go."""
    facts, deployment = scene.facts, scene.deployment
    if deployment is None:
        raise NotPossible(f"no Deployment stands behind Service {facts.name}")
    before = deployment["spec"]["template"]["spec"]["containers"]
    after = copy.deepcopy(list(before))
    after[0]["readinessProbe"] = hopeless(after[0].get("readinessProbe"), deaf_port(facts, facts.targets[0].number))
    what = f"deployments/{deployment['metadata']['namespace']}/{deployment['metadata']['name']}"
    empty = {"spec": {"replicas": 0}}
    old = [f"replicasets/{one['metadata']['namespace']}/{one['metadata']['name']}" for one in scene.sets]
    return Plan(
        (Deed(PATCH, what, _containers(after)), *(Deed(PATCH, name, empty) for name in sorted(old))),
        (Deed(PATCH, what, _containers(before)),),
    )


def hopeless(probe: Mapping[str, Any] | None, port: int) -> dict[str, Any]:
    """The same probe, but it cannot pass."""
    found = copy.deepcopy(dict(probe or {"tcpSocket": {}, "periodSeconds": 1}))
    for way in ("httpGet", "tcpSocket"):
        if way in found:
            found[way]["port"] = port
    if "exec" in found:
        found["exec"]["command"] = ["false"]
    return found


def _containers(containers: Any) -> dict[str, Any]:
    return {"spec": {"template": {"spec": {"containers": containers}}}}


def proxy_stopped(scene: Scene) -> Plan:
    """The proxy of one node is stopped, then the Pods are replaced: that node's rules lead to addresses long gone."""
    node = place(scene.facts)
    replaced = [pod for pod in scene.facts.selected if any(each.controller for each in pod.metadata.ownerReferences)]
    gone = tuple(Deed(DELETE, f"pods/{key(pod)}") for pod in replaced)
    return Plan((Deed(STOP, f"proxy@{node}"), *gone), (Deed(START, f"proxy@{node}"),))


def dns_stopped(scene: Scene) -> Plan:
    """The DNS server of one node is stopped."""
    node = place(scene.facts)
    return Plan((Deed(STOP, f"dns@{node}"),), (Deed(START, f"dns@{node}"),))


def place(facts: Facts) -> str:
    """The node to hurt: that of a client Pod if there is one."""
    if facts.source is None:
        raise NotPossible(facts.source_why or "no Pod runs that would notice")
    return facts.source.spec.nodeName


FAULTS = (
    Fault(1, "wrong selector", "every request is refused at once", "MK-SELECTOR", wrong_selector),
    Fault(2, "wrong target port", "every request is refused at once", "MK-TARGET-PORT", wrong_target_port),
    Fault(3, "Pods that are never Ready", "after some seconds every request is refused", "MK-PROBE", never_ready),
    Fault(4, "proxy stopped on one node", "on one node requests fail, on others not", "MK-PROXY", proxy_stopped),
    Fault(5, "DNS stopped on one node", "on one node no name resolves for some seconds", "MK-DNS", dns_stopped),
)


# --- What is written down -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Record:
    """A fault that was made: what it was, what undoes it, and what a right mend has to bring back."""

    number: int
    service: str  # namespace/name
    undo: tuple[Deed, ...]
    before: Mapping[str, Any]

    @property
    def fault(self) -> Fault:
        return next(each for each in FAULTS if each.number == self.number)


def record(fault: Fault, scene: Scene, plan: Plan) -> Record:
    service = scene.facts.spec
    before = {
        "type": service.spec.type,
        "clusterIP": service.spec.clusterIP,
        "ports": ports(service),
        "selector": dict(service.spec.selector or {}),
        "publishNotReadyAddresses": service.spec.publishNotReadyAddresses,
        "pods": len(scene.facts.ready),
        "probed": all(is_probed(pod) for pod in scene.facts.selected),
    }
    return Record(fault.number, key(service), plan.undo, before)


def ports(service: Service) -> list[list[Any]]:
    """What clients know of a Service's ports: not the target port, which is between it and its Pods."""
    return [[port.port, port.protocol, port.nodePort] for port in service.spec.ports]


def is_probed(pod: Pod) -> bool:
    return any(container.readinessProbe for container in pod.spec.containers)


def to_values(given: Record) -> dict[str, Any]:
    return asdict(given)


def from_values(values: Mapping[str, Any]) -> Record:
    undo = tuple(Deed(each["do"], each["what"], each["patch"]) for each in values["undo"])
    return Record(values["number"], values["service"], undo, values["before"])


# --- Was it mended rightly? -----------------------------------------------------------------------------------------


def complaints(given: Record, facts: Facts) -> list[str]:
    """What is not as a right mend would leave it; whether it works again is the doctor's word."""
    service, before = facts.service, given.before
    if service is None:
        return [f"Service {facts.name} is gone. Its clients need it: break mend, or apply its manifest."]
    spec = service.spec
    tests: tuple[tuple[bool, str], ...] = (
        (spec.type == before["type"], f"the Service's type was {before['type']}"),
        (spec.clusterIP == before["clusterIP"], f"the Service had the address {before['clusterIP']}; clients know it"),
        (ports(service) == before["ports"], "the Service's ports are others than before; clients know the old ones"),
        (
            spec.publishNotReadyAddresses == before["publishNotReadyAddresses"],
            "publishNotReadyAddresses sends clients to Pods that are not Ready",
        ),
        (
            _chosen(facts, spec.selector) == _chosen(facts, before["selector"]),
            f"the Service selects other Pods than those with {format_labels(before['selector'])}",
        ),
        (
            not before["probed"] or all(is_probed(pod) for pod in facts.selected),
            "the Pods had a readinessProbe; without it nobody knows when they can serve",
        ),
        (
            len(_chosen(facts, before["selector"])) >= before["pods"],
            f"{before['pods']} Pods served before, now there are fewer",
        ),
    )
    return [words for holds, words in tests if not holds]


def _chosen(facts: Facts, selector: Mapping[str, str] | None) -> set[str]:
    if not selector:
        return set()
    return {pod.metadata.name for pod in facts.pods if selectors.matches(dict(selector), pod.metadata.labels)}
