"""What Endpoints and EndpointSlices must keep to. Source: KEP-752; Kubernetes' ValidateEndpointSlice."""

from minik8s import params
from minik8s.api.core import Endpoints
from minik8s.api.discovery import EndpointSlice
from minik8s.api.validation.fields import Problems, family

ADDRESS_TYPES = ("FQDN", "IPv4", "IPv6")
PROTOCOLS = ("SCTP", "TCP", "UDP")
# Upstream's limits for a slice that somebody writes by hand.
MAX_ENDPOINTS, MAX_PORTS, MAX_ADDRESSES = 1000, 100, 100


def check_slice(problems: Problems, each: EndpointSlice) -> None:
    if not each.addressType:
        problems.required("addressType")
    else:
        problems.one_of("addressType", each.addressType, ADDRESS_TYPES)
    if len(each.endpoints) > MAX_ENDPOINTS:
        problems.invalid("endpoints", len(each.endpoints), f"must have at most {MAX_ENDPOINTS} items")
    for at, endpoint in enumerate(each.endpoints):
        path = f"endpoints[{at}].addresses"
        if endpoint.hostname:
            problems.label_name(f"endpoints[{at}].hostname", endpoint.hostname)
        if not endpoint.addresses:
            problems.required(path, "must contain at least 1 address")
        elif len(endpoint.addresses) > MAX_ADDRESSES:
            problems.invalid(path, len(endpoint.addresses), f"must have at most {MAX_ADDRESSES} items")
        for index, address in enumerate(endpoint.addresses):
            _check_address(problems, f"{path}[{index}]", each.addressType, address)
    _check_ports(problems, each)


def _check_address(problems: Problems, path: str, kind: str, address: str) -> None:
    wanted = {"IPv4": 4, "IPv6": 6}.get(kind)
    if wanted and family(address) != wanted:
        problems.invalid(path, address, f"must be a valid {kind} address")
    elif wanted and address in (params.KUBERNETES_SERVICE_IP, "0.0.0.0", "127.0.0.1", "::", "::1"):
        problems.invalid(path, address, "may not be unspecified, loopback, or an address that is a Service's")
    elif kind == "FQDN":
        problems.subdomain(path, address)


def _check_ports(problems: Problems, each: EndpointSlice) -> None:
    names: set[str] = set()
    if len(each.ports) > MAX_PORTS:
        problems.invalid("ports", len(each.ports), f"must have at most {MAX_PORTS} items")
    for at, port in enumerate(each.ports):
        name = port.name or ""
        if name in names:
            problems.duplicate(f"ports[{at}].name", name)
        names.add(name)
        if name:
            problems.label_name(f"ports[{at}].name", name)
        if port.protocol:
            problems.one_of(f"ports[{at}].protocol", port.protocol, PROTOCOLS)
        if port.port is not None:
            problems.port(f"ports[{at}].port", port.port)


def check_slice_update(problems: Problems, new: EndpointSlice, old: EndpointSlice) -> None:
    problems.immutable("addressType", new.addressType, old.addressType)


def check_endpoints(problems: Problems, endpoints: Endpoints) -> None:
    for at, subset in enumerate(endpoints.subsets):
        path = f"subsets[{at}]"
        if not subset.addresses and not subset.notReadyAddresses:
            problems.required(path, "must specify `addresses` or `notReadyAddresses`")
        for kind in ("addresses", "notReadyAddresses"):
            for index, address in enumerate(getattr(subset, kind)):
                problems.address(f"{path}.{kind}[{index}].ip", address.ip)
        for index, port in enumerate(subset.ports):
            problems.port(f"{path}.ports[{index}].port", port.port)
            problems.one_of(f"{path}.ports[{index}].protocol", port.protocol, PROTOCOLS)
            if not port.name and len(subset.ports) > 1:
                problems.required(f"{path}.ports[{index}].name")
