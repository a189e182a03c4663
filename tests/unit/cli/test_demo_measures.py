"""What the demo counts and measures, from lines and histories as they are."""

import json

import pytest

from minik8s.cli import history, measuring, tally
from minik8s.cli.session import Failed
from minik8s.explain import facts
from minik8s.explain.plan import Episode, Window


def line(at, outcome="ok", pod="web-1", took=2.0):
    return json.dumps({"at": at, "took_ms": took, "outcome": outcome, "pod": pod if outcome == "ok" else ""}).encode()


def counted(*lines):
    found = tally.Tally("http://web", "pod/client")
    for each in lines:
        found.add(each)
    return found


MIXED = (line(10.0), line(10.1, pod="web-2"), line(10.2, "refused"), line(10.3, "reset"), line(10.4, took=90.0))


def test_each_request_is_counted_once_as_answered_or_lost():
    found = counted(*MIXED)
    assert (found.sent, found.ok, found.lost) == (5, 3, 2)
    assert found.pods == {"web-1": 2, "web-2": 1}
    assert found.slowest_ms == 90.0


@pytest.mark.parametrize("noise", [b"", b"Traceback", b'{"summary": {"sent": 3}}', b"[1, 2]"])
def test_lines_that_are_no_request_are_not_counted(noise):
    found = tally.Tally("http://web", "pod/client")
    assert not found.add(noise)
    assert found.sent == 0


def test_a_summary_can_be_read_back():
    told = tally.summary(counted(*MIXED))
    assert tally.parse(f"before\n{told}\nafter") == tally.Counts(
        5, "http://web", "pod/client", 3, 2, (("refused", 1), ("reset", 1))
    )


def test_the_summary_says_when_requests_were_lost():
    assert "begun 0.20 s to 0.30 s after the first" in tally.summary(counted(*MIXED))


def test_the_summary_fits_the_screen_with_kubernetes_longest_usual_names():
    told = tally.summary(counted(line(1.0, pod="frontend-service-7d4b9c6f5d-x2k9p"), *MIXED))
    assert all(len(each) <= 80 for each in told.splitlines())
    assert len(tally.live(counted(*MIXED))) < 80


def test_the_values_have_every_kind_of_loss():
    found = tally.values(counted(*MIXED))
    assert found["outcomes"] == {
        "ok": 3,
        "refused": 1,
        "reset": 1,
        "timedout": 0,
        "noname": 0,
        "noroute": 0,
        "other": 0,
    }
    assert [each["outcome"] for each in found["losses"]] == ["refused", "reset"]


def test_no_summary_is_read_from_other_text():
    assert tally.parse('pod "web-1" deleted') is None


# --- Windows ----------------------------------------------------------------------------------------------------------

CHOSEN = {"pod": "web-1", "node": "node-2", "address": "10.244.2.2"}


def episode(stage=facts.DIED, name="web-1", endpoint="10.244.2.2:8080"):
    cause = facts.Fact(wall=100.0, who="agent@node-2", stage=stage, object=f"pods/default/{name}")
    return Episode(cause, (), (Window(endpoint, "default/web", (("node-1", 0.1), ("node-2", 0.3)), 2),))


def test_a_window_counts_from_its_cause():
    left = measuring.left_of([episode()], CHOSEN, "died", None)
    assert (left.seconds, left.longest, left.endpoints) == ({"node-1": 0.1, "node-2": 0.3}, 0.3, 2)


def test_a_window_can_count_from_the_command_that_nobody_in_the_cluster_heard_of():
    left = measuring.left_of([episode(facts.HEARTBEAT)], CHOSEN, "node cut", 99.0)
    assert {node: round(seconds, 1) for node, seconds in left.seconds.items()} == {"node-1": 1.1, "node-2": 1.3}


@pytest.mark.parametrize(
    "other",
    [episode(facts.DELETED), episode(name="web-2"), episode(endpoint="10.244.2.20:8080")],
    ids=["another cause", "another Pod", "another address"],
)
def test_windows_of_others_are_left_out(other):
    assert measuring.left_of([other], CHOSEN, "died", None).seconds == {}


# --- Lengths of time --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "wanted"), [("30s", 30), ("5m", 300), ("1h30m", 5400), ("1.5m", 90), ("2d", 172800)])
def test_lengths_of_time_are_read_as_people_write_them(text, wanted):
    assert history.seconds(text) == wanted


@pytest.mark.parametrize("text", ["", "5", "m5", "5 m", "soon"])
def test_what_is_no_length_of_time_is_refused(text):
    with pytest.raises(Failed):
        history.seconds(text)
