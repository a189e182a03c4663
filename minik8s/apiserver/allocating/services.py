"""What a Service keeps of its addresses and ports when it is changed. Pure; upstream's rules, in upstream's order.

A client that sends a Service back without its `clusterIP` or node ports means "as before"; one that changes the type
gives back what the new type has no use for. Read `families.py` next (one family or two), then `allocation.py`: it fills
in what is still missing.
"""

from collections.abc import Sequence

from minik8s.api.core import Service
from minik8s.apiserver.allocating import families
from minik8s.apiserver.allocating.allocation import needs_health_port, needs_node_ports, refused


def prepare(new: Service, old: Service | None, cluster: Sequence[str]) -> None:
    """Bring `new` into the form that `allocation.plan` completes. `cluster`: its address families, the first one first.

    Raises Refused.
    """
    _normalize(new, old)
    if old is not None:
        _carry_over(new, old)
        _drop(new, old)
    families.settle(new, old, cluster)
    if new.spec.healthCheckNodePort and not needs_health_port(new):
        message = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
        raise refused("spec.healthCheckNodePort", f"Invalid value: {new.spec.healthCheckNodePort}: {message}")


def _normalize(new: Service, old: Service | None) -> None:
    """`clusterIP` and `clusterIPs[0]` are one field with two names; whichever the client changed counts."""
    spec = new.spec
    if old is not None and spec.clusterIPs in ([], old.spec.clusterIPs):
        # Of the two only clusterIP was written, or neither was.
        kept = spec.clusterIP == old.spec.clusterIP
        spec.clusterIPs = list(old.spec.clusterIPs) if kept else []
    if spec.clusterIP and not spec.clusterIPs:
        spec.clusterIPs = [spec.clusterIP]


def _carry_over(new: Service, old: Service) -> None:
    """Left out means: as before."""
    if new.spec.type != "ExternalName" and old.spec.type != "ExternalName":
        new.spec.clusterIP = new.spec.clusterIP or old.spec.clusterIP
        if not new.spec.clusterIPs and new.spec.clusterIP == old.spec.clusterIP:
            new.spec.clusterIPs = list(old.spec.clusterIPs)
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
    if new.spec.type == "ExternalName" and old.spec.type != "ExternalName":
        _drop_addresses(new, old)
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
        _drop_balancer(new, old)


def _drop_balancer(new: Service, old: Service) -> None:
    new.spec.allocateLoadBalancerNodePorts = None
    if new.spec.loadBalancerClass == old.spec.loadBalancerClass:
        new.spec.loadBalancerClass = None


def _drop_addresses(new: Service, old: Service) -> None:
    if new.spec.clusterIPs == old.spec.clusterIPs:
        new.spec.clusterIP, new.spec.clusterIPs = "", []
    if new.spec.ipFamilies == old.spec.ipFamilies:
        new.spec.ipFamilies = []
    if new.spec.ipFamilyPolicy == old.spec.ipFamilyPolicy:
        new.spec.ipFamilyPolicy = None
