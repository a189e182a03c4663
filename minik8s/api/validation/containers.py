"""What a container must keep to: image, ports, environment, mounts, probes, resources. Source: ValidatePodSpec.

`pods.py` is about the Pod around it.
"""

import re

from minik8s.api import quantity
from minik8s.api.pods import (
    Container,
    EnvFromSource,
    EnvVar,
    EnvVarSource,
    HTTPGetAction,
    LifecycleHandler,
    PodSecurityContext,
    Probe,
    ResourceFieldSelector,
    SecurityContext,
)
from minik8s.api.validation.fields import ENV_NAME, Problems

PULL_POLICIES = ("Always", "IfNotPresent", "Never")
MESSAGE_POLICIES = ("FallbackToLogsOnError", "File")
PROTOCOLS = ("TCP", "UDP", "SCTP")
SCHEMES = ("HTTP", "HTTPS")
# A name without a domain is one of these; any other is a slip of the pen.
STANDARD_RESOURCES = ("cpu", "memory", "ephemeral-storage")
# What the downward API offers.
FIELD_PATHS = (
    "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName",
    "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs",
)  # fmt: skip
AMOUNTS = tuple(f"{kind}.{name}" for kind in ("limits", "requests") for name in STANDARD_RESOURCES)
SOURCES_OF_ENV = tuple(EnvVarSource.__struct_fields__)
_KEYED_PATH = re.compile(r"metadata\.(labels|annotations)\['[^']+'\]")
_BAD_NAME = (
    "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not "
    "start with a digit"
)


def check(problems: Problems, path: str, container: Container, volumes: set[str]) -> None:
    if not container.name:
        problems.required(f"{path}.name")
    else:
        problems.label_name(f"{path}.name", container.name)
    if not container.image:
        problems.required(f"{path}.image")
    elif container.image != container.image.strip():
        problems.invalid(f"{path}.image", container.image, "must not have leading or trailing whitespace")
    problems.one_of(f"{path}.imagePullPolicy", container.imagePullPolicy, PULL_POLICIES)
    problems.one_of(f"{path}.terminationMessagePolicy", container.terminationMessagePolicy, MESSAGE_POLICIES)
    _check_ports(problems, path, container)
    _check_environment(problems, path, container)
    _check_mounts(problems, path, container, volumes)
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if probe := getattr(container, name):
            _check_probe(problems, f"{path}.{name}", probe)
            if name != "readinessProbe" and probe.successThreshold != 1:
                problems.invalid(f"{path}.{name}.successThreshold", probe.successThreshold, "must be 1")
    check_user(problems, f"{path}.securityContext", container.securityContext)
    if container.lifecycle and container.lifecycle.preStop:
        _check_handler(problems, f"{path}.lifecycle.preStop", container.lifecycle.preStop)
    _check_resources(problems, path, container)


def _check_handler(problems: Problems, path: str, handler: LifecycleHandler) -> None:
    given = [name for name in ("exec", "httpGet", "sleep", "tcpSocket") if getattr(handler, name)]
    if not given:
        problems.required(path, "must specify a handler type")
    for extra in given[1:]:
        problems.forbidden(f"{path}.{extra}", "may not specify more than 1 handler type")
    if handler.httpGet:
        _check_get(problems, f"{path}.httpGet", handler.httpGet)
    if handler.exec and not handler.exec.command:
        problems.required(f"{path}.exec.command")


def _check_mounts(problems: Problems, path: str, container: Container, volumes: set[str]) -> None:
    places: set[str] = set()
    for at, mount in enumerate(container.volumeMounts):
        if mount.name not in volumes:
            problems.not_found(f"{path}.volumeMounts[{at}].name", mount.name)
        if not mount.mountPath:
            problems.required(f"{path}.volumeMounts[{at}].mountPath")
        elif mount.mountPath in places:
            problems.invalid(f"{path}.volumeMounts[{at}].mountPath", mount.mountPath, "must be unique")
        places.add(mount.mountPath)
        check_inside(problems, f"{path}.volumeMounts[{at}].subPath", mount.subPath)


def check_inside(problems: Problems, path: str, text: str) -> None:
    """A path that must not lead out of its volume."""
    if text.startswith("/"):
        problems.invalid(path, text, "must be a relative path")
    if ".." in text.split("/"):
        problems.invalid(path, text, "must not contain '..'")


def check_user(problems: Problems, path: str, context: SecurityContext | PodSecurityContext | None) -> None:
    for name in ("runAsUser", "runAsGroup"):
        value = getattr(context, name, None)
        if value is not None and not 0 <= value <= 2147483647:
            problems.invalid(f"{path}.{name}", value, "must be between 0 and 2147483647, inclusive")


def _check_ports(problems: Problems, path: str, container: Container) -> None:
    names: set[str] = set()
    taken: set[tuple[str, str, int]] = set()
    for at, port in enumerate(container.ports):
        here = f"{path}.ports[{at}]"
        problems.port(f"{here}.containerPort", port.containerPort)
        if port.hostPort:
            problems.port(f"{here}.hostPort", port.hostPort)
            mine = (port.protocol, port.hostIP, port.hostPort)
            if mine in taken:
                problems.duplicate(f"{here}.hostPort", port.hostPort)
            taken.add(mine)
        if port.hostIP:
            problems.address(f"{here}.hostIP", port.hostIP)
        problems.one_of(f"{here}.protocol", port.protocol, PROTOCOLS)
        if port.name:
            problems.port_name(f"{here}.name", port.name)
            if port.name in names:
                problems.duplicate(f"{here}.name", port.name)
            names.add(port.name)


def _check_environment(problems: Problems, path: str, container: Container) -> None:
    for at, variable in enumerate(container.env):
        _check_variable(problems, f"{path}.env[{at}]", variable)
    for at, source in enumerate(container.envFrom):
        _check_all_from(problems, f"{path}.envFrom[{at}]", source)


def _check_all_from(problems: Problems, path: str, source: EnvFromSource) -> None:
    given = [name for name in ("configMapRef", "secretRef") if getattr(source, name)]
    if len(given) != 1:
        problems.invalid(path, "", "must specify exactly one of: `configMapRef` or `secretRef`")
    for name in given:
        if not getattr(source, name).name:
            problems.required(f"{path}.{name}.name")
    if source.prefix and not ENV_NAME.fullmatch(source.prefix):
        problems.invalid(f"{path}.prefix", source.prefix, _BAD_NAME)


def _check_variable(problems: Problems, path: str, variable: EnvVar) -> None:
    if not variable.name:
        problems.required(f"{path}.name")
    elif not ENV_NAME.fullmatch(variable.name):
        problems.invalid(f"{path}.name", variable.name, _BAD_NAME)
    if variable.valueFrom is not None:
        _check_source(problems, path, variable, variable.valueFrom)


def check_amount(problems: Problems, path: str, wanted: ResourceFieldSelector) -> None:
    """A limit or request that is shown to a container, in which unit."""
    if wanted.resource not in AMOUNTS:
        problems.unsupported(f"{path}.resource", wanted.resource, AMOUNTS)
    try:
        quantity.parse(wanted.divisor or 0)
    except ValueError as error:
        problems.invalid(f"{path}.divisor", wanted.divisor, str(error))


def _check_source(problems: Problems, path: str, variable: EnvVar, source: EnvVarSource) -> None:
    given = [name for name in SOURCES_OF_ENV if getattr(source, name)]
    if len(given) != 1:
        known = ", ".join(f"`{name}`" for name in SOURCES_OF_ENV)
        problems.invalid(f"{path}.valueFrom", "", f"must specify exactly one of: {known}")
    if source.resourceFieldRef:
        check_amount(problems, f"{path}.valueFrom.resourceFieldRef", source.resourceFieldRef)
    if variable.value:
        problems.invalid(f"{path}.valueFrom", "", "may not be specified when `value` is not empty")
    for name in ("configMapKeyRef", "secretKeyRef"):
        if (wanted := getattr(source, name)) and not wanted.name:
            problems.required(f"{path}.valueFrom.{name}.name")
    field = source.fieldRef.fieldPath if source.fieldRef else ""
    if source.fieldRef and field not in FIELD_PATHS and not _KEYED_PATH.fullmatch(field):
        problems.unsupported(f"{path}.valueFrom.fieldRef.fieldPath", field, FIELD_PATHS)


def _check_probe(problems: Problems, path: str, probe: Probe) -> None:
    given = [name for name in ("httpGet", "tcpSocket", "exec", "grpc") if getattr(probe, name)]
    if not given:
        problems.required(path, "must specify a handler type")
    for extra in given[1:]:
        problems.forbidden(f"{path}.{extra}", "may not specify more than 1 handler type")
    if probe.httpGet:
        _check_get(problems, f"{path}.httpGet", probe.httpGet)
    if probe.exec and not probe.exec.command:
        problems.required(f"{path}.exec.command")
    if probe.tcpSocket:
        problems.port_or_name(f"{path}.tcpSocket.port", probe.tcpSocket.port)
    if probe.grpc:
        problems.port_or_name(f"{path}.grpc.port", probe.grpc.port)
    for name in ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"):
        problems.not_negative(f"{path}.{name}", getattr(probe, name))


def _check_get(problems: Problems, path: str, get: HTTPGetAction) -> None:
    problems.port_or_name(f"{path}.port", get.port)
    if get.scheme:
        problems.one_of(f"{path}.scheme", get.scheme, SCHEMES)


def _check_resources(problems: Problems, path: str, container: Container) -> None:
    numbers = {}
    for kind in ("requests", "limits"):
        for name, value in getattr(container.resources, kind).items():
            here = f"{path}.resources.{kind}[{name}]"
            if "/" not in name and name not in STANDARD_RESOURCES and not name.startswith("hugepages-"):
                problems.invalid(here, name, "must be a standard resource for containers")
            try:
                numbers[kind, name] = quantity.parse(value)
            except ValueError:
                problems.invalid(here, str(value), "quantities must match the regular expression "
                                 "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")  # fmt: skip
                continue
            if numbers[kind, name] < 0:
                problems.invalid(here, str(value), "must be greater than or equal to 0")
    for (kind, name), number in numbers.items():
        limit = numbers.get(("limits", name))
        if kind == "requests" and limit is not None and number > limit:
            shown = str(container.resources.requests[name])
            text = f"must be less than or equal to {name} limit of {container.resources.limits[name]}"
            problems.invalid(f"{path}.resources.requests", shown, text)
