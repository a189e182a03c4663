"""The group networking.k8s.io/v1: Ingress and IngressClass, and IPAddress, one object for each allocated ClusterIP.

An IPAddress *is* the allocation (KEP-1880): it is written in the same etcd transaction as the Service that uses it.
Source: the published OpenAPI of Kubernetes 1.33. Read `validation/ingresses.py` for what an Ingress must keep to.
"""

from collections.abc import Iterable

import msgspec

from minik8s.api.meta import Condition, Int32, Object, Struct, resource, says
from minik8s.api.references import TypedLocalObjectReference


class ParentReference(Struct):
    group: str = ""
    resource: str = ""
    namespace: str = ""
    name: str = ""


class IPAddressSpec(Struct):
    parentRef: ParentReference | None = None


@resource("ipaddresses", short=("ip",), namespaced=False)
class IPAddress(Object):
    """An address of the Service range that is in use, and by which Service."""

    apiVersion: str = says("networking.k8s.io/v1")
    kind: str = says("IPAddress")
    spec: IPAddressSpec = msgspec.field(default_factory=IPAddressSpec)


class ServiceCIDRSpec(Struct):
    cidrs: list[str] = []


class ServiceCIDRStatus(Struct):
    conditions: list[Condition] = []


@resource("servicecidrs", namespaced=False, subresources=("status",))
class ServiceCIDR(Object):
    """A range of Service addresses, one of each family at most. `kubernetes` is the cluster's own."""

    apiVersion: str = says("networking.k8s.io/v1")
    kind: str = says("ServiceCIDR")
    spec: ServiceCIDRSpec = msgspec.field(default_factory=ServiceCIDRSpec)
    status: ServiceCIDRStatus = msgspec.field(default_factory=ServiceCIDRStatus)


# --- Ingress ---------------------------------------------------------------------------------------------------------


class ServiceBackendPort(Struct):
    """A port of a Service, by its name or by its number, not by both."""

    name: str = ""
    number: Int32 = 0


class IngressServiceBackend(Struct):
    name: str = ""
    port: ServiceBackendPort = msgspec.field(default_factory=ServiceBackendPort)


class IngressBackend(Struct):
    """Where requests go: a port of a Service in the Ingress's own namespace."""

    service: IngressServiceBackend | None = None
    resource: TypedLocalObjectReference | None = None


class HTTPIngressPath(Struct):
    """Which paths of a host go to which backend; `pathType` says how `path` is meant."""

    backend: IngressBackend = msgspec.field(default_factory=IngressBackend)
    path: str = ""
    pathType: str | None = None


class HTTPIngressRuleValue(Struct):
    paths: list[HTTPIngressPath] = []


class IngressRule(Struct):
    """The paths of one host: a name, `*.` and a name, or "" for every host that no other rule names."""

    host: str = ""
    http: HTTPIngressRuleValue | None = None


class IngressTLS(Struct):
    """For these hosts the certificate and key in this Secret, which is of type kubernetes.io/tls."""

    hosts: list[str] = []
    secretName: str = ""


class IngressSpec(Struct):
    ingressClassName: str | None = None
    defaultBackend: IngressBackend | None = None
    tls: list[IngressTLS] = []
    rules: list[IngressRule] = []


class IngressPortStatus(Struct):
    port: Int32
    protocol: str
    error: str | None = None


class IngressLoadBalancerIngress(Struct):
    ip: str = ""
    hostname: str = ""
    ports: list[IngressPortStatus] = []


class IngressLoadBalancerStatus(Struct):
    ingress: list[IngressLoadBalancerIngress] = []


class IngressStatus(Struct):
    loadBalancer: IngressLoadBalancerStatus = msgspec.field(default_factory=IngressLoadBalancerStatus)


@resource("ingresses", short=("ing",), subresources=("status",))
class Ingress(Object):
    """One address for many Services: which host and path of HTTP requests from outside go to which of them."""

    apiVersion: str = says("networking.k8s.io/v1")
    kind: str = says("Ingress")
    spec: IngressSpec = msgspec.field(default_factory=IngressSpec)
    status: IngressStatus = msgspec.field(default_factory=IngressStatus)


class IngressClassParametersReference(Struct):
    kind: str
    name: str
    apiGroup: str | None = None
    scope: str | None = None
    namespace: str | None = None


class IngressClassSpec(Struct):
    controller: str = ""
    parameters: IngressClassParametersReference | None = None


@resource("ingressclasses", namespaced=False)
class IngressClass(Object):
    """Which controller serves the Ingresses that name this class; one class may be the default."""

    apiVersion: str = says("networking.k8s.io/v1")
    kind: str = says("IngressClass")
    spec: IngressClassSpec = msgspec.field(default_factory=IngressClassSpec)


DEFAULT_CLASS = "ingressclass.kubernetes.io/is-default-class"  # annotation of a class: "true"
OLD_CLASS = "kubernetes.io/ingress.class"  # annotation of an Ingress, from before there was the field
CONTROLLER = "minik8s.io/ingress"  # the component `ingress`, in the class's spec
LEASE_PREFIX = "ingress-"  # kube-system/ingress-NODE: the instance on that node lives


def is_default(each: IngressClass) -> bool:
    return each.metadata.annotations.get(DEFAULT_CLASS) == "true"


def class_of(ingress: Ingress, classes: Iterable[IngressClass]) -> IngressClass | None:
    """The class of an Ingress, if it exists; without a word of it, the class marked default.

    Of several default classes the newest counts, as upstream's admission has it.
    """
    named = ingress.spec.ingressClassName
    if named is None:
        named = ingress.metadata.annotations.get(OLD_CLASS)
    if named is not None:
        return next((each for each in classes if each.metadata.name == named), None)
    marked = sorted(filter(is_default, classes), key=lambda each: each.metadata.name)
    return max(marked, key=lambda each: each.metadata.creationTimestamp or "", default=None)
