"""What `describe` shows of an Ingress: each path with the endpoints behind it. Pure; kubectl's headings and order."""

from collections.abc import Callable

from minik8s.api.display import ingress_addresses
from minik8s.api.networking import OLD_CLASS, Ingress, IngressBackend
from minik8s.cli import parts
from minik8s.cli.report import NONE, Report

Behind = Callable[[str, str | int], str]  # a Service's name and its port → its ready endpoints, or what is wrong


def ingress(report: Report, obj: Ingress, behind: Behind) -> None:
    spec = obj.spec
    report.field("Name", obj.metadata.name)
    report.pairs("Labels", obj.metadata.labels)
    report.field("Namespace", obj.metadata.namespace)
    report.field("Address", ingress_addresses(obj))
    report.field("Ingress Class", spec.ingressClassName or obj.metadata.annotations.get(OLD_CLASS) or NONE)
    report.field("Default backend", _backend(spec.defaultBackend, behind) if spec.defaultBackend else "<default>")
    if spec.tls:
        report.head("TLS")
    for tls in spec.tls:
        what = f"{tls.secretName} terminates" if tls.secretName else "SNI routes"
        report.text(f"{what} {','.join(tls.hosts)}", 1)
    report.head("Rules")
    report.table(("Host", "Path", "Backends"), _rules(obj, behind))
    shown = {key: value for key, value in obj.metadata.annotations.items() if key != parts.LAST_APPLIED}
    report.pairs("Annotations", shown, ": ")


def _rules(obj: Ingress, behind: Behind) -> list[list[str]]:
    rows = []
    for rule in obj.spec.rules:
        rows.append([rule.host or "*", "", ""])
        rows += [["", path.path, _backend(path.backend, behind)] for path in (rule.http.paths if rule.http else ())]
    if not rows and obj.spec.defaultBackend:
        rows.append(["*", "*", _backend(obj.spec.defaultBackend, behind)])
    return rows


def _backend(backend: IngressBackend, behind: Behind) -> str:
    if backend.service is None:
        named = backend.resource
        return f"{named.kind}/{named.name}" if named else NONE
    port = backend.service.port.name or backend.service.port.number
    return f"{backend.service.name}:{port} ({behind(backend.service.name, port)})"
