"""Decides the writes of one Job: Pods, status, and at last the Job's own deletion. Pure.

Invariants: no Pod is made once the Job has come to an end or is being deleted; finalizers go after the status that
counts the Pods; Pods of other owners are never touched. Read `main.py` next.
"""

from collections.abc import Sequence

from minik8s.api import codec, patch, times
from minik8s.api.batch import CONTROLLER, TRACKING, Job, JobStatus
from minik8s.api.meta import controller_of
from minik8s.api.pods import Pod, is_ready, is_terminal, is_terminating
from minik8s.controllers.actions import Action, Delete, Patch, Tell
from minik8s.controllers.jobs import counting, ending, making
from minik8s.controllers.jobs.counting import Tally
from minik8s.controllers.jobs.ending import Verdict
from minik8s.controllers.owners import claim
from minik8s.controllers.podcontrol import is_active


def plan(job: Job, pods: Sequence[Pod], now: float) -> list[Action]:
    """The writes for one Job; `pods` are those of its namespace."""
    if job.spec.managedBy not in (None, "", CONTROLLER):
        return []
    mine, actions = claim(job, job.spec.selector, pods)
    actions += release_strays(job, pods)
    if ending.is_finished(job):
        return actions + making.released([p for p in mine if not is_active(p)], "its Job is over") + _expire(job, now)
    tally = counting.count(job, mine)
    came_to = ending.verdict(job, tally, mine, now)
    if job.metadata.deletionTimestamp is None:
        actions += making.step(job, tally, mine, now) if came_to is None else _stop(job, came_to, mine)
    return [
        *actions,
        *_status(job, tally, came_to, mine, now),
        *making.released(tally.counted, "the Job's status knows how it ended"),
    ]


def _stop(job: Job, came_to: Verdict, mine: Sequence[Pod]) -> list[Action]:
    """Nothing more is to be done: who is still at work is stopped."""
    tell = Tell(job, "SuccessfulDelete", "Deleted pod: {name}")
    return [Delete(pod, came_to.message, tell=tell) for pod in mine if is_active(pod)]


def _expire(job: Job, now: float) -> list[Action]:
    left = ending.time_to_live(job, now)
    if left is None or left > 0 or job.metadata.deletionTimestamp is not None:
        return []
    because = f"it has been over for ttlSecondsAfterFinished, {job.spec.ttlSecondsAfterFinished} s"
    return [Delete(job, because, propagation="Foreground")]


def release_strays(job: Job | None, pods: Sequence[Pod]) -> list[Action]:
    """Pods that say they are a Job's of this name, and it is not that one: nobody will count them, so nothing holds
    them. Without a Job all of `pods` are such."""
    strays = [pod for pod in pods if TRACKING in pod.metadata.finalizers and (job is None or _is_stray(job, pod))]
    return making.released(strays, "its Job is gone")


def _is_stray(job: Job, pod: Pod) -> bool:
    owner = controller_of(pod)
    return (
        owner is not None and (owner.kind, owner.name) == ("Job", job.metadata.name) and owner.uid != job.metadata.uid
    )


# --- Status ----------------------------------------------------------------------------------------------------------


def _status(job: Job, tally: Tally, came_to: Verdict | None, mine: Sequence[Pod], now: float) -> list[Action]:
    active = [pod for pod in mine if is_active(pod)]
    leaving = sum(1 for pod in mine if is_terminating(pod) and not is_terminal(pod))
    quiet = not active and not leaving and not tally.pending
    wanted = JobStatus(
        conditions=ending.conditions(job, came_to, quiet, now),
        startTime=_start_time(job, now),
        active=len(active),
        succeeded=tally.succeeded,
        failed=tally.failed,
        terminating=leaving,
        completedIndexes=counting.text(tally.completed),
        uncountedTerminatedPods=tally.uncounted,
        ready=sum(1 for pod in active if is_ready(pod)),
    )
    done = came_to is not None and quiet
    if done and came_to is not None and came_to.last == "Complete":
        wanted.completionTime = times.rfc3339(now)
    change = patch.diff(codec.to_dict(job.status), codec.to_dict(wanted))
    because = f"{tally.all_succeeded} have succeeded, {tally.all_failed} have failed, {len(active)} are at work"
    tell = _ended(job, came_to) if done else None
    return [Patch(job, {"status": change}, because, "status", tell)] if change else []


def _start_time(job: Job, now: float) -> str | None:
    """Since when it is at work without having been suspended."""
    if job.spec.suspend:
        return None
    return job.status.startTime or times.rfc3339(now)


def _ended(job: Job, came_to: Verdict | None) -> Tell | None:
    if came_to is None:
        return None
    if came_to.last == "Complete":
        return Tell(job, "Completed", "Job completed")
    return Tell(job, came_to.reason, came_to.message, "Warning")
