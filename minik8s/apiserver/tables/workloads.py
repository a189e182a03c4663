"""Rows of what makes Pods: how many are wanted, how many are there. Pure."""

from minik8s.api import times
from minik8s.api.apps import ControllerRevision, DaemonSet, Deployment, ReplicaSet, StatefulSet
from minik8s.api.autoscaling import HorizontalPodAutoscaler
from minik8s.api.batch import Job
from minik8s.api.display import NONE, some
from minik8s.api.durations import human, since
from minik8s.api.meta import LabelSelector, Object, controller_of
from minik8s.api.pods import PodTemplateSpec, condition
from minik8s.api.policy import PodDisruptionBudget
from minik8s.api.selectors import format_labels
from minik8s.apiserver.tables.columns import AGE, NAME, Cells, Table, age, number, text, wide

# What `-o wide` adds of the template that Pods are made from.
TEMPLATE = (
    wide("Containers", "The names of the template's containers."),
    wide("Images", "The images of the template's containers."),
    wide("Selector", "Which Pods count as this object's own."),
)


def template_cells(template: PodTemplateSpec, selector: LabelSelector | None) -> Cells:
    """The cells of `TEMPLATE`."""
    containers = template.spec.containers
    names, images = [each.name for each in containers], [each.image for each in containers]
    return [some(names), some(images), format_labels(selector) or NONE]


def _deployment(deployment: Deployment, now: float) -> Cells:
    spec, status = deployment.spec, deployment.status
    return [
        deployment.metadata.name,
        f"{status.readyReplicas}/{1 if spec.replicas is None else spec.replicas}",
        status.updatedReplicas,
        status.availableReplicas,
        age(deployment, now),
        *template_cells(spec.template, spec.selector),
    ]


def _replicaset(replicaset: ReplicaSet, now: float) -> Cells:
    spec, status = replicaset.spec, replicaset.status
    return [
        replicaset.metadata.name,
        1 if spec.replicas is None else spec.replicas,
        status.replicas,
        status.readyReplicas,
        age(replicaset, now),
        *template_cells(spec.template, spec.selector),
    ]


def _stateful_set(sts: StatefulSet, now: float) -> Cells:
    wanted = 1 if sts.spec.replicas is None else sts.spec.replicas
    ready = f"{sts.status.readyReplicas}/{wanted}"
    return [sts.metadata.name, ready, age(sts, now), *template_cells(sts.spec.template, None)[:2]]


def _daemon_set(ds: DaemonSet, now: float) -> Cells:
    status, spec = ds.status, ds.spec.template.spec
    return [
        ds.metadata.name,
        status.desiredNumberScheduled,
        status.currentNumberScheduled,
        status.numberReady,
        status.updatedNumberScheduled,
        status.numberAvailable,
        ",".join(f"{key}={value}" for key, value in sorted(spec.nodeSelector.items())) or NONE,
        age(ds, now),
        *template_cells(ds.spec.template, ds.spec.selector),
    ]


def _job(job: Job, now: float) -> Cells:
    spec, status = job.spec, job.status
    wanted = str(spec.completions)
    if spec.completions is None:
        wanted = f"1 of {spec.parallelism}" if (spec.parallelism or 0) > 1 else "1"
    took = "" if status.startTime is None else since(status.startTime, now)
    if status.startTime and status.completionTime:
        took = human(times.parse(status.completionTime) - times.parse(status.startTime))
    return [
        job.metadata.name,
        _job_word(job),
        f"{status.succeeded}/{wanted}",
        took,
        age(job, now),
        *template_cells(spec.template, spec.selector),
    ]


def _job_word(job: Job) -> str:
    """How it stands: what it came to, else what keeps it."""
    for kind in ("Complete", "Failed", "", "Suspended", "FailureTarget", "SuccessCriteriaMet"):
        found = condition(job.status.conditions, kind)
        if not kind and job.metadata.deletionTimestamp:
            return "Terminating"
        if found is not None and found.status == "True":
            return kind
    return "Running"


def _autoscaler(scaler: HorizontalPodAutoscaler, now: float) -> Cells:
    spec, status = scaler.spec, scaler.status
    target, cpu = spec.scaleTargetRef, (status.currentCPUUtilizationPercentage, spec.targetCPUUtilizationPercentage)
    shares = ["<unknown>" if each is None else f"{each}%" for each in cpu]
    return [
        scaler.metadata.name,
        f"{target.kind}/{target.name}" if target else "<none>",
        f"cpu: {'/'.join(shares)}",
        "<unset>" if spec.minReplicas is None else str(spec.minReplicas),
        spec.maxReplicas,
        status.currentReplicas,
        age(scaler, now),
    ]


def _budget(budget: PodDisruptionBudget, now: float) -> Cells:
    least, most = budget.spec.minAvailable, budget.spec.maxUnavailable
    return [
        budget.metadata.name,
        "N/A" if least is None else str(least),
        "N/A" if most is None else str(most),
        budget.status.disruptionsAllowed,
        age(budget, now),
    ]


def _revision(revision: ControllerRevision, now: float) -> Cells:
    owner = controller_of(revision)
    group = owner.apiVersion.rpartition("/")[0] if owner else ""
    kind = f"{owner.kind}.{group}" if owner and group else owner.kind if owner else ""
    named = f"{kind.lower()}/{owner.name}" if owner else NONE
    return [revision.metadata.name, named, revision.revision, age(revision, now)]


DESIRED = number("Desired", "How many Pods are wanted.")
CURRENT = number("Current", "How many Pods there are.")
READY = number("Ready", "How many Pods are ready.")

TABLES: dict[type[Object], Table] = {
    Deployment: Table(
        (
            NAME,
            text("Ready", "How many Pods are ready, and how many are wanted."),
            text("Up-to-date", "How many Pods are made from the newest template."),
            text("Available", "How many Pods have been ready for at least minReadySeconds."),
            AGE,
            *TEMPLATE,
        ),
        _deployment,
    ),
    ReplicaSet: Table((NAME, DESIRED, CURRENT, READY, AGE, *TEMPLATE), _replicaset),
    StatefulSet: Table(
        (NAME, text("Ready", "How many Pods are ready, and how many are wanted."), AGE, *TEMPLATE[:2]), _stateful_set
    ),
    DaemonSet: Table(
        (
            NAME,
            number("Desired", "How many nodes are to have a Pod."),
            number("Current", "How many of them have one."),
            READY,
            number("Up-to-date", "How many Pods are made from the newest template."),
            number("Available", "How many Pods have been ready for at least minReadySeconds."),
            text("Node Selector", "Which labels a node must have."),
            AGE,
            *TEMPLATE,
        ),
        _daemon_set,
    ),
    Job: Table(
        (
            NAME,
            text("Status", "How it stands."),
            text("Completions", "How many Pods have succeeded, and how many are to."),
            text("Duration", "How long it took, or takes so far."),
            AGE,
            *TEMPLATE,
        ),
        _job,
    ),
    HorizontalPodAutoscaler: Table(
        (
            NAME,
            text("Reference", "What is to be scaled."),
            text("Targets", "CPU used and wanted, in percent of what was asked for."),
            text("MinPods", "How many Pods there are at least."),
            number("MaxPods", "How many Pods there are at most."),
            number("Replicas", "How many there were when somebody looked last."),
            AGE,
        ),
        _autoscaler,
    ),
    PodDisruptionBudget: Table(
        (
            NAME,
            text("Min Available", "How many Pods must stay healthy."),
            text("Max Unavailable", "How many Pods may be missing."),
            number("Allowed Disruptions", "How many Pods may be evicted now."),
            AGE,
        ),
        _budget,
    ),
    ControllerRevision: Table(
        (
            NAME,
            text("Controller", "Whose template it was."),
            number("Revision", "Its number; the highest is the template as it is now."),
            AGE,
        ),
        _revision,
    ),
}
