"""Words for StatefulSet, DaemonSet, ControllerRevision and the claims that a StatefulSet's Pods may have."""

from minik8s.api import apps, claims
from minik8s.api.words.table import Words

WORDS: Words = {
    apps.StatefulSet: {
        "": "Keeps Pods with names of their own: web-0, web-1, and so on. A Pod that is replaced comes back under the "
        "same name.",
        "spec": "How many Pods, made from what, and in which order they come, go and change.",
        "status": "How many there are, and of which template.",
    },
    apps.StatefulSetSpec: {
        "": "How many Pods, made from what, and in which order they come, go and change.",
        "replicas": "How many Pods; 1 if not said. They go from the highest number down.",
        "selector": "Labels by which its Pods are known; the template must have them. Fixed once the StatefulSet "
        "exists.",
        "template": "What Pods are made from. A change of it replaces the Pods, from the highest number down.",
        "volumeClaimTemplates": "Volumes that each Pod would keep over its own end.",
        "serviceName": "The headless Service, in the same namespace, under whose name the Pods are found: "
        "web-0.<serviceName>. Whoever makes the StatefulSet makes it too.",
        "podManagementPolicy": "OrderedReady (if not said): one after the other, each waits until the one before is "
        "ready. Parallel: all at once.",
        "updateStrategy": "How Pods get a changed template.",
        "revisionHistoryLimit": "How many old templates are kept for `rollout undo`; 10 if not said.",
        "minReadySeconds": "How many seconds a Pod must have been ready to count as available. The next one waits for "
        "that.",
        "persistentVolumeClaimRetentionPolicy": "What would become of the claims when Pods go for good.",
        "ordinals": "From which number the Pods are counted.",
    },
    apps.StatefulSetUpdateStrategy: {
        "": "How Pods get a changed template.",
        "type": "RollingUpdate: one at a time, from the highest number down. OnDelete: when somebody deletes them.",
        "rollingUpdate": "How far down the numbers it goes.",
    },
    apps.RollingUpdateStatefulSetStrategy: {
        "": "How far a change of the template goes.",
        "partition": "Pods with a lower number keep the template they have, even when they are replaced; 0 if not "
        "said. So a change can be tried on the last Pod.",
        "maxUnavailable": "How many Pods would be replaced at a time.",
    },
    apps.StatefulSetPersistentVolumeClaimRetentionPolicy: {
        "": "What would become of the claims of Pods that go for good.",
        "whenDeleted": "When the StatefulSet is deleted: Retain or Delete.",
        "whenScaled": "When there are to be fewer Pods: Retain or Delete.",
    },
    apps.StatefulSetOrdinals: {
        "": "How Pods are numbered.",
        "start": "The number of the first Pod; 0 if not said.",
    },
    apps.StatefulSetStatus: {
        "": "How many Pods there are, and of which template.",
        "observedGeneration": "The `metadata.generation` that the controller has looked at.",
        "replicas": "Pods that there are, those that are leaving too.",
        "readyReplicas": "Pods that are ready.",
        "currentReplicas": "Pods of the template from before the change, `currentRevision`.",
        "updatedReplicas": "Pods of the template as it is now, `updateRevision`.",
        "currentRevision": "The ControllerRevision that Pods had before the change.",
        "updateRevision": "The ControllerRevision of the template as it is now. The change is complete when both are "
        "the same.",
        "collisionCount": "How often the name for a new ControllerRevision was taken.",
        "conditions": "Nothing is said here.",
        "availableReplicas": "Pods that have been ready for `minReadySeconds`.",
    },
    apps.DaemonSet: {
        "": "Keeps one Pod on each node that the template may run on; a new node gets one too.",
        "spec": "What the Pods are made from, and how they change.",
        "status": "On how many nodes there is one.",
    },
    apps.DaemonSetSpec: {
        "": "What the Pods are made from, and how they change.",
        "selector": "Labels by which its Pods are known; the template must have them. Fixed once the DaemonSet exists.",
        "template": "What Pods are made from. Its nodeSelector and node affinity say which nodes get one; tolerations "
        "of what goes wrong with nodes are added.",
        "updateStrategy": "How Pods get a changed template.",
        "minReadySeconds": "How many seconds a Pod must have been ready to count as available.",
        "revisionHistoryLimit": "How many old templates are kept for `rollout undo`; 10 if not said.",
    },
    apps.DaemonSetUpdateStrategy: {
        "": "How Pods get a changed template.",
        "type": "RollingUpdate: a few nodes at a time. OnDelete: when somebody deletes them.",
        "rollingUpdate": "How many nodes at a time.",
    },
    apps.RollingUpdateDaemonSet: {
        "": "How many nodes a change may touch at a time.",
        "maxUnavailable": "On how many nodes the Pod may be missing: a number, or a percentage rounded up; 1 if not "
        "said.",
        "maxSurge": "On how many nodes the new Pod may run beside the old one until it is available; 0 if not said.",
    },
    apps.DaemonSetStatus: {
        "": "On how many nodes there is a Pod.",
        "currentNumberScheduled": "Nodes that are to have a Pod and have one.",
        "numberMisscheduled": "Nodes that have a Pod and are not to have one.",
        "desiredNumberScheduled": "Nodes that are to have a Pod.",
        "numberReady": "Nodes whose Pod is ready.",
        "observedGeneration": "The `metadata.generation` that the controller has looked at.",
        "updatedNumberScheduled": "Nodes whose Pod is made from the template as it is now.",
        "numberAvailable": "Nodes whose Pod has been ready for `minReadySeconds`.",
        "numberUnavailable": "Nodes that are to have a Pod and have none that is available.",
        "collisionCount": "How often the name for a new ControllerRevision was taken.",
        "conditions": "Nothing is said here.",
    },
    apps.ControllerRevision: {
        "": "A template that a StatefulSet or a DaemonSet has or had. `kubectl rollout history` lists them.",
        "data": "A patch that puts the template back: what `kubectl rollout undo` sends.",
        "revision": "Its number: the highest is the template as it is now.",
    },
    claims.PersistentVolumeClaim: {
        "": "A wish for a volume that outlives its Pods; only in a StatefulSet, where containers mount it by its name.",
        "spec": "What kind of volume.",
        "status": "What would be known of the volume.",
    },
    claims.PersistentVolumeClaimSpec: {
        "": "What kind of volume is wished for. Only its name is used here.",
        "accessModes": "How many may mount it: ReadWriteOnce, ReadOnlyMany, ReadWriteMany, ReadWriteOncePod.",
        "selector": "Labels that the volume must have.",
        "resources": "How big it must be.",
        "volumeName": "The volume itself, by name.",
        "storageClassName": "From which supply it is taken.",
        "volumeMode": "Filesystem or Block.",
        "dataSource": "What its first content is copied from.",
        "dataSourceRef": "What its first content is copied from, in another namespace too.",
        "volumeAttributesClassName": "Which set of qualities it has.",
    },
    claims.VolumeResourceRequirements: {
        "": "How big a volume must be.",
        "limits": "At most this much.",
        "requests": "At least this much: `storage: 1Gi`.",
    },
    claims.PersistentVolumeClaimStatus: {
        "": "What would be known of a volume.",
        "phase": "Pending, Bound or Lost.",
        "accessModes": "How many may mount it.",
        "capacity": "How big it is.",
        "conditions": "What happens to it at the moment.",
        "allocatedResources": "How big it is going to be.",
        "allocatedResourceStatuses": "How far its growth has come.",
        "currentVolumeAttributesClassName": "Which set of qualities it has.",
        "modifyVolumeStatus": "How far a change of its qualities has come.",
    },
}
