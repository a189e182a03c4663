"""The judge of histories notices each way in which a history can be broken, and nothing in one that is not."""

from dataclasses import replace

from support.history import OK, REFUSED, UNKNOWN, Event, Run, Told, Watched, Write, what_is_wrong

COUNTER = "/registry/core/configmaps/a/counter"
SERVICES = "/registry/core/services/a/"


def counter(count, token, **labels):
    return {"kind": "ConfigMap", "metadata": {"labels": labels}, "data": {"count": str(count), "token": token}}


def service(address, port=None):
    ports = [{"port": 80, **({"nodePort": port} if port else {})}]
    return {"kind": "Service", "spec": {"clusterIPs": [address], "ports": ports}}


ONE, TWO, THREE = counter(0, "t1", app="web"), counter(1, "t2", app="web"), counter(2, "t3", app="other")
TRUTH = [
    Event(5, COUNTER, None, ONE),
    Event(7, COUNTER, ONE, TWO),
    Event(8, COUNTER, TWO, THREE),
    Event(9, COUNTER, THREE, None),
]
WRITES = [
    Write(COUNTER, "t1", OK, 5),
    Write(COUNTER, "t2", UNKNOWN),
    Write(COUNTER, "t3", OK, 8),
    Write(COUNTER, "t4", REFUSED),
    Write(COUNTER, "t5", UNKNOWN),
]
TOLD = [Told("ADDED", "counter", 5), Told("MODIFIED", "counter", 7), Told("DELETED", "counter", 8)]


def web(obj):
    return obj["metadata"]["labels"].get("app") == "web"


WATCHER = Watched("web", "/registry/core/configmaps/a/", web, 4, TOLD)
GOOD = Run(TRUTH, WRITES, [WATCHER])


def told(*events):
    return what_is_wrong(replace(GOOD, watchers=[replace(WATCHER, told=list(events))]))


def test_a_history_that_holds_is_not_complained_of():
    assert what_is_wrong(GOOD) == []


def test_a_watcher_that_missed_one_heard_one_twice_or_in_another_order_is_named():
    first, second, third = TOLD
    assert told(first, third) == [f"web was never told {second}"]
    assert told(first, second, second, third) == ["web was told something twice"]
    assert told(second, first, third) == ["web was told in another order than things happened"]
    assert any("did not happen" in line for line in told(*TOLD, Told("ADDED", "counter", 9)))
    assert any("never told" in line for line in told(first, replace(second, type="ADDED"), third))


def test_a_watcher_is_told_only_of_what_came_after_it_began():
    late = replace(WATCHER, since=7, told=[TOLD[2]])
    assert what_is_wrong(replace(GOOD, watchers=[late])) == []


def wrote(*writes):
    return what_is_wrong(replace(GOOD, writes=list(writes)))


def test_an_answer_that_says_what_did_not_happen_is_named():
    assert wrote(Write(COUNTER, "t1", OK, 6)) == ["t1 was acknowledged at 6 and happened at [5]"]
    assert wrote(Write(COUNTER, "t9", OK, 6)) == ["t9 was acknowledged at 6 and happened at []"]
    assert wrote(Write(COUNTER, "t1", REFUSED)) == ["t1 was refused and happened at [5]"]


def test_a_write_without_an_answer_happens_once_at_most():
    again = [*TRUTH, Event(10, COUNTER, None, ONE)]
    assert "t1 happened 2 times" in what_is_wrong(Run(again, [Write(COUNTER, "t1", UNKNOWN)], []))


def test_an_update_that_another_one_covered_is_named():
    lost = [Event(5, COUNTER, None, ONE), Event(6, COUNTER, ONE, TWO), Event(7, COUNTER, TWO, counter(1, "t9"))]
    assert what_is_wrong(Run(lost, [], [])) == [f"{COUNTER} went from 1 to 1 at 7: an update was lost"]


def test_an_address_or_a_port_of_two_services_at_once_is_named():
    first, second = service("10.96.0.5", 30001), service("10.96.0.5", 30002)
    both = [Event(5, f"{SERVICES}x", None, first), Event(6, f"{SERVICES}y", None, second)]
    assert len(what_is_wrong(Run(both, [], []))) == 1
    ports = [Event(5, f"{SERVICES}x", None, first), Event(6, f"{SERVICES}y", None, service("10.96.0.6", 30001))]
    assert "node port 30001" in what_is_wrong(Run(ports, [], []))[0]
    handed_on = [both[0], Event(6, f"{SERVICES}x", first, None), Event(7, f"{SERVICES}y", None, second)]
    assert what_is_wrong(Run(handed_on, [], [])) == []
