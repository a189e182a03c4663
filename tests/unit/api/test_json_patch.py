"""JSON patches: the examples of RFC 6902's appendix, and what must not happen."""

from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minik8s.api import jsonpatch


def op(name, path, **more):
    return {"op": name, "path": path, **more}


def test_every_operation_checks_its_members():
    for wrong, text in [
        ({"op": "add", "path": "/a", "value": 1}, "list of operations"),
        ([1], "operation 0 is not an object"),
        ([op("test", "/a", value=1), op("rename", "/a")], "operation 1: unknown op 'rename'"),
        ([op("add", "/a")], "operation 0: add needs a value"),
        ([op("remove", "a")], "operation 0: path: 'a' is no JSON pointer"),
        ([op("move", "/a")], "operation 0: from: None is no JSON pointer"),
        ([{"op": "remove"}], "operation 0: path: None is no JSON pointer"),
    ]:
        with pytest.raises(jsonpatch.BadPatch) as found:
            jsonpatch.check(wrong)
        assert text in str(found.value)


RFC = {  # appendix A's numbers
    "A.1 add to an object": ({"foo": "bar"}, [op("add", "/baz", value="qux")], {"baz": "qux", "foo": "bar"}),
    "A.2 add to an array": (
        {"foo": ["bar", "baz"]},
        [op("add", "/foo/1", value="qux")],
        {"foo": ["bar", "qux", "baz"]},
    ),
    "A.3 remove from an object": ({"baz": "qux", "foo": "bar"}, [op("remove", "/baz")], {"foo": "bar"}),
    "A.4 remove from an array": ({"foo": ["bar", "qux", "baz"]}, [op("remove", "/foo/1")], {"foo": ["bar", "baz"]}),
    "A.5 replace": ({"baz": "qux", "foo": "bar"}, [op("replace", "/baz", value="boo")], {"baz": "boo", "foo": "bar"}),
    "A.6 move a value": (
        {"foo": {"bar": "baz", "waldo": "fred"}, "qux": {"corge": "grault"}},
        [op("move", "/qux/thud", **{"from": "/foo/waldo"})],
        {"foo": {"bar": "baz"}, "qux": {"corge": "grault", "thud": "fred"}},
    ),
    "A.7 move in an array": (
        {"foo": ["all", "grass", "cows", "eat"]},
        [op("move", "/foo/3", **{"from": "/foo/1"})],
        {"foo": ["all", "cows", "eat", "grass"]},
    ),
    "A.8 test": (
        {"baz": "qux", "foo": ["a", 2, "c"]},
        [op("test", "/baz", value="qux"), op("test", "/foo/1", value=2)],
        {"baz": "qux", "foo": ["a", 2, "c"]},
    ),
    "A.10 add what is nested": (
        {"foo": "bar"},
        [op("add", "/child", value={"grandchild": {}})],
        {"foo": "bar", "child": {"grandchild": {}}},
    ),
    "A.14 ~ escapes": ({"/": 9, "~1": 10}, [op("test", "/~01", value=10)], {"/": 9, "~1": 10}),
    "A.16 add to the end": (
        {"foo": ["bar"]},
        [op("add", "/foo/-", value=["abc", "def"])],
        {"foo": ["bar", ["abc", "def"]]},
    ),
    "copy": (
        {"a": {"b": 1}},
        [op("copy", "/c", **{"from": "/a"}), op("replace", "/c/b", value=2)],
        {"a": {"b": 1}, "c": {"b": 2}},
    ),
    "the whole document": ({"a": 1}, [op("replace", "", value={"b": 2})], {"b": 2}),
    "a field that is not there is null": ({}, [op("test", "/a", value=None)], {}),
}


@pytest.mark.parametrize("case", RFC.values(), ids=RFC.keys())
def test_each_operation_does_what_the_rfc_shows(case):
    document, patch, wanted = case
    assert jsonpatch.apply(document, jsonpatch.check(patch)) == wanted


FAILS = {
    "A.9 a test that does not hold": ({"baz": "qux"}, [op("test", "/baz", value="bar")], "testing value /baz failed"),
    "A.12 adding to nothing": ({"foo": "bar"}, [op("add", "/baz/bat", value="qux")], "there is no /baz"),
    "A.15 a number is no text": ({"/": 9, "~1": 10}, [op("test", "/~01", value="10")], "testing value /~01 failed"),
    "true is not 1": ({"a": 1}, [op("test", "/a", value=True)], "testing value /a failed"),
    "removing what is not there": ({}, [op("remove", "/a~1b")], "there is no /a~1b"),
    "replacing what is not there": ({}, [op("replace", "/a", value=1)], "there is no /a"),
    "an index beyond the end": ({"a": [1]}, [op("add", "/a/2", value=1)], "/a/2: the list is not that long"),
    "an index with a zero before it": ({"a": [1, 2]}, [op("remove", "/a/01")], "'01' is no index"),
    "an index below zero": ({"a": [1, 2]}, [op("remove", "/a/-1")], "'-1' is no index"),
    "removing the end": ({"a": [1, 2]}, [op("remove", "/a/-")], "'-' is no index"),
    "an index of an object": ({"a": "text"}, [op("remove", "/a/0")], "/a has no parts"),
    "moving into itself": ({"a": {}}, [op("move", "/a/b", **{"from": "/a"})], "cannot be moved into itself"),
    "taking everything away": ({}, [op("remove", "")], "cannot be taken away"),
    "doubling without end": ({"a": ["x" * 1000]}, [op("copy", "/a/-", **{"from": "/a"})] * 50, "copy more than"),
}


@pytest.mark.parametrize("case", FAILS.values(), ids=FAILS.keys())
def test_an_operation_that_does_not_fit_fails_with_its_place(case):
    document, patch, text = case
    with pytest.raises(jsonpatch.Failed) as found:
        jsonpatch.apply(document, jsonpatch.check(patch))
    assert text in str(found.value)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=8,
)
pointers = st.lists(st.text(max_size=2) | st.sampled_from("012-"), max_size=3).map(
    lambda parts: "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)
)
operations = st.builds(
    lambda name, path, source, value: {"op": name, "path": path, "from": source, "value": value},
    st.sampled_from(list(jsonpatch.OPERATIONS)),
    pointers,
    pointers,
    values,
)


@given(values, st.lists(operations, max_size=4))
def test_any_patch_is_done_or_fails_and_is_itself_never_changed(document, patch):
    before = deepcopy(patch)
    try:
        jsonpatch.apply(document, jsonpatch.check(patch))
    except jsonpatch.Failed:
        pass
    assert patch == before
