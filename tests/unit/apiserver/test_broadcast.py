"""The broadcaster with real sockets and a cache that a test plays: order, ends, and who is too slow."""

import json
import selectors
import socket

import pytest

from minik8s.api.core import Pod
from minik8s.apiserver import forms
from minik8s.apiserver.watch import broadcast, channel
from minik8s.apiserver.watch.outlet import Outlet, Terms
from minik8s.host import clock
from minik8s.store.ring import Change

PODS = "/registry/core/pods/"
FOREVER = 1e9
WAIT_S = 10.0


def change(revision, name="x", size=0):
    value = b'{"metadata":{"resourceVersion":"%d","name":"%s"},"pad":"%s"}' % (revision, name.encode(), b"-" * size)
    return Change(revision, f"{PODS}a/{name}", value, None)


def asked(prefix=PODS):
    return channel.Question(Pod, prefix, ("", ""), forms.Plain(Pod), None)


class Client:
    """The other end of a watch."""

    def __init__(self):
        self.sock, self.server_side = socket.socketpair()
        self.sock.settimeout(WAIT_S)

    def read(self):
        """Everything until the server closes."""
        parts = []
        while data := self.sock.recv(65536):
            parts.append(data)
        return unchunked(b"".join(parts))

    def outlet(self, until=FOREVER, bookmarks=False, opening=(), limit=1_000_000):
        return Outlet(self.server_side, Terms(until, bookmarks, b"", iter(opening)), limit)


def unchunked(data):
    """The lines in a chunked body, which has to be whole."""
    lines = b""
    while True:
        size, _, rest = data.partition(b"\r\n")
        if size == b"0":
            assert rest == b"\r\n"
            return [json.loads(line) for line in lines.splitlines()]
        lines, data = lines + rest[: int(size, 16)], rest[int(size, 16) + 2 :]


def told(events):
    return [(each["type"], each["object"]["metadata"].get("resourceVersion")) for each in events]


@pytest.fixture
def broadcaster():
    made = broadcast.Broadcaster(limit=3)
    made.start()
    yield made
    made.stop()


def test_what_was_there_what_was_missed_and_what_comes_is_told_in_this_order(broadcaster):
    client = Client()
    opening = [channel.line(forms.Plain(Pod), "ADDED", change(number).new, False) for number in (3, 4)]
    broadcaster.enter(asked(), client.outlet(opening=opening), [change(6)])
    broadcaster.changed([change(7), change(8)], 8)
    broadcaster.stop()
    assert told(client.read()) == [("ADDED", str(number)) for number in (3, 4, 6, 7, 8)]


def test_a_watcher_hears_of_its_namespace_alone(broadcaster):
    client = Client()
    broadcaster.enter(asked(f"{PODS}b/"), client.outlet(), [])
    elsewhere = Change(7, f"{PODS}a/x", change(7).new, None)
    here = Change(8, f"{PODS}b/x", change(8).new, None)
    other_kind = Change(9, "/registry/core/secrets/b/x", change(9).new, None)
    broadcaster.changed([elsewhere, here, other_kind], 9)
    broadcaster.stop()
    assert told(client.read()) == [("ADDED", "8")]


def test_who_is_too_far_behind_gets_what_waits_and_then_410(broadcaster):
    client = Client()
    client.server_side.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    broadcaster.enter(asked(), client.outlet(limit=200_000), [])
    broadcaster.changed([change(number, size=20_000) for number in range(6, 30)], 29)  # all before it can read one
    events = client.read()
    assert (events[-1]["type"], events[-1]["object"]["code"], events[-1]["object"]["reason"]) == (
        "ERROR",
        410,
        "Expired",
    )
    seen = [int(revision) for _, revision in told(events[:-1])]
    assert seen == list(range(6, 6 + len(seen))) and len(seen) < 24


def test_one_who_takes_nothing_keeps_nobody_waiting(broadcaster):
    lazy, keen = Client(), Client()
    broadcaster.enter(asked(), lazy.outlet(), [])
    broadcaster.enter(asked(), keen.outlet(), [])
    broadcaster.changed([change(number, size=9000) for number in range(6, 100)], 99)
    data = b""
    while data.count(b'"ADDED"') < 94:
        data += keen.sock.recv(65536)
    assert broadcaster.watchers() == 2
    lazy.sock.close()


def test_when_changes_are_lost_every_watcher_is_told(broadcaster):
    clients = [Client(), Client()]
    for client in clients:
        broadcaster.enter(asked(), client.outlet(), [])
    broadcaster.lost(90)
    for client in clients:
        (event,) = client.read()
        assert (event["type"], event["object"]["reason"]) == ("ERROR", "Expired")


def test_a_watch_whose_time_is_over_ends_with_a_bookmark_for_who_asked(broadcaster):
    plain, marked = Client(), Client()
    broadcaster.changed([], 40)
    broadcaster.enter(asked(), plain.outlet(until=clock.monotonic()), [])
    broadcaster.enter(asked(), marked.outlet(until=clock.monotonic(), bookmarks=True), [])
    assert plain.read() == []
    assert told(marked.read()) == [("BOOKMARK", "40")]


def test_a_client_that_leaves_makes_room_for_another(broadcaster):
    clients = [Client() for _ in range(3)]
    for client in clients:
        broadcaster.enter(asked(), client.outlet(bookmarks=True), [])
        broadcaster.changed([change(6)], 6)
        assert client.sock.recv(65536)
    assert broadcaster.full
    clients[0].sock.close()
    with selectors.DefaultSelector() as selector:
        # The server's own closing of its end is what shows that it has noticed.
        while broadcaster.full:
            selector.select(0.01)
    assert broadcaster.watchers() == 2


def test_a_watch_that_fails_ends_and_the_next_is_served(broadcaster):
    def broken(_):
        raise ZeroDivisionError

    first, second = Client(), Client()
    broadcaster.enter(channel.Question(Pod, PODS, ("a=b", ""), forms.Plain(Pod), broken), first.outlet(), [])
    broadcaster.changed([change(6)], 6)
    assert first.read() == []
    broadcaster.enter(asked(), second.outlet(), [])
    broadcaster.changed([change(7)], 7)
    broadcaster.stop()
    assert told(second.read()) == [("ADDED", "7")]
