"""In which form an answer is written, from what a client accepts."""

import json

import pytest
from memory_store import ask

from minik8s.api.authorization import SelfSubjectAccessReview
from minik8s.api.core import ConfigMap, Pod
from minik8s.apiserver import forms
from minik8s.apiserver.errors import Failure

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
TABLE_OLD = "application/json;as=Table;v=v1beta1;g=meta.k8s.io"
METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
PROTOBUF = "application/vnd.kubernetes.protobuf"
NOW = 1_700_000_000.0
VALUE = (
    b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"resourceVersion":"7","name":"a",'
    b'"creationTimestamp":"2023-11-14T22:08:20Z","labels":{"x":"y"}},"data":{"k":"v"}}'
)
STATUS = b'{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","code":410}'
COLUMNS = ["Name", "Data", "Age"]


def form(accept, verb="get", **query):
    return forms.of(ask(verb, ConfigMap, query=query, accept=accept))


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", forms.Plain),
        ("*/*", forms.Plain),
        ("application/json", forms.Plain),
        ("application/json, */*", forms.Plain),
        ("application/json;charset=utf-8", forms.Plain),
        (f"{PROTOBUF},application/json", forms.Plain),
        (f"{PROTOBUF}, */*", forms.Plain),
        (PROTOBUF, forms.Plain),
        (f"{TABLE},{TABLE_OLD},application/json", forms.Table),
        (f"{TABLE_OLD},application/json", forms.Table),
        (f"{PROTOBUF};as=Table;v=v1;g=meta.k8s.io,application/json", forms.Table),
        (f"{METADATA},application/json", forms.Metadata),
        ("application/json;as=Table;v=v2;g=meta.k8s.io,application/json", forms.Plain),
        ("application/json;as=Table;v=v1;g=other,application/json", forms.Plain),
        ("application/json;as=Picture;v=v1;g=meta.k8s.io,*/*", forms.Plain),
        (f"application/json;q=0.5,{TABLE}", forms.Table),
        (f"text/html,{TABLE};q=0,application/*;q=0.1", forms.Plain),
    ],
)
def test_the_first_form_that_is_known_is_taken(accept, kind):
    assert type(form(accept)) is kind


@pytest.mark.parametrize(
    ("accept", "verb"),
    [
        ("text/html", "get"),
        ("application/yaml", "list"),
        ("application/json;as=Table;v=v9;g=meta.k8s.io", "list"),
        ("application/json;q=0", "get"),
        ("nonsense", "get"),
        (METADATA, "list"),
        (METADATA_LIST, "get"),
        (METADATA_LIST, "watch"),
    ],
)
def test_what_cannot_be_written_is_refused_with_406(accept, verb):
    with pytest.raises(Failure) as failed:
        form(accept, verb)
    assert (failed.value.code, failed.value.status.reason) == (406, "NotAcceptable")


def test_a_question_has_no_table_even_where_something_else_would_do():
    request = ask("create", SelfSubjectAccessReview, namespace="", accept=f"{TABLE},application/json")
    with pytest.raises(Failure, match="does not support being converted to a Table") as failed:
        forms.of(request)
    assert failed.value.code == 406


def test_an_unknown_includeObject_is_a_400_that_names_it():
    with pytest.raises(Failure, match="includeObject: Unsupported value") as failed:
        form(TABLE, includeObject="Some")
    assert failed.value.code == 400


def test_a_plain_list_keeps_the_bytes_of_its_items():
    found = form("").several([VALUE, VALUE], {"resourceVersion": "9"})
    assert found.count(VALUE) == 2
    assert json.loads(found) == {
        "kind": "ConfigMapList",
        "apiVersion": "v1",
        "metadata": {"resourceVersion": "9"},
        "items": [json.loads(VALUE)] * 2,
    }


@pytest.mark.parametrize(("accept", "version"), [(TABLE, "meta.k8s.io/v1"), (TABLE_OLD, "meta.k8s.io/v1beta1")])
def test_a_table_of_a_list_has_columns_rows_and_the_lists_metadata(accept, version):
    found = json.loads(form(accept, "list").several([VALUE], {"resourceVersion": "9", "continue": "x"}))
    assert (found["kind"], found["apiVersion"]) == ("Table", version)
    assert found["metadata"] == {"resourceVersion": "9", "continue": "x"}
    assert [column["name"] for column in found["columnDefinitions"]] == COLUMNS
    (row,) = found["rows"]
    assert row["cells"][:2] == ["a", 1]
    metadata = json.loads(VALUE)["metadata"]
    assert row["object"] == {"kind": "PartialObjectMetadata", "apiVersion": version, "metadata": metadata}


def test_an_empty_table_still_has_its_columns():
    found = json.loads(form(TABLE, "list").several([], {"resourceVersion": "9"}))
    assert [column["name"] for column in found["columnDefinitions"]] == COLUMNS and found["rows"] == []


@pytest.mark.parametrize(("include", "expected"), [("None", None), ("Object", json.loads(VALUE))])
def test_a_row_carries_as_much_of_its_object_as_was_asked_for(include, expected):
    found = json.loads(form(TABLE, includeObject=include).one(VALUE))
    assert found["rows"][0]["object"] == expected
    assert found["metadata"] == {"resourceVersion": "7"}


def test_ages_are_those_of_the_moment():
    table = forms.Table(ConfigMap, "meta.k8s.io/v1", now=lambda: NOW)
    assert json.loads(table.one(VALUE))["rows"][0]["cells"] == ["a", 1, "5m"]


def test_a_watch_as_table_names_its_columns_once_and_an_error_stays_a_status():
    table = form(TABLE, "watch")
    first, second = (json.loads(table.event(VALUE, each)) for each in (True, False))
    assert [column["name"] for column in first["columnDefinitions"]] == COLUMNS
    assert second["columnDefinitions"] is None and second["rows"][0]["cells"][0] == "a"
    assert table.event(STATUS, False) == STATUS


def test_a_bookmark_as_table_is_a_row_that_knows_its_revision():
    mark = b'{"kind":"ConfigMap","apiVersion":"v1","metadata":{"resourceVersion":"12"}}'
    found = json.loads(form(TABLE, "watch").event(mark, False))
    assert found["metadata"] == {"resourceVersion": "12"}
    assert found["rows"][0]["object"]["metadata"] == {"resourceVersion": "12"}


def test_metadata_alone_is_that_of_the_object_and_of_each_item():
    partial = {
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": json.loads(VALUE)["metadata"],
    }
    assert json.loads(form(METADATA).one(VALUE)) == partial
    assert json.loads(form(METADATA, "watch").event(VALUE, True)) == partial
    found = json.loads(form(METADATA_LIST, "list").several([VALUE], {"resourceVersion": "9"}))
    assert found == {
        "kind": "PartialObjectMetadataList",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": "9"},
        "items": [partial],
    }


def test_what_is_not_of_the_kind_is_not_made_a_row_of_it():
    scale = b'{"kind":"Scale","apiVersion":"autoscaling/v1","metadata":{"name":"a"}}'
    assert forms.Table(Pod, "meta.k8s.io/v1").one(scale) == scale
    assert form(METADATA).one(STATUS) == STATUS
