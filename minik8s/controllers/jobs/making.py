"""Which Pods a Job makes and deletes now. Pure.

At most `parallelism` at a time, at most as many as are still to succeed, none while it is suspended, and after a
failure only when a growing pause is over. Indexed: one for each index that is not done. Invariant: a Pod that this
controller itself deletes loses its finalizer first, so that it is not counted as failed. Read `ending.py` next.
"""

import itertools
from collections.abc import Sequence

from minik8s.api import codec, times
from minik8s.api.batch import INDEX, TRACKING, Job
from minik8s.api.containers import EnvVar, EnvVarSource, ObjectFieldSelector
from minik8s.api.pods import Pod, PodSpec, is_ready
from minik8s.controllers.actions import Action, Create, Delete, Patch, Tell
from minik8s.controllers.jobs.counting import Tally, index_of, is_indexed
from minik8s.controllers.podcontrol import is_active, new_pod

FIRST_PAUSE_S, LONGEST_PAUSE_S = 10, 600  # upstream's: doubled for each failure in a row
INDEX_ENV = "JOB_COMPLETION_INDEX"


def wanted_active(job: Job, tally: Tally, active: int) -> int:
    """How many Pods should be at work."""
    if job.spec.suspend:
        return 0
    parallelism = 1 if job.spec.parallelism is None else job.spec.parallelism
    if job.spec.completions is None:
        # Work from a queue: once one has succeeded the others end by themselves, and no more are made.
        return min(active, parallelism) if tally.all_succeeded else parallelism
    return min(parallelism, max(0, job.spec.completions - tally.all_succeeded))


def step(job: Job, tally: Tally, pods: Sequence[Pod], now: float) -> list[Action]:
    """Pods to make or to delete. `pods` are the Job's own."""
    active = [pod for pod in pods if is_active(pod)]
    occupied = [pod for pod in pods if _occupies(job, pod)]
    wanted = wanted_active(job, tally, len(active))
    if len(active) > wanted:
        because = "the Job is suspended" if job.spec.suspend else f"{len(active)} are at work, wanted are {wanted}"
        return [act for pod in _least(active)[: len(active) - wanted] for act in withdraw(job, pod, because)]
    missing = wanted - len(occupied)
    if missing <= 0 or pause_left(job, pods, now):
        return []
    because = f"{tally.all_succeeded} have succeeded, {len(active)} of {wanted} are at work"
    tell = Tell(job, "SuccessfulCreate", "Created pod: {name}")
    return [Create(new_worker(job, index), because, tell) for index in _free(job, tally, occupied, missing)]


def _occupies(job: Job, pod: Pod) -> bool:
    """Is a successor to wait for it?"""
    return is_active(pod) or (job.spec.podReplacementPolicy == "Failed" and not _ended(pod))


def _ended(pod: Pod) -> bool:
    return pod.status.phase in ("Succeeded", "Failed")


def _least(active: list[Pod]) -> list[Pod]:
    """Those whose loss costs least in front: not ready, then the youngest."""
    youngest = sorted(active, key=lambda pod: (pod.metadata.creationTimestamp or "", pod.metadata.name), reverse=True)
    return sorted(youngest, key=is_ready)


def withdraw(job: Job, pod: Pod, because: str) -> list[Action]:
    """Delete a Pod without counting it."""
    return [*released([pod], because), Delete(pod, because, tell=Tell(job, "SuccessfulDelete", "Deleted pod: {name}"))]


def released(pods: Sequence[Pod], because: str) -> list[Action]:
    """Patches that take away the finalizer."""
    held = [pod for pod in pods if TRACKING in pod.metadata.finalizers]
    return [
        Patch(pod, {"metadata": {"finalizers": [f for f in pod.metadata.finalizers if f != TRACKING] or None}}, because)
        for pod in held
    ]


def _free(job: Job, tally: Tally, occupied: list[Pod], missing: int) -> list[int | None]:
    if not is_indexed(job):
        return [None] * missing
    busy = {index_of(pod) for pod in occupied} | tally.completed
    free = (index for index in range(job.spec.completions or 0) if index not in busy)
    return list(itertools.islice(free, missing))


def new_worker(job: Job, index: int | None) -> Pod:
    """A Pod of the Job; one with an index knows it by label, annotation, hostname and environment."""
    labels = {} if index is None else {INDEX: str(index)}
    pod = new_pod(job, job.spec.template, labels=labels)
    pod.metadata.finalizers = [*pod.metadata.finalizers, TRACKING]
    if index is None:
        return pod
    pod.metadata.generateName = f"{job.metadata.name}-{index}-"
    pod.metadata.annotations = {**pod.metadata.annotations, INDEX: str(index)}
    pod.spec = codec.from_dict(PodSpec, codec.to_dict(pod.spec))
    pod.spec.hostname = pod.spec.hostname or f"{job.metadata.name}-{index}"
    for container in (*pod.spec.initContainers, *pod.spec.containers):
        if all(each.name != INDEX_ENV for each in container.env):
            source = EnvVarSource(fieldRef=ObjectFieldSelector(fieldPath=f"metadata.labels['{INDEX}']"))
            container.env = [*container.env, EnvVar(name=INDEX_ENV, valueFrom=source)]
    return pod


# --- The pause after failures ----------------------------------------------------------------------------------------


def pause_left(job: Job, pods: Sequence[Pod], now: float) -> float:
    """For how long no new Pod is made: it doubles with each failure since the last success."""
    ends = sorted((_finished_at(pod), pod.status.phase) for pod in pods if _ended(pod))
    in_a_row = 0
    for _, phase in ends:
        in_a_row = in_a_row + 1 if phase == "Failed" else 0
    if not in_a_row:
        return 0.0
    pause = min(FIRST_PAUSE_S * 2 ** (in_a_row - 1), LONGEST_PAUSE_S)
    return max(0.0, ends[-1][0] + pause - now)


def _finished_at(pod: Pod) -> float:
    """When its last container ended; as far as known."""
    ends = [each.state.terminated.finishedAt for each in pod.status.containerStatuses if each.state.terminated]
    moments = [end for end in ends if end] or [pod.metadata.creationTimestamp or ""]
    return max(times.parse(moment) if moment else 0.0 for moment in moments)
