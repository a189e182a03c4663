"""What one Pod contributes to one Service: its address, its conditions, its ports. Pure.

Invariant: `ready` is Kubernetes' rule to the letter: the Pod is Ready and not being deleted, or the Service publishes
addresses that are not ready. A Pod that has ended (Succeeded, Failed) or has no address yet contributes nothing. Read
`slices.py` next.
"""

from collections.abc import Iterable

from minik8s.api import selectors
from minik8s.api.core import ObjectReference, Pod, Service, ServicePort
from minik8s.api.discovery import Endpoint, EndpointConditions, EndpointHints, EndpointPort, ForNode
from minik8s.api.pods import is_ready, is_terminal, is_terminating

# A Service port as this Pod answers it: (name, protocol, number, application protocol).
Port = tuple[str, str, int, str | None]


def members(service: Service, pods: Iterable[Pod]) -> list[Pod]:
    """The Pods behind the Service, those that are going away too; in order of name."""
    chosen = [
        pod
        for pod in pods
        if selectors.matches(service.spec.selector or None, pod.metadata.labels)
        and pod.metadata.namespace == service.metadata.namespace
        and not is_terminal(pod)
        and addresses(pod)
    ]
    return sorted(chosen, key=lambda pod: pod.metadata.name)


def addresses(pod: Pod) -> list[str]:
    """The Pod's addresses, one of each family at most."""
    several = [each.ip for each in pod.status.podIPs if each.ip]
    return several or [ip for ip in [pod.status.podIP] if ip]


def families(service: Service) -> list[str]:
    """The address types that the Service wants slices of."""
    return list(service.spec.ipFamilies) or ["IPv4"]


def address_of(pod: Pod, family: str) -> str | None:
    # The API server has validated them, so a colon tells the family; parsing would be most of this controller's work.
    return next((ip for ip in addresses(pod) if (":" in ip) == (family == "IPv6")), None)


def ports_of(service: Service, pod: Pod) -> tuple[Port, ...]:
    """The Service's ports as numbers of this Pod. A named port that the Pod does not have is left out."""
    found = []
    for port in service.spec.ports:
        number = _number(port, pod)
        if number is not None:
            found.append((port.name, port.protocol, number, port.appProtocol))
    return tuple(found)


def _number(port: ServicePort, pod: Pod) -> int | None:
    target = port.targetPort or port.port
    if isinstance(target, int):
        return target
    for container in pod.spec.containers:
        for each in container.ports:
            if each.name == target and each.protocol == port.protocol:
                return each.containerPort
    return None


def slice_ports(ports: tuple[Port, ...]) -> list[EndpointPort]:
    return [EndpointPort(name=name, protocol=proto, port=number, appProtocol=app) for name, proto, number, app in ports]


def published_hostname(service: Service, pod: Pod) -> str | None:
    """DNS gives a Pod a name of its own below a Service when the Pod asks for it by `hostname` and `subdomain`."""
    return pod.spec.hostname if pod.spec.hostname and pod.spec.subdomain == service.metadata.name else None


def target(pod: Pod) -> ObjectReference:
    meta = pod.metadata
    return ObjectReference(kind="Pod", namespace=meta.namespace, name=meta.name, uid=meta.uid)


def endpoint(service: Service, pod: Pod, address: str) -> Endpoint:
    """The Pod as the slice shows it."""
    serving, terminating = is_ready(pod), is_terminating(pod)
    ready = service.spec.publishNotReadyAddresses or (serving and not terminating)
    return Endpoint(
        addresses=[address],
        conditions=EndpointConditions(ready=ready, serving=serving, terminating=terminating),
        hostname=published_hostname(service, pod),
        targetRef=target(pod),
        nodeName=pod.spec.nodeName or None,
        hints=_hints(service, pod),
    )


def _hints(service: Service, pod: Pod) -> EndpointHints | None:
    """Who shall prefer this endpoint: its own node, where the Service asks for that. Nodes have no zones here."""
    if service.spec.trafficDistribution != "PreferSameNode" or not pod.spec.nodeName:
        return None
    return EndpointHints(forNodes=[ForNode(name=pod.spec.nodeName)])
