"""The watch cache, fed by a store that a test plays."""

import queue

import pytest

from minik8s.store.cache import Cache
from minik8s.store.model import KV, Compacted, Event, Expired, Page

PODS = "/registry/core/pods/"
WAIT = 5.0


def pod(name, revision):
    return KV(f"{PODS}default/{name}", b'{"kind":"Pod","metadata":{"name":"%s"}}' % name.encode(), revision, revision)


def put(name, revision, before=None):
    return Event("PUT", pod(name, revision), before)


def delete(name, revision, before):
    return Event("DELETE", KV(f"{PODS}default/{name}", b"", 0, revision), before)


class Watch:
    def __init__(self):
        self.answers = queue.SimpleQueue()

    def cancel(self):
        self.answers.put(None)

    def __iter__(self):
        while (answer := self.answers.get()) is not None:
            if isinstance(answer, Exception):
                raise answer
            yield answer


class PlayedStore:
    """Lists `items` at `revision`; hands out the watches it was given, and notes from where each began."""

    def __init__(self, items, revision, watches):
        self.items, self.revision, self.watches = items, revision, list(watches)
        self.since = queue.SimpleQueue()

    def list(self, prefix, *, limit=0, start="", revision=0):
        keys = [kv for kv in self.items if kv.key >= (start or prefix)]
        more = len(keys) > 2
        return Page(keys[:2], self.revision, keys[1].key + "\0" if more else None)

    def watch(self, prefix, revision):
        self.since.put(revision)
        return self.watches.pop(0)


@pytest.fixture
def started():
    caches = []

    def start(store, **options):
        cache = Cache(store, **options)
        caches.append(cache)
        cache.start()
        assert cache.wait_for(1, WAIT)
        return cache

    yield start
    for cache in caches:
        cache.stop()


def test_the_first_fill_reads_all_pages_and_fills_in_each_resource_version(started):
    watch = Watch()
    cache = started(PlayedStore([pod(name, number) for number, name in enumerate("abcde", 3)], 9, [watch]))
    items, revision = cache.list(PODS)
    assert revision == 9 and len(items) == 5
    assert items[0] == b'{"kind":"Pod","metadata":{"resourceVersion":"3","name":"a"}}'


class Heard:
    """A feed: what the cache said, in order. First of all where it stands."""

    def __init__(self, cache):
        self.words = queue.SimpleQueue()
        cache.listen(self)
        assert self.next() == ([], cache.revision)

    def changed(self, changes, revision):
        self.words.put(([change.revision for change in changes], revision))

    def lost(self, revision):
        self.words.put(("lost", revision))

    def next(self):
        return self.words.get(timeout=WAIT)


def resumed(cache, since, prefix=PODS):
    """The changes that somebody missed who knows the content as of `since`."""
    found = []
    cache.resume(prefix, since, found.extend)
    return found


def test_a_feed_hears_each_later_change_once_and_who_resumes_gets_the_object_before_and_after(started):
    watch = Watch()
    cache = started(PlayedStore([pod("a", 3)], 5, [watch]))
    heard = Heard(cache)
    watch.answers.put((6, [put("b", 6)]))
    watch.answers.put((8, [put("a", 7), delete("b", 8, pod("b", 6))]))
    assert [heard.next(), heard.next()] == [([6], 6), ([7, 8], 8)]
    changes = resumed(cache, 5)
    assert [(c.revision, c.new is None, c.old is None) for c in changes] == [
        (6, False, True),
        (7, False, False),
        (8, True, False),
    ]
    assert b'"resourceVersion":"8"' in changes[2].gone
    assert b'"resourceVersion":"3"' in changes[1].old
    assert [change.revision for change in resumed(cache, 6)] == [7, 8]
    assert resumed(cache, 8) == []


def test_an_empty_answer_of_etcd_moves_the_revision_for_bookmarks(started):
    watch = Watch()
    cache = started(PlayedStore([], 5, [watch]))
    heard = Heard(cache)
    watch.answers.put((17, []))
    assert heard.next() == ([], 17)


def test_nothing_comes_between_what_was_missed_and_what_a_feed_hears_next(started):
    watch = Watch()
    cache = started(PlayedStore([], 5, [watch]))
    heard = Heard(cache)
    watch.answers.put((6, [put("a", 6)]))
    assert heard.next() == ([6], 6)

    def missed(changes):
        watch.answers.put((7, [put("b", 7)]))  # it comes while we are being told
        heard.words.put([change.revision for change in changes])

    cache.resume(PODS, 5, missed)
    assert [heard.next(), heard.next()] == [[6], ([7], 7)]


def test_after_a_restart_old_watchers_resume_from_the_refilled_ring(started):
    watch = Watch()
    watch.answers.put((7, [put("a", 6), put("b", 7)]))
    watch.answers.put((8, [delete("b", 8, pod("b", 7))]))
    store = PlayedStore([pod("a", 6)], 8, [watch])
    cache = started(store)
    assert [change.revision for change in resumed(cache, 6)] == [7, 8]
    assert cache.list(PODS)[0] == [b'{"kind":"Pod","metadata":{"resourceVersion":"6","name":"a"}}']
    assert store.since.get(timeout=WAIT) == 0


def test_the_refill_begins_at_what_compaction_has_left(started):
    first, second = Watch(), Watch()
    first.answers.put(Compacted(700))
    second.answers.put((900, [put("a", 900)]))
    store = PlayedStore([pod("a", 900)], 900, [first, second])
    cache = started(store, events=500)
    assert [store.since.get(timeout=WAIT) for _ in range(2)] == [400, 700]
    assert [change.revision for change in resumed(cache, 700)] == [900]
    with pytest.raises(Expired):
        resumed(cache, 699)


def test_a_compaction_that_overtakes_the_cache_relists_and_tells_that_changes_are_lost(started):
    first, second = Watch(), Watch()
    store = PlayedStore([pod("a", 3)], 5, [first, second])
    cache = started(store)
    heard = Heard(cache)
    store.items, store.revision = [pod("z", 90)], 100
    first.answers.put(Compacted(80))
    assert heard.next() == ("lost", 100)
    assert cache.revision == 100
    assert [key for key, _ in cache.items(PODS)[0]] == [f"{PODS}default/z"]


def test_waiting_for_a_revision_that_does_not_come_ends(started):
    cache = started(PlayedStore([], 5, [Watch()]))
    assert cache.wait_for(5, 0.0)
    assert not cache.wait_for(6, 0.01)
