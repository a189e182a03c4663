"""What `describe` shows of a Service, a Deployment, a Node, and of Events. Pure; kubectl's headings and order.

Read next: describedpod.py, report.py (the layout).
"""

from collections.abc import Sequence

from minik8s.api import display, quantity
from minik8s.api.addresses import host_port
from minik8s.api.apps import Deployment, ReplicaSet
from minik8s.api.coordination import Lease
from minik8s.api.core import Event, Node, Pod, Service
from minik8s.api.discovery import EndpointSlice
from minik8s.api.durations import since
from minik8s.api.selectors import format_labels
from minik8s.cli import describedpod, parts
from minik8s.cli.report import NONE, Report


def events(report: Report, found: Sequence[Event], now: float) -> None:
    """What happened lately, oldest first."""
    if not found:
        report.field("Events", NONE)
        return
    report.head("Events")
    rows = [
        [
            event.type,
            event.reason,
            _age(event, now),
            event.source.component or event.reportingComponent,
            event.message.strip(),
        ]
        for event in found
    ]
    report.table(["Type", "Reason", "Age", "From", "Message"], rows)


def _age(event: Event, now: float) -> str:
    last = since(event.lastTimestamp or event.eventTime or event.metadata.creationTimestamp, now)
    if event.count > 1:
        return f"{last} (x{event.count} over {since(event.firstTimestamp, now)})"
    return last


# --- Service --------------------------------------------------------------------------------------------------


def service(report: Report, obj: Service, slices: Sequence[EndpointSlice]) -> None:
    report.field("Name", obj.metadata.name)
    report.field("Namespace", obj.metadata.namespace)
    parts.labels(report, obj)
    _addresses(report, obj)
    for port in obj.spec.ports:
        name = port.name or "<unset>"
        report.field("Port", f"{name}  {port.port}/{port.protocol}")
        report.field("TargetPort", f"{port.targetPort if port.targetPort is not None else port.port}/{port.protocol}")
        if port.nodePort:
            report.field("NodePort", f"{name}  {port.nodePort}/{port.protocol}")
        report.field("Endpoints", display.first_few(ready(slices, port.name)))
    _policies(report, obj)


def _addresses(report: Report, obj: Service) -> None:
    spec = obj.spec
    report.field("Selector", format_labels(spec.selector) or NONE)
    report.field("Type", spec.type)
    report.field("IP Family Policy", spec.ipFamilyPolicy or NONE)
    report.field("IP Families", ",".join(spec.ipFamilies) or NONE)
    report.field("IP", spec.clusterIP)
    report.field("IPs", ",".join(spec.clusterIPs) or NONE)
    if spec.externalIPs:
        report.field("External IPs", ",".join(spec.externalIPs))
    if spec.externalName:
        report.field("External Name", spec.externalName)
    if spec.loadBalancerIP:
        report.field("Desired LoadBalancer IP", spec.loadBalancerIP)
    if given := obj.status.loadBalancer.ingress:
        shown = [f"{each.ip} ({each.ipMode or 'VIP'})" if each.ip else each.hostname for each in given]
        report.field("LoadBalancer Ingress", ", ".join(shown))


def _policies(report: Report, obj: Service) -> None:
    report.field("Session Affinity", obj.spec.sessionAffinity or "None")
    for title, value in (
        ("External Traffic Policy", obj.spec.externalTrafficPolicy),
        ("HealthCheck NodePort", obj.spec.healthCheckNodePort),
        ("Internal Traffic Policy", obj.spec.internalTrafficPolicy),
        ("Traffic Distribution", obj.spec.trafficDistribution),
    ):
        if value:
            report.field(title, value)


def ready(slices: Sequence[EndpointSlice], name: str) -> list[str]:
    """The ready endpoints of a port, as address:port."""
    found = []
    for piece in sorted(slices, key=lambda each: each.metadata.name):
        ports = [port.port or 0 for port in piece.ports if (port.name or "") == name]
        for endpoint in piece.endpoints:
            if endpoint.conditions.ready is not False:
                found += [host_port(address, port) for address in endpoint.addresses for port in ports]
    return found


# --- Deployment -----------------------------------------------------------------------------------------------


def deployment(report: Report, obj: Deployment, replicasets: Sequence[ReplicaSet]) -> None:
    spec, status = obj.spec, obj.status
    report.field("Name", obj.metadata.name)
    report.field("Namespace", obj.metadata.namespace)
    report.field("CreationTimestamp", parts.moment(obj.metadata.creationTimestamp))
    parts.labels(report, obj)
    report.field("Selector", format_labels(spec.selector) or NONE)
    counts = [(spec.replicas or 0, "desired"), (status.updatedReplicas, "updated"), (status.replicas, "total")]
    counts += [(status.availableReplicas, "available"), (status.unavailableReplicas, "unavailable")]
    report.field("Replicas", " | ".join(f"{number} {word}" for number, word in counts))
    report.field("StrategyType", spec.strategy.type or "RollingUpdate")
    report.field("MinReadySeconds", spec.minReadySeconds)
    rolling = spec.strategy.rollingUpdate
    if rolling:
        text = f"{rolling.maxUnavailable} max unavailable, {rolling.maxSurge} max surge"
        report.field("RollingUpdateStrategy", text)
    report.head("Pod Template")
    describedpod.template(report, spec.template)
    parts.conditions(report, status.conditions, ("Type", "Status", "Reason"))
    newest, old = _split(obj, replicasets)
    report.field("OldReplicaSets", _replicas(old))
    report.field("NewReplicaSet", _replicas(newest))


def _split(obj: Deployment, replicasets: Sequence[ReplicaSet]) -> tuple[list[ReplicaSet], list[ReplicaSet]]:
    """The present template's ReplicaSet (the one of the highest revision), and the others that still have Pods."""
    ranked = sorted(replicasets, key=_revision)
    return ranked[-1:], [each for each in ranked[:-1] if each.status.replicas or each.spec.replicas]


def _revision(replicaset: ReplicaSet) -> int:
    text = replicaset.metadata.annotations.get("deployment.kubernetes.io/revision", "0")
    return int(text) if text.isdigit() else 0


def _replicas(found: Sequence[ReplicaSet]) -> str:
    shown = [
        f"{each.metadata.name} ({each.status.replicas}/{each.spec.replicas or 0} replicas created)" for each in found
    ]
    return ", ".join(shown) or NONE


# --- Node -----------------------------------------------------------------------------------------------------


def node(report: Report, obj: Node, pods: Sequence[Pod], lease: Lease | None, now: float) -> None:
    report.field("Name", obj.metadata.name)
    report.field("Roles", ",".join(display.roles(obj)) or NONE)
    parts.labels(report, obj)
    report.field("CreationTimestamp", parts.moment(obj.metadata.creationTimestamp))
    taints = [f"{t.key}{'=' + t.value if t.value else ''}:{t.effect}" for t in obj.spec.taints]
    report.field("Taints", "\n".join(taints) or NONE)
    report.field("Unschedulable", str(obj.spec.unschedulable).lower())
    if lease is not None:
        report.field("Lease holder", lease.spec.holderIdentity or NONE)
        report.field("Lease renewed", f"{parts.moment(lease.spec.renewTime)} ({since(lease.spec.renewTime, now)} ago)")
    _node_conditions(report, obj)
    report.head("Addresses")
    for address in obj.status.addresses:
        report.field(address.type, address.address, 1)
    for title, amounts in (("Capacity", obj.status.capacity), ("Allocatable", obj.status.allocatable)):
        report.head(title)
        for name, amount in sorted(amounts.items()):
            report.field(name, amount, 1)
    _system(report, obj)
    report.field("PodCIDR", obj.spec.podCIDR or NONE)
    report.field("PodCIDRs", ",".join(obj.spec.podCIDRs) or NONE)
    _pods(report, pods, now)
    _allocated(report, obj, pods)


def _node_conditions(report: Report, obj: Node) -> None:
    report.head("Conditions")
    rows = [
        [c.type, c.status, parts.moment(c.lastHeartbeatTime), parts.moment(c.lastTransitionTime), c.reason, c.message]
        for c in obj.status.conditions
    ]
    report.table(["Type", "Status", "LastHeartbeatTime", "LastTransitionTime", "Reason", "Message"], rows)


def _system(report: Report, obj: Node) -> None:
    info = obj.status.nodeInfo
    if info is None:
        return
    report.head("System Info")
    for title, value in (
        ("Machine ID", info.machineID),
        ("Kernel Version", info.kernelVersion),
        ("OS Image", info.osImage),
        ("Operating System", info.operatingSystem),
        ("Architecture", info.architecture),
        ("Container Runtime Version", info.containerRuntimeVersion),
        ("Kubelet Version", info.kubeletVersion),
    ):
        report.field(title, value, 1)


def _pods(report: Report, pods: Sequence[Pod], now: float) -> None:
    report.field("Non-terminated Pods", f"({len(pods)} in total)")
    rows = []
    for pod in sorted(pods, key=lambda each: (each.metadata.namespace, each.metadata.name)):
        amounts = [_amount([pod], kind, name) for name in ("cpu", "memory") for kind in ("requests", "limits")]
        shown = [_cpu(amounts[0]), _cpu(amounts[1]), _memory(amounts[2]), _memory(amounts[3])]
        rows.append([pod.metadata.namespace, pod.metadata.name, *shown, since(pod.metadata.creationTimestamp, now)])
    headings = ["Namespace", "Name", "CPU Requests", "CPU Limits", "Memory Requests", "Memory Limits", "Age"]
    report.table(headings, rows)


def _amount(pods: Sequence[Pod], kind: str, name: str) -> int:
    """The sum, in thousandths of a CPU or in bytes."""
    unit = quantity.millis if name == "cpu" else quantity.whole
    found = [getattr(c.resources, kind).get(name) for pod in pods for c in pod.spec.containers]
    return sum(unit(each) for each in found if each is not None)


def _cpu(millis: int) -> str:
    return "0" if not millis else f"{millis // 1000}" if millis % 1000 == 0 else f"{millis}m"


def _memory(size: int) -> str:
    return f"{size // 1024**2}Mi" if size and size % 1024**2 == 0 else str(size)


def _allocated(report: Report, obj: Node, pods: Sequence[Pod]) -> None:
    report.head("Allocated resources")
    rows = []
    for name, show in (("cpu", _cpu), ("memory", _memory)):
        unit = quantity.millis if name == "cpu" else quantity.whole
        whole = unit(obj.status.allocatable.get(name, 0))
        cells = []
        for kind in ("requests", "limits"):
            amount = _amount(pods, kind, name)
            cells.append(f"{show(amount)} ({amount * 100 // whole if whole else 0}%)")
        rows.append([name, *cells])
    report.table(["Resource", "Requests", "Limits"], rows)
