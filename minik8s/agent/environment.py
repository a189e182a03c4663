"""The environment variables of a container: Services as upstream announces them, then `envFrom`, then `env`. Pure.

A Service that is made after a container does not appear in it: variables are read once, at start. That is why names
(DNS) are the better way, and why the order of creation matters without them. Source: upstream's pkg/kubelet/envvars
and makeEnvironmentVariables. Read next: recipe.py.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import ceil

from minik8s.api import quantity
from minik8s.api.core import ConfigMap, Secret, Service
from minik8s.api.pods import Container, EnvFromSource, EnvVar, KeySelector, Pod, ResourceFieldSelector

_REFERENCE = re.compile(r"\$(\$|\(([^()$]*)\))")


class ConfigError(Exception):
    """What a container asks for is not there. It waits with reason CreateContainerConfigError."""


@dataclass(frozen=True, kw_only=True)
class Sources:
    """What environment variables and files may be made from, fetched before."""

    services: tuple[Service, ...] = ()  # all that this node knows of
    configmaps: Mapping[str, ConfigMap] = field(default_factory=dict)  # of the Pod's namespace, by name
    secrets: Mapping[str, Secret] = field(default_factory=dict)
    pod_ips: tuple[str, ...] = ()  # of each family one
    host_ips: tuple[str, ...] = ()


def environment(pod: Pod, container: Container, sources: Sources) -> dict[str, str]:
    """All variables, in the order in which later ones win. Raises ConfigError."""
    services = service_variables(pod, sources.services)
    result = dict(services)
    for source in container.envFrom:
        result.update(_from_all(source, sources))
    known: dict[str, str] = {}
    for variable in container.env:
        if (wanted := variable.valueFrom) and wanted.resourceFieldRef:
            value: str | None = resource_value(pod, wanted.resourceFieldRef, container)
        else:
            value = _value(pod, variable, sources, {**services, **known})
        if value is not None:
            known[variable.name] = result[variable.name] = value
    return result


def expand(text: str, known: Mapping[str, str]) -> str:
    """`$(NAME)` becomes the variable's value, `$$` a dollar sign; an unknown name stays as it is written."""

    def put(match: re.Match[str]) -> str:
        if match[1] == "$":
            return "$"
        return known.get(match[2], match[0])

    return _REFERENCE.sub(put, text)


# --- Services ---------------------------------------------------------------------------------------------------------


def service_variables(pod: Pod, services: Iterable[Service]) -> dict[str, str]:
    """WEB_SERVICE_HOST and its relatives for the Services of the Pod's namespace; KUBERNETES_* always."""
    links = pod.spec.enableServiceLinks is not False
    chosen: dict[str, Service] = {}
    for service in sorted(services, key=lambda s: (s.metadata.namespace, s.metadata.name)):
        name, namespace = service.metadata.name, service.metadata.namespace
        if service.spec.clusterIP in ("", "None") or not service.spec.ports:
            continue
        if namespace == "default" and name == "kubernetes":
            chosen.setdefault(name, service)
        elif links and namespace == pod.metadata.namespace:
            chosen[name] = service
    result: dict[str, str] = {}
    for name in sorted(chosen):
        result.update(_service(chosen[name]))
    return result


def _service(service: Service) -> dict[str, str]:
    host, ports = service.spec.clusterIP, service.spec.ports
    name = _upper(service.metadata.name)
    result = {f"{name}_SERVICE_HOST": host, f"{name}_SERVICE_PORT": str(ports[0].port)}
    for port in ports:
        if port.name:
            result[f"{name}_SERVICE_PORT_{_upper(port.name)}"] = str(port.port)
    joined = f"[{host}]" if ":" in host else host
    result[f"{name}_PORT"] = f"{ports[0].protocol.lower()}://{joined}:{ports[0].port}"
    for port in ports:  # the form of Docker's old links
        prefix = f"{name}_PORT_{port.port}_{port.protocol}"
        result[prefix] = f"{port.protocol.lower()}://{joined}:{port.port}"
        result[f"{prefix}_PROTO"] = port.protocol.lower()
        result[f"{prefix}_PORT"] = str(port.port)
        result[f"{prefix}_ADDR"] = host
    return result


def _upper(name: str) -> str:
    return name.upper().replace("-", "_")


# --- ConfigMaps, Secrets, fields of the Pod ---------------------------------------------------------------------------


def referenced(pod: Pod) -> tuple[set[str], set[str]]:
    """Names of the ConfigMaps and of the Secrets that a Pod's containers and volumes mention."""
    configmaps: set[str] = set()
    secrets: set[str] = set()
    for container in [*pod.spec.initContainers, *pod.spec.containers, *pod.spec.ephemeralContainers]:
        origins = [v.valueFrom for v in container.env if v.valueFrom]
        configmaps |= {o.configMapKeyRef.name for o in origins if o.configMapKeyRef}
        secrets |= {o.secretKeyRef.name for o in origins if o.secretKeyRef}
        configmaps |= {e.configMapRef.name for e in container.envFrom if e.configMapRef}
        secrets |= {e.secretRef.name for e in container.envFrom if e.secretRef}
    configmaps |= {v.configMap.name for v in pod.spec.volumes if v.configMap}
    secrets |= {v.secret.secretName for v in pod.spec.volumes if v.secret}
    return configmaps, secrets


def decoded(secret: Secret) -> dict[str, bytes]:
    """A Secret's data without its base64."""
    try:
        return {key: base64.b64decode(value, validate=True) for key, value in secret.data.items()}
    except binascii.Error:
        raise ConfigError(f"secret {secret.metadata.name!r} holds data that is not base64") from None


def _from_all(source: EnvFromSource, sources: Sources) -> dict[str, str]:
    data: dict[str, str] = {}
    if source.configMapRef:
        found = sources.configmaps.get(source.configMapRef.name)
        if found is None and not source.configMapRef.optional:
            raise ConfigError(f'configmap "{source.configMapRef.name}" not found')
        data.update(found.data if found else {})
    if source.secretRef:
        secret = sources.secrets.get(source.secretRef.name)
        if secret is None and not source.secretRef.optional:
            raise ConfigError(f'secret "{source.secretRef.name}" not found')
        data.update(_text(decoded(secret)) if secret else {})
    return {f"{source.prefix}{key}": value for key, value in sorted(data.items())}


def _text(data: Mapping[str, bytes]) -> dict[str, str]:
    return {key: value.decode("utf-8", "surrogateescape") for key, value in data.items()}


def _value(pod: Pod, variable: EnvVar, sources: Sources, known: Mapping[str, str]) -> str | None:
    """A variable's value; None if it is optional and not there."""
    origin = variable.valueFrom
    if origin is None:
        return expand(variable.value, known)
    if origin.fieldRef:
        return field_value(pod, origin.fieldRef.fieldPath, sources)
    if origin.configMapKeyRef:
        configmap = sources.configmaps.get(origin.configMapKeyRef.name)
        return _key("configmap", origin.configMapKeyRef, configmap.data if configmap else None)
    if origin.secretKeyRef:
        secret = sources.secrets.get(origin.secretKeyRef.name)
        return _key("secret", origin.secretKeyRef, _text(decoded(secret)) if secret else None)
    raise ConfigError(f"environment variable {variable.name}: valueFrom names no source that minik8s has")


def _key(kind: str, wanted: KeySelector, data: Mapping[str, str] | None) -> str | None:
    if data is not None and wanted.key in data:
        return data[wanted.key]
    if wanted.optional:
        return None
    if data is None:
        raise ConfigError(f'{kind} "{wanted.name}" not found')
    raise ConfigError(f"couldn't find key {wanted.key} in {kind} {wanted.name}")


def resource_value(pod: Pod, wanted: ResourceFieldSelector, own: Container | None = None) -> str:
    """A limit or request in units of the divisor, rounded up; 0 where there is none. Raises ConfigError."""
    everywhere = {each.name: each for each in (*pod.spec.initContainers, *pod.spec.containers)}
    container = everywhere.get(wanted.containerName) if wanted.containerName else own
    if container is None:
        raise ConfigError(f'container "{wanted.containerName}" not found')
    kind, _, name = wanted.resource.partition(".")
    amounts = container.resources.limits if kind == "limits" else container.resources.requests
    unit = quantity.parse(wanted.divisor or 0) or 1  # a divisor of 0 is none
    return str(ceil(quantity.parse(amounts.get(name, 0)) / unit))


def field_value(pod: Pod, path: str, sources: Sources) -> str:
    """The downward API: a field of the Pod as text. Raises ConfigError for a path that is not offered."""
    meta, spec = pod.metadata, pod.spec
    simple = {
        "metadata.name": meta.name,
        "metadata.namespace": meta.namespace,
        "metadata.uid": meta.uid,
        "spec.nodeName": spec.nodeName,
        "spec.serviceAccountName": spec.serviceAccountName or "default",
        "status.podIP": "".join(sources.pod_ips[:1]),
        "status.podIPs": ",".join(sources.pod_ips),
        "status.hostIP": "".join(sources.host_ips[:1]),
        "status.hostIPs": ",".join(sources.host_ips),
    }
    if path in simple:
        return simple[path]
    found = re.fullmatch(r"metadata\.(labels|annotations)\['([^']+)'\]", path)
    if found is None:
        raise ConfigError(f"fieldRef: unsupported fieldPath: {path}")
    return (meta.labels if found[1] == "labels" else meta.annotations).get(found[2], "")
