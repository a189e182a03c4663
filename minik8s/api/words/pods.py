"""Words for the Pod and where it runs: `api/pods.py`, `api/placement.py`."""

from minik8s.api import placement, pods
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
        "priorityClassName": "Name of the class that says how important it is.",
        "topologySpreadConstraints": "How evenly Pods like this one must lie over nodes or zones.",
        "schedulingGates": "While there is any, the Pod is not to be placed. Each is taken off by whoever put it on.",
        "imagePullSecrets": "Secrets with credentials for image registries.",
        "hostPID": "true: it sees the node's processes.",
        "hostIPC": "true: it shares the node's System V IPC and POSIX message queues.",
        "hostUsers": "false: root in it is nobody on the node (a user namespace).",
        "shareProcessNamespace": "true: its containers see each other's processes.",
        "runtimeClassName": "Name of another way to run containers, such as in virtual machines.",
        "overhead": "What running it costs beside its containers; the server takes it from the runtime class.",
        "resources": "How much all its containers together may use, and how much is kept for them.",
        "resourceClaims": "Devices that must be given to it before it starts.",
        "os": "The system that it needs.",
    },
    pods.PodOS: {"": "The system that a Pod needs.", "name": "Its name: linux. windows is not supported here."},
    pods.PodSchedulingGate: {
        "": "Keeps a Pod from being placed.",
        "name": "Name of the gate.",
    },
    pods.PodResourceClaim: {
        "": "A device that must be given to a Pod.",
        "name": "Name by which containers refer to it.",
        "resourceClaimName": "Name of a claim that is there.",
        "resourceClaimTemplateName": "Name of a template from which a claim is made.",
    },
    pods.PodResourceClaimStatus: {
        "": "The claim that was made for a Pod.",
        "name": "Name by which containers refer to it.",
        "resourceClaimName": "Name of the claim.",
    },
    pods.Sysctl: {
        "": "A setting of the kernel for the Pod's namespaces.",
        "name": "Its name, such as net.ipv4.tcp_syncookies.",
        "value": "Its value.",
    },
    pods.PodSecurityContext: {
        "": "As whom the containers of a Pod run, where they do not say it themselves.",
        "runAsUser": "Number of the user, instead of the image's.",
        "runAsGroup": "Number of the group.",
        "runAsNonRoot": "true: none of them may run as root.",
        "fsGroup": "Number of the group to which volumes belong.",
        "fsGroupChangePolicy": "When volumes are given to that group: Always, or OnRootMismatch.",
        "supplementalGroups": "Numbers of further groups.",
        "supplementalGroupsPolicy": "Merge: the image's groups count too. Strict: they do not.",
        "sysctls": "Settings of the kernel for the Pod's namespaces.",
        "seccompProfile": "Which system calls they may make.",
        "appArmorProfile": "Which AppArmor profile holds for them.",
        "seLinuxOptions": "Which SELinux label they have.",
        "seLinuxChangePolicy": "How volumes get the label: MountOption or Recursive.",
        "windowsOptions": "For Windows, which is not supported here.",
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
        "ephemeralContainerStatuses": "What became of the ephemeral containers.",
        "containerStatuses": "What became of the containers.",
        "nominatedNodeName": "The node on which room is being made for it.",
        "resize": "Whether a change of its resources is under way.",
        "resourceClaimStatuses": "Claims that were made for it.",
        "qosClass": "From its resources: Guaranteed, Burstable or BestEffort. When memory is short, the last goes "
        "first.",
        "observedGeneration": "The `metadata.generation` that the agent has looked at.",
    },
    pods.PodIP: {"": "An address of a Pod.", "ip": "The address."},
    pods.HostIP: {"": "An address of a node.", "ip": "The address."},
    # --- where it runs ---
    placement.Affinity: {
        "": "Which nodes suit a Pod.",
        "nodeAffinity": "By labels of the nodes.",
        "podAffinity": "Beside certain Pods.",
        "podAntiAffinity": "Not beside certain Pods.",
    },
    placement.NodeAffinity: {
        "": "Which nodes suit a Pod, by their labels.",
        "preferredDuringSchedulingIgnoredDuringExecution": "Rather nodes that these select.",
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
        "preferredDuringSchedulingIgnoredDuringExecution": "Rather not beside these.",
    },
    placement.PodAffinity: {
        "": "Beside which Pods to run.",
        "requiredDuringSchedulingIgnoredDuringExecution": "Only beside these.",
        "preferredDuringSchedulingIgnoredDuringExecution": "Rather beside these.",
    },
    placement.PreferredSchedulingTerm: {
        "": "Nodes that suit a Pod better.",
        "weight": "How much better: from 1 to 100.",
        "preference": "Which nodes.",
    },
    placement.WeightedPodAffinityTerm: {
        "": "Pods whose company suits a Pod better, or worse.",
        "weight": "How much: from 1 to 100.",
        "podAffinityTerm": "Which Pods.",
    },
    placement.TopologySpreadConstraint: {
        "": "How evenly Pods of a kind must lie over nodes or zones.",
        "maxSkew": "By how many Pods the fullest place may be ahead of the emptiest.",
        "topologyKey": "Label of nodes: those with the same value of it count as one place.",
        "whenUnsatisfiable": "DoNotSchedule: rather not place the Pod at all. ScheduleAnyway: place it as well as one "
        "can.",
        "labelSelector": "The Pods that are counted.",
        "minDomains": "How many places there must be at least.",
        "nodeAffinityPolicy": "Whether nodes count that the Pod's affinity excludes: Honor or Ignore.",
        "nodeTaintsPolicy": "Whether nodes count that taints exclude: Honor or Ignore.",
        "matchLabelKeys": "Labels whose values must be those of the Pod itself.",
    },
    placement.PodAffinityTerm: {
        "": "Certain Pods, and what being beside them means.",
        "topologyKey": "Label of nodes: those with the same value of it count as one place. kubernetes.io/hostname "
        "makes every node a place of its own.",
        "labelSelector": "The Pods that are meant, by their labels.",
        "namespaces": "Namespaces of those Pods; if empty, the Pod's own.",
        "namespaceSelector": "Namespaces of those Pods, by their labels.",
        "matchLabelKeys": "Labels whose values must be those of the Pod itself.",
        "mismatchLabelKeys": "Labels whose values must not be those of the Pod itself.",
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
