"""Words for what all objects share: `api/meta.py`."""

from minik8s.api import meta
from minik8s.api.words.table import Words

WORDS: Words = {
    meta.Object: {
        "": "An object of the API.",
        "apiVersion": "Group and version in which this object is written, such as apps/v1; of the core group only v1.",
        "kind": "What this is: the type of the object, in the singular and with a capital letter, such as Pod.",
        "metadata": "Name, identity, labels and ties of the object: the same for every kind.",
    },
    meta.ObjectMeta: {
        "": "Name, identity, version and ties of an object.",
        "name": "Name of the object; unique among its kind in its namespace, and fixed once it exists. It becomes part "
        "of URLs, and for a Service of DNS names.",
        "generateName": "Start of a name that the server completes with five letters, if `name` is empty.",
        "namespace": "The room in which the name is unique; `default` if none is said. Kinds like Node have none.",
        "uid": "Identity of this very object, given by the server. One of the same name made later has another.",
        "resourceVersion": "The store's revision at the last change, to be compared for equality only. An update that "
        "carries it fails with 409 if somebody else was faster; a watch goes on from it.",
        "generation": "Counts the changes of `spec`. A controller that has dealt with one repeats it as "
        "`status.observedGeneration`.",
        "creationTimestamp": "When the server made the object (RFC 3339, UTC); AGE in tables is counted from it.",
        "deletionTimestamp": "Set by the server when deletion was asked for; the object goes when its finalizers are "
        "gone. For a Pod, the moment at which what still runs is killed.",
        "deletionGracePeriodSeconds": "How many seconds the containers have to end by themselves, once deletion began.",
        "labels": "Names and values by which others select this object: a Service its Pods, kubectl its `-l`. At most "
        "63 letters a value.",
        "annotations": "Names and values that tools leave here for themselves. Nothing selects by them; together they "
        "may have 256 KiB.",
        "ownerReferences": "Objects that this one belongs to. When all of them are gone, the garbage collector removes "
        "it.",
        "finalizers": "Names of those who must do something before this object may go. Each takes its own name off; "
        "the object lives, marked as deleted, until the list is empty.",
        "managedFields": "Who set which field, kept by the server for server-side apply. An empty list forgets all.",
    },
    meta.ManagedFieldsEntry: {
        "": "The fields that one manager owns.",
        "manager": "Name of the program or person that wrote them.",
        "operation": "Apply if they were stated as a whole (server-side apply), Update if written in any other way.",
        "apiVersion": "Version of the API in which they were written.",
        "time": "When this set of fields last became another one.",
        "fieldsType": "The form of the next field: FieldsV1, there is no other.",
        "fieldsV1": "The fields: `f:` a name, `k:` an element of a list by its key, `v:` a plain value in a list, `.` "
        "the field itself.",
        "subresource": "The subresource through which they were written, such as status; empty for the object itself.",
    },
    meta.OwnerReference: {
        "": "Who this object belongs to: it is removed when its owners are.",
        "apiVersion": "Group and version of the owner.",
        "kind": "Kind of the owner.",
        "name": "Name of the owner, which lives in the same namespace or in none.",
        "uid": "Identity of the owner: one of the same name that was made later does not own this object.",
        "controller": "Whether this owner manages the object. At most one does: a ReplicaSet counts only Pods that it "
        "controls.",
        "blockOwnerDeletion": "Whether an owner that is deleted in the foreground waits for this object to go first.",
    },
    meta.LabelSelector: {
        "": "Which objects are meant, by their labels. All that is asked must hold; an empty selector means every "
        "object.",
        "matchLabels": "Labels that must be there with just these values.",
        "matchExpressions": "Conditions on labels, all of which must hold.",
    },
    meta.LabelSelectorRequirement: {
        "": "A condition on one label.",
        "key": "Name of the label.",
        "operator": "In or NotIn `values`; Exists or DoesNotExist, whatever the value. NotIn also holds without the "
        "label.",
        "values": "The values to compare with; none for Exists and DoesNotExist.",
    },
    meta.Condition: {
        "": "One aspect of an object's state, as its controller observed it.",
        "type": "What the condition is about, such as Ready. There is one of each type.",
        "status": "True, False, or Unknown if nobody can tell.",
        "reason": "Why, in one word in CamelCase, for programs.",
        "message": "Why, in a sentence, for people.",
        "observedGeneration": "The `metadata.generation` that was looked at: if lower than the object's, this is old "
        "news.",
        "lastTransitionTime": "When `status` last changed.",
        "lastUpdateTime": "When the condition was last written.",
        "lastHeartbeatTime": "When the node was last heard of on this matter.",
        "lastProbeTime": "When the Pod was last asked.",
    },
    meta.ListMeta: {
        "": "Where a list stands.",
        "resourceVersion": "Revision of the whole list: a watch from here misses nothing.",
        "remainingItemCount": "How many items follow on later pages, where that is known.",
        "continue": "Token for the next page, to be sent as the query parameter `continue`; empty on the last page.",
    },
    meta.Status: {
        "": "The answer to a request that has no object to show, errors above all.",
        "kind": "Always Status.",
        "apiVersion": "Always v1.",
        "metadata": "Where a list stands; empty here.",
        "status": "Success or Failure.",
        "message": "What happened, for people.",
        "reason": "What happened, in one word for programs, such as NotFound. More exact than `code`.",
        "details": "What it was about, and each thing that is wrong.",
        "code": "The HTTP status code of the answer.",
    },
    meta.StatusDetails: {
        "": "What a Status is about.",
        "name": "Name of the object.",
        "group": "API group of the object.",
        "kind": "Resource or kind that was asked for.",
        "uid": "Identity of the object.",
        "causes": "Everything that is wrong, one entry for each.",
        "retryAfterSeconds": "In how many seconds it is worth trying again.",
    },
    meta.StatusCause: {
        "": "One thing that is wrong with a request.",
        "reason": "What is wrong, in one word, such as FieldValueRequired.",
        "message": "What is wrong, in a sentence.",
        "field": "Path of the field, such as spec.ports[0].port.",
    },
    meta.DeleteOptions: {
        "": "How to delete.",
        "kind": "Always DeleteOptions.",
        "apiVersion": "Always v1.",
        "gracePeriodSeconds": "How many seconds the containers of a Pod get to end by themselves; 0 removes it at "
        "once.",
        "preconditions": "Delete only if the object is still the one that is meant.",
        "propagationPolicy": "What happens to objects that this one owns. Background: they go afterwards. Foreground: "
        "they go first. Orphan: they stay.",
        "orphanDependents": "The old way to say `propagationPolicy: Orphan`.",
        "dryRun": "[All]: check and answer as if, but delete nothing.",
    },
    meta.Preconditions: {
        "": "What must hold for a deletion to take place; else it is answered with 409.",
        "uid": "The identity that the object must have.",
        "resourceVersion": "The version that the object must have.",
    },
}
