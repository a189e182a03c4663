"""Words for the groups apps, autoscaling and coordination.k8s.io: Deployment, ReplicaSet, Scale, Lease."""

from minik8s.api import apps, autoscaling, coordination
from minik8s.api.words.table import Words

WORDS: Words = {
    apps.Deployment: {
        "": "Moves Pods from one template to the next, a few at a time. It makes a ReplicaSet for each template.",
        "spec": "How many Pods, made from what, and how to change them.",
        "status": "How far the change has come.",
    },
    apps.DeploymentSpec: {
        "": "How many Pods, made from what, and how to change them.",
        "replicas": "How many Pods; 1 if not said. 0 stops all of them.",
        "selector": "Labels by which its Pods are known; the template must have them. Fixed once the Deployment "
        "exists.",
        "template": "What Pods are made from. A change of it, and of nothing else, starts a rollout.",
        "strategy": "How old Pods are replaced.",
        "minReadySeconds": "How many seconds a new Pod must have been ready to count as available. It slows a rollout.",
        "revisionHistoryLimit": "How many old ReplicaSets are kept for `rollout undo`; 10 if not said.",
        "paused": "true: change nothing in the Pods for now, so that several changes make one rollout.",
        "progressDeadlineSeconds": "After how many seconds without progress the rollout is reported as failed; 600 if "
        "not said. It goes on nevertheless.",
    },
    apps.DeploymentStrategy: {
        "": "How old Pods are replaced by new ones.",
        "type": "RollingUpdate: a few at a time, so that the Service always has endpoints. Recreate: all old ones go "
        "first.",
        "rollingUpdate": "How many at a time.",
    },
    apps.RollingUpdateDeployment: {
        "": "How many Pods a rollout may touch at a time.",
        "maxUnavailable": "How many may be missing: a number, or a percentage of `replicas` rounded down; 25% if not "
        "said.",
        "maxSurge": "How many there may be too many: a number, or a percentage rounded up; 25% if not said.",
    },
    apps.DeploymentStatus: {
        "": "How far a rollout has come.",
        "observedGeneration": "The `metadata.generation` that the controller has looked at.",
        "replicas": "Pods that there are, of any template.",
        "updatedReplicas": "Pods made from the template as it is now.",
        "readyReplicas": "Pods that are ready.",
        "availableReplicas": "Pods that have been ready for `minReadySeconds`.",
        "unavailableReplicas": "Pods that are still missing.",
        "terminatingReplicas": "Pods that are going but have not ended.",
        "collisionCount": "How often the name for a new ReplicaSet was taken.",
        "conditions": "Available: enough Pods are. Progressing: the rollout gets on, or why not.",
    },
    apps.ReplicaSet: {
        "": "Keeps a number of Pods that are made from one template. A Deployment makes one for each of its templates.",
        "spec": "How many Pods, made from what.",
        "status": "How many there are.",
    },
    apps.ReplicaSetSpec: {
        "": "How many Pods, made from what.",
        "replicas": "How many Pods; 1 if not said.",
        "minReadySeconds": "How many seconds a Pod must have been ready to count as available.",
        "selector": "Labels by which its Pods are known; the template must have them. Fixed once the ReplicaSet "
        "exists.",
        "template": "What Pods are made from. Pods that exist are not changed by a change of it.",
    },
    apps.ReplicaSetStatus: {
        "": "How many Pods there are.",
        "replicas": "Pods that there are.",
        "fullyLabeledReplicas": "Pods that have all labels of the template.",
        "readyReplicas": "Pods that are ready.",
        "availableReplicas": "Pods that have been ready for `minReadySeconds`.",
        "terminatingReplicas": "Pods that are going but have not ended.",
        "observedGeneration": "The `metadata.generation` that the controller has looked at.",
        "conditions": "What keeps it from its number.",
    },
    autoscaling.HorizontalPodAutoscaler: {
        "": "Between how many and how many replicas something is to have, by the CPU its Pods use. It is kept, and "
        "nothing is scaled.",
        "spec": "What to scale, and within which bounds.",
        "status": "What a scaler saw and did last.",
    },
    autoscaling.HorizontalPodAutoscalerSpec: {
        "": "What to scale, and within which bounds.",
        "scaleTargetRef": "What to scale: a Deployment, ReplicaSet or StatefulSet of the same namespace.",
        "minReplicas": "How many there are at least; 1 if not said.",
        "maxReplicas": "How many there are at most.",
        "targetCPUUtilizationPercentage": "How much of the CPU they asked for all Pods are to use, in percent.",
    },
    autoscaling.CrossVersionObjectReference: {
        "": "An object of the same namespace.",
        "kind": "Its kind, such as Deployment.",
        "name": "Its name.",
        "apiVersion": "Its group and version, such as apps/v1.",
    },
    autoscaling.HorizontalPodAutoscalerStatus: {
        "": "What a scaler saw and did last.",
        "observedGeneration": "The `metadata.generation` that was looked at.",
        "lastScaleTime": "When the number was changed last.",
        "currentReplicas": "How many Pods there were.",
        "desiredReplicas": "How many there were to be.",
        "currentCPUUtilizationPercentage": "How much of the CPU they asked for all Pods used, in percent.",
    },
    autoscaling.Scale: {
        "": "The one number that everything scalable has, so that it can be changed without knowing the kind.",
        "apiVersion": "Always autoscaling/v1.",
        "kind": "Always Scale.",
        "metadata": "Name and version of the object that is scaled.",
        "spec": "How many there are to be.",
        "status": "How many there are.",
    },
    autoscaling.ScaleSpec: {"": "How many there are to be.", "replicas": "How many Pods there are to be."},
    autoscaling.ScaleStatus: {
        "": "How many there are.",
        "replicas": "How many Pods there are.",
        "selector": "Which Pods are counted, as text: app=web.",
    },
    coordination.Lease: {
        "": "Who holds something, and when it was last heard of: the heartbeat of a node, the seat of a leader.",
        "spec": "Who holds it, and since when.",
    },
    coordination.LeaseSpec: {
        "": "Who holds a lease, and since when.",
        "holderIdentity": "Who holds it; empty if it was given back.",
        "leaseDurationSeconds": "How many seconds after `renewTime` others may take it. They count by their own "
        "clocks, from when they saw it change.",
        "acquireTime": "When the holder got it.",
        "renewTime": "When the holder last said that it lives.",
        "leaseTransitions": "How often it changed hands.",
        "preferredHolder": "Who should have it instead, for elections that are coordinated.",
        "strategy": "How the leader is chosen, for elections that are coordinated.",
    },
}
