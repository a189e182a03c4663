"""Small changes of objects: `scale`, `label`, `annotate`, `expose`, `rollout`.

Each is one JSON merge patch (or one new Service), with what was typed as its reason. Read next: apply.py, for
changes of every other kind.
"""

import sys
from typing import Any

import click

from minik8s.api import times
from minik8s.api.core import Service, ServicePort, ServiceSpec
from minik8s.api.meta import Object, ObjectMeta
from minik8s.cli import objects
from minik8s.cli.rollouts import ROLLED, progress
from minik8s.cli.session import Failed, Session, verb
from minik8s.client.rest import MERGE_PATCH, Gone, Why
from minik8s.host import clock

RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"


def patch(
    session: Session, cls: type[Object], name: str, change: dict[str, Any], subresource: str = ""
) -> objects.Value:
    """Send a merge patch; what was typed is its reason."""
    path = objects.path(session, cls, name, subresource)
    headers = {"Content-Type": MERGE_PATCH, **Why(session.command).headers()}
    return objects.load(session.client.request("PATCH", path, change, headers=headers).data)


@verb("scale")
@click.argument("words", nargs=-1, required=True, metavar="KIND/NAME… | KIND NAME")
@click.option("--replicas", type=click.IntRange(min=0), required=True, help="How many there shall be.")
@click.option("--current-replicas", type=int, default=-1, help="Only if there are so many now.")
def scale(session: Session, words: tuple[str, ...], replicas: int, current_replicas: int) -> None:
    """Change the number of replicas of a Deployment, ReplicaSet or StatefulSet."""
    for target in objects.parse(words):
        if "scale" not in target.cls.resource.subresources:
            known = "deployments, replicasets and statefulsets"
            raise Failed(f"error: {target.cls.resource.qualified} cannot be scaled: only {known}")
        for name in target.names:
            now = objects.get(session, target.cls, name).get("spec", {}).get("replicas", 1)
            if current_replicas >= 0 and now != current_replicas:
                raise Failed(f"error: Expected replicas to be {current_replicas}, was {now}")
            patch(session, target.cls, name, {"spec": {"replicas": replicas}}, "scale")
            click.echo(f"{objects.title(target.cls, name)} scaled")


@verb("label")
@click.argument("words", nargs=-1, required=True, metavar="KIND NAME… KEY=VALUE… KEY-…")
@click.option("--overwrite", is_flag=True, help="Change a label that is there.")
def label(session: Session, words: tuple[str, ...], overwrite: bool) -> None:
    """Set labels (KEY=VALUE), or remove them (KEY-)."""
    _mark(session, words, overwrite, "label")


@verb("annotate")
@click.argument("words", nargs=-1, required=True, metavar="KIND NAME… KEY=VALUE… KEY-…")
@click.option("--overwrite", is_flag=True, help="Change an annotation that is there.")
def annotate(session: Session, words: tuple[str, ...], overwrite: bool) -> None:
    """Set annotations (KEY=VALUE), or remove them (KEY-)."""
    _mark(session, words, overwrite, "annotation")


def _mark(session: Session, words: tuple[str, ...], overwrite: bool, what: str) -> None:
    pairs = [word for word in words if "=" in word or (word.endswith("-") and word != words[0])]
    change: dict[str, str | None] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        change[key if equals else key[:-1]] = value if equals else None
    if not change:
        raise Failed(f"error: at least one {what} update is required")
    for target in objects.parse([word for word in words if word not in pairs]):
        for name in target.names:
            _mark_one(session, (target.cls, name), change, (what, overwrite))


def _mark_one(
    session: Session, which: tuple[type[Object], str], change: dict[str, str | None], how: tuple[str, bool]
) -> None:
    (cls, name), (what, overwrite) = which, how
    now = objects.get(session, cls, name)["metadata"].get(f"{what}s", {})
    for key, value in change.items():
        if value is not None and not overwrite and now.get(key, value) != value:
            raise Failed(f"error: '{key}' already has a value ({now[key]}), and --overwrite is false")
    new = {key: value for key, value in change.items() if now.get(key) != value}
    if new:
        patch(session, cls, name, {"metadata": {f"{what}s": new}})
    done = {"label": "labeled", "annotation": "annotated"}[what]
    if new and all(value is None for value in new.values()) and what == "label":
        done = "unlabeled"
    click.echo(f"{objects.title(cls, name)} {done if new else f'not {done}'}")


@verb("expose")
@click.argument("words", nargs=-1, required=True, metavar="KIND/NAME")
@click.option("--port", type=int, required=True, help="The Service's port.")
@click.option("--target-port", default="", help="The Pods' port, by number or name; else the same.")
@click.option("--name", "service_name", default="", help="The Service's name; else the object's.")
@click.option("--type", "kind", default="ClusterIP", type=click.Choice(["ClusterIP", "NodePort", "LoadBalancer"]))
def expose(session: Session, words: tuple[str, ...], port: int, target_port: str, **options: str) -> None:
    """Make a Service for the Pods of a Deployment, ReplicaSet, Pod or Service."""
    cls, name = objects.one(words)
    value = objects.get(session, cls, name)
    selector = value.get("spec", {}).get("selector") or value["metadata"].get("labels", {})
    selector = selector.get("matchLabels", selector)
    if not selector:
        raise Failed(
            f"error: couldn't retrieve selectors from {objects.title(cls, name)}: it has no labels to select by"
        )
    target: int | str = int(target_port) if target_port.isdigit() else target_port or port
    service = Service(
        metadata=ObjectMeta(name=options["service_name"] or name, namespace=session.namespace),
        spec=ServiceSpec(selector=selector, type=options["kind"], ports=[ServicePort(port=port, targetPort=target)]),
    )
    session.client.create(service, why=Why(session.command))
    click.echo(f"service/{service.metadata.name} exposed")


@verb("rollout")
@click.argument("action", type=click.Choice(["status", "restart"]))
@click.argument("words", nargs=-1, required=True, metavar="KIND/NAME")
@click.option("--watch/--no-watch", default=True, help="Wait until it is done.")
def rollout(session: Session, action: str, words: tuple[str, ...], watch: bool) -> None:
    """The way of a Deployment, StatefulSet or DaemonSet from one template to the next: how far it is, or once more."""
    cls, name = objects.one(words)
    if cls not in ROLLED:
        known = ", ".join(each.resource.plural for each in ROLLED)
        raise Failed(f"error: no rollout for {cls.resource.qualified}: only {known} roll out")
    if action == "restart":
        at = {"metadata": {"annotations": {RESTARTED_AT: times.rfc3339(clock.wall())}}}
        patch(session, cls, name, {"spec": {"template": at}})
        click.echo(f"{objects.title(cls, name)} restarted")
        return
    _status(session, cls, name, watch)


def _status(session: Session, cls: type[Object], name: str, watch: bool) -> None:
    """Tell each step, until there is none left."""
    told = ""
    while True:
        found = session.client.get(cls, name, session.namespace)
        revision = found.metadata.resourceVersion
        events = session.client.watch(cls, session.namespace, resourceVersion=revision, fields=f"metadata.name={name}")
        for now in _states(found, events):
            text, done = progress(now)
            if text != told:
                click.echo(text)
                sys.stdout.flush()
                told = text
            if done or not watch:
                sys.exit(1 if text.startswith("error") else 0)


def _states(first: Object, events: Any) -> Any:
    yield first
    try:
        for event in events:
            if event.type == "DELETED":
                raise Failed("error: object has been deleted")
            if event.type != "BOOKMARK":
                yield event.object
    except Gone:
        return  # too far behind: look again
