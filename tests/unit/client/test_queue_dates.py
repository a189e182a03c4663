"""A key has one date at most: the earliest that was asked for."""

import pytest

from minik8s.client.queue import WorkQueue
from minik8s.host import clock


@pytest.fixture
def now(monkeypatch):
    moment = [0.0]
    monkeypatch.setattr(clock, "monotonic", lambda: moment[0])
    return moment


def due(queue: WorkQueue) -> list[str]:
    """All keys that are due, as a worker would take them; a last key shows that there are no more."""
    queue.add("last")
    keys = []
    while (key := queue.get()) != "last":
        keys.append(key)
        queue.done(key)
    queue.done("last")
    return keys + (due(queue) if _has_more(queue) else [])


def _has_more(queue: WorkQueue) -> bool:
    return len(queue) > 0


def test_a_key_comes_once_at_the_earliest_of_its_dates(now):
    queue = WorkQueue()
    for seconds in (5, 2, 9):
        queue.add_after("a", seconds)
    now[0] = 2.0
    assert due(queue) == ["a"]
    now[0] = 20.0
    assert due(queue) == []


def test_a_key_that_asks_for_itself_again_and_is_woken_between_keeps_one_rhythm(now):
    queue, seen = WorkQueue(), 0
    for _ in range(100):
        now[0] += 0.1
        queue.add("nodes")  # an event
        for key in due(queue):
            seen += 1
            queue.add_after(key, 1.0)
    now[0] += 1.0
    assert seen == 100 and due(queue) == ["nodes"]


def test_after_its_date_a_key_may_be_given_another(now):
    queue = WorkQueue()
    queue.add_after("a", 1)
    now[0] = 1.0
    assert due(queue) == ["a"]
    queue.add_after("a", 1)
    now[0] = 2.0
    assert due(queue) == ["a"]
