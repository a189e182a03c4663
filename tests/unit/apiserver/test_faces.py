"""Events have two faces and one body: what is written by one is read, changed, watched and deleted by the other."""

import pytest
from memory_store import ask, registry

from minik8s.api import codec, core, events
from minik8s.api.core import Namespace
from minik8s.apiserver.dispatch import Dispatcher
from minik8s.apiserver.errors import Failure

NEW = {
    "apiVersion": "events.k8s.io/v1",
    "kind": "Event",
    "metadata": {"name": "one"},
    "regarding": {"kind": "Pod", "name": "web-1", "namespace": "a"},
    "note": "it happened",
    "reason": "Happened",
    "type": "Normal",
    "action": "Doing",
    "eventTime": "2026-01-01T00:00:00.000000Z",
    "reportingController": "example.com/c",
    "reportingInstance": "c-1",
}


@pytest.fixture
def server():
    made = Dispatcher(registry())
    made.answer(ask("create", Namespace, body={"metadata": {"name": "a"}}))
    made.answer(ask("create", events.Event, body=NEW))
    return made


def test_what_is_written_by_the_new_face_is_read_by_both(server):
    old = codec.decode(core.Event, server.answer(ask("get", core.Event, "one")).body)
    assert (old.message, old.involvedObject.name, old.reportingComponent) == ("it happened", "web-1", "example.com/c")
    new = codec.decode(events.Event, server.answer(ask("get", events.Event, "one")).body)
    assert (new.note, new.regarding.name, new.reportingController) == ("it happened", "web-1", "example.com/c")
    assert (new.apiVersion, old.apiVersion, new.metadata.uid) == ("events.k8s.io/v1", "v1", old.metadata.uid)


def test_what_is_written_by_the_old_face_is_listed_by_the_new(server):
    involved = {"kind": "Pod", "name": "web-2", "namespace": "a"}
    body = {"metadata": {"name": "two"}, "involvedObject": involved, "message": "older", "count": 3}
    server.answer(ask("create", core.Event, body=body))
    query = {"fieldSelector": "regarding.name=web-2"}
    found = codec.decode(dict, server.answer(ask("list", events.Event, query=query)).body)
    assert (found["apiVersion"], found["kind"]) == ("events.k8s.io/v1", "EventList")
    (each,) = found["items"]
    assert (each["note"], each["deprecatedCount"], each["apiVersion"]) == ("older", 3, "events.k8s.io/v1")


def test_a_patch_speaks_the_words_of_its_face(server):
    server.answer(ask("patch", events.Event, "one", {"note": "again", "series": {"count": 2}}))
    old = codec.decode(core.Event, server.answer(ask("get", core.Event, "one")).body)
    assert (old.message, old.series.count) == ("again", 2)


def test_a_deletion_by_one_face_is_one_by_the_other(server):
    assert server.answer(ask("delete", events.Event, "one")).code == 200
    with pytest.raises(Failure, match="not found"):
        server.answer(ask("get", core.Event, "one"))


def test_every_name_of_one_face_has_its_name_in_the_other():
    shown, stored = set(events.Event.__struct_fields__), set(core.Event.__struct_fields__)
    assert {events.RENAMED.get(name, name) for name in shown} == stored
