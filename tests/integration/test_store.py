"""The store on a real etcd: guarded writes, races, and what is left when etcd is killed."""

import socket
import threading
from contextlib import contextmanager

import pytest

from minik8s.host import processes
from minik8s.store import find
from minik8s.store.cache import Cache
from minik8s.store.etcd import Store
from minik8s.store.model import (
    Absent,
    Compacted,
    Conflict,
    FutureRevision,
    Present,
    Put,
    Refused,
    StoreError,
    Txn,
    Unavailable,
    Unchanged,
    Unknown,
)

pytestmark = pytest.mark.system
KEY = "/registry/core/pods/default/web"


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Etcd:
    """An etcd of the test's own, that can be killed and started again on its data."""

    def __init__(self, folder):
        self.member = find.Member(str(folder / "data"), free_port(), free_port())
        self.program = find.find()[0].path
        self.log = folder / "log"
        self.process = None
        self.start()

    @property
    def address(self):
        return f"127.0.0.1:{self.member.client_port}"

    def start(self):
        argv = find.arguments(self.program, self.member)
        self.process = processes.spawn(argv, log=self.log, env=find.environment_here())

    def kill(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="module")
def etcd(tmp_path_factory):
    running = Etcd(tmp_path_factory.mktemp("etcd"))
    yield running
    running.kill()


@contextmanager
def opened(etcd, **options):
    store = Store(etcd.address, **options)
    wait_serving(store)
    try:
        yield store
    finally:
        store.close()


def wait_serving(store):
    patience = threading.Event()  # nobody sets it: only its timeout is wanted
    for _ in range(400):
        try:
            return store.revision()
        except Unavailable:
            patience.wait(0.05)
    raise AssertionError("etcd does not serve")


@pytest.fixture
def store(etcd):
    with opened(etcd) as store:
        items = store.list("/").items
        for first in range(0, len(items), 100):
            store.commit(Txn(deletes=tuple(kv.key for kv in items[first : first + 100])))
        yield store


def test_a_transaction_happens_whole_or_not_at_all_and_names_what_stood_in_its_way(store):
    revision = store.commit(Txn((Absent(KEY),), (Put(KEY, b"1"), Put(KEY + "-ip", b"claim"))))
    assert store.get(KEY)[0].mod_revision == store.get(KEY + "-ip")[0].create_revision == revision
    with pytest.raises(Conflict) as caught:
        store.commit(Txn((Absent(KEY), Present(KEY + "-ip"), Unchanged(KEY, revision)), (Put("/other", b"x"),)))
    assert caught.value.keys == (KEY,)
    assert caught.value.failed[0].current.value == b"1"
    assert store.get("/other")[0] is None
    later = store.commit(Txn((Unchanged(KEY, revision),), (), (KEY, KEY + "-ip")))
    assert later == revision + 1 and store.list("/").items == []


def test_a_list_in_pages_is_a_picture_of_one_moment(store):
    for number in range(5):
        store.commit(Txn((), (Put(f"/registry/a/{number}", b"%d" % number),)))
    page = store.list("/registry/a/", limit=2)
    store.commit(Txn((), (Put("/registry/a/9", b"late"),), ("/registry/a/3",)))
    items = list(page.items)
    while page.next:
        page = store.list("/registry/a/", limit=2, start=page.next, revision=page.revision)
        items += page.items
    assert [kv.value for kv in items] == [b"0", b"1", b"2", b"3", b"4"]


def test_what_is_compacted_and_what_has_not_happened_are_told_apart(store):
    first = store.commit(Txn((), (Put(KEY, b"1"),)))
    last = store.commit(Txn((), (Put(KEY, b"2"),)))
    store.compact(last)
    store.compact(last)  # by another API server: no harm
    with pytest.raises(Compacted):
        store.get(KEY, first)
    with pytest.raises(FutureRevision):
        store.get(KEY, last + 1000)
    with pytest.raises(Compacted) as caught:
        next(iter(store.watch("/registry/", first - 1)))
    assert caught.value.revision == last


def test_too_large_a_value_is_refused_and_not_called_unknown(store):
    with pytest.raises(Refused):
        store.commit(Txn((), (Put(KEY, b"x" * 2_000_000),)))


def test_a_value_with_a_time_to_live_goes_by_itself(store):
    revision = store.commit(Txn((), (Put(KEY, b"short", ttl=1),)))
    for _, events in store.watch("/registry/", revision):
        if events:
            break
    assert events[0].type == "DELETE" and events[0].prev_kv.value == b"short"


def test_of_two_writers_that_saw_the_same_exactly_one_wins(store):
    store.commit(Txn((), (Put(KEY, b"0"),)))

    def add(times):
        for _ in range(times):
            while True:
                current, _ = store.get(KEY)
                new = b"%d" % (int(current.value) + 1)
                try:
                    store.commit(Txn((Unchanged(KEY, current.mod_revision),), (Put(KEY, new),)))
                    break
                except Conflict:
                    continue

    writers = [threading.Thread(target=add, args=(50,)) for _ in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert store.get(KEY)[0].value == b"100"


def test_a_write_that_etcd_did_not_answer_is_unknown_and_can_be_asked_about(etcd, store):
    landed = Txn((Absent(KEY),), (Put(KEY, b"uid-1"),))
    revision = store.commit(landed)
    assert store.landed(landed) == revision
    assert store.landed(Txn((), (Put(KEY, b"uid-2"),))) is None
    etcd.kill()
    try:
        with pytest.raises(Unknown):
            store.commit(Txn((), (Put(KEY, b"uid-2"),)))
        with pytest.raises(Unavailable):
            store.get(KEY)
    finally:
        etcd.start()
    wait_serving(store)
    assert store.landed(Txn((), (Put(KEY, b"uid-2"),))) is None
    assert store.get(KEY)[0].value == b"uid-1"


def write_until(store, stop, written):
    """Count up at KEY; every answered write is noted with its revision."""
    number = 0
    while not stop.is_set():
        number += 1
        txn = Txn((), (Put(KEY, b'{"metadata":{"name":"%d"}}' % number),))
        try:
            written.append(store.commit(txn))
        except StoreError:
            stop.wait(0.02)


def test_a_watch_over_three_kills_of_etcd_sees_every_revision_once_and_in_order(etcd, store):
    start, stop, written, seen = store.revision(), threading.Event(), [], []
    writer = threading.Thread(target=write_until, args=(store, stop, written))
    writer.start()
    watch = store.watch("/registry/", start)
    kills = 0
    for _, events in watch:
        seen += [event.kv.mod_revision for event in events]
        if kills < 3 and len(seen) >= 100 * (kills + 1):
            etcd.kill()
            etcd.start()
            kills += 1
        elif kills == 3 and len(seen) >= 400 and not stop.is_set():
            stop.set()
            writer.join()
        if stop.is_set() and seen[-1] >= written[-1]:
            break
    # Only KEY is written: revisions without a gap. Some may be writes that were never answered.
    assert seen == list(range(start + 1, seen[-1] + 1))
    assert set(written) <= set(seen)


def missed(cache, prefix, since):
    found = []
    cache.resume(prefix, since, found.extend)
    return found


def test_the_cache_follows_over_a_kill_and_a_new_cache_lets_old_watchers_resume(etcd, store):
    first = store.commit(Txn((), (Put(KEY, b'{"metadata":{"name":"1"}}'),)))
    cache = Cache(store)
    cache.start()
    assert cache.wait_for(first, 5)
    etcd.kill()
    etcd.start()
    wait_serving(store)
    second = store.commit(Txn((), (Put(KEY, b'{"metadata":{"name":"2"}}'),)))
    assert cache.wait_for(second, 10)
    (change,) = missed(cache, "/registry/core/pods/", first)
    assert (change.revision, change.new) == (second, b'{"metadata":{"resourceVersion":"%d","name":"2"}}' % second)
    cache.stop()
    third = store.commit(Txn((), (), (KEY,)))
    again = Cache(store)
    again.start()
    assert again.wait_for(third, 5)
    changes = missed(again, "/registry/", first)
    assert [change.revision for change in changes] == [second, third]
    assert changes[1].new is None and b'"%d"' % third in changes[1].gone
    again.stop()
