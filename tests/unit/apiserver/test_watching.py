"""What a change looks like through a watcher's selectors, and what a watch refuses before it begins."""

import json

import pytest
from memory_store import ask, registry

from minik8s.api.core import Pod
from minik8s.apiserver import errors, forms, selection
from minik8s.apiserver.watch import channel, watching
from minik8s.store.ring import Change

WEB, OTHER = {"app": "web"}, {"app": "other"}
PODS = "/registry/core/pods/"


def pod(labels, revision):
    meta = {"resourceVersion": str(revision), "name": "x", "labels": labels}
    return json.dumps({"kind": "Pod", "metadata": meta}, separators=(",", ":")).encode()


def question(**query):
    matches = selection.matcher(Pod, query)
    return channel.Question(Pod, PODS, tuple(sorted(query.values())), forms.Plain(Pod), matches)


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
    change = Change(9, f"{PODS}a/x", pod(after, 9) if after else None, pod(before, 8) if before else None)
    found = channel.event(question(labelSelector="app=web"), change)
    if told is None:
        assert found is None
        return
    kind, value = found
    meta = json.loads(value)["metadata"]
    assert (kind, meta["labels"], meta["resourceVersion"]) == told


class Hearer:
    """A watcher that only notes what it is told."""

    def __init__(self):
        self.first, self.lines = True, []

    def push(self, line, revision):
        self.first = False
        self.lines.append(line)


class Counted:
    """A form that says whether it was the first of its stream, and counts how often it was asked."""

    plain = False

    def __init__(self):
        self.asked = 0

    def event(self, value, first):
        self.asked += 1
        return b'{"first":%s}\n' % (b"true" if first else b"false")


def test_a_line_is_made_once_for_all_who_ask_the_same():
    form = Counted()
    shared = channel.Channel(channel.Question(Pod, PODS, ("", ""), form, None))
    old, new = Hearer(), [Hearer() for _ in range(100)]
    shared.tell(Change(8, f"{PODS}a/x", pod(WEB, 8), None), [old])
    assert shared.tell(Change(9, f"{PODS}a/x", pod(WEB, 9), None), [old, *new]) == [old, *new]
    assert form.asked == 3  # the old one's first and second, and one first for all the others
    assert old.lines[1] == b'{"type":"ADDED","object":{"first":false}}\n'
    assert new[0].lines[0] is new[99].lines[0] == b'{"type":"ADDED","object":{"first":true}}\n'


def test_equal_questions_are_one_whatever_their_compiled_selectors():
    assert question(labelSelector="app=web") == question(labelSelector="app=web")
    assert question(labelSelector="app=web") != question(labelSelector="app=other")
    assert question().kind == PODS


def test_a_bookmark_says_only_up_to_where_everything_was_seen():
    hearer = Hearer()
    channel.Channel(question()).bookmark(50, [hearer])
    assert [json.loads(line) for line in hearer.lines] == [
        {"type": "BOOKMARK", "object": {"kind": "Pod", "apiVersion": "v1", "metadata": {"resourceVersion": "50"}}}
    ]
    ended = json.loads(channel.mark(question(), 50, initial=True))["metadata"]
    assert ended["annotations"] == {"k8s.io/initial-events-end": "true"}


CONTRADICTIONS = {
    "sendInitialEvents alone": ({"sendInitialEvents": "true"}, "sendInitialEvents requires setting"),
    "a match alone": ({"resourceVersionMatch": "NotOlderThan"}, "unless sendInitialEvents is provided"),
    "another match": (
        {"sendInitialEvents": "true", "resourceVersionMatch": "Exact"},
        'Unsupported value: "Exact": supported values: "NotOlderThan"',
    ),
}


@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_what_contradicts_itself_about_initial_events_is_refused(case):
    query, said = CONTRADICTIONS[case]
    with pytest.raises(errors.Failure, match=said) as refused:
        watching.Watches(registry()).watch(ask("watch", Pod, query=query))
    assert (refused.value.code, refused.value.status.reason) == (422, "Invalid")
    assert {cause.field for cause in refused.value.status.details.causes} == {"resourceVersionMatch"}


def test_a_watch_without_a_time_lasts_at_least_half_an_hour_and_not_all_the_same(monkeypatch):
    monkeypatch.setattr(watching.clock, "monotonic", lambda: 0.0)
    watches = watching.Watches(registry())
    ends = {watches.watch(ask("watch", Pod)).stream.terms[0] for _ in range(5)}
    assert all(1800 <= end < 3600 for end in ends) and len(ends) == 5
    assert watches.watch(ask("watch", Pod, query={"timeoutSeconds": "7"})).stream.terms[0] == 7.0
