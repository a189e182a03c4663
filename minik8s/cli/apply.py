"""`apply` and `create`: manifests to objects.

`apply` keeps what it applied in an annotation, under Kubernetes' own name, so that it can tell next time which
fields the manifest's author took out. It works out the difference here (threeway.py) and sends a JSON merge patch;
when nothing differs it sends nothing. What must hold: a bad object is not sent at all, or refused as a whole by the
server; the others of its file are applied.

Read next: manifests.py (reading), checking.py (errors with lines), threeway.py.
"""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import click

from minik8s.api import codec
from minik8s.api.core import Service
from minik8s.api.meta import Object
from minik8s.cli import checking, hints, manifests, objects, threeway
from minik8s.cli.manifests import Manifest, Problem
from minik8s.cli.objects import Value
from minik8s.cli.session import Failed, Session, told, verb
from minik8s.client.rest import MERGE_PATCH, ApiError, Why

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
Act = Callable[[Session, Manifest, type[Object]], str]  # does it, and returns the line to print


def _files(function: Callable[..., Any]) -> Callable[..., Any]:
    function = click.option("-f", "--filename", "named", multiple=True, metavar="FILE", help="The same.")(function)
    return click.argument("given", nargs=-1, metavar="FILE | DIRECTORY | -")(function)


@verb("apply")
@_files
@click.option(
    "--dry-run", type=click.Choice(["none", "server"]), default="none", help="server: ask, but store nothing."
)
def apply(session: Session, given: tuple[str, ...], named: tuple[str, ...], dry_run: str) -> None:
    """Make the cluster have the objects of these files."""
    query = {"fieldManager": "kubectl-client-side-apply", "fieldValidation": "Strict"}
    suffix = ""
    if dry_run == "server":
        query["dryRun"] = "All"
        suffix = " (server dry run)"

    def act(session: Session, manifest: Manifest, cls: type[Object]) -> str:
        return _apply(session, manifest, cls, f"?{urlencode(query)}") + suffix

    each_object(session, [*named, *given], "apply", act)


@verb("create")
@_files
def create(session: Session, given: tuple[str, ...], named: tuple[str, ...]) -> None:
    """Create the objects of these files."""
    each_object(session, [*named, *given], "create", _create)


def each_object(session: Session, names: list[str], doing: str, act: Act) -> None:
    """Do it to every object of these files. Errors are told, and do not keep the others from being done."""
    if not names:
        raise Failed("error: must specify one of -f FILE")
    count, failures = 0, 0
    services: list[Service] = []
    for found in checked(names):
        count += 1
        errors = _one(session, found, doing, act)
        for line in errors:
            click.echo(line, err=True)
        if errors:
            failures += 1
        elif isinstance(found, Manifest) and found.kind == "Service":
            services.append(codec.from_dict(Service, located(session, found, Service)))
    for service in services:
        hints.for_service(session, service)
    if not count:
        raise Failed(f"error: no objects passed to {doing}")
    sys.exit(1 if failures else 0)


def _one(session: Session, found: Manifest | Problem, doing: str, act: Act) -> list[str]:
    """Do it to one object; returns what is to be said when it cannot be done."""
    if isinstance(found, Problem):
        return [f"error: {found}"]
    try:
        click.echo(act(session, found, checking.kind_of(found)))
    except Problem as problem:
        return [f"error: {problem}"]
    except ApiError as error:
        if error.reason == "Invalid":
            return [f"error: {problem}" for problem in checking.refused(found, error.status, str(error))]
        doing = {"apply": "applying", "create": "creating"}.get(doing, doing)
        return [told(error, f'error when {doing} "{found.file}"')]
    return []


def checked(names: list[str]) -> Iterator[Manifest | Problem]:
    """All objects of these files that are worth sending, and what is wrong with the others."""
    seen: dict[tuple[str, str, str, str], Manifest] = {}
    for found in read(names):
        if isinstance(found, Problem):
            yield found
            continue
        problems = _problems(found)
        key = (found.apiVersion, found.kind, found.namespace, found.name)
        if not problems and found.name and key in seen:
            problems = [checking.duplicate(seen[key], found)]
        if problems:
            # All that is wrong with one object is told at once, and the object counts as one.
            for each in problems[:-1]:
                click.echo(f"error: {each}", err=True)
            yield problems[-1]
            continue
        seen[key] = found
        yield found


def _problems(manifest: Manifest) -> list[Problem]:
    try:
        return checking.check(manifest)
    except Problem as problem:
        return [problem]


def read(names: list[str]) -> Iterator[Manifest | Problem]:
    """The manifests of files, directories and standard input."""
    for name in names:
        try:
            for shown, where in manifests.files(name):
                text = where.read_bytes() if isinstance(where, Path) else sys.stdin.buffer.read(manifests.MAX_BYTES + 1)
                yield from manifests.read(shown, text)
        except Problem as problem:
            yield problem


def located(session: Session, manifest: Manifest, cls: type[Object]) -> Value:
    """The manifest's value, in the namespace it will live in."""
    value = {**manifest.value, "metadata": dict(manifest.value["metadata"])}
    if not cls.resource.namespaced:
        value["metadata"].pop("namespace", None)
        return value
    if session.given and manifest.namespace not in ("", session.given):
        raise manifest.problem(
            "metadata.namespace",
            f'the namespace from the provided object "{manifest.namespace}" does not match the namespace '
            f"\"{session.given}\". You must pass '--namespace={manifest.namespace}' to perform this operation.",
        )
    value["metadata"]["namespace"] = manifest.namespace or session.namespace
    return value


def _send(session: Session, request: tuple[str, str], value: Value, manifest: Manifest) -> Value:
    method, path = request
    why = Why(f"{session.command}: {manifest.file}:{manifest.line()}")
    kind = MERGE_PATCH if method == "PATCH" else "application/json"
    headers = {"Content-Type": kind, **why.headers()}
    return objects.load(session.client.request(method, path, value, headers=headers).data)


def _create(session: Session, manifest: Manifest, cls: type[Object]) -> str:
    value = located(session, manifest, cls)
    collection = cls.resource.path(value["metadata"].get("namespace", ""))
    made = _send(session, ("POST", f"{collection}?fieldManager=kubectl-create&fieldValidation=Strict"), value, manifest)
    return f"{objects.title(cls, made['metadata']['name'])} created"


def _apply(session: Session, manifest: Manifest, cls: type[Object], query: str) -> str:
    if not manifest.name:
        raise manifest.problem("metadata", "apply needs metadata.name: what has a generated name cannot be found again")
    value = located(session, manifest, cls)
    namespace = value["metadata"].get("namespace", "")
    here = Session(session.client, namespace)
    live = objects.find(here, cls, manifest.name)
    wanted = annotated(value)
    title = objects.title(cls, manifest.name)
    if live is None:
        _send(session, ("POST", cls.resource.path(namespace) + query), wanted, manifest)
        return f"{title} created"
    patch = difference(cls, wanted, live)
    if not patch:
        return f"{title} unchanged"
    _send(session, ("PATCH", cls.resource.path(namespace, manifest.name) + query), patch, manifest)
    return f"{title} configured"


def annotated(value: Value) -> Value:
    """The value with a copy of itself in the annotation."""
    metadata = value["metadata"]
    others = {key: text for key, text in (metadata.get("annotations") or {}).items() if key != LAST_APPLIED}
    bare = {**value, "metadata": {**metadata, "annotations": others}}
    text = json.dumps(bare, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n"
    return {**value, "metadata": {**metadata, "annotations": {**others, LAST_APPLIED: text}}}


def difference(cls: type[Object], wanted: Value, live: Value) -> Value:
    """The merge patch from the live object to the wanted one.

    All three states are put into the form in which objects are stored, where a value that is the default anyway is
    left out; else each apply would find a difference there.
    """
    text = live.get("metadata", {}).get("annotations", {}).get(LAST_APPLIED, "")
    try:
        last = codec.from_dict(cls, json.loads(text)) if text else cls()
    except ValueError:
        last = cls()
    states = [codec.to_dict(each) for each in (last, codec.from_dict(cls, wanted))]
    patch = threeway.changes(states[0], states[1], codec.to_dict(codec.from_dict(cls, live)))
    patch.pop("status", None)
    metadata = patch.get("metadata", {})
    if (
        not patch.keys() - {"metadata"}
        and set(metadata) <= {"annotations"}
        and set(metadata.get("annotations", {})) <= {LAST_APPLIED}
    ):
        return {} if text and json.loads(text) == json.loads(wanted["metadata"]["annotations"][LAST_APPLIED]) else patch
    return patch
