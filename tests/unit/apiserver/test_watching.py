"""What a change looks like through a watcher's selectors, line by line."""

import itertools
import json
import threading

import pytest
from memory_store import ask

from minik8s.api.core import Pod
from minik8s.apiserver import selection, watching
from minik8s.store.model import Expired
from minik8s.store.ring import Change

WEB, OTHER = {"app": "web"}, {"app": "other"}


def pod(labels, revision):
    meta = {"resourceVersion": str(revision), "name": "x", "labels": labels}
    return json.dumps({"kind": "Pod", "metadata": meta}, separators=(",", ":")).encode()


class Played:
    """A cache and a subscription of it: gives the changes, then nothing more, then says that the server stops."""

    def __init__(self, stopping, changes=(), items=()):
        self.stopping, self.changes, self.content = stopping, list(changes), list(items)

    def items(self, prefix):
        return [(str(number), value) for number, value in enumerate(self.content)], 40

    def subscribe(self, prefix, since, limit):
        self.since = since
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def next(self, timeout):
        if not self.changes:
            self.stopping.set()
            return None
        found = self.changes.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    def progress(self):
        return 50


def seen(query, since=7, **played):
    """The events that a watch with these parameters tells of."""
    stopping = threading.Event()
    cache = Played(stopping, **played)
    registry = type("Registry", (), {"cache": cache})
    request = ask("watch", Pod, query=query)
    stream = watching._Stream(request, selection.matcher(Pod, query), lambda: False)
    return [json.loads(line) for line in stream.lines(registry, since, stopping)]


TRANSITIONS = [
    # labels before, after → event, labels and revision told
    (None, WEB, ("ADDED", WEB, "9")),
    (WEB, WEB, ("MODIFIED", WEB, "9")),
    (WEB, OTHER, ("DELETED", WEB, "9")),
    (OTHER, WEB, ("ADDED", WEB, "9")),
    (WEB, None, ("DELETED", WEB, "9")),
    (OTHER, OTHER, None),
    (None, OTHER, None),
    (OTHER, None, None),
]


@pytest.mark.parametrize("case", TRANSITIONS, ids=str)
def test_what_begins_to_match_is_added_and_what_ceases_to_is_deleted(case):
    before, after, told = case
    change = Change(9, "k", pod(after, 9) if after else None, pod(before, 8) if before else None)
    events = seen({"labelSelector": "app=web"}, changes=[change])
    found = [(e["type"], e["object"]["metadata"]["labels"], e["object"]["metadata"]["resourceVersion"]) for e in events]
    assert found == ([told] if told else [])


def test_a_watch_from_nothing_tells_first_what_is_there_and_misses_nothing_after_it():
    change = Change(41, "k", pod(WEB, 41), None)
    events = seen({}, since=0, items=[pod(WEB, 3), pod(OTHER, 4)], changes=[change])
    assert [(e["type"], e["object"]["metadata"]["resourceVersion"]) for e in events] == [
        ("ADDED", "3"),
        ("ADDED", "4"),
        ("ADDED", "41"),
    ]


def test_a_gap_is_told_as_410_and_ends_the_stream():
    (event,) = seen({}, changes=[Expired(9, "too old resource version: 7 (9)")])
    assert (event["type"], event["object"]["code"], event["object"]["reason"]) == ("ERROR", 410, "Expired")
    assert event["object"]["message"] == "too old resource version: 7 (9)"


def test_bookmarks_come_only_to_those_who_asked(monkeypatch):
    ticks = itertools.count(0, 6)  # six seconds pass between two looks at the clock
    monkeypatch.setattr(watching.clock, "monotonic", lambda: next(ticks))
    changes = [Change(9, "k", pod(WEB, 9), None)]
    kinds = [event["type"] for event in seen({"allowWatchBookmarks": "true"}, changes=changes)]
    assert kinds[0] == "ADDED" and set(kinds[1:]) == {"BOOKMARK"}
    assert [event["type"] for event in seen({}, changes=changes)] == ["ADDED"]
