"""What a Service keeps of its addresses and ports when it is changed. Pure; upstream's rules, in upstream's order.

A client that sends a Service back without its `clusterIP` or node ports means "as before"; one that changes the type
gives back what the new type has no use for. Read `allocation.py` next: it fills in what is still missing.
"""

from minik8s.api import codec
from minik8s.api.core import Service
from minik8s.apiserver.allocation import RANGES, Refused, needs_address, needs_health_port, needs_node_ports


def prepare(new: Service, old: Service | None) -> None:
    """Bring `new` into the form that `allocation.plan` completes. Raises Refused for a family that is not there."""
    _normalize(new, old)
    if old is not None:
        _carry_over(new, old)
        _drop(new, old)
    _families(new)
    if new.spec.healthCheckNodePort and not needs_health_port(new):
        message = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
        raise Refused("spec.healthCheckNodePort", f"Invalid value: {new.spec.healthCheckNodePort}: {message}")


def _normalize(new: Service, old: Service | None) -> None:
    """`clusterIP` and `clusterIPs[0]` are one field with two names; whichever the client changed counts."""
    spec = new.spec
    before = old.spec if old else None
    if before and spec.clusterIP != before.clusterIP and spec.clusterIPs == before.clusterIPs:
        spec.clusterIPs = []
    if spec.clusterIP and not spec.clusterIPs:
        spec.clusterIPs = [spec.clusterIP]
    elif spec.clusterIPs and not spec.clusterIP:
        # An emptied clusterIP beside the list of before: both are to go.
        if before and spec.clusterIPs == before.clusterIPs:
            spec.clusterIPs = []
        else:
            spec.clusterIP = spec.clusterIPs[0]


def _carry_over(new: Service, old: Service) -> None:
    """Left out means: as before."""
    if new.spec.type != "ExternalName" and needs_address(old) and not new.spec.clusterIP:
        new.spec.clusterIP, new.spec.clusterIPs = old.spec.clusterIP, list(old.spec.clusterIPs)
    if needs_health_port(new) and needs_health_port(old) and not new.spec.healthCheckNodePort:
        new.spec.healthCheckNodePort = old.spec.healthCheckNodePort
    if needs_node_ports(new) and needs_node_ports(old):
        known = {(port.protocol, port.port): port.nodePort for port in old.spec.ports}
        given = {port.nodePort for port in new.spec.ports if port.nodePort}
        for port in new.spec.ports:
            before = known.get((port.protocol, port.port), 0)
            if not port.nodePort and before not in given:
                port.nodePort = before


def _drop(new: Service, old: Service) -> None:
    """A change of type gives back what only the old type needed, unless the client set it anew."""
    if new.spec.type == "ExternalName" and new.spec.clusterIP == old.spec.clusterIP:
        new.spec.clusterIP, new.spec.clusterIPs = "", []
        new.spec.ipFamilies, new.spec.ipFamilyPolicy = [], None
    if not needs_node_ports(new) and needs_node_ports(old):
        before = {(port.protocol, port.port): port.nodePort for port in old.spec.ports}
        for port in new.spec.ports:
            if port.nodePort == before.get((port.protocol, port.port)):
                port.nodePort = 0
    if not needs_health_port(new) and new.spec.healthCheckNodePort == old.spec.healthCheckNodePort:
        new.spec.healthCheckNodePort = 0
    external = new.spec.type in ("NodePort", "LoadBalancer")
    if not external and new.spec.externalTrafficPolicy == old.spec.externalTrafficPolicy:
        new.spec.externalTrafficPolicy = ""
    if new.spec.type != "LoadBalancer" and old.spec.type == "LoadBalancer":
        new.spec.allocateLoadBalancerNodePorts = None


def _families(service: Service) -> None:
    """Which families the Service has: what it says, what its addresses say, or the first one of the cluster."""
    spec = service.spec
    if spec.type == "ExternalName":
        return
    if not spec.ipFamilies:
        asked = ["IPv6" if ":" in each else "IPv4" for each in spec.clusterIPs if each != "None"]
        spec.ipFamilies = asked or [next(iter(RANGES))]
    for at, family in enumerate(spec.ipFamilies):
        if family not in RANGES:
            raise Refused(f"spec.ipFamilies[{at}]", f'Invalid value: "{family}": not configured on this cluster')
        if family in spec.ipFamilies[:at]:
            raise Refused(f"spec.ipFamilies[{at}]", f'Duplicate value: "{family}"')
    if len(spec.clusterIPs) > (1 if spec.clusterIP == "None" else len(spec.ipFamilies)):
        message = "may specify no more than one IP for each IP family"
        raise Refused("spec.clusterIPs", f"Invalid value: {codec.encode(spec.clusterIPs).decode()}: {message}")
    if spec.ipFamilyPolicy == "RequireDualStack" and len(RANGES) < 2:
        message = 'Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services'
        raise Refused("spec.ipFamilyPolicy", message)
    spec.ipFamilyPolicy = spec.ipFamilyPolicy or "SingleStack"
