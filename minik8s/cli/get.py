"""`get`: objects as a table, or as they are; once, or for as long as they change.

The table is made here (tables.py), from what the API server sends everybody. Read next: tables.py.
"""

import sys
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import click

from minik8s.api.meta import Object
from minik8s.cli import describe, hints, objects, output, tables
from minik8s.cli.objects import Target, Value
from minik8s.cli.session import Failed, Session, told, verb
from minik8s.client.rest import ApiError
from minik8s.host import clock

FOREVER_S = 24 * 3600.0


@verb("get", everywhere=True)
@click.argument("words", nargs=-1, metavar="KIND [NAME…] | KIND/NAME…")
@click.option("-o", "--output", "form", default="", help="wide, yaml, json, name, or jsonpath=TEMPLATE.")
@click.option("-l", "--selector", "labels", default="", help="Only objects with these labels.")
@click.option("--field-selector", "fields", default="", help="Only objects with these fields.")
@click.option("-w", "--watch", is_flag=True, help="Go on, and print each change.")
@click.option("--no-headers", is_flag=True, help="Without the line of headings.")
@click.option("--show-labels", is_flag=True, help="With a column of labels.")
@click.option("--ignore-not-found", is_flag=True, help="An object that is not there is no error.")
@click.option("--raw", "raw_path", default="", metavar="PATH", help="Print what the server says to GET PATH.")
def get(session: Session, words: tuple[str, ...], **options: Any) -> None:
    """List objects, or show the ones named."""
    if options["raw_path"]:
        sys.stdout.write(session.client.request("GET", options["raw_path"]).data.decode(errors="replace"))
        return
    output.check(options["form"])
    targets = objects.parse(words)
    objects.check_selection(targets, options["labels"] or options["fields"])
    if options["watch"]:
        if len(targets) > 1 or len(targets[0].names) > 1:
            raise Failed("error: you may only watch one kind, or one object, at a time")
        Watch(session, targets[0], options).run()
        return
    show(session, targets, options)


def show(session: Session, targets: Sequence[Target], options: dict[str, Any]) -> None:
    """Print the objects; an object that is missing does not hide the others."""
    groups, missing = [], []
    for target in targets:
        found, gone = collect(session, target, options)
        groups.append((target.cls, found))
        missing += gone
    values = [value for _, group in groups for value in group]
    if options["form"] not in ("", "wide"):
        single = len(values) == 1 and bool(targets[0].names)
        if values or not missing:
            click.echo(output.render(options["form"], values, single), nl=False)
    else:
        _print_tables(session, groups, options)
    for error in missing:
        click.echo(told(error), err=True)
    if missing:
        sys.exit(1)
    if not values and not options["ignore_not_found"]:
        click.echo(f"No resources found{session.place}." if session.place else "No resources found", err=True)
    hints.after_get(session, groups)


def collect(session: Session, target: Target, options: dict[str, Any]) -> tuple[list[Value], list[ApiError]]:
    """The objects of a target, and the errors for those that are not there."""
    if not target.names:
        return objects.items(session, target.cls, query(options))["items"], []
    if not session.namespace and target.cls.resource.namespaced:
        raise Failed("error: a resource cannot be retrieved by name across all namespaces")
    found, missing = [], []
    for name in target.names:
        try:
            found.append(objects.get(session, target.cls, name))
        except ApiError as error:
            if error.code != 404 or not options["ignore_not_found"]:
                missing.append(error)
    return found, missing


def query(options: dict[str, Any]) -> str:
    parts = {"labelSelector": options.get("labels"), "fieldSelector": options.get("fields")}
    given = {name: value for name, value in parts.items() if value}
    return f"?{urlencode(given)}" if given else ""


def _print_tables(
    session: Session, groups: Sequence[tuple[type[Object], list[Value]]], options: dict[str, Any]
) -> None:
    shown = [(cls, values) for cls, values in groups if values]
    for at, (cls, values) in enumerate(shown):
        if at:
            click.echo()
        headings, cells = table(session, cls, values, options, prefixed=len(groups) > 1)
        for line in tables.layout(headings, cells)[1 if options["no_headers"] else 0 :]:
            click.echo(line)


def table(
    session: Session, cls: type[Object], values: Sequence[Value], options: dict[str, Any], prefixed: bool = False
) -> tuple[list[str], list[list[str]]]:
    """Headings and cells, with the namespace before and the labels behind where they were asked for."""
    typed = [objects.typed(cls, value) for value in values]
    if cls.resource.kind == "Event":
        typed.sort(key=describe.in_order)
    headings, cells = tables.rows(cls, typed, clock.wall(), options["form"] == "wide")
    for obj, row in zip(typed, cells, strict=True):
        if prefixed:
            row[0] = objects.title(cls, row[0])
        if not session.namespace and cls.resource.namespaced:
            row.insert(0, obj.metadata.namespace)
        if options["show_labels"]:
            row.append(tables.some([f"{key}={value}" for key, value in sorted(obj.metadata.labels.items())]))
    if not session.namespace and cls.resource.namespaced:
        headings.insert(0, "NAMESPACE")
    if options["show_labels"]:
        headings.append("LABELS")
    return headings, cells


class Watch:
    """`get -w`: what is there, then a line for each change, under the same headings."""

    def __init__(self, session: Session, target: Target, options: dict[str, Any]) -> None:
        self.session, self.target, self.options = session, target, options
        self.widths: list[int] = []
        if target.names:
            named = f"metadata.name={target.names[0]}"
            options["fields"] = ",".join(filter(None, (options["fields"], named)))

    def run(self) -> None:
        """Until the server ends the stream, or somebody presses Ctrl-C."""
        cls = self.target.cls
        found = objects.items(self.session, cls, query(self.options))
        if self.target.names and not found["items"]:
            objects.get(self.session, cls, self.target.names[0])  # tells that it is not there
        if found["items"]:
            self.show(found["items"])
        revision = found.get("metadata", {}).get("resourceVersion", "")
        selectors = query(self.options).replace("?", "&", 1)
        path = f"{objects.path(self.session, cls)}?watch=true&resourceVersion={revision}{selectors}"
        stream = self.session.client.request("GET", path, stream_timeout=FOREVER_S)
        try:
            for line in stream.lines():
                if line:
                    self.event(objects.load(line))
        except KeyboardInterrupt:
            return

    def event(self, event: Value) -> None:
        if event["type"] == "ERROR":
            raise Failed(f"error: {event['object'].get('message', 'the watch failed')}")
        if event["type"] != "BOOKMARK":
            self.show([event["object"]])

    def show(self, values: list[Value]) -> None:
        if self.options["form"] not in ("", "wide"):
            text = "".join(output.render(self.options["form"], [value], single=True) for value in values)
            click.echo(text, nl=self.options["form"].startswith("jsonpath"))
            return
        headings, cells = table(self.session, self.target.cls, values, self.options)
        first = not self.widths
        lines = tables.layout(headings, cells, self.widths)
        self.widths = self.widths or [max(map(len, column)) for column in zip(headings, *cells, strict=True)]
        for line in lines[0 if first and not self.options["no_headers"] else 1 :]:
            click.echo(line)
        sys.stdout.flush()
