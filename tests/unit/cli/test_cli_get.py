"""`get`: the server's tables, laid out; and the objects as they are where they are asked for."""

import json
from types import SimpleNamespace

import pytest

from minik8s.api.core import ConfigMap, Event
from minik8s.cli import get, objects
from minik8s.cli.session import Failed, Session
from minik8s.client.errors import NotFound, from_body

COLUMNS = [
    {"name": "Name", "type": "string", "format": "name", "description": "d", "priority": 0},
    {"name": "Data", "type": "string", "format": "", "description": "d", "priority": 0},
    {"name": "Owner", "type": "string", "format": "", "description": "d", "priority": 1},
]
OPTIONS = {
    "form": "",
    "labels": "",
    "fields": "",
    "no_headers": False,
    "show_labels": False,
    "ignore_not_found": False,
}


def row(name, *cells, **metadata):
    return {"cells": [name, *cells], "object": {"metadata": {"name": name, "namespace": "shop", **metadata}}}


def table(*rows, columns=COLUMNS):
    return {"kind": "Table", "metadata": {"resourceVersion": "7"}, "columnDefinitions": columns, "rows": list(rows)}


class Server:
    """Answers each path with what was prepared for it, and remembers what was accepted."""

    def __init__(self, answers):
        self.answers, self.asked = answers, []

    def request(self, method, path, headers=None, stream_timeout=None):
        self.asked.append((path, (headers or {}).get("Accept", "")))
        found = self.answers.get(path.partition("?")[0])
        if found is None:
            status = {"kind": "Status", "message": "not found", "reason": "NotFound", "code": 404}
            raise from_body(404, json.dumps(status).encode())
        if stream_timeout:
            return SimpleNamespace(lines=lambda: [json.dumps(each).encode() for each in found])
        return SimpleNamespace(data=json.dumps(found).encode())


PATH = "/api/v1/namespaces/shop/configmaps"


def shown(capsys, answers, *words, namespace="shop", **options):
    server = Server(answers)
    session = Session(server, namespace)
    get.show(session, objects.parse(words), OPTIONS | options)
    return capsys.readouterr().out.splitlines(), server


def test_a_table_is_asked_for_and_laid_out_as_the_server_made_it(capsys):
    lines, server = shown(capsys, {PATH: table(row("a", 1, "me"), row("long", 20, "x"))}, "configmaps")
    assert lines == ["NAME   DATA", "a      1", "long   20"]
    ((path, accept),) = server.asked
    assert path == PATH and "as=Table" in accept


@pytest.mark.parametrize(
    ("options", "lines"),
    [
        ({"form": "wide"}, ["NAME   DATA   OWNER", "a      1      me"]),
        ({"no_headers": True}, ["a      1"]),
        ({"show_labels": True}, ["NAME   DATA   LABELS", "a      1      x=1,y=2"]),
    ],
)
def test_columns_are_shown_as_the_options_say(capsys, options, lines):
    found = table(row("a", 1, "me", labels={"y": "2", "x": "1"}))
    assert shown(capsys, {PATH: found}, "cm", **options)[0] == lines


def test_everywhere_comes_with_the_namespace(capsys):
    found = {"/api/v1/configmaps": table(row("a", 1, "me"))}
    assert shown(capsys, found, "cm", namespace="")[0] == ["NAMESPACE   NAME   DATA", "shop        a      1"]


def test_named_objects_share_a_table_and_what_is_missing_is_told_at_the_end(capsys):
    found = {f"{PATH}/a": table(row("a", 1, "me")), f"{PATH}/b": table(row("b", 2, "me"))}
    with pytest.raises(SystemExit):
        shown(capsys, found, "cm", "a", "nobody", "b")
    said = capsys.readouterr()
    assert said.out.splitlines() == ["NAME   DATA", "a      1", "b      2"]
    assert "not found" in said.err


def test_several_kinds_are_tables_of_their_own_with_the_kind_before_the_name(capsys):
    found = {PATH: table(row("a", 1, "me")), "/api/v1/namespaces/shop/secrets": table(row("s", 2, "me"))}
    lines, _ = shown(capsys, found, "cm,secrets")
    assert lines == ["NAME          DATA", "configmap/a   1", "", "NAME       DATA", "secret/s   2"]


def test_events_come_in_the_order_in_which_they_happened(capsys):
    rows = [row(name, 1, "me") for name in ("late", "early")]
    for each, when in zip(rows, ("2024-01-01T00:00:02Z", "2024-01-01T00:00:01Z"), strict=True):
        each["object"]["lastTimestamp"] = when
    path = Event.resource.path("shop")
    lines, server = shown(capsys, {path: table(*rows)}, "events")
    assert [line.split()[0] for line in lines] == ["NAME", "early", "late"]
    assert server.asked[0][0] == f"{path}?includeObject=Object"


def test_objects_are_asked_for_where_no_table_is_printed(capsys):
    found = {PATH: {"kind": "ConfigMapList", "items": [{"metadata": {"name": "a"}}]}}
    lines, server = shown(capsys, found, "cm", form="name")
    assert lines == ["configmap/a"] and server.asked == [(PATH, "")]


def test_a_watch_goes_on_below_the_same_columns(capsys):
    changes = [
        {"type": "MODIFIED", "object": table(row("a", 2, "me"), columns=None)},
        {"type": "BOOKMARK", "object": table(columns=None)},
        {"type": "DELETED", "object": table(row("longer", 3, "me"), columns=None)},
    ]

    class Streaming(Server):
        def request(self, method, path, headers=None, stream_timeout=None):
            answers = {PATH: changes} if stream_timeout else {PATH: table(row("a", 1, "me"))}
            self.answers = answers
            return super().request(method, path, headers, stream_timeout)

    server = Streaming({})
    get.Watch(Session(server, "shop"), objects.parse(["cm"])[0], dict(OPTIONS)).run()
    assert capsys.readouterr().out.splitlines() == ["NAME   DATA", "a      1", "a      2", "longer   3"]
    assert server.asked[1][0] == f"{PATH}?watch=true&resourceVersion=7"
    assert "as=Table" in server.asked[1][1]


def test_a_watch_that_failed_says_why():
    watch = get.Watch(Session(Server({}), "shop"), objects.parse(["cm"])[0], dict(OPTIONS))
    with pytest.raises(Failed, match="too old"):
        watch.event({"type": "ERROR", "object": {"message": "too old resource version"}})


def test_nothing_found_by_name_is_an_error_unless_it_may_be():
    session = Session(Server({}), "shop")
    target = objects.parse(["configmap/nobody"])[0]
    assert target.cls is ConfigMap
    assert isinstance(get.collect(session, target, OPTIONS)[1][0], NotFound)
    assert get.collect(session, target, OPTIONS | {"ignore_not_found": True}) == ([], [])
