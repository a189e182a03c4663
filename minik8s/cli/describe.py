"""`describe`: one object with all that belongs to it, and what happened to it lately, in kubectl's layout.

Here is what is read for each kind; what it looks like is in described.py and describedpod.py, which are pure. Any
kind without a layout of its own is shown as YAML. Read next: described.py.
"""

import sys
from collections.abc import Callable
from typing import Any

import click

from minik8s.api.apps import Deployment, ReplicaSet
from minik8s.api.coordination import Lease
from minik8s.api.core import Event, Node, Pod, Service
from minik8s.api.discovery import SERVICE_NAME, EndpointSlice
from minik8s.api.display import first_few
from minik8s.api.meta import Object, controller_of
from minik8s.api.networking import Ingress
from minik8s.api.selectors import format_labels
from minik8s.cli import described, describedingress, describedpod, hints, objects, output
from minik8s.cli.report import Report
from minik8s.cli.session import Session, told, verb
from minik8s.client.rest import ApiError, NotFound
from minik8s.host import clock


@verb("describe", everywhere=True)
@click.argument("words", nargs=-1, required=True, metavar="KIND [NAME…] | KIND/NAME…")
@click.option("-l", "--selector", "labels", default="", help="Only objects with these labels.")
def describe(session: Session, words: tuple[str, ...], labels: str) -> None:
    """Show objects with all that belongs to them."""
    failed, shown = False, 0
    targets = objects.parse(words)
    objects.check_selection(targets, labels)
    for target in targets:
        names: list[tuple[str, str]] = [(session.namespace, name) for name in target.names]
        if not names:
            found = session.client.list(target.cls, objects.namespace_of(session, target.cls), labels=labels).items
            names = [(obj.metadata.namespace, obj.metadata.name) for obj in found]
        for namespace, name in names:
            try:
                text = one(session, target.cls, (namespace if target.cls.resource.namespaced else "", name))
            except ApiError as error:
                failed = True
                click.echo(told(error), err=True)
                continue
            click.echo(("\n\n" if shown else "") + text)
            shown += 1
            if target.cls is Service:
                hints.for_service(session, session.client.get(Service, name, namespace))
    if not shown and not failed:
        click.echo(f"No resources found{session.place}.", err=True)
    sys.exit(1 if failed else 0)


def one(session: Session, cls: type[Object], where: tuple[str, str]) -> str:
    """The description of one object."""
    namespace, name = where
    obj: Any = session.client.get(cls, name, namespace)
    draw = _DRAW.get(cls)
    if draw is None:
        return output.to_yaml(output.bare(objects.get(Session(session.client, namespace), cls, name)))
    report = Report()
    draw(session, obj, report)
    described.events(report, events(session, obj), clock.wall())
    return "\n".join(report.lines())


def events(session: Session, obj: Object) -> list[Event]:
    """What was told about this very object, not about an earlier one of its name.

    A node's uid in Events is its name.
    """
    about = [f"involvedObject.name={obj.metadata.name}", f"involvedObject.kind={obj.resource.kind}"]
    found = session.client.list(Event, obj.metadata.namespace, fields=",".join(about)).items
    own = ("", obj.metadata.uid, obj.metadata.name)
    return sorted(
        (event for event in found if event.involvedObject.uid in own),
        key=in_order,
    )


def in_order(event: Event) -> tuple[str, int]:
    """By time, which has seconds only; within one second as they were written."""
    revision = event.metadata.resourceVersion
    return event.lastTimestamp or event.metadata.creationTimestamp or "", int(revision) if revision.isdigit() else 0


def _pod(session: Session, pod: Pod, report: Report) -> None:
    describedpod.pod(report, pod)


def _service(session: Session, service: Service, report: Report) -> None:
    labels = f"{SERVICE_NAME}={service.metadata.name}"
    slices = session.client.list(EndpointSlice, service.metadata.namespace, labels=labels).items
    described.service(report, service, slices)


def _deployment(session: Session, deployment: Deployment, report: Report) -> None:
    selector = format_labels(deployment.spec.selector)
    found = session.client.list(ReplicaSet, deployment.metadata.namespace, labels=selector).items
    own = [each for each in found if (owner := controller_of(each)) and owner.uid == deployment.metadata.uid]
    described.deployment(report, deployment, own)


def _node(session: Session, node: Node, report: Report) -> None:
    pods = session.client.list(Pod, "", fields=f"spec.nodeName={node.metadata.name}").items
    try:
        lease: Lease | None = session.client.get(Lease, node.metadata.name, "kube-node-lease")
    except NotFound:
        lease = None
    running = [pod for pod in pods if pod.status.phase not in ("Succeeded", "Failed")]
    described.node(report, node, running, lease, clock.wall())


def _ingress(session: Session, ingress: Ingress, report: Report) -> None:
    namespace = ingress.metadata.namespace

    def behind(name: str, port: str | int) -> str:
        try:
            service = session.client.get(Service, name, namespace)
        except NotFound:
            return f'<error: services "{name}" not found>'
        known = next((each for each in service.spec.ports if port in (each.name, each.port)), None)
        if known is None:
            return f"<error: the Service has no port {port}>"
        slices = session.client.list(EndpointSlice, namespace, labels=f"{SERVICE_NAME}={name}").items
        return first_few(described.ready(slices, known.name))

    describedingress.ingress(report, ingress, behind)


_DRAW: dict[type[Object], Callable[[Session, Any, Report], None]] = {
    Pod: _pod,
    Service: _service,
    Deployment: _deployment,
    Node: _node,
    Ingress: _ingress,
}
