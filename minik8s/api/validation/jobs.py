"""What a Job must keep to. Source: Kubernetes' ValidateJob and ValidateJobUpdate."""

from minik8s.api import selectors
from minik8s.api.batch import NAME_LABEL, OLD_LABELS, UID_LABEL, Job
from minik8s.api.validation import pods
from minik8s.api.validation.fields import Problems
from minik8s.api.validation.metadata import check_labels

RESTART = "spec.template.spec.restartPolicy"
MAX_INDEXED = 100_000  # upstream's limits of parallelism and completions, so that the indexes fit into a status


def check(problems: Problems, job: Job) -> None:
    spec = job.spec
    numbers = ("parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished")
    for name in numbers:
        problems.not_negative(f"spec.{name}", getattr(spec, name))
    problems.one_of("spec.completionMode", spec.completionMode or "", ("Indexed", "NonIndexed"))
    problems.one_of("spec.podReplacementPolicy", spec.podReplacementPolicy or "", ("Failed", "TerminatingOrFailed"))
    if spec.completionMode == "Indexed":
        _check_indexed(problems, job)
    _check_selector(problems, job)
    labels = spec.template.metadata.labels
    check_labels(problems, "spec.template.metadata.labels", labels)
    pods.check_annotations(problems, "spec.template.metadata.annotations", spec.template.metadata.annotations)
    pods.check_spec(problems, "spec.template.spec", spec.template.spec)
    if spec.template.spec.restartPolicy == "Always":
        problems.required(RESTART, 'valid values: "OnFailure", "Never"')
    elif spec.template.spec.restartPolicy not in ("OnFailure", "Never"):
        problems.unsupported(RESTART, spec.template.spec.restartPolicy, ("OnFailure", "Never"))


def _check_indexed(problems: Problems, job: Job) -> None:
    if job.spec.completions is None:
        problems.required("spec.completions", "when completion mode is Indexed")
    elif job.spec.completions > MAX_INDEXED:
        problems.invalid("spec.completions", job.spec.completions, f"must be less than or equal to {MAX_INDEXED}")
    if (job.spec.parallelism or 0) > MAX_INDEXED:
        problems.invalid("spec.parallelism", job.spec.parallelism, f"must be less than or equal to {MAX_INDEXED}")


def _check_selector(problems: Problems, job: Job) -> None:
    """The selector that was generated must be there; one by hand must match the template."""
    spec, labels = job.spec, job.spec.template.metadata.labels
    if spec.selector is None:
        problems.required("spec.selector")
    elif not selectors.matches(spec.selector, labels):
        problems.invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")
    if spec.manualSelector or not job.metadata.uid:
        return
    expected = {UID_LABEL: job.metadata.uid, NAME_LABEL: job.metadata.name}
    for name, value in (*expected.items(), *((old, expected[new]) for old, new in OLD_LABELS.items())):
        if labels.get(name) != value:
            given = labels.get(name, "")
            problems.invalid(f"spec.template.metadata.labels[{name}]", given, f"must be '{value}'")


FIXED = ("selector", "completionMode", "podFailurePolicy", "successPolicy", "backoffLimitPerIndex", "managedBy")


def check_update(problems: Problems, new: Job, old: Job) -> None:
    for name in FIXED:
        problems.immutable(f"spec.{name}", getattr(new.spec, name), getattr(old.spec, name))
    together = new.spec.completionMode == "Indexed" and new.spec.completions == new.spec.parallelism
    if not together:
        problems.immutable("spec.completions", new.spec.completions, old.spec.completions)
    # A Job that waits for its queue may still be told where its Pods go.
    waiting = bool(old.spec.suspend) and old.status.startTime is None
    if not waiting:
        problems.immutable("spec.template", new.spec.template, old.spec.template)
