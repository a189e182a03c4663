"""What a Service must keep to. Source: Kubernetes' ValidateService."""

from minik8s import params
from minik8s.api.core import Service, ServicePort
from minik8s.api.validation import families
from minik8s.api.validation.fields import Problems
from minik8s.api.validation.metadata import check_key, check_labels

TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
PROTOCOLS = ("SCTP", "TCP", "UDP")
POLICIES = ("Cluster", "Local")
IP_MODES = ("Proxy", "VIP")
DISTRIBUTIONS = ("PreferClose", "PreferSameNode", "PreferSameZone")


def check(problems: Problems, service: Service) -> None:
    spec = service.spec
    known = problems.one_of("spec.type", spec.type, TYPES)
    check_labels(problems, "spec.selector", spec.selector or {})
    if known:
        _check_type(problems, service)
        families.check(problems, service)
    _check_ports(problems, service)
    _check_traffic(problems, service)
    _check_load_balancer(problems, service)
    _check_ingress(problems, service)
    for at, address in enumerate(spec.externalIPs):
        problems.address(f"spec.externalIPs[{at}]", address)


def _check_load_balancer(problems: Problems, service: Service) -> None:
    """Fields that only a load balancer can have a use for."""
    spec = service.spec
    for at, cidr in enumerate(spec.loadBalancerSourceRanges):
        problems.cidr(f"spec.loadBalancerSourceRanges[{at}]", cidr.strip())
    if spec.type == "LoadBalancer":
        if spec.loadBalancerClass is not None:
            check_key(problems, "spec.loadBalancerClass", spec.loadBalancerClass)
        return
    for field in ("loadBalancerSourceRanges", "loadBalancerClass", "allocateLoadBalancerNodePorts"):
        if getattr(spec, field) not in (None, []):
            problems.forbidden(f"spec.{field}", "may only be used when `type` is 'LoadBalancer'")


def _check_ingress(problems: Problems, service: Service) -> None:
    """What a controller writes into the status: rules are made of it."""
    for at, each in enumerate(service.status.loadBalancer.ingress):
        here = f"status.loadBalancer.ingress[{at}]"
        if each.ip:
            problems.address(f"{here}.ip", each.ip)
        if each.hostname:
            problems.subdomain(f"{here}.hostname", each.hostname)
        if each.ipMode is not None and not each.ip:
            problems.forbidden(f"{here}.ipMode", "may not be specified when `ip` is not set")
        elif each.ipMode is not None:
            problems.one_of(f"{here}.ipMode", each.ipMode, IP_MODES)


def _check_type(problems: Problems, service: Service) -> None:
    spec = service.spec
    if spec.type == "ExternalName":
        if not spec.externalName:
            problems.required("spec.externalName")
        else:
            problems.subdomain("spec.externalName", spec.externalName.removesuffix("."))
        return
    if not spec.ports and spec.clusterIP != "None":
        problems.required("spec.ports")
    if spec.clusterIP == "None" and spec.type != "ClusterIP":
        problems.invalid("spec.clusterIPs[0]", "None", f"may not be set to 'None' for {spec.type} services")


def _check_ports(problems: Problems, service: Service) -> None:
    ports = service.spec.ports
    names: set[str] = set()
    numbers: set[tuple[str, int]] = set()
    for at, port in enumerate(ports):
        path = f"spec.ports[{at}]"
        _check_port(problems, path, service, port)
        if not port.name and len(ports) > 1:
            problems.required(f"{path}.name")
        elif port.name in names:
            problems.duplicate(f"{path}.name", port.name)
        names.add(port.name)
        if (port.protocol, port.port) in numbers:
            problems.duplicate(path, {"port": port.port, "protocol": port.protocol})
        numbers.add((port.protocol, port.port))


def _check_port(problems: Problems, path: str, service: Service, port: ServicePort) -> None:
    if port.name:
        problems.label_name(f"{path}.name", port.name)
    problems.port(f"{path}.port", port.port)
    problems.one_of(f"{path}.protocol", port.protocol, PROTOCOLS)
    if port.targetPort is not None:
        problems.port_or_name(f"{path}.targetPort", port.targetPort)
    if port.nodePort and service.spec.type not in ("NodePort", "LoadBalancer"):
        problems.forbidden(f"{path}.nodePort", "may not be used when `type` is 'ClusterIP'")
    elif port.nodePort:
        first, last = params.NODE_PORT_RANGE
        if not first <= port.nodePort <= last:
            problems.invalid(
                f"{path}.nodePort",
                port.nodePort,
                f"provided port is not in the valid range. The range of valid ports is {first}-{last}",
            )


def _check_traffic(problems: Problems, service: Service) -> None:
    spec = service.spec
    problems.one_of("spec.sessionAffinity", spec.sessionAffinity, ("ClientIP", "None"))
    affinity = spec.sessionAffinityConfig and spec.sessionAffinityConfig.clientIP
    if affinity and spec.sessionAffinity == "None":
        problems.forbidden("spec.sessionAffinityConfig", "must not be set when session affinity is None")
    elif affinity and not 0 < (affinity.timeoutSeconds or 0) <= 86400:
        problems.invalid(
            "spec.sessionAffinityConfig.clientIP.timeoutSeconds",
            affinity.timeoutSeconds,
            "must be greater than 0 and less than 86400",
        )
    if spec.externalTrafficPolicy:
        if spec.type in ("NodePort", "LoadBalancer") or spec.externalIPs:
            problems.one_of("spec.externalTrafficPolicy", spec.externalTrafficPolicy, POLICIES)
        else:
            problems.invalid(
                "spec.externalTrafficPolicy",
                spec.externalTrafficPolicy,
                "may only be set for externally-accessible services",
            )
    if spec.internalTrafficPolicy is not None:
        problems.one_of("spec.internalTrafficPolicy", spec.internalTrafficPolicy, POLICIES)
    if spec.trafficDistribution is not None:
        problems.one_of("spec.trafficDistribution", spec.trafficDistribution, DISTRIBUTIONS)


def check_update(problems: Problems, new: Service, old: Service) -> None:
    families.check_change(problems, new, old)
    if new.spec.type == old.spec.type == "LoadBalancer":
        problems.immutable("spec.loadBalancerClass", new.spec.loadBalancerClass, old.spec.loadBalancerClass)
