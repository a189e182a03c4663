"""`get`: objects as a table, or as they are; once, or for as long as they change.

The table is made by the API server, the same for every client; here it is asked for and laid out. The metadata comes
beside the rows, for namespaces and labels. Read next: tables.py.
"""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import click

from minik8s.api.core import Endpoints, Event
from minik8s.api.display import some
from minik8s.api.meta import Object
from minik8s.cli import describe, hints, objects, output, tables
from minik8s.cli.objects import Target, Value
from minik8s.cli.session import Failed, Session, told, verb
from minik8s.client.rest import ApiError

TABLE = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
WHOLE = (Event, Endpoints)  # of which more is needed than metadata: when it happened; whether there are any
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
    found: list[Found] = []
    missing: list[ApiError] = []
    for target in targets:
        answers, gone = collect(session, target, options)
        found.append(Found(target.cls, answers))
        missing += gone
    values = [value for group in found for value in group.objects(options)]
    if as_table(options):
        _print_tables(session, found, options)
    elif values or not missing:
        single = len(values) == 1 and bool(targets[0].names)
        click.echo(output.render(options["form"], values, single), nl=False)
    for error in missing:
        click.echo(told(error), err=True)
    if missing:
        sys.exit(1)
    if not values and not options["ignore_not_found"]:
        click.echo(f"No resources found{session.place}." if session.place else "No resources found", err=True)
    hints.after_get(session, [(group.cls, group.objects(options)) for group in found])


def as_table(options: dict[str, Any]) -> bool:
    return options["form"] in ("", "wide")


@dataclass(frozen=True)
class Found:
    """What the server said about objects of one kind: tables, or the objects."""

    cls: type[Object]
    answers: Sequence[Value]

    def objects(self, options: dict[str, Any]) -> list[Value]:
        return [row["object"] for row in self.rows()] if as_table(options) else list(self.answers)

    def rows(self) -> list[Value]:
        found = [row for answer in self.answers for row in answer["rows"]]
        if self.cls is Event:
            found.sort(key=lambda row: describe.in_order(objects.typed(Event, row["object"])))
        return found


def collect(session: Session, target: Target, options: dict[str, Any]) -> tuple[list[Value], list[ApiError]]:
    """What there is of a target, and the errors for what is not there."""
    wanted = TABLE if as_table(options) else {}
    if not target.names:
        answer = objects.items(session, target.cls, query(target.cls, options), wanted)
        return ([answer] if wanted else answer["items"]), []
    if not session.namespace and target.cls.resource.namespaced:
        raise Failed("error: a resource cannot be retrieved by name across all namespaces")
    found, missing = [], []
    for name in target.names:
        try:
            found.append(objects.get(session, target.cls, name + query(target.cls, options), wanted))
        except ApiError as error:
            if error.code != 404 or not options["ignore_not_found"]:
                missing.append(error)
    return found, missing


def query(cls: type[Object], options: dict[str, Any]) -> str:
    parts = {"labelSelector": options.get("labels"), "fieldSelector": options.get("fields")}
    given = {name: value for name, value in parts.items() if value}
    if as_table(options) and cls in WHOLE:
        given["includeObject"] = "Object"
    return f"?{urlencode(given)}" if given else ""


def _print_tables(session: Session, found: Sequence[Found], options: dict[str, Any]) -> None:
    shown = [each for each in found if each.rows()]
    for at, each in enumerate(shown):
        if at:
            click.echo()
        drawn = Drawn(session, each.cls, each.answers[0]["columnDefinitions"], options)
        headings, cells = drawn.headings(), drawn.cells(each.rows(), prefixed=len(found) > 1)
        for line in tables.layout(headings, cells)[1 if options["no_headers"] else 0 :]:
            click.echo(line)


@dataclass(frozen=True)
class Drawn:
    """The server's columns, with the namespace before and the labels behind where they were asked for."""

    session: Session
    cls: type[Object]
    columns: Sequence[Value]
    options: dict[str, Any]

    def headings(self) -> list[str]:
        names = [column["name"].upper() for _, column in self._shown()]
        return self._around(names, "NAMESPACE", "LABELS")

    def cells(self, rows: Iterable[Value], prefixed: bool = False) -> list[list[str]]:
        return [self._row(row, prefixed) for row in rows]

    def _row(self, row: Value, prefixed: bool) -> list[str]:
        cells, metadata = [], row["object"]["metadata"]
        for at, column in self._shown():
            cell = tables.text(row["cells"][at])
            cells.append(objects.title(self.cls, cell) if prefixed and column["format"] == "name" else cell)
        labels = [f"{key}={value}" for key, value in sorted(metadata.get("labels", {}).items())]
        return self._around(cells, metadata.get("namespace", ""), some(labels))

    def _shown(self) -> list[tuple[int, Value]]:
        most = 1 if self.options["form"] == "wide" else 0
        return [(at, column) for at, column in enumerate(self.columns) if column["priority"] <= most]

    def _around(self, cells: list[str], namespace: str, labels: str) -> list[str]:
        before = [namespace] if not self.session.namespace and self.cls.resource.namespaced else []
        return [*before, *cells, *([labels] if self.options["show_labels"] else [])]


class Watch:
    """`get -w`: what is there, then a line for each change, under the same headings."""

    def __init__(self, session: Session, target: Target, options: dict[str, Any]) -> None:
        self.session, self.target, self.options = session, target, options
        self.widths: list[int] = []
        self.columns: Sequence[Value] = ()
        if target.names:
            named = f"metadata.name={target.names[0]}"
            options["fields"] = ",".join(filter(None, (options["fields"], named)))

    def run(self) -> None:
        """Until the server ends the stream, or somebody presses Ctrl-C."""
        cls = self.target.cls
        wanted = TABLE if as_table(self.options) else {}
        found = objects.items(self.session, cls, query(cls, self.options), wanted)
        there = found["rows"] if wanted else found["items"]
        if self.target.names and not there:
            objects.get(self.session, cls, self.target.names[0])  # tells that it is not there
        if wanted:
            self.columns = found["columnDefinitions"]
            self.show([found] if there else [])
        else:
            self.show(there)
        revision = found.get("metadata", {}).get("resourceVersion", "")
        selectors = query(cls, self.options).replace("?", "&", 1)
        path = f"{objects.path(self.session, cls)}?watch=true&resourceVersion={revision}{selectors}"
        stream = self.session.client.request("GET", path, headers=wanted, stream_timeout=FOREVER_S)
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
        """Tables or objects, below what was shown before."""
        if not values:
            return
        if not as_table(self.options):
            text = "".join(output.render(self.options["form"], [value], single=True) for value in values)
            click.echo(text, nl=self.options["form"].startswith("jsonpath"))
            return
        drawn = Drawn(self.session, self.target.cls, self.columns, self.options)
        headings, cells = drawn.headings(), drawn.cells(Found(self.target.cls, values).rows())
        first = not self.widths
        lines = tables.layout(headings, cells, self.widths)
        self.widths = self.widths or [max(map(len, column)) for column in zip(headings, *cells, strict=True)]
        for line in lines[0 if first and not self.options["no_headers"] else 1 :]:
            click.echo(line)
        sys.stdout.flush()
