"""The wiring: a change of a Job or of one of its Pods names the Job; so does the passing of time. Read `plan.py`."""

from minik8s.api.batch import TRACKING, Job
from minik8s.api.core import Pod
from minik8s.api.meta import controller_of
from minik8s.client.loop import Controller
from minik8s.controllers.context import Context
from minik8s.controllers.jobs import ending, making
from minik8s.controllers.jobs.plan import plan, release_strays
from minik8s.controllers.ownerloop import OwnerLoop
from minik8s.controllers.owners import owned
from minik8s.host import clock


def build(context: Context) -> Controller:
    loop = OwnerLoop(context, Job, [Pod])

    def look(job: Job) -> float | None:
        pods, now = loop.near(Pod, job), clock.wall()
        context.apply(plan(job, pods, now), seen=[job])
        waits = [ending.deadline_left(job, now), ending.time_to_live(job, now)]
        waits.append(making.pause_left(job, owned(job, pods), now) or None)
        return min((max(left, 0.1) for left in waits if left is not None), default=None)

    def gone(name: str) -> None:
        """The Job does not exist (any more); its Pods may go too."""
        namespace, _, job_name = name.rpartition("/")
        near = [pod for pod in context.informer(Pod).values() if pod.metadata.namespace == namespace]
        context.apply(release_strays(None, [pod for pod in near if _owner_name(pod) == job_name]))

    def pod_changed(old: Pod | None, new: Pod | None) -> None:
        if new is not None and _owner_name(new) == "":
            loop.queue.add(f"{new.metadata.namespace}/")  # it was left behind: no Job has this name

    context.informer(Pod).on_change(pod_changed)
    return loop.controller("jobs", look, gone)


def _owner_name(pod: Pod) -> str | None:
    """The Job that a tracked Pod is of; empty when it is nobody's, None for all other Pods."""
    if TRACKING not in pod.metadata.finalizers:
        return None
    owner = controller_of(pod)
    return "" if owner is None else owner.name if owner.kind == "Job" else None
