"""Watches over the wire: headers at once, selectors, bookmarks, 410; and what a dying server or etcd does to them."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.apiserver import config, pod, wait_until

from minik8s import params

pytestmark = pytest.mark.system


def test_a_watch_sends_its_headers_before_the_first_event(api, namespace):
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    revision = api.admin.get(path)["metadata"]["resourceVersion"]
    watch = api.admin.watch(f"{path}?watch=true&resourceVersion={revision}")  # or nothing comes for 15 s
    assert watch.response.status == 200
    api.admin.post(path, config("one"))
    api.admin.merge(f"{path}/one", {"data": {"a": "1"}})
    api.admin.delete(f"{path}/one")
    assert watch.seen(3) == [("ADDED", "one"), ("MODIFIED", "one"), ("DELETED", "one")]
    watch.close()


def test_a_watch_from_nowhere_begins_with_what_is_there(api, namespace):
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    for name in ("a", "b"):
        api.admin.post(path, config(name))
    for query in ("", "&resourceVersion=0"):
        watch = api.admin.watch(f"{path}?watch=1{query}")
        assert watch.seen(2) == [("ADDED", "a"), ("ADDED", "b")]
        watch.close()


def test_initial_events_end_with_a_bookmark_that_says_so(api, namespace):
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    api.admin.post(path, config("a"))
    query = "watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
    watch = api.admin.watch(f"{path}?{query}")
    assert watch.next()["type"] == "ADDED"
    mark = watch.next()
    assert mark["type"] == "BOOKMARK"
    assert mark["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    watch.close()


def test_what_begins_to_match_is_added_and_what_ceases_to_is_deleted(api, namespace):
    path = f"/api/v1/namespaces/{namespace}/pods"
    revision = api.admin.get(path)["metadata"]["resourceVersion"]
    query = f"watch=true&resourceVersion={revision}"
    labelled = api.admin.watch(f"{path}?{query}&labelSelector=app%3Dweb")
    placed = api.admin.watch(f"{path}?{query}&fieldSelector=spec.nodeName%3Dnode-1")
    api.admin.post(path, pod("x"))
    api.admin.merge(f"{path}/x", {"metadata": {"labels": {"app": "web"}}})
    binding = {"target": {"kind": "Node", "name": "node-1"}}
    api.admin.post(f"{path}/x/binding", binding)
    last = api.admin.merge(f"{path}/x", {"metadata": {"labels": {"app": "other"}}})
    api.admin.delete(f"{path}/x?gracePeriodSeconds=0")
    events = [labelled.next() for _ in range(3)]
    assert [event["type"] for event in events] == ["ADDED", "MODIFIED", "DELETED"]
    # The last state that matched, at the revision at which it ceased to.
    assert events[2]["object"]["metadata"]["labels"] == {"app": "web"}
    assert events[2]["object"]["metadata"]["resourceVersion"] == last["metadata"]["resourceVersion"]
    assert placed.seen(3) == [("ADDED", "x"), ("MODIFIED", "x"), ("DELETED", "x")]
    labelled.close()
    placed.close()


def test_a_quiet_watch_gets_bookmarks_as_new_as_the_store(api, namespace):
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    revision = api.admin.get(path)["metadata"]["resourceVersion"]
    watch = api.admin.watch(f"{path}?watch=true&resourceVersion={revision}&allowWatchBookmarks=true")
    elsewhere = api.admin.post("/api/v1/namespaces/default/configmaps", config(namespace))
    for _ in range(2):  # all watches are sent one at the same time, and that may be just before `elsewhere`
        mark = watch.next()
        assert (mark["type"], mark["object"]["kind"]) == ("BOOKMARK", "ConfigMap")
        newest = int(mark["object"]["metadata"]["resourceVersion"])
        if newest >= int(elsewhere["metadata"]["resourceVersion"]):
            break
    assert newest >= int(elsewhere["metadata"]["resourceVersion"])
    watch.close()


def test_a_watch_ends_when_its_time_is_over(api, namespace):
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    watch = api.admin.watch(f"{path}?watch=true&resourceVersion=0&timeoutSeconds=1")
    assert watch.next() is None


def test_a_forgotten_revision_is_answered_410_inside_the_stream(api):
    store = api.etcd.store()
    store.compact(store.revision())
    store.close()
    api.server.kill_worker()
    wait_until(api.admin.ready, 10, "the worker is back")
    watch = api.admin.watch("/api/v1/pods?watch=true&resourceVersion=2")
    assert watch.response.status == 200
    first = watch.next()
    assert first["type"] == "ERROR"
    assert (first["object"]["code"], first["object"]["reason"]) == (410, "Expired")
    assert "too old resource version: 2" in first["object"]["message"]
    assert watch.next() is None


def test_a_revision_of_the_future_is_refused_not_waited_for(api):
    began = time.monotonic()
    answer = api.admin.get("/api/v1/pods?resourceVersion=99999999", 504)
    assert answer["reason"] == "Timeout" and "Too large resource version" in answer["message"]
    assert time.monotonic() - began < params.FRESH_READ_TIMEOUT_S + 2


def test_many_more_watches_than_threads_all_hear_and_keep_nobody_waiting(api, namespace):
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    with ThreadPoolExecutor(8) as pool:
        query = f"{path}?watch=true&resourceVersion=0"
        watches = list(pool.map(lambda _: api.admin.watch(query), range(4 * params.SERVER_THREADS)))
    api.admin.post(path, config("one"))
    assert {tuple(watch.seen(1)) for watch in watches} == {(("ADDED", "one"),)}
    for watch in watches:
        watch.close()


def test_a_watch_of_an_old_client_and_a_head_are_not_left_hanging(api):
    path = "/api/v1/namespaces/default/configmaps?watch=true"
    with api.admin.raw() as sock:
        sock.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
        assert b" 400 " in sock.recv(65536).split(b"\r\n")[0]
    answer = api.admin.ask("HEAD", path)
    assert (answer.status, answer.data) == (200, b"")


def test_a_server_that_dies_comes_back_and_its_watchers_go_on_where_they_were(api, namespace):
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    at_other = api.at_other()
    made = api.admin.post(path, config("before"))
    stop_here = made["metadata"]["resourceVersion"]
    api.server.kill_worker()
    at_other.post(path, config("meanwhile"))
    wait_until(api.admin.ready, 10, "the worker is back")
    watch = api.admin.watch(f"{path}?watch=true&resourceVersion={stop_here}")
    assert watch.seen(1) == [("ADDED", "meanwhile")]
    watch.close()
    assert len(api.admin.get(path)["items"]) == 2


def test_a_killed_etcd_interrupts_and_loses_nothing(api, namespace):
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    watch = api.admin.watch(f"{path}?watch=true&resourceVersion={api.admin.get(path)['metadata']['resourceVersion']}")
    acknowledged = []
    for number in range(30):
        if number == 10:
            api.etcd.kill()
            api.etcd.start()
        answer = api.admin.json("POST", path, config(f"c{number}"))
        if answer["kind"] == "ConfigMap":
            acknowledged.append(answer["metadata"]["name"])
        else:
            assert answer["code"] in (503, 504)
    present = [item["metadata"]["name"] for item in api.admin.get(path)["items"]]
    assert set(acknowledged) <= set(present)
    events = watch.seen(len(present))
    assert [kind for kind, _ in events] == ["ADDED"] * len(present)
    assert sorted(name for _, name in events) == sorted(present)
    watch.close()


def test_the_server_tells_how_it_fares_to_those_who_may_know(api, namespace):
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    watch = api.admin.watch(f"{path}?watch=true&resourceVersion=0")
    api.admin.post(path, config("counted"))
    assert watch.seen(1) == [("ADDED", "counted")]
    text = api.admin.ask("GET", "/metrics").data.decode()
    for line in (
        'apiserver_request_total{verb="POST",group="",version="v1",resource="configmaps",subresource="",'
        'scope="namespace",component="apiserver",code="201",dry_run=""}',
        'apiserver_request_duration_seconds_count{verb="POST",group="",version="v1",resource="configmaps"',
        'apiserver_longrunning_requests{verb="WATCH",group="",version="v1",resource="configmaps"',
        'apiserver_watch_events_total{group="",version="v1",kind="ConfigMap"}',
        'apiserver_storage_objects{resource="namespaces"}',
        'apiserver_flowcontrol_current_executing_seats{priority_level="system"}',
        'etcd_request_duration_seconds_count{operation="txn"}',
        "process_resident_memory_bytes",
    ):
        found = [float(each.rsplit(" ", 1)[1]) for each in text.splitlines() if each.startswith(line)]
        assert found and max(found) >= 0, line
    watch.close()
    assert api.user("nobody-special").json("GET", "/metrics")["code"] == 403
    assert api.anonymous.json("GET", "/metrics")["code"] in (401, 403)
