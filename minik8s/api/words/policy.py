"""Words for the group policy: PodDisruptionBudget and Eviction."""

from minik8s.api import policy
from minik8s.api.words.table import Words

WORDS: Words = {
    policy.PodDisruptionBudget: {
        "": "How many of some Pods must stay when people take Pods away: `kubectl drain` asks it before each. Faults "
        "do not ask.",
        "spec": "Which Pods, and how many must stay.",
        "status": "How many may go now.",
    },
    policy.PodDisruptionBudgetSpec: {
        "": "Which Pods, and how many must stay.",
        "minAvailable": "How many must stay healthy: a number, or a percentage rounded up. Or say `maxUnavailable`.",
        "selector": "Which Pods; an empty one means all of the namespace.",
        "maxUnavailable": "How many may be missing: a number, or a percentage of the replicas, rounded up.",
        "unhealthyPodEvictionPolicy": "Pods that are not ready may go: IfHealthyBudget (if not said), only while "
        "enough others are healthy; AlwaysAllow, always.",
    },
    policy.PodDisruptionBudgetStatus: {
        "": "How many Pods may go now.",
        "observedGeneration": "The `metadata.generation` that the controller has looked at.",
        "disruptedPods": "Pods that were allowed to go and have not gone yet, and since when.",
        "disruptionsAllowed": "How many more may go now.",
        "currentHealthy": "Pods that are ready.",
        "desiredHealthy": "How many must be.",
        "expectedPods": "How many there should be.",
        "conditions": "DisruptionAllowed: whether one more may go.",
    },
    policy.Eviction: {
        "": "Asks that a Pod go, if its PodDisruptionBudget allows it: what `kubectl drain` sends.",
        "apiVersion": "policy/v1.",
        "kind": "Eviction.",
        "metadata": "Name and namespace of the Pod.",
        "deleteOptions": "How the Pod is then deleted.",
    },
}
