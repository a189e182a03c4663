"""What a Pod, or a template of Pods, must keep to. Source: Kubernetes' ValidatePodSpec."""

from minik8s.api import codec, quantity
from minik8s.api.pods import Container, EnvVar, LifecycleHandler, Pod, PodSpec, Probe, Volume
from minik8s.api.validation.fields import ENV_NAME, Problems

RESTART_POLICIES = ("Always", "OnFailure", "Never")
DNS_POLICIES = ("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None")
PULL_POLICIES = ("Always", "IfNotPresent", "Never")
NODE_OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt")
PROTOCOLS = ("TCP", "UDP", "SCTP")
# The parts of a bound Pod's spec that may change; all else is fixed, for the containers run already.
CHANGEABLE = ("activeDeadlineSeconds", "tolerations", "nodeName", "terminationGracePeriodSeconds")


def check(problems: Problems, pod: Pod) -> None:
    check_spec(problems, "spec", pod.spec)


def check_update(problems: Problems, new: Pod, old: Pod) -> None:
    def fixed(pod: Pod) -> dict[str, object]:
        spec = codec.to_dict(pod.spec)
        for container in (*spec.get("containers", ()), *spec.get("initContainers", ())):
            container.pop("image", None)
        return {name: value for name, value in spec.items() if name not in CHANGEABLE}

    if fixed(new) != fixed(old):
        problems.forbidden(
            "spec",
            "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
            "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
            "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
        )


def check_spec(problems: Problems, path: str, spec: PodSpec) -> None:
    if not spec.containers:
        problems.required(f"{path}.containers")
    volumes = {volume.name for volume in spec.volumes}
    seen: set[str] = set()
    for kind, containers in (("initContainers", spec.initContainers), ("containers", spec.containers)):
        for at, container in enumerate(containers):
            here = f"{path}.{kind}[{at}]"
            if container.name in seen:
                problems.duplicate(f"{here}.name", container.name)
            seen.add(container.name)
            _check_container(problems, here, container, volumes)
            if kind == "initContainers":
                _check_init(problems, here, container)
    for at, volume in enumerate(spec.volumes):
        _check_volume(problems, f"{path}.volumes[{at}]", volume)
    problems.one_of(f"{path}.restartPolicy", spec.restartPolicy, RESTART_POLICIES)
    problems.one_of(f"{path}.dnsPolicy", spec.dnsPolicy, DNS_POLICIES)
    if spec.dnsPolicy == "None" and not (spec.dnsConfig and spec.dnsConfig.nameservers):
        problems.required(
            f"{path}.dnsConfig.nameservers", "must provide at least one DNS nameserver when `dnsPolicy` is None"
        )
    problems.not_negative(f"{path}.terminationGracePeriodSeconds", spec.terminationGracePeriodSeconds)
    _check_names(problems, path, spec)
    _check_affinity(problems, f"{path}.affinity", spec)


def _check_affinity(problems: Problems, path: str, spec: PodSpec) -> None:
    nodes = spec.affinity.nodeAffinity if spec.affinity else None
    required = nodes.requiredDuringSchedulingIgnoredDuringExecution if nodes else None
    if required is None:
        return
    here = f"{path}.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms"
    if not required.nodeSelectorTerms:
        problems.required(here, "must have at least one node selector term")
    for at, term in enumerate(required.nodeSelectorTerms):
        for field in ("matchExpressions", "matchFields"):
            for nth, each in enumerate(getattr(term, field)):
                if each.operator not in NODE_OPERATORS:
                    place = f"{here}[{at}].{field}[{nth}].operator"
                    problems.invalid(place, each.operator, "not a valid selector operator")


def _check_init(problems: Problems, path: str, container: Container) -> None:
    """It ends before the Pod is up: there is nothing to probe, and nothing to do before it stops."""
    for name in ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe"):
        if getattr(container, name) is not None:
            problems.forbidden(f"{path}.{name}", "may not be set for init containers without restartPolicy=Always")


def _check_names(problems: Problems, path: str, spec: PodSpec) -> None:
    for field in ("hostname", "subdomain"):
        if getattr(spec, field):
            problems.label_name(f"{path}.{field}", getattr(spec, field))
    for at, alias in enumerate(spec.hostAliases):
        problems.address(f"{path}.hostAliases[{at}].ip", alias.ip)
    for at, toleration in enumerate(spec.tolerations):
        if toleration.operator not in ("", "Equal", "Exists"):
            problems.unsupported(f"{path}.tolerations[{at}].operator", toleration.operator, ("Equal", "Exists"))


def _check_container(problems: Problems, path: str, container: Container, volumes: set[str]) -> None:
    if not container.name:
        problems.required(f"{path}.name")
    else:
        problems.label_name(f"{path}.name", container.name)
    if not container.image:
        problems.required(f"{path}.image")
    problems.one_of(f"{path}.imagePullPolicy", container.imagePullPolicy, PULL_POLICIES)
    _check_ports(problems, path, container)
    for at, variable in enumerate(container.env):
        _check_variable(problems, f"{path}.env[{at}]", variable)
    _check_mounts(problems, path, container, volumes)
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if probe := getattr(container, name):
            _check_probe(problems, f"{path}.{name}", probe)
    if container.lifecycle and container.lifecycle.preStop:
        _check_handler(problems, f"{path}.lifecycle.preStop", container.lifecycle.preStop)
    _check_resources(problems, path, container)


def _check_handler(problems: Problems, path: str, handler: LifecycleHandler) -> None:
    given = [name for name in ("exec", "httpGet", "sleep") if getattr(handler, name)]
    if not given:
        problems.required(path, "must specify a handler type")
    for extra in given[1:]:
        problems.forbidden(f"{path}.{extra}", "may not specify more than 1 handler type")
    if handler.httpGet:
        problems.port_or_name(f"{path}.httpGet.port", handler.httpGet.port)


def _check_mounts(problems: Problems, path: str, container: Container, volumes: set[str]) -> None:
    for at, mount in enumerate(container.volumeMounts):
        if mount.name not in volumes:
            problems.not_found(f"{path}.volumeMounts[{at}].name", mount.name)
        if not mount.mountPath:
            problems.required(f"{path}.volumeMounts[{at}].mountPath")


def _check_ports(problems: Problems, path: str, container: Container) -> None:
    names: set[str] = set()
    for at, port in enumerate(container.ports):
        here = f"{path}.ports[{at}]"
        problems.port(f"{here}.containerPort", port.containerPort)
        if port.hostPort:
            problems.port(f"{here}.hostPort", port.hostPort)
        problems.one_of(f"{here}.protocol", port.protocol, PROTOCOLS)
        if port.name:
            problems.port_name(f"{here}.name", port.name)
            if port.name in names:
                problems.duplicate(f"{here}.name", port.name)
            names.add(port.name)


def _check_variable(problems: Problems, path: str, variable: EnvVar) -> None:
    if not variable.name:
        problems.required(f"{path}.name")
    elif not ENV_NAME.fullmatch(variable.name):
        problems.invalid(f"{path}.name", variable.name, "a valid environment variable name must consist of alphabetic "
                         "characters, digits, '_', '-', or '.', and must not start with a digit")  # fmt: skip
    source = variable.valueFrom
    if source is None:
        return
    given = [name for name in ("fieldRef", "configMapKeyRef", "secretKeyRef") if getattr(source, name)]
    if len(given) != 1:
        problems.invalid(
            f"{path}.valueFrom", "", "must specify exactly one of: `fieldRef`, `configMapKeyRef`, `secretKeyRef`"
        )
    if variable.value:
        problems.invalid(f"{path}.valueFrom", "", "may not be specified when `value` is not empty")


def _check_probe(problems: Problems, path: str, probe: Probe) -> None:
    given = [name for name in ("httpGet", "tcpSocket", "exec") if getattr(probe, name)]
    if not given:
        problems.required(path, "must specify a handler type")
    for extra in given[1:]:
        problems.forbidden(f"{path}.{extra}", "may not specify more than 1 handler type")
    if probe.httpGet:
        problems.port_or_name(f"{path}.httpGet.port", probe.httpGet.port)
    if probe.tcpSocket:
        problems.port_or_name(f"{path}.tcpSocket.port", probe.tcpSocket.port)
    for name in ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"):
        problems.not_negative(f"{path}.{name}", getattr(probe, name))


def _check_resources(problems: Problems, path: str, container: Container) -> None:
    for kind in ("requests", "limits"):
        for name, value in getattr(container.resources, kind).items():
            here = f"{path}.resources.{kind}[{name}]"
            try:
                if quantity.parse(value) < 0:
                    problems.invalid(here, str(value), "must be greater than or equal to 0")
            except ValueError:
                problems.invalid(here, str(value), "quantities must match the regular expression "
                                 "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")  # fmt: skip


def _check_volume(problems: Problems, path: str, volume: Volume) -> None:
    if not volume.name:
        problems.required(f"{path}.name")
    given = [name for name in ("emptyDir", "configMap", "secret") if getattr(volume, name)]
    if not given:
        problems.required(path, "must specify a volume type (minik8s knows emptyDir, configMap and secret)")
    for extra in given[1:]:
        problems.forbidden(f"{path}.{extra}", "may not specify more than 1 volume type")
