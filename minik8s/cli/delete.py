"""`delete`: by name, by label, all of a kind, or what a file says; and waiting until it is gone.

What must hold: the wait is over when the object with *this* uid is gone, even if another of the same name is there
again (a ReplicaSet's Pods never have the same name, but a person's may); it watches and never polls.

Read next: apply.py, whose reading of files is used here.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import click

from minik8s.api.meta import DeleteOptions, Object
from minik8s.cli import apply, checking, objects
from minik8s.cli.manifests import Problem
from minik8s.cli.objects import Value
from minik8s.cli.session import Failed, Session, told, verb
from minik8s.client.rest import ApiError, Gone, NotFound, Why

POLICIES = {"background": "Background", "foreground": "Foreground", "orphan": "Orphan"}
WATCH_S = 600.0
FORCED = (
    "Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. "
    "The resource may continue to run on the cluster indefinitely."
)


@dataclass(frozen=True)
class Doomed:
    """An object to delete: its kind, its place and its name."""

    cls: type[Object]
    namespace: str
    name: str


@verb("delete", everywhere=True)
@click.argument("words", nargs=-1, metavar="[FILE] | KIND NAME… | KIND/NAME…")
@click.option("-f", "--filename", "files", multiple=True, metavar="FILE", help="Delete the objects of this file.")
@click.option("--all", "everything", is_flag=True, help="All objects of the kind in the namespace.")
@click.option("-l", "--selector", "labels", default="", help="Only objects with these labels.")
@click.option("--grace-period", type=click.IntRange(min=-1), default=-1, help="Seconds a Pod has to end; -1: its own.")
@click.option("--now", is_flag=True, help="Like --grace-period=1.")
@click.option("--force", is_flag=True, help="With --grace-period=0: do not wait for the node to confirm.")
@click.option("--cascade", type=click.Choice(list(POLICIES)), default="background", help="What becomes of dependents.")
@click.option("--wait/--no-wait", default=True, help="Wait until the objects are gone.")
@click.option("--ignore-not-found", is_flag=True, help="An object that is not there is no error.")
def delete(session: Session, words: tuple[str, ...], files: tuple[str, ...], **options: Any) -> None:
    """Delete objects."""
    if options["force"] and options["grace_period"] < 0:
        options["grace_period"] = 0
    if options["force"] and options["grace_period"] == 0:
        click.echo(FORCED, err=True)
    failures = 0
    waiting: list[tuple[Doomed, str]] = []
    for each in _doomed(session, words, files, options):
        try:
            uid = _delete(session, each, options)
            waiting.append((each, uid))  # type: ignore[arg-type]
        except (Problem, ApiError) as error:
            if isinstance(error, NotFound) and options["ignore_not_found"]:
                continue
            failures += 1
            click.echo(f"error: {error}" if isinstance(error, Problem) else told(error), err=True)
    for doomed, uid in waiting if options["wait"] else ():
        wait_gone(session, doomed, uid)
    if not waiting and not failures:
        click.echo("No resources found", err=True)
    sys.exit(1 if failures else 0)


def _doomed(
    session: Session, words: tuple[str, ...], files: tuple[str, ...], options: dict[str, Any]
) -> Iterator[Doomed | Problem]:
    if files or (len(words) == 1 and "." in words[0] and not options["everything"] and not options["labels"]):
        yield from _of_files(session, [*files, *words])
        return
    targets = objects.parse(words)
    objects.check_selection(targets, options["everything"] or options["labels"])
    for target in targets:
        if target.names:
            for name in target.names:
                yield Doomed(target.cls, objects.namespace_of(session, target.cls), name)
        elif options["everything"] or options["labels"]:
            query = f"?{urlencode({'labelSelector': options['labels']})}" if options["labels"] else ""
            for item in objects.items(session, target.cls, query)["items"]:
                yield Doomed(target.cls, item["metadata"].get("namespace", ""), item["metadata"]["name"])
        else:
            raise Failed("error: resource(s) were provided, but no name was specified")


def _of_files(session: Session, names: list[str]) -> Iterator[Doomed | Problem]:
    """The objects of files. A manifest need not be right to be deleted: kind and name will do."""
    for found in apply.read(names):
        if isinstance(found, Problem):
            yield found
            continue
        try:
            cls = checking.kind_of(found)
            namespace = (found.namespace or session.namespace) if cls.resource.namespaced else ""
            yield Doomed(cls, namespace, found.name)
        except Problem as problem:
            yield problem


def _delete(session: Session, doomed: Doomed | Problem, options: dict[str, Any]) -> str:
    """Ask for it, say so, and return the uid of what is going."""
    if isinstance(doomed, Problem):
        raise doomed
    grace = 1 if options["now"] else options["grace_period"]
    answer = session.client.delete(
        doomed.cls,
        doomed.name,
        doomed.namespace,
        options=DeleteOptions(
            propagationPolicy=POLICIES[options["cascade"]], gracePeriodSeconds=grace if grace >= 0 else None
        ),
        why=Why(session.command),
    )
    kind = doomed.cls.resource.singular + (f".{doomed.cls.resource.group}" if doomed.cls.resource.group else "")
    place = f" from {doomed.namespace} namespace" if doomed.namespace and not session.namespace else ""
    forced = "force " if options["force"] and grace == 0 else ""
    click.echo(f'{kind} "{doomed.name}" {forced}deleted{place}')
    return _uid(answer)


def _uid(answer: Value) -> str:
    if answer.get("kind") == "Status":
        return (answer.get("details") or {}).get("uid", "")
    return answer.get("metadata", {}).get("uid", "")


def wait_gone(session: Session, doomed: Doomed, uid: str) -> None:
    """Until the object with this uid is there no more."""
    while True:
        try:
            live = session.client.get(doomed.cls, doomed.name, doomed.namespace)
        except NotFound:
            return
        if uid and live.metadata.uid != uid:
            return
        if _seen_going(session, doomed, live.metadata.resourceVersion):
            return


def _seen_going(session: Session, doomed: Doomed, revision: str) -> bool:
    """Watch it go; False if the watch ended before."""
    events = session.client.watch(
        doomed.cls, doomed.namespace, resourceVersion=revision, fields=f"metadata.name={doomed.name}"
    )
    try:
        return any(event.type == "DELETED" for event in events)
    except Gone:
        return False
