"""What the agent reports of a Pod: phase, addresses, conditions, containers. Pure, from what was observed.

Nothing is reported because it was ordered; an unchanged world gives an unchanged status, so whoever writes it writes
only what differs. Conditions of other writers are kept. Source: upstream's getPhase, GeneratePodReadyCondition,
convertToAPIContainerStatuses. Read next: containerstatus.py.
"""

from minik8s.agent import life
from minik8s.agent.containerstatus import container_status
from minik8s.agent.observed import Facts
from minik8s.api import times
from minik8s.api.meta import Condition
from minik8s.api.pods import ContainerStatus, HostIP, Pod, PodIP, PodStatus, condition, is_terminal


def status_of(pod: Pod, facts: Facts) -> PodStatus:
    """The whole status of a Pod that this node has, given the one reported before (which is in `pod`)."""
    old = pod.status
    waiting_for_init = [spec.name for spec in life.pending_inits(pod, facts.seen)]
    inits = [container_status(pod, spec, facts, bool(waiting_for_init)) for spec in pod.spec.initContainers]
    apps = [container_status(pod, spec, facts, bool(waiting_for_init)) for spec in pod.spec.containers]
    phase, reason, message = _phase(pod, facts, apps, waiting_for_init)
    addresses = _addresses(pod, facts)
    return PodStatus(
        phase=phase,
        reason=reason or old.reason,
        message=message or old.message,
        hostIP=_first(facts.node_addresses),
        hostIPs=[HostIP(ip=each) for each in facts.node_addresses],
        podIP=_first(addresses),
        podIPs=[PodIP(ip=each) for each in addresses],
        startTime=old.startTime or times.rfc3339(facts.now),
        initContainerStatuses=inits,
        containerStatuses=apps,
        ephemeralContainerStatuses=[container_status(pod, each, facts, False) for each in pod.spec.ephemeralContainers],
        conditions=_conditions(pod, phase, apps, waiting_for_init, facts.now),
        qosClass=old.qosClass,
        observedGeneration=old.observedGeneration,
    )


def _addresses(pod: Pod, facts: Facts) -> tuple[str, ...]:
    if pod.spec.hostNetwork:
        return facts.node_addresses
    sandbox = facts.seen.sandbox
    return sandbox.addresses if sandbox and sandbox.addresses else tuple(each.ip for each in pod.status.podIPs)


def _first(addresses: tuple[str, ...]) -> str:
    return addresses[0] if addresses else ""


# --- Phase ------------------------------------------------------------------------------------------------------------


def _phase(pod: Pod, facts: Facts, apps: list[ContainerStatus], inits: list[str]) -> tuple[str, str, str]:
    """Phase, reason, message. Succeeded and Failed are for ever."""
    if is_terminal(pod):
        return pod.status.phase, "", ""
    if life.overdue(pod, facts.now):
        return "Failed", "DeadlineExceeded", "Pod was active on the node longer than the specified deadline"
    if life.failed_init(pod, facts.seen):
        return "Failed", "", ""
    if inits:
        return "Pending", "", ""
    if life.finished(pod, facts):
        ended = [s.state.terminated for s in apps]
        good = all(t is not None and t.exitCode == 0 for t in ended)
        return ("Succeeded" if good else "Failed"), "", ""
    # A container that waits for its next start but ran before does not make the Pod pending again.
    if any(s.state.waiting and not s.lastState.terminated for s in apps):
        return "Pending", "", ""
    return "Running", "", ""


# --- Conditions -------------------------------------------------------------------------------------------------------


def _conditions(pod: Pod, phase: str, apps: list[ContainerStatus], inits: list[str], now: float) -> list[Condition]:
    over = {"Succeeded": "PodCompleted", "Failed": "PodFailed"}.get(phase, "")
    unready = [s.name for s in apps if not s.ready]
    containers = _containers_ready(over, unready)
    wanted = [
        _initialized(phase, inits),
        _ready(pod, containers),
        containers,
        Condition(type="PodScheduled", status="True"),
    ]
    kept = [c for c in pod.status.conditions if c.type not in {w.type for w in wanted}]
    dated = {c.type: _dated(c, condition(pod.status.conditions, c.type), now) for c in wanted}
    # The order of before, so that nothing differs when nothing changed; what is new stands behind.
    order = [c.type for c in pod.status.conditions if c.type in dated]
    order += [c.type for c in wanted if c.type not in order]
    others = {c.type: c for c in kept}
    before = [c.type for c in pod.status.conditions]
    return [(dated | others)[kind] for kind in [*before, *(k for k in order if k not in before)]]


def _dated(new: Condition, old: Condition | None, now: float) -> Condition:
    """lastTransitionTime moves only when the status does."""
    if old is not None and old.status == new.status:
        new.lastTransitionTime = old.lastTransitionTime
    new.lastTransitionTime = new.lastTransitionTime or times.rfc3339(now)
    return new


def _initialized(phase: str, inits: list[str]) -> Condition:
    if not inits:
        reason = "PodCompleted" if phase == "Succeeded" else ""
        return Condition(type="Initialized", status="True", reason=reason)
    return Condition(
        type="Initialized",
        status="False",
        reason="ContainersNotInitialized",
        message=f"containers with incomplete status: [{' '.join(inits)}]",
    )


def _containers_ready(over: str, unready: list[str]) -> Condition:
    if over:
        return Condition(type="ContainersReady", status="False", reason=over)
    if not unready:
        return Condition(type="ContainersReady", status="True")
    message = f"containers with unready status: [{' '.join(unready)}]"
    return Condition(type="ContainersReady", status="False", reason="ContainersNotReady", message=message)


def _ready(pod: Pod, containers: Condition) -> Condition:
    if containers.status != "True":
        return Condition(type="Ready", status="False", reason=containers.reason, message=containers.message)
    for gate in pod.spec.readinessGates:
        told = condition(pod.status.conditions, gate.conditionType)
        if told is None or told.status != "True":
            message = (
                f'the status of pod readiness gate "{gate.conditionType}" is not "True", but {told and told.status}'
            )
            return Condition(type="Ready", status="False", reason="ReadinessGatesNotReady", message=message)
    return Condition(type="Ready", status="True")
