"""Words for the Node: `api/nodes.py`."""

from minik8s.api import nodes
from minik8s.api.words.table import Words

WORDS: Words = {
    nodes.Node: {
        "": "A machine that runs Pods.",
        "spec": "Its range of Pod addresses, and who may run on it.",
        "status": "What its agent says of it: addresses, what it can carry, whether it is well.",
    },
    nodes.NodeSpec: {
        "": "A node's range of Pod addresses, and who may run on it.",
        "podCIDR": "The range from which Pods on this node get their addresses, such as 10.244.1.0/24; other nodes "
        "route it here.",
        "podCIDRs": "The ranges of all families; the first is `podCIDR`.",
        "providerID": "What the cloud calls this machine.",
        "unschedulable": "true: no new Pods come here (`kubectl cordon`); those that run stay.",
        "externalID": "No longer used.",
        "configSource": "No longer used.",
        "taints": "What keeps Pods away that do not tolerate it.",
    },
    nodes.Taint: {
        "": "Keeps Pods off a node, but for those that tolerate it.",
        "key": "Name of the taint.",
        "value": "Its value, which a toleration may ask for.",
        "effect": "NoSchedule: no new Pods. PreferNoSchedule: rather not. NoExecute: those that run must go, too.",
        "timeAdded": "When it was put on.",
    },
    nodes.NodeStatus: {
        "": "What a node's agent says of it.",
        "capacity": "What the machine has: cpu, memory, pods (how many).",
        "allocatable": "How much of it Pods may ask for.",
        "phase": "No longer used: see `conditions`.",
        "conditions": "Ready, and what troubles the node. Ready turns Unknown if nothing was heard for 40 s.",
        "addresses": "Where it is reachable: InternalIP, ExternalIP, Hostname.",
        "daemonEndpoints": "Ports of its agent.",
        "nodeInfo": "Which kernel, system and programs it runs.",
        "volumesInUse": "Volumes that Pods on it use.",
        "volumesAttached": "Volumes that are attached to it.",
        "runtimeHandlers": "Ways to run containers that it has.",
        "features": "What its container runtime can do.",
        "config": "No longer used.",
        "images": "Container images that are there.",
    },
    nodes.NodeAddress: {
        "": "One address of a node.",
        "type": "InternalIP, ExternalIP, Hostname, InternalDNS or ExternalDNS.",
        "address": "The address, or the name.",
    },
    nodes.NodeDaemonEndpoints: {
        "": "Ports of a node's own servers.",
        "kubeletEndpoint": "The agent's server, which gives logs and runs commands in containers.",
    },
    nodes.DaemonEndpoint: {"": "A port of a node's own server.", "Port": "The port."},
    nodes.NodeSystemInfo: {
        "": "Which kernel, system and programs a node runs.",
        "machineID": "Identity of the machine, from /etc/machine-id.",
        "systemUUID": "Identity of the machine, from its firmware.",
        "bootID": "Identity of this start: another after each reboot.",
        "kernelVersion": "Version of the kernel, as `uname -r` says it.",
        "osImage": "Name of the distribution.",
        "containerRuntimeVersion": "What runs the containers, such as docker://27.5.",
        "kubeletVersion": "Version of the agent.",
        "kubeProxyVersion": "No longer used.",
        "operatingSystem": "Kind of system: linux.",
        "architecture": "Kind of processor: amd64, arm64.",
        "swap": "Its swap space.",
    },
    nodes.NodeSwapStatus: {"": "The swap space of a node.", "capacity": "How many bytes there are."},
    nodes.AttachedVolume: {
        "": "A volume that is attached to a node.",
        "name": "Name of the volume.",
        "devicePath": "Path of its device.",
    },
    nodes.NodeRuntimeHandler: {
        "": "A way to run containers.",
        "name": "Its name; empty for the usual way.",
        "features": "What it can do.",
    },
    nodes.NodeRuntimeHandlerFeatures: {
        "": "What a way to run containers can do.",
        "recursiveReadOnlyMounts": "Whether mounts can be read-only with all inside them.",
        "userNamespaces": "Whether Pods can have user namespaces.",
    },
    nodes.NodeFeatures: {
        "": "What a node's container runtime can do.",
        "supplementalGroupsPolicy": "Whether it knows `supplementalGroupsPolicy`.",
    },
    nodes.ContainerImage: {
        "": "A container image on a node.",
        "names": "All its names, with tag or digest.",
        "sizeBytes": "Its size in bytes.",
    },
}
