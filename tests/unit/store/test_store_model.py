"""Guards, the splice, the ring, the index and the leases: the pure parts of the store."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minik8s.store.index import Index, kind_of
from minik8s.store.model import KV, Absent, Expired, Present, Unchanged, holds
from minik8s.store.ring import Change, Ring
from minik8s.store.splice import fill, refill
from minik8s.store.ttl import Leases

AT_7 = KV("/k", b"", 3, 7)

GUARDS = [
    # guard              what is there   holds
    (Absent("/k"), None, True),
    (Absent("/k"), AT_7, False),
    (Present("/k"), None, False),
    (Present("/k"), AT_7, True),
    (Unchanged("/k", 7), AT_7, True),
    (Unchanged("/k", 6), AT_7, False),
    (Unchanged("/k", 7), None, False),
]


@pytest.mark.parametrize("guard, current, expected", GUARDS)
def test_a_guard_judges_what_stands_at_its_key(guard, current, expected):
    assert holds(guard, current) is expected


OBJECTS = [
    b'{"kind":"Pod","metadata":{"name":"a"},"spec":{}}',
    b'{"kind":"Pod","metadata":{}}',
    b'{"kind":"Deployment","spec":{"template":{"metadata":{"name":"inner"}}},"metadata":{"name":"outer"}}',
    b'{"kind":"Event","metadata":{"name":"e"},"involvedObject":{"resourceVersion":"3"}}',
    b'{"kind":"Pod","metadata":{"name":"a","resourceVersion":"1"}}',
    b'{"kind":"Pod","note":"\\"metadata\\":{","metadata":{"name":"a"}}',
    b'{"kind":"Pod"}',
]


@pytest.mark.parametrize("stored", OBJECTS)
def test_the_revision_is_written_into_the_objects_own_metadata_and_nowhere_else(stored):
    wanted = json.loads(stored)
    wanted.setdefault("metadata", {})["resourceVersion"] = "42"
    assert json.loads(fill(stored, 42)) == wanted


@pytest.mark.parametrize("stored", OBJECTS)
def test_a_deleted_object_is_shown_with_the_revision_of_its_deletion(stored):
    assert json.loads(refill(fill(stored, 9), 1234)) == json.loads(fill(stored, 1234))


def test_what_is_no_object_is_left_as_it_is():
    assert fill(b"services/default/web", 5) == b"services/default/web"


def test_a_ring_tells_what_came_after_a_revision_under_a_prefix():
    ring = Ring(10, 0)
    for revision in range(1, 6):
        ring.append(Change(revision, f"/{'ab'[revision % 2]}/{revision}", b"", None))
    assert [change.revision for change in ring.since(2, "/a/")] == [4]
    assert [change.revision for change in ring.since(0, "/")] == [1, 2, 3, 4, 5]


def test_a_ring_that_has_forgotten_says_so_instead_of_leaving_a_gap():
    ring = Ring(3, 0)
    for revision in range(1, 6):
        ring.append(Change(revision, "/a", b"", None))
    assert ring.floor == 2
    assert [change.revision for change in ring.since(2, "/")] == [3, 4, 5]
    with pytest.raises(Expired) as caught:
        ring.since(1, "/")
    assert caught.value.revision == 2


@given(st.lists(st.integers(0, 3), max_size=60), st.integers(1, 10))
def test_whatever_a_ring_answers_is_complete(steps, size):
    ring, everything, revision = Ring(size, 0), [], 0
    for step in steps:  # several changes may share a revision
        revision += step if revision else 1
        everything.append(Change(revision, "/a", b"", None))
        ring.append(everything[-1])
    for since in range(revision + 1):
        try:
            assert ring.since(since, "/") == [change for change in everything if change.revision > since]
        except Expired:
            assert since < ring.floor


def test_an_index_lists_by_kind_and_namespace_in_the_order_of_keys():
    index = Index()
    for name in ("pods/b/1", "pods/a/2", "pods/a/1", "podtemplates/a/1"):
        index.put(f"/registry/core/{name}", name.encode())
    values = [value for _, value in index.items("/registry/core/pods/")]
    assert values == [b"pods/a/1", b"pods/a/2", b"pods/b/1"]
    assert [key for key, _ in index.items("/registry/core/pods/a/")] == [
        "/registry/core/pods/a/1",
        "/registry/core/pods/a/2",
    ]
    assert len(index.items("/registry/")) == 4
    assert index.remove("/registry/core/pods/a/1") == b"pods/a/1"
    assert index.remove("/registry/core/pods/a/1") is None
    assert [value for _, value in index.items("/registry/core/pods/a/")] == [b"pods/a/2"]


def test_a_namespace_is_not_the_prefix_of_a_longer_one():
    assert kind_of("/registry/core/pods/a/1") == kind_of("/registry/core/pods/") == "/registry/core/pods/"
    assert kind_of("/registry/") == ""


def test_values_of_about_the_same_age_share_a_lease_and_none_goes_early():
    granted, now = [], [0.0]

    def grant(ttl):
        granted.append((ttl, now[0]))
        return len(granted)

    leases = Leases(grant, lambda: now[0])
    assert [leases.lease(3600), leases.lease(3600)] == [1, 1]
    now[0] = 59.0
    assert leases.lease(3600) == 1
    assert granted[0][0] >= 59 + 3600
    now[0] = 61.0
    assert leases.lease(3600) == 2
    assert leases.lease(60) == 3
