"""The queue's promises, and the loop's."""

import threading

from minik8s.client.loop import Controller
from minik8s.client.queue import WorkQueue
from minik8s.client.rest import Unreachable, Why


def test_a_key_added_twice_is_worked_on_once():
    queue = WorkQueue()
    queue.add("a")
    queue.add("a")
    assert queue.get() == "a"
    queue.done("a")
    assert len(queue) == 0


def test_a_key_added_while_it_is_worked_on_comes_once_more():
    queue = WorkQueue()
    queue.add("a")
    assert queue.get() == "a"
    queue.add("a")
    queue.add("a")
    assert len(queue) == 0, "no second worker may have it meanwhile"
    queue.done("a")
    assert queue.get() == "a"
    queue.done("a")
    assert len(queue) == 0


def test_keys_come_out_in_the_order_they_came_in():
    queue = WorkQueue()
    for key in "cab":
        queue.add(key)
    assert [queue.get() for _ in range(3)] == list("cab")


def test_a_later_key_waits_for_its_time_and_not_longer():
    queue = WorkQueue()
    queue.add_after("late", 0.05)
    queue.add("now")
    assert queue.get() == "now"
    assert queue.get() == "late"


def test_failures_in_a_row_double_the_delay_until_forgiven():
    queue = WorkQueue()
    delays = [queue.add_rate_limited("a") for _ in range(4)]
    assert delays == [0.005, 0.01, 0.02, 0.04]
    queue.forget("a")
    assert queue.add_rate_limited("a") == 0.005


def test_a_shut_queue_lets_its_workers_go():
    queue = WorkQueue()
    queue.shut_down()
    assert queue.get() is None


def run_until(sync, queue, done):
    stop = threading.Event()
    controller = Controller("test", sync, queue, stop=stop)
    thread = threading.Thread(target=controller.run)
    thread.start()
    assert done.wait(10)
    stop.set()
    thread.join(10)
    assert not thread.is_alive()
    return controller


def test_what_fails_is_tried_again_and_counted():
    queue, done, seen = WorkQueue(), threading.Event(), []

    def sync(key):
        seen.append(key)
        if len(seen) < 3:
            raise Unreachable("away")
        done.set()

    queue.add("a")
    controller = run_until(sync, queue, done)
    assert seen == ["a", "a", "a"] and controller.errors == 2


def test_a_sync_may_ask_to_be_called_again():
    queue, done, seen = WorkQueue(), threading.Event(), []

    def sync(key):
        seen.append(key)
        if len(seen) == 2:
            done.set()
            return None
        return 0.01

    queue.add("a")
    run_until(sync, queue, done)
    assert seen == ["a", "a"]


def test_a_reason_fits_into_a_header_whatever_it_says():
    headers = Why("ein  Grund\nmit – Strich", ["pods/default/web@1"]).headers()
    assert headers == {"X-Minik8s-Because": "ein Grund mit ? Strich", "X-Minik8s-From": "pods/default/web@1"}
    assert Why().headers() == {}
