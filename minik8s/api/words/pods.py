"""Words for the Pod, its volumes and where it runs: `api/pods.py`, `api/volumes.py`, `api/placement.py`."""

from minik8s.api import placement, pods, volumes
from minik8s.api.words.table import Words

WORDS: Words = {
    pods.Pod: {
        "": "The smallest thing that runs: containers that share an address, and live and die together on one node.",
        "spec": "What is to run. Little of it can be changed once the Pod exists.",
        "status": "What became of it, as the agent of its node reports.",
    },
    pods.PodTemplateSpec: {
        "": "What a controller makes its Pods from.",
        "metadata": "Labels and annotations that each Pod gets.",
        "spec": "What is to run in each Pod.",
    },
    pods.PodSpec: {
        "": "What is to run in a Pod, and how.",
        "containers": "The containers; they start together, once the init containers are done.",
        "initContainers": "Containers that run before the others, one after the other, each until it ends well.",
        "ephemeralContainers": "Containers that were added while the Pod runs, to look around in it: `kubectl debug`. "
        "Only through pods/NAME/ephemeralcontainers; what is there can be neither changed nor taken away.",
        "volumes": "Files that containers may mount.",
        "restartPolicy": "Whether a container that ended is started again: Always (the default), OnFailure, Never. The "
        "wait before it doubles from 10 s to five minutes.",
        "terminationGracePeriodSeconds": "How many seconds after SIGTERM what still runs gets SIGKILL; 30 if not said. "
        "Meanwhile the Pod ends its connections.",
        "activeDeadlineSeconds": "After how many seconds the Pod is stopped and counts as failed.",
        "dnsPolicy": "Whom to ask for names. ClusterFirst (the default): the cluster's DNS. Default: as the node does. "
        "ClusterFirstWithHostNet: the cluster's, with hostNetwork too. None: only what `dnsConfig` says.",
        "dnsConfig": "More for /etc/resolv.conf, beside what `dnsPolicy` brings.",
        "nodeSelector": "Labels that the node must have.",
        "serviceAccountName": "The ServiceAccount that the Pod runs as; `default` if not said.",
        "serviceAccount": "The old name of `serviceAccountName`.",
        "automountServiceAccountToken": "Whether containers find the account's token in a file.",
        "nodeName": "The node it runs on. The scheduler writes it; who writes it himself passes the scheduler by.",
        "hostNetwork": "true: no network namespace of its own. The Pod has the node's address and ports, and no rule "
        "of a Service finds it at another.",
        "securityContext": "As whom containers run, where they do not say it themselves.",
        "hostname": "What the Pod calls itself; its name if not said.",
        "subdomain": "Name of a headless Service of the same namespace. Then DNS knows "
        "<hostname>.<subdomain>.<namespace>.svc.",
        "setHostnameAsFQDN": "true: the kernel's host name is the full name in DNS, not just its first part.",
        "affinity": "Which nodes suit it, by their labels and by what runs there.",
        "schedulerName": "Which scheduler is to place it; default-scheduler if not said. If nobody goes by the name, "
        "it stays Pending.",
        "tolerations": "Taints of nodes that do not keep it away.",
        "hostAliases": "Further lines for /etc/hosts. Not for Pods with hostNetwork.",
        "readinessGates": "Conditions that others set, and without which the Pod is not ready: a load balancer may "
        "hold up a rollout in this way.",
        "enableServiceLinks": "Whether containers get variables such as WEB_SERVICE_HOST for each Service of the "
        "namespace; true if not said.",
        "priority": "How important it is; the server takes it from the priority class.",
        "preemptionPolicy": "Whether others of lower priority may be stopped for it: PreemptLowerPriority or Never.",
    },
    pods.PodSecurityContext: {
        "": "As whom the containers of a Pod run, where they do not say it themselves.",
        "runAsUser": "Number of the user, instead of the image's.",
        "runAsGroup": "Number of the group.",
    },
    pods.PodDNSConfig: {
        "": "What goes into a Pod's /etc/resolv.conf.",
        "nameservers": "Addresses of name servers, three at most.",
        "searches": "Endings to try for names with few dots, 32 at most.",
        "options": "Options; one that is already there is replaced.",
    },
    pods.PodDNSConfigOption: {
        "": "An option of /etc/resolv.conf.",
        "name": "Its name, such as ndots.",
        "value": "Its value, where it has one.",
    },
    pods.HostAlias: {
        "": "A line for /etc/hosts.",
        "ip": "The address.",
        "hostnames": "Names for it.",
    },
    pods.PodReadinessGate: {
        "": "A condition without which a Pod is not ready.",
        "conditionType": "Type of the condition, which somebody sets in the Pod's status.",
    },
    pods.PodStatus: {
        "": "What became of a Pod, as the agent of its node reports.",
        "phase": "Pending: not all containers have started. Running. Succeeded, Failed: all have ended and none is "
        "started again. Unknown.",
        "conditions": "PodScheduled, Initialized, ContainersReady and Ready. A Service sends connections while Ready "
        "is True.",
        "message": "Why it is in this state, in a sentence.",
        "reason": "Why it is in this state, in one word, such as Evicted.",
        "hostIP": "Address of its node.",
        "hostIPs": "Addresses of its node, of all families.",
        "podIP": "Its address, which all its containers share. Every Pod and node reaches it there without "
        "translation.",
        "podIPs": "Its addresses of all families; the first is `podIP`.",
        "startTime": "When the agent took it on.",
        "initContainerStatuses": "What became of the init containers.",
        "containerStatuses": "What became of the containers.",
        "ephemeralContainerStatuses": "What became of the containers that were added while the Pod ran.",
        "qosClass": "From its resources: Guaranteed, Burstable or BestEffort. When memory is short, the last goes "
        "first.",
        "observedGeneration": "The `metadata.generation` that the agent has looked at.",
    },
    pods.PodIP: {"": "An address.", "ip": "The address."},
    # --- volumes ---
    volumes.Volume: {
        "": "Files that containers may mount; one source beside the name.",
        "name": "Name of the volume, for `volumeMounts`.",
        "emptyDir": "An empty directory that lives as long as the Pod: containers share files in it.",
        "configMap": "The entries of a ConfigMap, each as a file.",
        "secret": "The entries of a Secret, each as a file.",
        "downwardAPI": "Fields of the Pod itself, each as a file.",
        "projected": "Several sources in one directory; every Pod gets its token in such a one.",
    },
    volumes.EmptyDirVolumeSource: {
        "": "An empty directory that lives as long as the Pod.",
        "medium": "Empty: the node's disk. Memory: a file system in memory.",
        "sizeLimit": "How much it may hold, such as 64Mi.",
    },
    volumes.ConfigMapVolumeSource: {
        "": "The entries of a ConfigMap, each as a file. They follow its changes within a minute or so.",
        "name": "Name of the ConfigMap.",
        "items": "Only these entries, under these paths; all if empty.",
        "defaultMode": "Permissions of the files; 0644 (in JSON: 420) if not said.",
        "optional": "true: the Pod also starts without it. Else it waits until it is there.",
    },
    volumes.SecretVolumeSource: {
        "": "The entries of a Secret, each as a file.",
        "secretName": "Name of the Secret.",
        "items": "Only these entries, under these paths; all if empty.",
        "defaultMode": "Permissions of the files; 0644 (in JSON: 420) if not said.",
        "optional": "true: the Pod also starts without it. Else it waits until it is there.",
    },
    volumes.KeyToPath: {
        "": "Which entry becomes which file.",
        "key": "Name of the entry.",
        "path": "Path of the file below the mount; never up from it.",
        "mode": "Permissions of the file, instead of `defaultMode`.",
    },
    volumes.DownwardAPIVolumeSource: {
        "": "Fields of the Pod itself, each as a file.",
        "items": "The files.",
        "defaultMode": "Permissions of the files; 0644 (in JSON: 420) if not said.",
    },
    volumes.DownwardAPIVolumeFile: {
        "": "A field of the Pod as a file.",
        "path": "Path of the file below the mount; never up from it.",
        "fieldRef": "The field.",
        "mode": "Permissions of the file, instead of `defaultMode`.",
    },
    volumes.ProjectedVolumeSource: {
        "": "Several sources in one directory, replaced in one step when they change.",
        "sources": "The sources.",
        "defaultMode": "Permissions of the files; 0644 (in JSON: 420) if not said.",
    },
    volumes.VolumeProjection: {
        "": "One source of a projected volume.",
        "secret": "Entries of a Secret.",
        "downwardAPI": "Fields of the Pod itself.",
        "configMap": "Entries of a ConfigMap.",
        "serviceAccountToken": "A token of the Pod's ServiceAccount.",
    },
    volumes.SecretProjection: {
        "": "Entries of a Secret, each as a file.",
        "name": "Name of the Secret.",
        "items": "Only these entries, under these paths; all if empty.",
        "optional": "true: the Pod also starts without it. Else it waits until it is there.",
    },
    volumes.ConfigMapProjection: {
        "": "Entries of a ConfigMap, each as a file.",
        "name": "Name of the ConfigMap.",
        "items": "Only these entries, under these paths; all if empty.",
        "optional": "true: the Pod also starts without it. Else it waits until it is there.",
    },
    volumes.DownwardAPIProjection: {"": "Fields of the Pod itself, each as a file.", "items": "The files."},
    volumes.ServiceAccountTokenProjection: {
        "": "A token of the Pod's ServiceAccount. It ends with the Pod, and is renewed before four fifths of its life.",
        "path": "Path of the file below the mount.",
        "audience": "Who is to believe it; if empty, the API server.",
        "expirationSeconds": "For how many seconds it is good: an hour if not said, ten minutes at least.",
    },
    # --- where it runs ---
    placement.Affinity: {
        "": "Which nodes suit a Pod.",
        "nodeAffinity": "By labels of the nodes.",
        "podAntiAffinity": "Not beside certain Pods.",
    },
    placement.NodeAffinity: {
        "": "Which nodes suit a Pod, by their labels.",
        "requiredDuringSchedulingIgnoredDuringExecution": "Only nodes that this selects. Looked at when the Pod is "
        "placed; a Pod that runs stays.",
    },
    placement.NodeSelector: {
        "": "Which nodes are meant.",
        "nodeSelectorTerms": "One of these must hold.",
    },
    placement.NodeSelectorTerm: {
        "": "Conditions on a node, all of which must hold.",
        "matchExpressions": "Conditions on its labels.",
        "matchFields": "Conditions on its fields; there is only metadata.name.",
    },
    placement.NodeSelectorRequirement: {
        "": "A condition on one label or field of a node.",
        "key": "Name of the label or field.",
        "operator": "In, NotIn, Exists, DoesNotExist, or Gt and Lt, which compare whole numbers.",
        "values": "The values to compare with; one for Gt and Lt, none for Exists and DoesNotExist.",
    },
    placement.PodAntiAffinity: {
        "": "Beside which Pods not to run.",
        "requiredDuringSchedulingIgnoredDuringExecution": "Never beside these.",
    },
    placement.PodAffinityTerm: {
        "": "Certain Pods, and what being beside them means.",
        "topologyKey": "Label of nodes: those with the same value of it count as one place. kubernetes.io/hostname "
        "makes every node a place of its own.",
        "labelSelector": "The Pods that are meant, by their labels.",
        "namespaces": "Namespaces of those Pods; if empty, the Pod's own.",
    },
    placement.Toleration: {
        "": "Taints that do not keep a Pod from a node.",
        "key": "Name of the taint; empty, with Exists, means every taint.",
        "operator": "Equal (the default): with this value. Exists: whatever the value.",
        "value": "The value for Equal.",
        "effect": "Only taints of this effect; all if empty.",
        "tolerationSeconds": "For NoExecute: how many seconds the Pod stays nevertheless; for ever if not said.",
    },
}
