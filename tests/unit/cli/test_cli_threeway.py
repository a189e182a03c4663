"""Three states and what apply makes of them: a line per case."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minik8s.api import patch
from minik8s.cli.threeway import changes, merged

CASES = {
    # what: (applied last, manifest now, live, patch)
    "nothing differs": ({"a": 1}, {"a": 1}, {"a": 1}, {}),
    "a value changed": ({"a": 1}, {"a": 2}, {"a": 1}, {"a": 2}),
    "a field was added": ({}, {"a": 1}, {}, {"a": 1}),
    "a field was taken out": ({"a": 1}, {}, {"a": 1}, {"a": None}),
    "a field that somebody else set stays": ({}, {}, {"a": 1}, {}),
    "a field taken out that is gone anyway": ({"a": 1}, {}, {}, {}),
    "an explicit null removes": ({}, {"a": None}, {"a": 1}, {"a": None}),
    "an empty map is no change": ({}, {"a": {}}, {}, {}),
    "a nested value": ({"a": {"b": 1}}, {"a": {"b": 2}}, {"a": {"b": 1, "c": 3}}, {"a": {"b": 2}}),
    "a default within a named element": (
        {"ports": [{"port": 80}]},
        {"ports": [{"port": 80}]},
        {"ports": [{"port": 80, "nodePort": 30001}]},
        {},
    ),
    "what was allocated stays when an element changes": (
        {"ports": [{"port": 80, "targetPort": 1}]},
        {"ports": [{"port": 80, "targetPort": 2}]},
        {"ports": [{"port": 80, "targetPort": 1, "nodePort": 30001}]},
        {"ports": [{"port": 80, "targetPort": 2, "nodePort": 30001}]},
    ),
    "an element taken out goes": (
        {"env": [{"name": "a"}, {"name": "b"}]},
        {"env": [{"name": "a"}]},
        {"env": [{"name": "a"}, {"name": "b"}]},
        {"env": [{"name": "a"}]},
    ),
    "an element that somebody else added stays": (
        {"containers": [{"name": "a", "image": "1"}]},
        {"containers": [{"name": "a", "image": "2"}]},
        {"containers": [{"name": "a", "image": "1"}, {"name": "sidecar"}]},
        {"containers": [{"name": "a", "image": "2"}, {"name": "sidecar"}]},
    ),
    "the same port for two protocols": (
        {"ports": [{"port": 53}, {"port": 53, "protocol": "UDP"}]},
        {"ports": [{"port": 53, "targetPort": 5}, {"port": 53, "protocol": "UDP"}]},
        {"ports": [{"port": 53}, {"port": 53, "protocol": "UDP"}]},
        {"ports": [{"port": 53, "targetPort": 5}, {"port": 53, "protocol": "UDP"}]},
    ),
    "an unnamed list is replaced whole": ({"args": ["a"]}, {"args": ["b", "c"]}, {"args": ["a"]}, {"args": ["b", "c"]}),
    "an unnamed list whose elements only got defaults": (
        {"subsets": [{"ip": "1"}]},
        {"subsets": [{"ip": "1"}]},
        {"subsets": [{"ip": "1", "ready": True}]},
        {},
    ),
}


@pytest.mark.parametrize(("last", "manifest", "live", "expected"), CASES.values(), ids=CASES.keys())
def test_the_patch_is(last, manifest, live, expected):
    assert changes(last, manifest, live) == expected


scalars = st.integers(0, 3) | st.sampled_from("ab")
maps = st.recursive(
    st.dictionaries(st.sampled_from("xyz"), scalars, max_size=3),
    lambda inner: st.dictionaries(st.sampled_from("xyz"), inner | scalars | st.lists(scalars, max_size=2), max_size=3),
    max_leaves=6,
)


@given(maps, maps, maps)
def test_applying_the_patch_leaves_nothing_to_apply(last, manifest, live):
    after = patch.merge(live, changes(last, manifest, live))
    assert after == merged(last, manifest, live)
    assert changes(manifest, manifest, after) == {}
