"""Where a Pod stands in its life: running, over, overdue. Pure questions that plan and status answer alike."""

from minik8s import params
from minik8s.agent.observed import Container, Facts, Seen
from minik8s.agent.restarts import wants_restart
from minik8s.api import times
from minik8s.api.pods import Container as ContainerSpec
from minik8s.api.pods import Pod, is_terminal


def init_done(seen: Seen, name: str) -> bool:
    """Has an init container done its work for the containers that run now? A new sandbox needs it done again."""
    latest = seen.latest(name)
    if latest is None or not latest.ended or latest.exit_code != 0:
        return False
    sandbox = seen.sandbox
    return sandbox is None or latest.sandbox == sandbox.id


def pending_inits(pod: Pod, seen: Seen) -> list[ContainerSpec]:
    """The init containers that still have to run, in order; the containers wait for all of them."""
    if any(seen.latest(c.name) for c in pod.spec.containers):
        sandbox = seen.sandbox
        if sandbox is None or any(c.sandbox == sandbox.id for c in seen.containers if _is_app(pod, c)):
            return []
    inits = pod.spec.initContainers
    return next((inits[i:] for i, init in enumerate(inits) if not init_done(seen, init.name)), [])


def _is_app(pod: Pod, container: Container) -> bool:
    return any(container.name == spec.name for spec in pod.spec.containers)


def failed_init(pod: Pod, seen: Seen) -> Container | None:
    """An init container that ended badly where nothing is ever restarted: the Pod has failed."""
    for spec in pod.spec.initContainers:
        latest = seen.latest(spec.name)
        if latest and latest.ended and latest.exit_code and not wants_restart(pod.spec.restartPolicy, latest.exit_code):
            return latest
    return None


def overdue(pod: Pod, now: float) -> bool:
    """Has it run longer than its activeDeadlineSeconds?"""
    left = deadline_left(pod, now)
    return left is not None and left <= 0


def deadline_left(pod: Pod, now: float) -> float | None:
    limit, start = pod.spec.activeDeadlineSeconds, pod.status.startTime
    return None if limit is None or start is None else times.parse(start) + limit - now


def finished(pod: Pod, facts: Facts) -> bool:
    """Is the Pod over for good? Then nothing of it is started again, and its address is given back."""
    if is_terminal(pod) or overdue(pod, facts.now) or failed_init(pod, facts.seen):
        return True
    latest = [facts.seen.latest(spec.name) for spec in pod.spec.containers]
    return bool(latest) and all(
        c is not None and c.ended and not wants_restart(pod.spec.restartPolicy or "Always", c.exit_code) for c in latest
    )


def grace(pod: Pod) -> float:
    """How long a container of the Pod may take to end after it was asked to."""
    seconds = pod.spec.terminationGracePeriodSeconds
    return float(params.TERMINATION_GRACE_PERIOD_S if seconds is None else seconds)
