"""Words for Service, Endpoints and the small kinds of the core group: `api/core.py`. Pods, Nodes have their own."""

from minik8s.api import core, events
from minik8s.api.words.table import Words

WORDS: Words = {
    # --- Service ---
    core.Service: {
        "": "A name and an address that stay, in front of Pods that come and go.",
        "spec": "What the Service is to be: which Pods, which ports, reachable from where.",
        "status": "What became of it: for type LoadBalancer, the address that was given.",
    },
    core.ServiceSpec: {
        "": "What a Service is to be: which Pods, which ports, reachable from where.",
        "selector": "Labels of the Pods behind the Service. Without it nobody makes endpoints: write EndpointSlices.",
        "type": "From where it is reachable. ClusterIP: from Pods and nodes, at `clusterIP`. NodePort: also at a port "
        "of every node. LoadBalancer: also at an address outside. ExternalName: only a name in DNS, nothing else.",
        "ports": "The ports that the address answers on; a packet to any other is rejected.",
        "clusterIP": "The address inside the cluster, from the service range; given by the server if empty, then "
        "fixed. No interface has it: each node rewrites packets to it. None: no address; DNS answers with those of the "
        "Pods.",
        "clusterIPs": "The addresses of all families; the first is `clusterIP`.",
        "ipFamilies": "IPv4, IPv6 or both, in the order of preference; which families the Service has addresses of.",
        "ipFamilyPolicy": "SingleStack: one family. PreferDualStack: both, if the cluster has both. RequireDualStack: "
        "both, or be refused.",
        "externalIPs": "Further addresses at which every node takes packets for this Service. Whoever sends must see "
        "to it that they arrive at a node.",
        "externalName": "For type ExternalName: the name that DNS answers with (CNAME). No packet is touched.",
        "sessionAffinity": "None: each connection goes to any endpoint. ClientIP: all those of one client address go "
        "to the same one.",
        "sessionAffinityConfig": "How long affinity is kept.",
        "externalTrafficPolicy": "For packets from outside. Cluster: any endpoint; the source address is lost (SNAT). "
        "Local: only endpoints on the node that got the packet, which then see the client's address; with none, "
        "packets are dropped.",
        "internalTrafficPolicy": "For packets from Pods and nodes. Cluster: any endpoint. Local: only those on the "
        "same node; with none, packets are dropped.",
        "healthCheckNodePort": "With externalTrafficPolicy Local: the port at which each node tells load balancers "
        "over HTTP whether it has endpoints (200) or none (503).",
        "loadBalancerIP": "The address that type LoadBalancer should get, if it is free. The server may give another.",
        "loadBalancerClass": "Who is to give the address; empty means the cluster's own way. Fixed once set.",
        "loadBalancerSourceRanges": "Who may use the load balancer's address, as CIDRs; packets from elsewhere are "
        "dropped. Empty means everybody.",
        "allocateLoadBalancerNodePorts": "Whether type LoadBalancer opens node ports too (the default, true).",
        "publishNotReadyAddresses": "Count Pods that are not ready as ready: for members of a group that must find "
        "each other before they can serve.",
        "trafficDistribution": "Which endpoints to prefer. PreferSameNode: those on the client's node, if there are "
        "any. PreferClose and PreferSameZone: those in the same zone.",
    },
    core.ServicePort: {
        "": "One port of a Service.",
        "port": "The port that clients use, at the Service's address.",
        "name": "Name of the port; needed when there are several. DNS has it in SRV records: "
        "_http._tcp.web.default.svc.",
        "protocol": "TCP (the default), UDP or SCTP.",
        "appProtocol": "What is spoken over the port, such as kubernetes.io/ws. A hint, which packets do not feel.",
        "targetPort": "Where the Pods listen: a number, or the name of a container's port. Without it, the same as "
        "`port`.",
        "nodePort": "The port that every node opens, between 30000 and 32767; given by the server if left out.",
    },
    core.SessionAffinityConfig: {"": "Settings of session affinity.", "clientIP": "For sessionAffinity ClientIP."},
    core.ClientIPConfig: {
        "": "How affinity by client address works.",
        "timeoutSeconds": "How long a client keeps its endpoint after its last connection, from 1 to 86400 s; three "
        "hours if not said.",
    },
    core.ServiceStatus: {
        "": "What became of a Service.",
        "loadBalancer": "For type LoadBalancer: where it is reachable from outside.",
        "conditions": "Aspects of the Service's state.",
    },
    core.LoadBalancerStatus: {
        "": "Where a load balancer is reachable.",
        "ingress": "Its addresses; empty while nobody has given one (EXTERNAL-IP shows <pending>).",
    },
    core.LoadBalancerIngress: {
        "": "One address of a load balancer.",
        "ip": "The address, where it is one.",
        "hostname": "The name in DNS, where it is known by name.",
        "ipMode": "VIP: nodes answer for the address themselves, so Pods that use it stay inside. Proxy: such packets "
        "must go out to the load balancer.",
        "ports": "What is known of each port.",
    },
    core.PortStatus: {
        "": "What became of one port of a load balancer.",
        "port": "The port.",
        "protocol": "TCP, UDP or SCTP.",
        "error": "What is wrong with it, in one word; absent if nothing is.",
    },
    # --- Endpoints ---
    core.Endpoints: {
        "": "The older form of a Service's endpoints: one object for all of them. EndpointSlice replaced it.",
        "subsets": "Sets of addresses with the same ports. All of them together are the endpoints.",
    },
    core.EndpointSubset: {
        "": "Addresses that have the same ports: each address with each port is an endpoint.",
        "addresses": "Addresses that can serve.",
        "notReadyAddresses": "Addresses that cannot serve yet, or no longer.",
        "ports": "Ports of all these addresses.",
    },
    core.EndpointAddress: {
        "": "One address behind a Service.",
        "ip": "The address, of a Pod as a rule; not loopback, not link-local.",
        "hostname": "First part of a name in DNS for this address alone: <hostname>.<service>.<namespace>.svc.",
        "nodeName": "The node on which it is.",
        "targetRef": "The object behind it, usually a Pod.",
    },
    core.EndpointPort: {
        "": "One port behind a Service.",
        "port": "Where the Pods listen.",
        "name": "Name of the Service's port that leads here.",
        "protocol": "TCP, UDP or SCTP.",
        "appProtocol": "What is spoken over the port.",
    },
    core.Binding: {
        "": "The scheduler's word: this Pod goes to that node.",
        "apiVersion": "Always v1.",
        "kind": "Always Binding.",
        "metadata": "Name and namespace of the Pod.",
        "target": "The node.",
    },
    # --- small kinds ---
    core.Namespace: {
        "": "A room for names: two Services may both be called `web` if they are in different namespaces.",
        "spec": "Who must agree before it can go.",
        "status": "Whether it is in use or going.",
    },
    core.NamespaceSpec: {
        "": "Who must agree before a namespace can go.",
        "finalizers": "Names of those who must clean up first; `kubernetes` stands for the controller that removes all "
        "that is inside.",
    },
    core.NamespaceStatus: {
        "": "Whether a namespace is in use or going.",
        "phase": "Active, or Terminating: then nothing new can be made in it.",
        "conditions": "What still holds up its removal.",
    },
    core.ServiceAccount: {
        "": "An identity for Pods.",
        "secrets": "Secrets that Pods of this account may mount.",
        "imagePullSecrets": "Secrets with credentials for image registries.",
        "automountServiceAccountToken": "Whether Pods of this account find its token in a file.",
    },
    core.ConfigMap: {
        "": "Settings as text, for environment variables and files of Pods.",
        "data": "Name → text. As a volume, each name is a file.",
        "binaryData": "Name → bytes in base64, for what is not text.",
        "immutable": "true: never to be changed again, only deleted.",
    },
    core.Secret: {
        "": "Like a ConfigMap, for what not everybody may read. Not encrypted: access is what protects it.",
        "data": "Name → bytes in base64.",
        "stringData": "Name → text, for writing only: the server puts it into `data`.",
        "type": "What it is for, such as kubernetes.io/tls; Opaque if not said. Some types demand certain names in "
        "`data`.",
        "immutable": "true: never to be changed again, only deleted.",
    },
    # --- Event ---
    core.Event: {
        "": "Something that happened to an object, told for people. Kept for an hour.",
        "involvedObject": "The object it happened to.",
        "reason": "What happened, in one word, such as Scheduled.",
        "message": "What happened, in a sentence.",
        "source": "Who tells it.",
        "firstTimestamp": "When it happened first.",
        "lastTimestamp": "When it happened last.",
        "count": "How often.",
        "type": "Normal or Warning.",
        "eventTime": "When it happened, to the microsecond; for those who write single events.",
        "series": "How often it went on, for those who write series.",
        "action": "What was done or tried.",
        "related": "A second object that it is about.",
        "reportingComponent": "Which program tells it, such as kubelet.",
        "reportingInstance": "Which instance of that program, such as node-1.",
    },
    events.Event: {
        "": "Something that happened to an object, told for people. The same objects as core Events, in newer words.",
        "eventTime": "When it happened, to the microsecond.",
        "series": "How often it went on, for those who write series.",
        "reportingController": "Which program tells it.",
        "reportingInstance": "Which instance of that program.",
        "action": "What was done or tried.",
        "reason": "What happened, in one word, such as Scheduled.",
        "regarding": "The object it happened to.",
        "related": "A second object that it is about.",
        "note": "What happened, in a sentence.",
        "type": "Normal or Warning.",
        "deprecatedSource": "Who tells it, as core Events have it.",
        "deprecatedFirstTimestamp": "When it happened first, as core Events have it.",
        "deprecatedLastTimestamp": "When it happened last, as core Events have it.",
        "deprecatedCount": "How often, as core Events have it.",
    },
    core.EventSource: {
        "": "Who tells an Event.",
        "component": "The program, such as kubelet.",
        "host": "The node on which it runs.",
    },
    core.EventSeries: {
        "": "An Event that went on.",
        "count": "How often, up to now.",
        "lastObservedTime": "When it happened last.",
    },
}
