"""What ReplicaSets and Deployments must keep to.

Source: Kubernetes' ValidateDeploymentSpec.
"""

import re

from minik8s.api import selectors
from minik8s.api.apps import Deployment, DeploymentSpec, ReplicaSet, ReplicaSetSpec
from minik8s.api.meta import IntOrString, LabelSelector
from minik8s.api.validation import pods
from minik8s.api.validation.fields import Problems
from minik8s.api.validation.metadata import check_labels

OPERATORS = ("DoesNotExist", "Exists", "In", "NotIn")


def check_replica_set(problems: Problems, rs: ReplicaSet) -> None:
    _check_common(problems, rs.spec)


def check_deployment(problems: Problems, deployment: Deployment) -> None:
    spec = deployment.spec
    _check_common(problems, spec)
    problems.not_negative("spec.revisionHistoryLimit", spec.revisionHistoryLimit)
    deadline = spec.progressDeadlineSeconds
    if deadline is not None and deadline <= spec.minReadySeconds:
        problems.invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds")
    if not problems.one_of("spec.strategy.type", spec.strategy.type, ("Recreate", "RollingUpdate")):
        return
    rolling = spec.strategy.rollingUpdate
    if spec.strategy.type == "Recreate" and rolling:
        problems.forbidden("spec.strategy.rollingUpdate", "may not be specified when strategy `type` is 'Recreate'")
    elif rolling:
        path = "spec.strategy.rollingUpdate"
        for field in ("maxUnavailable", "maxSurge"):
            _check_share(problems, f"{path}.{field}", getattr(rolling, field))
        if _is_zero(rolling.maxUnavailable) and _is_zero(rolling.maxSurge):
            problems.invalid(f"{path}.maxUnavailable", rolling.maxUnavailable, "may not be 0 when `maxSurge` is 0")


def _is_zero(value: IntOrString | None) -> bool:
    return value in (0, "0%")


def _check_share(problems: Problems, path: str, value: IntOrString | None) -> None:
    if isinstance(value, str) and not re.fullmatch(r"[0-9]+%", value):
        problems.invalid(path, value, "a valid percent string must be a numeric string followed by an ending '%'")
    elif isinstance(value, int):
        problems.not_negative(path, value)


def _check_common(problems: Problems, spec: ReplicaSetSpec | DeploymentSpec) -> None:
    problems.not_negative("spec.replicas", spec.replicas)
    problems.not_negative("spec.minReadySeconds", spec.minReadySeconds)
    labels = spec.template.metadata.labels
    check_labels(problems, "spec.template.metadata.labels", labels)
    pods.check_annotations(problems, "spec.template.metadata.annotations", spec.template.metadata.annotations)
    if spec.selector is None:
        problems.required("spec.selector")
    else:
        _check_selector(problems, spec.selector)
        if not spec.selector.matchLabels and not spec.selector.matchExpressions:
            problems.invalid("spec.selector", {}, "empty selector is invalid for deployment")
        elif not selectors.matches(spec.selector, labels):
            problems.invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")
    pods.check_spec(problems, "spec.template.spec", spec.template.spec)
    if spec.template.spec.restartPolicy != "Always":
        problems.unsupported("spec.template.spec.restartPolicy", spec.template.spec.restartPolicy, ("Always",))
    if spec.template.spec.activeDeadlineSeconds is not None:
        problems.forbidden("spec.template.spec.activeDeadlineSeconds", "must not be specified")


def _check_selector(problems: Problems, selector: LabelSelector) -> None:
    check_labels(problems, "spec.selector.matchLabels", selector.matchLabels)
    for at, each in enumerate(selector.matchExpressions):
        path = f"spec.selector.matchExpressions[{at}]"
        problems.one_of(f"{path}.operator", each.operator, OPERATORS)
        if each.operator in ("In", "NotIn") and not each.values:
            problems.required(f"{path}.values", "must be specified when `operator` is 'In' or 'NotIn'")
        if each.operator in ("Exists", "DoesNotExist") and each.values:
            problems.forbidden(f"{path}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")


def check_update(problems: Problems, new: ReplicaSet | Deployment, old: ReplicaSet | Deployment) -> None:
    problems.immutable("spec.selector", new.spec.selector, old.spec.selector)
