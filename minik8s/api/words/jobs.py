"""Words for the group batch: Job."""

from minik8s.api import batch
from minik8s.api.words.table import Words

WORDS: Words = {
    batch.Job: {
        "": "Runs Pods until enough of them have succeeded; what fails is tried again.",
        "spec": "How many times the work is to be done, how many Pods at a time, and when to give up.",
        "status": "How far it has come.",
    },
    batch.JobSpec: {
        "": "How many times the work is to be done, how many Pods at a time, and when to give up.",
        "parallelism": "How many Pods work at a time, at most; 1 if not said. 0 stops for a while.",
        "completions": "How many Pods must succeed; 1 if neither this nor `parallelism` is said. Without it the first "
        "success ends the work.",
        "activeDeadlineSeconds": "After how many seconds the Job is given up and its Pods are stopped.",
        "podFailurePolicy": "Which failures would count.",
        "successPolicy": "Which indexes would be enough.",
        "backoffLimit": "How many Pods may fail before the Job does; 6 if not said.",
        "backoffLimitPerIndex": "How often each index may fail.",
        "maxFailedIndexes": "How many indexes may fail.",
        "selector": "Labels by which its Pods are known. It is made from the Job's uid; leave it out.",
        "manualSelector": "true: `selector` is your own. Then no other Job's Pods may match it.",
        "template": "What Pods are made from. restartPolicy must be Never (a failed Pod is replaced) or OnFailure (its "
        "containers start again).",
        "ttlSecondsAfterFinished": "How many seconds after its end the Job is deleted, and its Pods with it. It stays "
        "if not said.",
        "completionMode": "NonIndexed: so many successes, any. Indexed: each Pod has a number from 0 up, "
        "in JOB_COMPLETION_INDEX, and each number must succeed once.",
        "suspend": "true: no Pods for now; those that work are stopped.",
        "podReplacementPolicy": "TerminatingOrFailed: a Pod that is going is replaced at once. Failed: only when it is "
        "gone.",
        "managedBy": "Another controller that works on this Job; then ours leaves it alone.",
    },
    batch.PodFailurePolicy: {"": "Which failures count.", "rules": "The first that fits decides."},
    batch.PodFailurePolicyRule: {
        "": "What a certain failure means.",
        "action": "FailJob, FailIndex, Ignore or Count.",
        "onExitCodes": "It fits these exit codes.",
        "onPodConditions": "It fits these conditions of the Pod.",
    },
    batch.PodFailurePolicyOnExitCodesRequirement: {
        "": "Exit codes that a rule fits.",
        "operator": "In or NotIn.",
        "values": "The exit codes.",
        "containerName": "Of which container; any if not said.",
    },
    batch.PodFailurePolicyOnPodConditionsPattern: {
        "": "A condition of a Pod that a rule fits.",
        "type": "Which condition.",
        "status": "Its status; True if not said.",
    },
    batch.SuccessPolicy: {"": "When an Indexed Job has done enough.", "rules": "The first that is met is enough."},
    batch.SuccessPolicyRule: {
        "": "Indexes that are enough.",
        "succeededIndexes": "Which: `0,2-4`.",
        "succeededCount": "How many of them.",
    },
    batch.JobStatus: {
        "": "How far a Job has come.",
        "conditions": "SuccessCriteriaMet and FailureTarget say what it will come to, Complete and Failed that it has; "
        "Suspended that it waits.",
        "startTime": "Since when it works; anew after it was suspended.",
        "completionTime": "When it was complete.",
        "active": "Pods at work.",
        "succeeded": "Pods that have succeeded.",
        "failed": "Pods that have failed.",
        "terminating": "Pods that are going.",
        "completedIndexes": "Which indexes have succeeded: `0,2-4`.",
        "failedIndexes": "Which indexes have failed for good.",
        "uncountedTerminatedPods": "Pods that have ended and are about to be counted.",
        "ready": "Pods that are ready.",
    },
    batch.UncountedTerminatedPods: {
        "": "Uids of Pods that have ended and are about to be counted.",
        "succeeded": "Those that have succeeded.",
        "failed": "Those that have failed.",
    },
}
