"""What a Pod's READY, STATUS and RESTARTS say. Pure.

A Pod's phase alone hides what matters: a Pod whose container crashes again and again is `Running`. So the word comes
from the containers, in the order kubectl takes them: the first init container that is not done, else the last
container with a reason; and a Pod that is going away is `Terminating`, whatever else it is.
"""

from minik8s.api import times
from minik8s.api.pods import ContainerStatus, Pod, condition
from minik8s.cli.durations import human


def ready_containers(pod: Pod) -> tuple[int, int]:
    statuses = pod.status.containerStatuses
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
    initializing = _init_reason(pod)
    if initializing:
        word = initializing
    else:
        word = _container_reason(pod, word)
    if pod.metadata.deletionTimestamp and pod.status.reason == "NodeLost":
        return "Unknown"
    if pod.metadata.deletionTimestamp and pod.status.phase not in ("Succeeded", "Failed"):
        return "Terminating"
    return word


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
    """How often containers were started again, and when that was the last time: `2 (15s ago)`."""
    count, last = 0, 0.0
    for status in pod.status.containerStatuses:
        count += status.restartCount
        ended = status.lastState.terminated
        if ended is not None and ended.finishedAt:
            last = max(last, times.parse(ended.finishedAt))
    return f"{count} ({human(now - last)} ago)" if count and last else str(count)
