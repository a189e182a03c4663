"""The group batch/v1: Job, work that is done once.

Source: the published OpenAPI of Kubernetes 1.33. CronJob is not here.
"""

import msgspec

from minik8s.api.meta import Condition, Int32, Int64, LabelSelector, Object, Struct, Time, resource, says
from minik8s.api.pods import PodTemplateSpec

# How a Job's Pods are told from others, and by their older names.
UID_LABEL, NAME_LABEL = "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name"
OLD_LABELS = {"controller-uid": UID_LABEL, "job-name": NAME_LABEL}
INDEX = "batch.kubernetes.io/job-completion-index"  # label and annotation
TRACKING = "batch.kubernetes.io/job-tracking"  # finalizer: a Pod stays until it was counted
CONTROLLER = "kubernetes.io/job-controller"


class PodFailurePolicyOnExitCodesRequirement(Struct):
    operator: str
    values: list[Int32] = []
    containerName: str | None = None


class PodFailurePolicyOnPodConditionsPattern(Struct):
    type: str
    status: str = ""


class PodFailurePolicyRule(Struct):
    action: str
    onExitCodes: PodFailurePolicyOnExitCodesRequirement | None = None
    onPodConditions: list[PodFailurePolicyOnPodConditionsPattern] = []


class PodFailurePolicy(Struct):
    rules: list[PodFailurePolicyRule] = []


class SuccessPolicyRule(Struct):
    succeededIndexes: str | None = None
    succeededCount: Int32 | None = None


class SuccessPolicy(Struct):
    rules: list[SuccessPolicyRule] = []


class JobSpec(Struct):
    parallelism: Int32 | None = None
    completions: Int32 | None = None
    activeDeadlineSeconds: Int64 | None = None
    podFailurePolicy: PodFailurePolicy | None = None
    successPolicy: SuccessPolicy | None = None
    backoffLimit: Int32 | None = None
    backoffLimitPerIndex: Int32 | None = None
    maxFailedIndexes: Int32 | None = None
    selector: LabelSelector | None = None
    manualSelector: bool | None = None
    template: PodTemplateSpec = msgspec.field(default_factory=PodTemplateSpec)
    ttlSecondsAfterFinished: Int32 | None = None
    completionMode: str | None = None
    suspend: bool | None = None
    podReplacementPolicy: str | None = None
    managedBy: str | None = None


class UncountedTerminatedPods(Struct):
    succeeded: list[str] = []
    failed: list[str] = []


class JobStatus(Struct):
    conditions: list[Condition] = []
    startTime: Time | None = None
    completionTime: Time | None = None
    active: Int32 = 0
    succeeded: Int32 = 0
    failed: Int32 = 0
    terminating: Int32 | None = None
    completedIndexes: str = ""
    failedIndexes: str | None = None
    uncountedTerminatedPods: UncountedTerminatedPods | None = None
    ready: Int32 | None = None


@resource("jobs", categories=("all",), subresources=("status",))
class Job(Object):
    """Runs Pods until enough of them have succeeded."""

    apiVersion: str = says("batch/v1")
    kind: str = says("Job")
    spec: JobSpec = msgspec.field(default_factory=JobSpec)
    status: JobStatus = msgspec.field(default_factory=JobStatus)
