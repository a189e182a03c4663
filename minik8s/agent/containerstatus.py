"""What is reported of one container: waiting, running or terminated, and what came before. Pure.

The words are Kubernetes' own (CrashLoopBackOff, ImagePullBackOff, OOMKilled …), because every lab and every search
engine knows them. Read next: plan.py, which waits for the same moments that are told here.
"""

from minik8s import params
from minik8s.agent import life, restarts
from minik8s.agent.observed import Container, Facts, Refusal
from minik8s.api import times
from minik8s.api.pods import Container as ContainerSpec
from minik8s.api.pods import (
    ContainerState,
    ContainerStateRunning,
    ContainerStateTerminated,
    ContainerStateWaiting,
    ContainerStatus,
    Pod,
)

_BACKED_OFF = {"ErrImagePull": "ImagePullBackOff"}


def container_status(pod: Pod, spec: ContainerSpec, facts: Facts, initializing: bool) -> ContainerStatus:
    attempts = [c for c in facts.seen.attempts(spec.name) if c.state != "created"]
    latest = attempts[-1] if attempts else None
    previous = attempts[-2] if len(attempts) > 1 else None
    if latest is None:
        return _absent(pod, spec, facts, initializing)
    verdict = facts.verdict(latest)
    init, guest = spec in pod.spec.initContainers, spec in pod.spec.ephemeralContainers
    state, last = _state(pod, spec, latest, previous, facts)
    return ContainerStatus(
        name=spec.name,
        state=state,
        lastState=last,
        ready=_init_ready(latest) if init else not guest and latest.running and verdict.started and verdict.ready,
        started=latest.running and verdict.started,
        restartCount=latest.attempt,
        image=latest.image or spec.image,
        imageID=f"docker://{latest.image_id}" if latest.image_id else "",
        containerID=f"docker://{latest.id}",
    )


def _init_ready(latest: Container) -> bool:
    return latest.ended and latest.exit_code == 0


def _absent(pod: Pod, spec: ContainerSpec, facts: Facts, initializing: bool) -> ContainerStatus:
    """Never made here, or removed behind our back: then what was told last remains true of the past."""
    status = pod.status
    told = [*status.initContainerStatuses, *status.containerStatuses, *status.ephemeralContainerStatuses]
    before = next((s for s in told if s.name == spec.name and s.containerID), None)
    if before is not None and (life.finished(pod, facts) or spec in pod.spec.ephemeralContainers):
        return before
    waits_for_others = initializing and spec in pod.spec.containers
    reason, message = ("PodInitializing", "") if waits_for_others else ("ContainerCreating", "")
    refusal = facts.refusals.get(spec.name) or facts.refusals.get("")
    if refusal is not None and not waits_for_others:
        reason, message = refused(refusal, spec, facts.now)
    return ContainerStatus(
        name=spec.name,
        state=ContainerState(waiting=ContainerStateWaiting(reason=reason, message=message)),
        lastState=before.lastState if before else ContainerState(),
        image=spec.image,
        restartCount=before.restartCount if before else 0,
        started=False,
    )


def refused(refusal: Refusal, spec: ContainerSpec, now: float) -> tuple[str, str]:
    """Right after a failed pull ErrImagePull, while waiting for the next try ImagePullBackOff, both with the cause."""
    backed_off = _BACKED_OFF.get(refusal.reason)
    if backed_off is None or now < refusal.at + params.IMAGE_ERROR_SHOWN_S:
        return refusal.reason, refusal.message
    return backed_off, f'Back-off pulling image "{spec.image}": {refusal.message}'


def _state(
    pod: Pod, spec: ContainerSpec, latest: Container, previous: Container | None, facts: Facts
) -> tuple[ContainerState, ContainerState]:
    """The present state, and the one before."""
    before = terminated(previous) if previous and previous.ended else ContainerState()
    if latest.running:
        return ContainerState(running=ContainerStateRunning(startedAt=times.rfc3339(latest.started_at))), before
    waiting = _waiting(pod, spec, latest, facts)
    if waiting is None:
        return terminated(latest), before
    return ContainerState(waiting=waiting), terminated(latest)


def _waiting(pod: Pod, spec: ContainerSpec, ended: Container, facts: Facts) -> ContainerStateWaiting | None:
    """Does an ended container wait to be started again?"""
    if life.finished(pod, facts) or pod.metadata.deletionTimestamp or spec in pod.spec.ephemeralContainers:
        return None
    if not restarts.wants_restart(pod.spec.restartPolicy or "Always", ended.exit_code):
        return None
    refusal = facts.refusals.get(spec.name)
    if refusal is not None:
        reason, message = refused(refusal, spec, facts.now)
        return ContainerStateWaiting(reason=reason, message=message)
    pause = restarts.delay(restarts.next_streak(ended))
    if pause <= 0 or restarts.restart_at(ended) <= facts.now:
        return None
    meta = pod.metadata
    message = (
        f"back-off {_span(pause)} restarting failed container={spec.name} pod={meta.name}_{meta.namespace}({meta.uid})"
    )
    return ContainerStateWaiting(reason="CrashLoopBackOff", message=message)


def _span(seconds: float) -> str:
    """As Go prints a duration: 40s, 1m20s, 5m0s."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"


def terminated(ended: Container) -> ContainerState:
    return ContainerState(
        terminated=ContainerStateTerminated(
            exitCode=ended.exit_code,
            reason=end_reason(ended),
            message=ended.error,
            startedAt=times.rfc3339(ended.started_at) if ended.started_at else None,
            finishedAt=times.rfc3339(ended.finished_at),
            containerID=f"docker://{ended.id}",
        )
    )


def end_reason(ended: Container) -> str:
    if ended.error:
        return "ContainerCannotRun"
    if ended.oom_killed:
        return "OOMKilled"
    return "Completed" if ended.exit_code == 0 else "Error"
