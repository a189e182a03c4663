"""What `describe` shows of a Pod, and of the Pods a template will make. Pure; kubectl's headings and order."""

from collections.abc import Sequence

from minik8s.api.pods import (
    Container,
    ContainerState,
    ContainerStatus,
    EnvFromSource,
    EnvVar,
    Pod,
    PodSpec,
    PodTemplateSpec,
    Probe,
    Volume,
)
from minik8s.cli import parts
from minik8s.cli.report import NONE, Report


def pod(report: Report, obj: Pod) -> None:
    spec, status = obj.spec, obj.status
    report.field("Name", obj.metadata.name)
    report.field("Namespace", obj.metadata.namespace)
    report.field("Priority", spec.priority or 0)
    report.field("Service Account", spec.serviceAccountName or "default")
    report.field("Node", f"{spec.nodeName}/{status.hostIP}" if spec.nodeName else NONE)
    report.field("Start Time", parts.moment(status.startTime))
    parts.labels(report, obj)
    if obj.metadata.deletionTimestamp:
        report.field("Status", f"Terminating (since {parts.moment(obj.metadata.deletionTimestamp)})")
        report.field("Termination Grace Period", f"{obj.metadata.deletionGracePeriodSeconds}s")
    else:
        report.field("Status", status.phase)
    if status.reason:
        report.field("Reason", status.reason)
    if status.message:
        report.field("Message", status.message)
    report.field("IP", status.podIP)
    report.head("IPs")
    for address in status.podIPs:
        report.field("IP", address.ip, 1)
    if parts.owner(obj):
        report.field("Controlled By", parts.owner(obj))
    _containers(report, "Init Containers", spec.initContainers, status.initContainerStatuses)
    _containers(report, "Containers", spec.containers, status.containerStatuses)
    parts.conditions(report, status.conditions, ("Type", "Status"))
    _volumes(report, spec.volumes)
    _rest(report, spec)
    if obj.status.qosClass:
        report.field("QoS Class", obj.status.qosClass)


def template(report: Report, made: PodTemplateSpec) -> None:
    """The Pods that a controller will make."""
    report.field("Labels", parts.lines(made.metadata.labels, "="), 1)
    if made.metadata.annotations:
        report.field("Annotations", parts.lines(made.metadata.annotations, ": "), 1)
    _containers(report, "Containers", made.spec.containers, (), 1)
    _volumes(report, made.spec.volumes, 1)


def _rest(report: Report, spec: PodSpec) -> None:
    report.field("Node-Selectors", parts.lines(spec.nodeSelector, "="))
    shown = []
    for each in spec.tolerations:
        seconds = f" for {each.tolerationSeconds}s" if each.tolerationSeconds is not None else ""
        value = f"={each.value}" if each.value else ""
        operator = " op=Exists" if each.operator == "Exists" else ""
        shown.append(f"{each.key}{value}{':' + each.effect if each.effect else ''}{operator}{seconds}")
    report.field("Tolerations", "\n".join(shown) or NONE)


def _containers(
    report: Report, title: str, containers: Sequence[Container], statuses: Sequence[ContainerStatus], depth: int = 0
) -> None:
    if not containers:
        return
    report.head(title, depth)
    known = {status.name: status for status in statuses}
    for each in containers:
        report.head(each.name, depth + 1)
        _container(report, each, known.get(each.name), depth + 2)


def _container(report: Report, made: Container, status: ContainerStatus | None, depth: int) -> None:
    if status is not None:
        report.field("Container ID", status.containerID, depth)
    report.field("Image", made.image, depth)
    if status is not None:
        report.field("Image ID", status.imageID, depth)
    _ports(report, made, depth)
    for title, words in (("Command", made.command), ("Args", made.args)):
        if words:
            report.head(title, depth)
            for word in words:
                report.text(word, depth + 1)
    if status is not None:
        _state(report, "State", status.state, depth)
        if status.lastState.terminated:
            _state(report, "Last State", status.lastState, depth)
        report.field("Ready", str(status.ready), depth)
        report.field("Restart Count", status.restartCount, depth)
    _settings(report, made, depth)


def _ports(report: Report, made: Container, depth: int) -> None:
    several = "s" if len(made.ports) > 1 else ""
    ports = [f"{port.containerPort}/{port.protocol}{f' ({port.name})' if port.name else ''}" for port in made.ports]
    report.field(f"Port{several}", ", ".join(ports) or NONE, depth)
    hosts = [f"{port.hostPort}/{port.protocol}" for port in made.ports]
    report.field(f"Host Port{several}", ", ".join(hosts) or NONE, depth)


def _settings(report: Report, made: Container, depth: int) -> None:
    _resources(report, made, depth)
    probes = {"Liveness": made.livenessProbe, "Readiness": made.readinessProbe, "Startup": made.startupProbe}
    for title, checked in probes.items():
        if checked is not None:
            report.field(title, probe(checked), depth)
    _environment(report, made, depth)
    _mounts(report, made, depth)


def _state(report: Report, title: str, state: ContainerState, depth: int) -> None:
    if state.running is not None:
        report.field(title, "Running", depth)
        report.field("  Started", parts.moment(state.running.startedAt), depth)
    elif state.terminated is not None:
        ended = state.terminated
        report.field(title, "Terminated", depth)
        for name, value in (("Reason", ended.reason), ("Message", ended.message), ("Exit Code", ended.exitCode)):
            if value != "":
                report.field(f"  {name}", value, depth)
        report.field("  Started", parts.moment(ended.startedAt), depth)
        report.field("  Finished", parts.moment(ended.finishedAt), depth)
    else:
        waiting = state.waiting
        report.field(title, "Waiting", depth)
        if waiting is not None and waiting.reason:
            report.field("  Reason", waiting.reason, depth)
        if waiting is not None and waiting.message:
            report.field("  Message", waiting.message, depth)


def _resources(report: Report, made: Container, depth: int) -> None:
    for title, amounts in (("Limits", made.resources.limits), ("Requests", made.resources.requests)):
        if amounts:
            report.head(title, depth)
            for name, amount in sorted(amounts.items()):
                report.field(f"  {name}", amount, depth)


def probe(checked: Probe) -> str:
    """`http-get http://:8080/ready delay=0s timeout=1s period=10s #success=1 #failure=3`."""
    if checked.httpGet is not None:
        get = checked.httpGet
        what = f"http-get {(get.scheme or 'HTTP').lower()}://{get.host}:{get.port}{get.path}"
    elif checked.tcpSocket is not None:
        what = f"tcp-socket {checked.tcpSocket.host}:{checked.tcpSocket.port}"
    elif checked.exec is not None:
        what = f"exec [{' '.join(checked.exec.command)}]"
    else:
        what = "unknown"
    timing = f"delay={checked.initialDelaySeconds}s timeout={checked.timeoutSeconds}s period={checked.periodSeconds}s"
    return f"{what} {timing} #success={checked.successThreshold} #failure={checked.failureThreshold}"


def _environment(report: Report, made: Container, depth: int) -> None:
    if made.envFrom:
        report.head("Environment Variables from", depth)
        for source in made.envFrom:
            report.text(_source(source), depth + 1)
    if not made.env:
        report.field("Environment", NONE, depth)
        return
    report.head("Environment", depth)
    for variable in made.env:
        report.field(variable.name, _value(variable), depth + 1)


def _source(source: EnvFromSource) -> str:
    kind, found = ("ConfigMap", source.configMapRef) if source.configMapRef else ("Secret", source.secretRef)
    name = found.name if found else ""
    return f"{name}  {kind}  Optional: {bool(found and found.optional)}"


def _value(variable: EnvVar) -> str:
    source = variable.valueFrom
    if source is None:
        return variable.value
    if source.fieldRef is not None:
        return f"({source.fieldRef.apiVersion or 'v1'}:{source.fieldRef.fieldPath})"
    for kind, key in (("config map", source.configMapKeyRef), ("secret", source.secretKeyRef)):
        if key is not None:
            return f"<set to the key '{key.key}' of {kind} '{key.name}'>  Optional: {bool(key.optional)}"
    return ""


def _mounts(report: Report, made: Container, depth: int) -> None:
    if not made.volumeMounts:
        report.field("Mounts", NONE, depth)
        return
    report.head("Mounts", depth)
    for mount in sorted(made.volumeMounts, key=lambda each: each.mountPath):
        path = f',path="{mount.subPath}"' if mount.subPath else ""
        report.text(f"{mount.mountPath} from {mount.name} ({'ro' if mount.readOnly else 'rw'}{path})", depth + 1)


def _volumes(report: Report, volumes: Sequence[Volume], depth: int = 0) -> None:
    if not volumes:
        report.field("Volumes", NONE, depth)
        return
    report.head("Volumes", depth)
    for volume in volumes:
        report.head(volume.name, depth + 1)
        if volume.configMap is not None:
            report.field("Type", "ConfigMap (a volume populated by a ConfigMap)", depth + 2)
            report.field("Name", volume.configMap.name, depth + 2)
        elif volume.secret is not None:
            report.field("Type", "Secret (a volume populated by a Secret)", depth + 2)
            report.field("SecretName", volume.secret.secretName, depth + 2)
        else:
            report.field("Type", "EmptyDir (a temporary directory that shares a pod's lifetime)", depth + 2)
