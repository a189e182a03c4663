"""How many Pods of a Job have succeeded and failed, each counted once, even if it is deleted meanwhile. Pure.

Two steps, as upstream: a Pod that has ended is written down by its uid as not yet counted, then its finalizer is taken
away; when that is seen, the uid goes and the number grows. Whatever is killed in between, the next look goes on from
what is written. Invariant: a Pod's finalizer goes only after the status has its uid. Read `making.py` next.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from minik8s.api.batch import INDEX, TRACKING, Job, UncountedTerminatedPods
from minik8s.api.pods import Pod, is_terminal, is_terminating


@dataclass(frozen=True)
class Tally:
    """`succeeded` and `failed` are what status says; `uncounted` are known too, and come to that."""

    succeeded: int
    failed: int
    uncounted: UncountedTerminatedPods
    completed: frozenset[int]  # indexes, for completionMode Indexed
    counted: tuple[Pod, ...]  # whose finalizer may go once `uncounted` is written

    @property
    def all_succeeded(self) -> int:
        return self.succeeded + len(self.uncounted.succeeded)

    @property
    def all_failed(self) -> int:
        return self.failed + len(self.uncounted.failed)

    @property
    def pending(self) -> bool:
        return bool(self.uncounted.succeeded or self.uncounted.failed)


def is_indexed(job: Job) -> bool:
    return job.spec.completionMode == "Indexed"


def index_of(pod: Pod) -> int | None:
    text = pod.metadata.annotations.get(INDEX, "")
    return int(text) if text.isdecimal() else None


def is_over(job: Job, pod: Pod) -> bool:
    """Is it to be counted now? One that is being deleted counts as failed at once, unless it is to be waited for."""
    return is_terminal(pod) or (is_terminating(pod) and job.spec.podReplacementPolicy != "Failed")


def count(job: Job, pods: Sequence[Pod]) -> Tally:
    """From what status says and the Pods that are there."""
    before = job.status.uncountedTerminatedPods or UncountedTerminatedPods()
    held = {pod.metadata.uid: pod for pod in pods if TRACKING in pod.metadata.finalizers}
    over = [pod for pod in held.values() if is_over(job, pod)]
    known = {*before.succeeded, *before.failed}
    fresh = [pod for pod in over if pod.metadata.uid not in known and _counts(job, pod)]
    good = [pod for pod in fresh if pod.status.phase == "Succeeded"]
    completed = frozenset(parse(job.status.completedIndexes))
    if is_indexed(job):
        completed |= {found for pod in good if (found := index_of(pod)) is not None}
    uncounted = UncountedTerminatedPods(
        succeeded=sorted([uid for uid in before.succeeded if uid in held] + [pod.metadata.uid for pod in good]),
        failed=sorted(
            [uid for uid in before.failed if uid in held]
            + [pod.metadata.uid for pod in fresh if pod.status.phase != "Succeeded"]
        ),
    )
    settled = sum(1 for uid in before.succeeded if uid not in held)
    return Tally(
        # An index that two Pods did is done once, so there the indexes are what is counted.
        succeeded=len(completed) - len(uncounted.succeeded) if is_indexed(job) else job.status.succeeded + settled,
        failed=job.status.failed + sum(1 for uid in before.failed if uid not in held),
        uncounted=uncounted,
        completed=completed,
        counted=tuple(over),
    )


def _counts(job: Job, pod: Pod) -> bool:
    """An index that is done already, or is none, is not counted."""
    if not is_indexed(job):
        return True
    index = index_of(pod)
    wanted = job.spec.completions or 0
    again = pod.status.phase == "Succeeded" and index in parse(job.status.completedIndexes)
    return index is not None and index < wanted and not again


def parse(text: str) -> set[int]:
    """`1,3-5` → {1, 3, 4, 5}."""
    found: set[int] = set()
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        found |= set(range(int(first), int(last or first) + 1))
    return found


def text(indexes: Iterable[int]) -> str:
    """{1, 3, 4, 5} → `1,3-5`; two in a row are written one by one."""
    runs: list[list[int]] = []
    for each in sorted(indexes):
        if runs and each == runs[-1][1] + 1:
            runs[-1][1] = each
        else:
            runs.append([each, each])
    return ",".join(_run(first, last) for first, last in runs)


def _run(first: int, last: int) -> str:
    return str(first) if first == last else f"{first},{last}" if last == first + 1 else f"{first}-{last}"
