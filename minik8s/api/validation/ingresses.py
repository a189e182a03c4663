"""What an Ingress and an IngressClass must keep to. Source: Kubernetes' ValidateIngress and ValidateIngressClass."""

import re

from minik8s.api.networking import (
    OLD_CLASS,
    HTTPIngressPath,
    Ingress,
    IngressBackend,
    IngressClass,
    IngressServiceBackend,
    IngressTLS,
)
from minik8s.api.validation.fields import LABEL_1035, LABEL_1035_MESSAGE, SUBDOMAIN, Problems, family

PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")
# A path is compared element by element, so what other programs would read as another path is refused.
INVALID_SEQUENCES = ("//", "/./", "/../", "%2f", "%2F")
INVALID_SUFFIXES = ("/..", "/.")
MAX_CONTROLLER = 250
WILDCARD_MESSAGE = (
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of "
    "lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', "
    r"regex used for validation is '\*\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
HTTP_PATH = re.compile(r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+")


def check(problems: Problems, ingress: Ingress) -> None:
    spec = ingress.spec
    if spec.ingressClassName is not None:
        problems.subdomain("spec.ingressClassName", spec.ingressClassName)
    if spec.defaultBackend is not None:
        _check_backend(problems, "spec.defaultBackend", spec.defaultBackend)
    elif not spec.rules:
        problems.invalid("spec", "", "either `defaultBackend` or `rules` must be specified")
    for at, tls in enumerate(spec.tls):
        _check_tls(problems, f"spec.tls[{at}]", tls)
    for at, rule in enumerate(spec.rules):
        if rule.host:
            _check_rule_host(problems, f"spec.rules[{at}].host", rule.host)
        if rule.http is not None:
            _check_paths(problems, f"spec.rules[{at}].http.paths", rule.http.paths)


def _check_tls(problems: Problems, field: str, tls: IngressTLS) -> None:
    for at, host in enumerate(tls.hosts):
        _check_host(problems, f"{field}.hosts[{at}]", host)
    if tls.secretName:
        problems.subdomain(f"{field}.secretName", tls.secretName)


def check_new(problems: Problems, ingress: Ingress) -> None:
    """What is asked of a new Ingress only: one of before may stay as it is."""
    if OLD_CLASS in ingress.metadata.annotations and ingress.spec.ingressClassName is not None:
        field = f"annotations.{OLD_CLASS}"
        problems.invalid(
            field, ingress.metadata.annotations[OLD_CLASS], "can not be set when the class field is also set"
        )


def _check_rule_host(problems: Problems, field: str, host: str) -> None:
    if family(host):
        problems.invalid(field, host, "must be a DNS name, not an IP address")
    _check_host(problems, field, host)


def _check_host(problems: Problems, field: str, host: str) -> None:
    if "*" not in host:
        problems.subdomain(field, host)
    elif not host.startswith("*.") or not SUBDOMAIN.fullmatch(host[2:]) or len(host) > 253:
        problems.invalid(field, host, WILDCARD_MESSAGE)


def _check_paths(problems: Problems, field: str, paths: list[HTTPIngressPath]) -> None:
    if not paths:
        problems.required(field)
    for at, path in enumerate(paths):
        _check_path(problems, f"{field}[{at}]", path)
        _check_backend(problems, f"{field}[{at}].backend", path.backend)


def _check_path(problems: Problems, field: str, path: HTTPIngressPath) -> None:
    if path.pathType is None:
        problems.required(f"{field}.pathType", "pathType must be specified")
    elif not problems.one_of(f"{field}.pathType", path.pathType, PATH_TYPES):
        return
    elif not path.path.startswith("/") and (path.path or path.pathType != "ImplementationSpecific"):
        problems.invalid(f"{field}.path", path.path, "must be an absolute path")
    if path.pathType in ("Exact", "Prefix"):
        _check_elements(problems, field, path)


def _check_elements(problems: Problems, field: str, path: HTTPIngressPath) -> None:
    for sequence in INVALID_SEQUENCES:
        if sequence in path.path:
            problems.invalid(f"{field}.path", path.path, f"must not contain '{sequence}'")
    for suffix in INVALID_SUFFIXES:
        if path.path.endswith(suffix):
            problems.invalid(f"{field}.path", path.path, f"cannot end with '{suffix}'")


def _check_backend(problems: Problems, field: str, backend: IngressBackend) -> None:
    if backend.service is not None and backend.resource is not None:
        problems.invalid(field, "", "cannot set both resource and service backends")
    elif backend.resource is not None:
        for name in ("kind", "name"):
            if not getattr(backend.resource, name):
                problems.required(f"{field}.resource.{name}")
    elif backend.service is not None:
        _check_service(problems, field, backend.service)
    else:
        problems.invalid(field, "", "resource or service backend is required")


def _check_service(problems: Problems, field: str, service: IngressServiceBackend) -> None:
    if not service.name:
        problems.required(f"{field}.service.name")
    elif len(service.name) > 63:
        problems.invalid(f"{field}.service.name", service.name, "must be no more than 63 characters")
    elif not LABEL_1035.fullmatch(service.name):
        problems.invalid(f"{field}.service.name", service.name, LABEL_1035_MESSAGE)
    port = service.port
    if port.name and port.number:
        problems.invalid(field, "", "cannot set both port name & port number")
    elif port.name:
        problems.port_name(f"{field}.service.port.name", port.name)
    elif port.number:
        problems.port(f"{field}.service.port.number", port.number)
    else:
        problems.required(field, "port name or number is required")


def check_class(problems: Problems, each: IngressClass) -> None:
    controller = each.spec.controller
    prefix, slash, path = controller.partition("/")
    if not controller:
        problems.required("spec.controller")
    elif len(controller) > MAX_CONTROLLER:
        problems.too_long("spec.controller", MAX_CONTROLLER)
    elif not slash or not path:
        problems.invalid("spec.controller", controller, 'must be a domain-prefixed path (such as "acme.io/foo")')
    else:
        problems.subdomain("spec.controller", prefix)
        if not HTTP_PATH.fullmatch(path):
            problems.invalid("spec.controller", controller, "Invalid path")
    if each.spec.parameters is not None:
        for name in ("kind", "name"):
            if not getattr(each.spec.parameters, name):
                problems.required(f"spec.parameters.{name}", f"{name} is required")


def check_class_update(problems: Problems, new: IngressClass, old: IngressClass) -> None:
    problems.immutable("spec.controller", new.spec.controller, old.spec.controller)
