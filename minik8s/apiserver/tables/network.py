"""Rows of Services and of what belongs to them: endpoints, Ingresses, addresses. Pure."""

from minik8s.api.addresses import host_port
from minik8s.api.core import Endpoints, Service
from minik8s.api.discovery import EndpointPort, EndpointSlice
from minik8s.api.display import NONE, first_few, ingress_addresses, some
from minik8s.api.meta import Object
from minik8s.api.networking import OLD_CLASS, Ingress, IngressClass, IPAddress, ServiceCIDR
from minik8s.api.selectors import format_labels
from minik8s.apiserver.tables.columns import AGE, NAME, Cells, Table, age, text, wide

UNSET = "<unset>"


def _service(service: Service, now: float) -> Cells:
    return [
        service.metadata.name,
        service.spec.type,
        service.spec.clusterIP or NONE,
        external_ips(service),
        ports(service),
        age(service, now),
        format_labels(service.spec.selector) or NONE,
    ]


def ports(service: Service) -> str:
    """`80/TCP`, and with a node port `80:30080/TCP`."""
    return some([f"{p.port}{f':{p.nodePort}' if p.nodePort else ''}/{p.protocol}" for p in service.spec.ports])


def external_ips(service: Service) -> str:
    if service.spec.type == "ExternalName":
        return service.spec.externalName or NONE
    given = list(service.spec.externalIPs)
    if service.spec.type == "LoadBalancer":
        given = sorted({each.ip or each.hostname for each in service.status.loadBalancer.ingress}) + given
        return some(given) if given else "<pending>"
    return some(given)


def _endpoints(endpoints: Endpoints, now: float) -> Cells:
    return [endpoints.metadata.name, endpoints_text(endpoints), age(endpoints, now)]


def endpoints_text(endpoints: Endpoints) -> str:
    """The first addresses; empty when there are some but none is ready."""
    found = []
    for subset in endpoints.subsets:
        for port in subset.ports:
            found += [host_port(address.ip, port.port) for address in subset.addresses]
        if not subset.ports:
            found += [address.ip for address in subset.addresses]
    return first_few(found) if found or not endpoints.subsets else ""


def _slice(piece: EndpointSlice, now: float) -> Cells:
    numbers = [_port(port) for port in piece.ports]
    found = [address for endpoint in piece.endpoints for address in endpoint.addresses]
    return [
        piece.metadata.name,
        piece.addressType,
        first_few(numbers) if numbers else UNSET,
        first_few(found) if found else UNSET,
        age(piece, now),
    ]


def _port(port: EndpointPort) -> str:
    return str(port.port) if port.port is not None else port.name or "*"


def _ingress(ingress: Ingress, now: float) -> Cells:
    return [
        ingress.metadata.name,
        ingress.spec.ingressClassName or ingress.metadata.annotations.get(OLD_CLASS) or NONE,
        hosts(ingress),
        ingress_addresses(ingress),
        "80, 443" if ingress.spec.tls else "80",
        age(ingress, now),
    ]


def hosts(ingress: Ingress) -> str:
    """The first three hosts that are named; `*` if none is."""
    found = [rule.host for rule in ingress.spec.rules if rule.host]
    return first_few(found) if found else "*"


def _ingress_class(each: IngressClass, now: float) -> Cells:
    given = each.spec.parameters
    kind = (f"{given.kind}.{given.apiGroup}" if given.apiGroup else given.kind) if given else ""
    return [each.metadata.name, each.spec.controller, f"{kind}/{given.name}" if given else NONE, age(each, now)]


def _address(address: IPAddress, now: float) -> Cells:
    parent = address.spec.parentRef
    if parent is None:
        return [address.metadata.name, NONE, age(address, now)]
    resource = f"{parent.resource}.{parent.group}" if parent.group else parent.resource
    where = "/".join(filter(None, (resource.lower(), parent.namespace, parent.name)))
    return [address.metadata.name, where, age(address, now)]


def _range(cidr: ServiceCIDR, now: float) -> Cells:
    return [cidr.metadata.name, ",".join(cidr.spec.cidrs), age(cidr, now)]


TABLES: dict[type[Object], Table] = {
    Service: Table(
        (
            NAME,
            text("Type", "How the Service is reached: ClusterIP, NodePort, LoadBalancer or ExternalName."),
            text("Cluster-IP", "The Service's address inside the cluster."),
            text("External-IP", "Addresses or the name by which it is reached from outside."),
            text("Port(s)", "The ports that clients use, with the node port and the protocol."),
            AGE,
            wide("Selector", "Which Pods stand behind the Service."),
        ),
        _service,
    ),
    Endpoints: Table((NAME, text("Endpoints", "Addresses and ports that are ready."), AGE), _endpoints),
    EndpointSlice: Table(
        (
            NAME,
            text("AddressType", "What the addresses are: IPv4, IPv6 or FQDN."),
            text("Ports", "The ports of every endpoint of this slice."),
            text("Endpoints", "The addresses, ready or not."),
            AGE,
        ),
        _slice,
    ),
    Ingress: Table(
        (
            NAME,
            text("Class", "Which IngressClass serves it."),
            text("Hosts", "The hosts whose requests it takes."),
            text("Address", "Where it is reached."),
            text("Ports", "443 beside 80 when it has certificates."),
            AGE,
        ),
        _ingress,
    ),
    IngressClass: Table(
        (
            NAME,
            text("Controller", "The controller that serves Ingresses of this class."),
            text("Parameters", "An object with settings for that controller."),
            AGE,
        ),
        _ingress_class,
    ),
    ServiceCIDR: Table((NAME, text("CIDRs", "The ranges, one of each family at most."), AGE), _range),
    IPAddress: Table((NAME, text("ParentRef", "Who uses the address."), AGE), _address),
}
