"""Words for the groups networking.k8s.io and discovery.k8s.io: Ingress, IPAddress, ServiceCIDR, EndpointSlice."""

from minik8s.api import discovery, networking
from minik8s.api.words.table import Words

WORDS: Words = {
    # --- EndpointSlice ---
    discovery.EndpointSlice: {
        "": "A part of a Service's endpoints, a hundred at most; the label kubernetes.io/service-name says which "
        "Service. The proxy makes its rules from them, and DNS the answers for headless Services.",
        "addressType": "What the addresses are: IPv4, IPv6 or FQDN. Fixed once the slice exists.",
        "endpoints": "The endpoints: one for each Pod, a thousand at most.",
        "ports": "The ports of every endpoint in this slice. Pods whose named port differs are in slices of their own.",
    },
    discovery.Endpoint: {
        "": "One Pod, or other server, behind a Service.",
        "addresses": "Its address. Several mean the same endpoint; only the first is used.",
        "conditions": "Whether to send it anything.",
        "hostname": "First part of a name in DNS for this endpoint alone: <hostname>.<service>.<namespace>.svc.",
        "targetRef": "The object behind it, usually a Pod.",
        "nodeName": "The node on which it is: traffic policies Local and PreferSameNode go by it.",
        "zone": "The zone in which it is.",
        "hints": "Which clients should rather use this endpoint.",
        "deprecatedTopology": "Where it is, as older versions of this API said it.",
    },
    discovery.EndpointConditions: {
        "": "Whether an endpoint gets connections.",
        "ready": "Send new connections. Not said counts as true; a Pod that is going is never ready.",
        "serving": "It would answer, whether or not it is going away.",
        "terminating": "It is going away. If no endpoint is ready, the proxy falls back to those that still serve.",
    },
    discovery.EndpointHints: {
        "": "Which clients should rather use an endpoint.",
        "forZones": "Zones whose clients should use it.",
        "forNodes": "Nodes whose clients should use it.",
    },
    discovery.ForZone: {"": "A zone whose clients should use an endpoint.", "name": "Name of the zone."},
    discovery.ForNode: {"": "A node whose clients should use an endpoint.", "name": "Name of the node."},
    discovery.EndpointPort: {
        "": "A port of all endpoints in a slice.",
        "name": "Name of the Service's port that leads here; empty if that has none.",
        "protocol": "TCP (the default), UDP or SCTP.",
        "port": "Where the endpoints listen.",
        "appProtocol": "What is spoken over the port.",
    },
    # --- IPAddress ---
    networking.IPAddress: {
        "": "An address of the Service range that is in use. It is the allocation itself: the name is the address, and "
        "who could not make the object has not got the address.",
        "spec": "Who has the address.",
    },
    networking.IPAddressSpec: {"": "Who has an address.", "parentRef": "The object that has it: a Service."},
    networking.ParentReference: {
        "": "The object that has an address.",
        "group": "Its API group; empty for the core group.",
        "resource": "Its resource, in the plural: services.",
        "namespace": "Its namespace.",
        "name": "Its name.",
    },
    networking.ServiceCIDR: {
        "": "A range of addresses for Services. `kubernetes` is the one that the cluster was made with.",
        "spec": "Which addresses.",
        "status": "Whether it is ready.",
    },
    networking.ServiceCIDRSpec: {
        "": "Which addresses.",
        "cidrs": "One range, or one of each family. Addresses are given out of the cluster's own alone.",
    },
    networking.ServiceCIDRStatus: {
        "": "Whether a range is ready.",
        "conditions": "Ready; false while it is being deleted and addresses in it are in use.",
    },
    # --- Ingress ---
    networking.Ingress: {
        "": "One address for many Services: which host and path of HTTP requests from outside go to which of them.",
        "spec": "Which requests go where.",
        "status": "Where it is reachable.",
    },
    networking.IngressSpec: {
        "": "Which HTTP requests go where.",
        "ingressClassName": "Name of the IngressClass, and by it of the controller that is to serve this Ingress.",
        "defaultBackend": "Where requests go that no rule fits.",
        "tls": "Certificates for hosts; port 443 chooses by the name that the client asks for (SNI).",
        "rules": "Hosts and their paths.",
    },
    networking.IngressRule: {
        "": "The paths of one host.",
        "host": "A name; `*.` and a name, for one more label before it; or empty, for every host that no other rule "
        "names.",
        "http": "Its paths.",
    },
    networking.HTTPIngressRuleValue: {
        "": "The paths of one host.",
        "paths": "Paths and their backends. The longest that fits counts; of the same length, Exact before Prefix.",
    },
    networking.HTTPIngressPath: {
        "": "Which paths of a host go to which backend.",
        "path": "The path, from `/` on.",
        "pathType": "Exact: this path alone. Prefix: it and all below, element by element (/a fits /a/b, not /ab). "
        "ImplementationSpecific: here as Prefix.",
        "backend": "Where such requests go.",
    },
    networking.IngressBackend: {
        "": "Where requests go.",
        "service": "A port of a Service in the Ingress's own namespace.",
        "resource": "An object other than a Service.",
    },
    networking.IngressServiceBackend: {
        "": "A port of a Service.",
        "name": "Name of the Service, in the same namespace.",
        "port": "Which of its ports.",
    },
    networking.ServiceBackendPort: {
        "": "A port of a Service: its name or its number, not both.",
        "name": "Name of the port.",
        "number": "Number of the port, as clients of the Service use it.",
    },
    networking.IngressTLS: {
        "": "A certificate for hosts.",
        "hosts": "The hosts that it is for.",
        "secretName": "Secret of type kubernetes.io/tls with `tls.crt` and `tls.key`.",
    },
    networking.IngressStatus: {"": "Where an Ingress is reachable.", "loadBalancer": "Its addresses."},
    networking.IngressLoadBalancerStatus: {
        "": "Where an Ingress is reachable.",
        "ingress": "Its addresses; empty while nobody serves it.",
    },
    networking.IngressLoadBalancerIngress: {
        "": "One address of an Ingress.",
        "ip": "The address.",
        "hostname": "The name in DNS, where it is known by name.",
        "ports": "What is known of each port.",
    },
    networking.IngressPortStatus: {
        "": "What became of one port of an Ingress.",
        "port": "The port.",
        "protocol": "TCP, UDP or SCTP.",
        "error": "What is wrong with it, in one word; absent if nothing is.",
    },
    networking.IngressClass: {
        "": "Which controller serves the Ingresses that name this class. One class may be the default, by the "
        "annotation ingressclass.kubernetes.io/is-default-class.",
        "spec": "Who serves it.",
    },
    networking.IngressClassSpec: {
        "": "Who serves Ingresses of a class.",
        "controller": "Name of the controller, such as minik8s.io/ingress. Fixed once the class exists.",
        "parameters": "An object with settings for the controller.",
    },
    networking.IngressClassParametersReference: {
        "": "An object with settings for a class's controller.",
        "apiGroup": "Its API group; empty for the core group.",
        "kind": "Its kind.",
        "name": "Its name.",
        "scope": "Cluster or Namespace: whether it lives in a namespace.",
        "namespace": "Its namespace, for scope Namespace.",
    },
}
