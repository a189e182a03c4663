"""What `get` prints of each kind: kubectl's columns, made on our side from typed objects.

Pure: objects and the present moment in, text out. A kind is one function from an object to its cells, and two lists
of headings: those always shown and those of `-o wide`. A kind without an entry shows its name and age. What a Pod's
STATUS says is in podstatus.py.

Read next: get.py, which prints these.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from minik8s.api.addresses import host_port
from minik8s.api.apps import Deployment, ReplicaSet
from minik8s.api.coordination import Lease
from minik8s.api.core import ConfigMap, Endpoints, Event, Namespace, Node, Pod, Secret, Service, ServiceAccount
from minik8s.api.discovery import EndpointSlice
from minik8s.api.meta import Object
from minik8s.api.networking import OLD_CLASS, Ingress, IngressClass, IPAddress
from minik8s.api.selectors import format_labels
from minik8s.cli import podstatus
from minik8s.cli.durations import since

Cells = list[str]
NONE = "<none>"
GAP = "   "


@dataclass(frozen=True)
class Columns:
    """A kind's headings and the function that fills them."""

    headings: tuple[str, ...]
    wide: tuple[str, ...]
    cells: Callable[..., Cells]  # (object, now) → all cells, the wide ones last


def rows(cls: type[Object], objects: Sequence[Object], now: float, wide: bool) -> tuple[list[str], list[Cells]]:
    """Headings and cells of objects of one kind."""
    columns = COLUMNS.get(
        cls, Columns(("NAME", "AGE"), (), lambda o, t: [o.metadata.name, since(o.metadata.creationTimestamp, t)])
    )
    headings = [*columns.headings, *(columns.wide if wide else ())]
    return headings, [columns.cells(obj, now)[: len(headings)] for obj in objects]


def layout(headings: Sequence[str], cells: Sequence[Sequence[str]], widths: Sequence[int] = ()) -> list[str]:
    """Lines with each column as wide as its widest cell. `widths` are those of an earlier table that goes on below."""
    width = [max(map(len, column)) for column in zip(headings, *cells, strict=True)]
    width = [max(pair) for pair in zip(width, widths, strict=True)] if widths else width
    return [GAP.join(cell.ljust(w) for cell, w in zip(row, width, strict=True)).rstrip() for row in (headings, *cells)]


def some(values: Sequence[str], separator: str = ",") -> str:
    return separator.join(values) if values else NONE


def age(obj: Object, now: float) -> str:
    return since(obj.metadata.creationTimestamp, now)


# --- One function for each kind -------------------------------------------------------------------------------


def _pod(pod: Pod, now: float) -> Cells:
    ready, total = podstatus.ready_containers(pod)
    gates = [podstatus.gate_holds(pod, gate.conditionType) for gate in pod.spec.readinessGates]
    return [
        pod.metadata.name,
        f"{ready}/{total}",
        podstatus.reason(pod),
        podstatus.restarts(pod, now),
        age(pod, now),
        pod.status.podIP or NONE,
        pod.spec.nodeName or NONE,
        NONE,
        f"{sum(gates)}/{len(gates)}" if gates else NONE,
    ]


def ports(service: Service) -> str:
    """`80/TCP`, and with a node port `80:30080/TCP`."""
    return some([f"{p.port}{f':{p.nodePort}' if p.nodePort else ''}/{p.protocol}" for p in service.spec.ports])


def external_ips(service: Service) -> str:
    if service.spec.type == "ExternalName":
        return service.spec.externalName or NONE
    given = list(service.spec.externalIPs)
    if service.spec.type == "LoadBalancer":
        given = [each.ip or each.hostname for each in service.status.loadBalancer.ingress] + given
        return some(given) if given else "<pending>"
    return some(given)


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


def _deployment(deployment: Deployment, now: float) -> Cells:
    spec, status = deployment.spec, deployment.status
    wanted = 1 if spec.replicas is None else spec.replicas
    return [
        deployment.metadata.name,
        f"{status.readyReplicas}/{wanted}",
        str(status.updatedReplicas),
        str(status.availableReplicas),
        age(deployment, now),
        *_template(deployment),
    ]


def _replicaset(replicaset: ReplicaSet, now: float) -> Cells:
    wanted = 1 if replicaset.spec.replicas is None else replicaset.spec.replicas
    counts = [wanted, replicaset.status.replicas, replicaset.status.readyReplicas]
    return [replicaset.metadata.name, *map(str, counts), age(replicaset, now), *_template(replicaset)]


def _template(obj: Deployment | ReplicaSet) -> Cells:
    containers = obj.spec.template.spec.containers
    selector = format_labels(obj.spec.selector) or NONE
    return [some([each.name for each in containers]), some([each.image for each in containers]), selector]


def _node(node: Node, now: float) -> Cells:
    info = node.status.nodeInfo
    addresses = {each.type: each.address for each in reversed(node.status.addresses)}  # of each type the first counts
    return [
        node.metadata.name,
        node_status(node),
        some(roles(node)),
        age(node, now),
        info.kubeletVersion if info else "",
        addresses.get("InternalIP", NONE),
        addresses.get("ExternalIP", NONE),
        (info.osImage if info else "") or "<unknown>",
        (info.kernelVersion if info else "") or "<unknown>",
        (info.containerRuntimeVersion if info else "") or "<unknown>",
    ]


def node_status(node: Node) -> str:
    ready = next((each.status for each in node.status.conditions if each.type == "Ready"), "Unknown")
    word = {"True": "Ready", "False": "NotReady"}.get(ready, "NotReady" if node.status.conditions else "Unknown")
    return word + (",SchedulingDisabled" if node.spec.unschedulable else "")


def roles(node: Node) -> list[str]:
    prefix = "node-role.kubernetes.io/"
    return sorted(label.removeprefix(prefix) for label in node.metadata.labels if label.startswith(prefix))


def _namespace(namespace: Namespace, now: float) -> Cells:
    return [namespace.metadata.name, namespace.status.phase, age(namespace, now)]


def addresses_and_more(pairs: Sequence[str], shown: int = 3) -> str:
    """The first few, and how many more there are."""
    if len(pairs) <= shown:
        return some(pairs)
    return ",".join(pairs[:shown]) + f" + {len(pairs) - shown} more..."


def endpoints_text(endpoints: Endpoints) -> str:
    found = []
    for subset in endpoints.subsets:
        for port in subset.ports:
            found += [host_port(address.ip, port.port) for address in subset.addresses]
        if not subset.ports:
            found += [address.ip for address in subset.addresses]
    return addresses_and_more(found)


def _endpoints(endpoints: Endpoints, now: float) -> Cells:
    return [endpoints.metadata.name, endpoints_text(endpoints), age(endpoints, now)]


def _slice(piece: EndpointSlice, now: float) -> Cells:
    numbers = [str(port.port) for port in piece.ports if port.port is not None]
    found = [address for endpoint in piece.endpoints for address in endpoint.addresses]
    unset = "<unset>"
    return [
        piece.metadata.name,
        piece.addressType,
        addresses_and_more(numbers) if numbers else unset,
        addresses_and_more(found) if found else unset,
        age(piece, now),
    ]


def _configmap(configmap: ConfigMap, now: float) -> Cells:
    return [configmap.metadata.name, str(len(configmap.data) + len(configmap.binaryData)), age(configmap, now)]


def _secret(secret: Secret, now: float) -> Cells:
    return [secret.metadata.name, secret.type, str(len(secret.data)), age(secret, now)]


def _account(account: ServiceAccount, now: float) -> Cells:
    return [account.metadata.name, str(len(account.secrets)), age(account, now)]


def _event(event: Event, now: float) -> Cells:
    about = event.involvedObject
    last = event.lastTimestamp or event.eventTime or event.firstTimestamp or event.metadata.creationTimestamp
    return [
        since(last, now),
        event.type,
        event.reason,
        f"{about.kind.lower()}/{about.name}",
        event.message.strip(),
        about.fieldPath,
        ", ".join(filter(None, (event.source.component or event.reportingComponent, event.source.host))),
        since(event.firstTimestamp or last, now),
        str(event.count or 1),
        event.metadata.name,
    ]


def _lease(lease: Lease, now: float) -> Cells:
    return [lease.metadata.name, lease.spec.holderIdentity or "", age(lease, now)]


def _ipaddress(address: IPAddress, now: float) -> Cells:
    parent = address.spec.parentRef
    where = "/".join(filter(None, (parent.resource, parent.namespace, parent.name))) if parent else NONE
    return [address.metadata.name, where, age(address, now)]


def hosts(ingress: Ingress) -> str:
    """The first three hosts; a rule without a host is for all: `*`."""
    found = [rule.host or "*" for rule in ingress.spec.rules]
    return addresses_and_more(found) if found else "*"


def ingress_addresses(ingress: Ingress) -> str:
    return ",".join(each.ip or each.hostname for each in ingress.status.loadBalancer.ingress)


def _ingress(ingress: Ingress, now: float) -> Cells:
    return [
        ingress.metadata.name,
        ingress.spec.ingressClassName or ingress.metadata.annotations.get(OLD_CLASS) or NONE,
        hosts(ingress),
        ingress_addresses(ingress),
        "80, 443" if ingress.spec.tls else "80",
        age(ingress, now),
    ]


def _ingress_class(each: IngressClass, now: float) -> Cells:
    given = each.spec.parameters
    kind = (f"{given.kind}.{given.apiGroup}" if given.apiGroup else given.kind) if given else ""
    return [each.metadata.name, each.spec.controller, f"{kind}/{given.name}" if given else NONE, age(each, now)]


_WORKLOAD = ("CONTAINERS", "IMAGES", "SELECTOR")
COLUMNS: dict[type[Object], Columns] = {
    Pod: Columns(
        ("NAME", "READY", "STATUS", "RESTARTS", "AGE"), ("IP", "NODE", "NOMINATED NODE", "READINESS GATES"), _pod
    ),
    Service: Columns(("NAME", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)", "AGE"), ("SELECTOR",), _service),
    Deployment: Columns(("NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"), _WORKLOAD, _deployment),
    ReplicaSet: Columns(("NAME", "DESIRED", "CURRENT", "READY", "AGE"), _WORKLOAD, _replicaset),
    Node: Columns(
        ("NAME", "STATUS", "ROLES", "AGE", "VERSION"),
        ("INTERNAL-IP", "EXTERNAL-IP", "OS-IMAGE", "KERNEL-VERSION", "CONTAINER-RUNTIME"),
        _node,
    ),
    Namespace: Columns(("NAME", "STATUS", "AGE"), (), _namespace),
    Endpoints: Columns(("NAME", "ENDPOINTS", "AGE"), (), _endpoints),
    EndpointSlice: Columns(("NAME", "ADDRESSTYPE", "PORTS", "ENDPOINTS", "AGE"), (), _slice),
    ConfigMap: Columns(("NAME", "DATA", "AGE"), (), _configmap),
    Secret: Columns(("NAME", "TYPE", "DATA", "AGE"), (), _secret),
    ServiceAccount: Columns(("NAME", "SECRETS", "AGE"), (), _account),
    Event: Columns(
        ("LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"),
        ("SUBOBJECT", "SOURCE", "FIRST SEEN", "COUNT", "NAME"),
        _event,
    ),
    Lease: Columns(("NAME", "HOLDER", "AGE"), (), _lease),
    Ingress: Columns(("NAME", "CLASS", "HOSTS", "ADDRESS", "PORTS", "AGE"), (), _ingress),
    IngressClass: Columns(("NAME", "CONTROLLER", "PARAMETERS", "AGE"), (), _ingress_class),
    IPAddress: Columns(("NAME", "PARENTREF", "AGE"), (), _ipaddress),
}
