"""A Pod's row, above all what READY, STATUS and RESTARTS say. Pure.

A Pod's phase alone hides what matters: a Pod whose container crashes again and again is `Running`. So the word comes
from the containers: the first init container that is not done, else the first container with a reason; and a Pod that
is going away is `Terminating`, whatever else it is.
"""

from collections.abc import Iterable, Sequence

from minik8s.api import times
from minik8s.api.display import NONE
from minik8s.api.durations import human
from minik8s.api.meta import Object
from minik8s.api.pods import ContainerStatus, Pod, condition, is_terminal
from minik8s.apiserver.tables.columns import AGE, NAME, Cells, RowCondition, Table, age, text, wide


def ready_containers(pod: Pod) -> tuple[int, int]:
    statuses = () if _initializes(pod) else pod.status.containerStatuses
    return sum(1 for each in statuses if each.ready and each.state.running), len(pod.spec.containers)


def gate_holds(pod: Pod, kind: str) -> bool:
    found = condition(pod.status.conditions, kind)
    return found is not None and found.status == "True"


def reason(pod: Pod) -> str:
    """The word in the column STATUS."""
    word = pod.status.reason or pod.status.phase or "Unknown"
    held = condition(pod.status.conditions, "PodScheduled")
    if held is not None and held.reason == "SchedulingGated":
        word = held.reason
    word = _init_reason(pod) or word
    if not _initializes(pod):
        word = _container_reason(pod, word)
    if pod.metadata.deletionTimestamp and pod.status.reason == "NodeLost":
        return "Unknown"
    if pod.metadata.deletionTimestamp and not is_terminal(pod):
        return "Terminating"
    return word


def _initializes(pod: Pod) -> bool:
    """Once it is said to be initialized it is, whatever is known of its init containers by then."""
    return bool(_init_reason(pod)) and not gate_holds(pod, "Initialized")


def _init_reason(pod: Pod) -> str:
    total = len(pod.spec.initContainers)
    for done, status in enumerate(pod.status.initContainerStatuses):
        ended, waiting = status.state.terminated, status.state.waiting
        if ended is not None and ended.exitCode == 0:
            continue
        if ended is not None:
            return "Init:" + _ended(status)
        if waiting is not None and waiting.reason not in ("", "PodInitializing"):
            return "Init:" + waiting.reason
        return f"Init:{done}/{total}"
    return ""


def _container_reason(pod: Pod, word: str) -> str:
    running = False
    for status in reversed(pod.status.containerStatuses):
        if status.state.waiting is not None and status.state.waiting.reason:
            word = status.state.waiting.reason
        elif status.state.terminated is not None:
            word = _ended(status)
        elif status.ready and status.state.running is not None:
            running = True
    if word == "Completed" and running:
        return "Running" if gate_holds(pod, "Ready") else "NotReady"
    return word


def _ended(status: ContainerStatus) -> str:
    ended = status.state.terminated
    assert ended is not None
    return ended.reason or (f"Signal:{ended.signal}" if ended.signal else f"ExitCode:{ended.exitCode}")


def restarts(pod: Pod, now: float) -> str:
    """How often containers were started again, and when that was the last time: `2 (15s ago)`.

    As long as the Pod initializes, those of its init containers count.
    """
    statuses: Iterable[ContainerStatus] = pod.status.containerStatuses
    if _initializes(pod):
        statuses = pod.status.initContainerStatuses
    count, last = 0, 0.0
    for status in statuses:
        count += status.restartCount
        ended = status.lastState.terminated
        last = max(last, times.moment(ended.finishedAt) or 0.0) if ended is not None else last
    return f"{count} ({human(now - last)} ago)" if count and last else str(count)


def _cells(pod: Pod, now: float) -> Cells:
    ready, total = ready_containers(pod)
    gates = [gate_holds(pod, gate.conditionType) for gate in pod.spec.readinessGates]
    return [
        pod.metadata.name,
        f"{ready}/{total}",
        reason(pod),
        restarts(pod, now),
        age(pod, now),
        pod.status.podIP or NONE,
        pod.spec.nodeName or NONE,
        NONE,  # nobody is evicted to make room for another, so no Pod waits for a node that is being cleared
        f"{sum(gates)}/{len(gates)}" if gates else NONE,
    ]


def _conditions(pod: Pod) -> Sequence[RowCondition]:
    ends = {"Succeeded": "The pod has completed successfully.", "Failed": "The pod failed."}
    phase = pod.status.phase
    return [RowCondition(type="Completed", reason=phase, message=ends[phase])] if phase in ends else ()


TABLES: dict[type[Object], Table] = {
    Pod: Table(
        (
            NAME,
            text("Ready", "How many of the Pod's containers are ready, and how many it has."),
            text("Status", "What the containers do; their trouble, if there is one, before the Pod's phase."),
            text("Restarts", "How often containers were started again, and when that was the last time."),
            AGE,
            wide("IP", "The Pod's address."),
            wide("Node", "Where the Pod runs."),
            wide("Nominated Node", "Where room is being made for the Pod."),
            wide("Readiness Gates", "How many of the conditions that others must set hold, and how many there are."),
        ),
        _cells,
        _conditions,
    )
}
