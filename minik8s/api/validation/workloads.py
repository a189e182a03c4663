"""What the kinds of the group apps must keep to: ReplicaSet, Deployment, StatefulSet, DaemonSet.

Source: Kubernetes' ValidateDeploymentSpec, ValidateStatefulSetSpec, ValidateDaemonSetSpec.
"""

import re

import msgspec

from minik8s.api import selectors
from minik8s.api.apps import (
    ControllerRevision,
    DaemonSet,
    DaemonSetSpec,
    Deployment,
    DeploymentSpec,
    ReplicaSet,
    ReplicaSetSpec,
    StatefulSet,
    StatefulSetSpec,
)
from minik8s.api.meta import IntOrString, LabelSelector
from minik8s.api.pods import EmptyDirVolumeSource, PodTemplateSpec, Volume
from minik8s.api.validation import pods
from minik8s.api.validation.fields import Problems
from minik8s.api.validation.metadata import check_labels

Spec = ReplicaSetSpec | DeploymentSpec | StatefulSetSpec | DaemonSetSpec
Selecting = ReplicaSet | Deployment | DaemonSet
RETENTION = ("Delete", "Retain")
OPERATORS = ("DoesNotExist", "Exists", "In", "NotIn")


def check_replica_set(problems: Problems, rs: ReplicaSet) -> None:
    problems.not_negative("spec.replicas", rs.spec.replicas)
    _check_common(problems, rs.spec, rs.kind)


def check_deployment(problems: Problems, deployment: Deployment) -> None:
    spec = deployment.spec
    problems.not_negative("spec.replicas", spec.replicas)
    _check_common(problems, spec, deployment.kind)
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
            check_share(problems, f"{path}.{field}", getattr(rolling, field))
        if _is_zero(rolling.maxUnavailable) and _is_zero(rolling.maxSurge):
            problems.invalid(f"{path}.maxUnavailable", rolling.maxUnavailable, "may not be 0 when `maxSurge` is 0")


def check_stateful_set(problems: Problems, sts: StatefulSet) -> None:
    spec = sts.spec
    problems.not_negative("spec.replicas", spec.replicas)
    problems.one_of("spec.podManagementPolicy", spec.podManagementPolicy, ("OrderedReady", "Parallel"))
    problems.one_of("spec.updateStrategy.type", spec.updateStrategy.type, ("OnDelete", "RollingUpdate"))
    rolling, path = spec.updateStrategy.rollingUpdate, "spec.updateStrategy.rollingUpdate"
    if rolling is not None:
        if spec.updateStrategy.type == "OnDelete":
            problems.invalid(path, msgspec.to_builtins(rolling), "only allowed for updateStrategy 'RollingUpdate'")
        problems.not_negative(f"{path}.partition", rolling.partition)
        check_share(problems, f"{path}.maxUnavailable", rolling.maxUnavailable)
    if spec.ordinals is not None:
        problems.not_negative("spec.ordinals.start", spec.ordinals.start)
    problems.not_negative("spec.revisionHistoryLimit", spec.revisionHistoryLimit)
    kept = spec.persistentVolumeClaimRetentionPolicy
    for field in ("whenDeleted", "whenScaled") if kept else ():
        problems.one_of(f"spec.persistentVolumeClaimRetentionPolicy.{field}", getattr(kept, field), RETENTION)
    _check_common(problems, _with_claims(spec), sts.kind)


def _with_claims(spec: StatefulSetSpec) -> StatefulSetSpec:
    """The same spec with a volume for each claim, which containers may mount."""
    pod = spec.template.spec
    volumes = [Volume(name=each.metadata.name, emptyDir=EmptyDirVolumeSource()) for each in spec.volumeClaimTemplates]
    named = {each.name for each in volumes}
    volumes = [each for each in pod.volumes if each.name not in named] + volumes
    template = PodTemplateSpec(metadata=spec.template.metadata, spec=msgspec.structs.replace(pod, volumes=volumes))
    return msgspec.structs.replace(spec, template=template)


def check_daemon_set(problems: Problems, ds: DaemonSet) -> None:
    spec, path = ds.spec, "spec.updateStrategy"
    _check_common(problems, spec, ds.kind)
    problems.not_negative("spec.revisionHistoryLimit", spec.revisionHistoryLimit)
    known = problems.one_of(f"{path}.type", spec.updateStrategy.type, ("OnDelete", "RollingUpdate"))
    rolling = spec.updateStrategy.rollingUpdate
    if not known or rolling is None or spec.updateStrategy.type != "RollingUpdate":
        return
    path = f"{path}.rollingUpdate"
    for field in ("maxUnavailable", "maxSurge"):
        check_share(problems, f"{path}.{field}", getattr(rolling, field))
    if _is_zero(rolling.maxUnavailable) and _is_zero(rolling.maxSurge):
        problems.required(f"{path}.maxUnavailable", "cannot be 0 when maxSurge is 0")
    elif not _is_zero(rolling.maxUnavailable) and not _is_zero(rolling.maxSurge):
        problems.invalid(f"{path}.maxSurge", rolling.maxSurge, "may not be set when maxUnavailable is non-zero")


def check_revision(problems: Problems, revision: ControllerRevision) -> None:
    problems.not_negative("revision", revision.revision)


def check_revision_update(problems: Problems, new: ControllerRevision, old: ControllerRevision) -> None:
    problems.immutable("data", new.data, old.data)


def _is_zero(value: IntOrString | None) -> bool:
    return value in (0, "0%")


def check_share(problems: Problems, path: str, value: IntOrString | None) -> None:
    if isinstance(value, str) and not re.fullmatch(r"[0-9]+%", value):
        problems.invalid(path, value, "a valid percent string must be a numeric string followed by an ending '%'")
    elif isinstance(value, int):
        problems.not_negative(path, value)


def _check_common(problems: Problems, spec: Spec, kind: str) -> None:
    problems.not_negative("spec.minReadySeconds", spec.minReadySeconds)
    labels = spec.template.metadata.labels
    check_labels(problems, "spec.template.metadata.labels", labels)
    pods.check_annotations(problems, "spec.template.metadata.annotations", spec.template.metadata.annotations)
    if spec.selector is None:
        problems.required("spec.selector")
    else:
        check_selector(problems, spec.selector)
        if not spec.selector.matchLabels and not spec.selector.matchExpressions:
            problems.invalid("spec.selector", {}, f"empty selector is invalid for {kind.lower()}")
        elif not selectors.matches(spec.selector, labels):
            problems.invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")
    pods.check_spec(problems, "spec.template.spec", spec.template.spec)
    if spec.template.spec.restartPolicy != "Always":
        problems.unsupported("spec.template.spec.restartPolicy", spec.template.spec.restartPolicy, ("Always",))
    if spec.template.spec.activeDeadlineSeconds is not None:
        problems.forbidden("spec.template.spec.activeDeadlineSeconds", "must not be specified")


def check_selector(problems: Problems, selector: LabelSelector) -> None:
    check_labels(problems, "spec.selector.matchLabels", selector.matchLabels)
    for at, each in enumerate(selector.matchExpressions):
        path = f"spec.selector.matchExpressions[{at}]"
        problems.one_of(f"{path}.operator", each.operator, OPERATORS)
        if each.operator in ("In", "NotIn") and not each.values:
            problems.required(f"{path}.values", "must be specified when `operator` is 'In' or 'NotIn'")
        if each.operator in ("Exists", "DoesNotExist") and each.values:
            problems.forbidden(f"{path}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")


def check_update(problems: Problems, new: Selecting, old: Selecting) -> None:
    problems.immutable("spec.selector", new.spec.selector, old.spec.selector)


# What of a StatefulSet may change: the rest says which Pods are its own, or how they are told apart.
CHANGEABLE = (
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
)


def check_stateful_set_update(problems: Problems, new: StatefulSet, old: StatefulSet) -> None:
    fixed = [name for name in StatefulSetSpec.__struct_fields__ if name not in CHANGEABLE]
    if any(getattr(new.spec, name) != getattr(old.spec, name) for name in fixed):
        named = ", ".join(f"'{name}'" for name in CHANGEABLE[:-1])
        problems.forbidden(
            "spec",
            f"updates to statefulset spec for fields other than {named} and '{CHANGEABLE[-1]}' are forbidden",
        )
