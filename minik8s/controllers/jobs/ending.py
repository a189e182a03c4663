"""Is a Job over, and how? Its conditions. Pure.

In two steps, as upstream: first what will become of it (SuccessCriteriaMet or FailureTarget), then, when none of its
Pods is left running and all are counted, that it has become so (Complete or Failed). Invariant: what was said once is
not taken back. Read `plan.py` next.
"""

from collections.abc import Sequence
from typing import NamedTuple

from minik8s.api import times
from minik8s.api.batch import Job
from minik8s.api.meta import Condition
from minik8s.api.pods import Pod, condition
from minik8s.controllers.jobs.counting import Tally
from minik8s.controllers.podcontrol import is_active


class Verdict(NamedTuple):
    """What a Job comes to. `first` is the condition that says so, `last` the one when all is quiet."""

    first: str
    last: str
    reason: str
    message: str


def is_true(job: Job, kind: str) -> bool:
    found = condition(job.status.conditions, kind)
    return found is not None and found.status == "True"


def is_finished(job: Job) -> bool:
    return is_true(job, "Complete") or is_true(job, "Failed")


def verdict(job: Job, tally: Tally, pods: Sequence[Pod], now: float) -> Verdict | None:
    """What it comes to; None while it goes on."""
    for first, last in (("FailureTarget", "Failed"), ("SuccessCriteriaMet", "Complete")):
        said = condition(job.status.conditions, first)
        if said is not None and said.status == "True":
            return Verdict(first, last, said.reason, said.message)
    failure = _failure(job, tally, pods, now)
    if failure is not None:
        return Verdict("FailureTarget", "Failed", *failure)
    if _succeeded(job, tally, pods):
        return Verdict(
            "SuccessCriteriaMet", "Complete", "CompletionsReached", "Reached expected number of succeeded pods"
        )
    return None


def _failure(job: Job, tally: Tally, pods: Sequence[Pod], now: float) -> tuple[str, str] | None:
    limit = 6 if job.spec.backoffLimit is None else job.spec.backoffLimit
    if tally.all_failed > limit or _restarted_too_often(job, pods, limit):
        return "BackoffLimitExceeded", "Job has reached the specified backoff limit"
    left = deadline_left(job, now)
    if left is not None and left <= 0:
        return "DeadlineExceeded", "Job was active longer than specified deadline"
    return None


def _restarted_too_often(job: Job, pods: Sequence[Pod], limit: int) -> bool:
    """Pods that start their containers again themselves are judged by how often they did."""
    if job.spec.template.spec.restartPolicy != "OnFailure":
        return False
    working = [pod for pod in pods if is_active(pod) and pod.status.phase in ("Running", "Pending")]
    statuses = [each for pod in working for each in (*pod.status.initContainerStatuses, *pod.status.containerStatuses)]
    restarts = sum(each.restartCount for each in statuses)
    return restarts > 0 if limit == 0 else restarts >= limit


def deadline_left(job: Job, now: float) -> float | None:
    """Seconds until `activeDeadlineSeconds` are over; None where there is no such limit, or it does not run."""
    if job.spec.activeDeadlineSeconds is None or not job.status.startTime or job.spec.suspend or is_finished(job):
        return None
    return times.parse(job.status.startTime) + job.spec.activeDeadlineSeconds - now


def time_to_live(job: Job, now: float) -> float | None:
    """Seconds until a finished Job is deleted; None when it is to stay."""
    ends = [each for each in job.status.conditions if each.type in ("Complete", "Failed") and each.status == "True"]
    if job.spec.ttlSecondsAfterFinished is None or not ends or not ends[0].lastTransitionTime:
        return None
    return times.parse(ends[0].lastTransitionTime) + job.spec.ttlSecondsAfterFinished - now


def _succeeded(job: Job, tally: Tally, pods: Sequence[Pod]) -> bool:
    if job.spec.completions is None:
        return tally.all_succeeded > 0 and not any(is_active(pod) for pod in pods)
    return tally.all_succeeded >= job.spec.completions


def conditions(job: Job, came_to: Verdict | None, quiet: bool, now: float) -> list[Condition]:
    """The Job's conditions as they should be. `quiet`: nothing of it runs or is uncounted any more."""
    found = list(job.status.conditions)
    if came_to is not None:
        _say(found, came_to.first, "True", (came_to.reason, came_to.message), now)
        if quiet:
            _say(found, came_to.last, "True", (came_to.reason, came_to.message), now)
    elif job.spec.suspend:
        _say(found, "Suspended", "True", ("JobSuspended", "Job suspended"), now)
    elif is_true(job, "Suspended"):
        _say(found, "Suspended", "False", ("JobResumed", "Job resumed"), now)
    return found


def _say(found: list[Condition], kind: str, status: str, why: tuple[str, str], now: float) -> None:
    old = condition(found, kind)
    if old is not None and old.status == status:
        return
    moment = times.rfc3339(now)
    fresh = Condition(
        type=kind, status=status, reason=why[0], message=why[1], lastProbeTime=moment, lastTransitionTime=moment
    )
    if old is None:
        found.append(fresh)
    else:
        found[found.index(old)] = fresh
