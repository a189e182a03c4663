"""Strategic merge patches: what upstream's documentation shows and kubectl sends, beside what comes of it."""

from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minik8s.api import kinds, mergekeys, patch, shapes, strategic
from minik8s.api.apps import Deployment, DeploymentSpec
from minik8s.api.core import Node, ServiceSpec
from minik8s.api.meta import ObjectMeta
from minik8s.api.pods import Container, PodSpec

TWO = [{"name": "a", "image": "x:1"}, {"name": "b", "image": "y:1"}]
ROLLING = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}


def named(*names):
    return [{"name": name} for name in names]


CASES = {
    "an element is found by its key and merged": (
        (PodSpec, {"containers": TWO}, {"containers": [{"name": "b", "image": "y:2"}]}),
        {"containers": [TWO[0], {"name": "b", "image": "y:2"}]},
    ),
    "an element with a new key stands before those that the patch leaves alone": (
        (PodSpec, {"containers": TWO}, {"containers": [{"name": "c"}]}),
        {"containers": [{"name": "c"}, *TWO]},
    ),
    "an element with a new key stands behind the known one that the patch has before it": (
        (PodSpec, {"containers": TWO}, {"containers": [{"name": "a"}, {"name": "c"}]}),
        {"containers": [TWO[0], {"name": "c"}, TWO[1]]},
    ),
    "a null deletes a field, also in an element": (
        (
            PodSpec,
            {"containers": TWO, "dnsPolicy": "Default"},
            {"dnsPolicy": None, "containers": [{"name": "a", "image": None}]},
        ),
        {"containers": [{"name": "a"}, TWO[1]]},
    ),
    "$patch: delete takes an element out": (
        (PodSpec, {"containers": TWO}, {"containers": [{"name": "a", "$patch": "delete"}]}),
        {"containers": [TWO[1]]},
    ),
    "$patch: delete of an element that is not there is nothing": (
        (PodSpec, {}, {"containers": [{"name": "a", "$patch": "delete"}]}),
        {"containers": []},
    ),
    "$patch: replace in a list replaces the list": (
        (PodSpec, {"containers": TWO}, {"containers": [{"$patch": "replace"}, {"name": "c"}]}),
        {"containers": [{"name": "c"}]},
    ),
    "$patch: replace in a map replaces the map": (
        (ObjectMeta, {"labels": {"a": "1"}}, {"labels": {"$patch": "replace", "b": "2"}}),
        {"labels": {"b": "2"}},
    ),
    "$patch: merge is what happens anyway": (
        (ObjectMeta, {"labels": {"a": "1"}}, {"labels": {"$patch": "merge", "b": "2"}}),
        {"labels": {"a": "1", "b": "2"}},
    ),
    "$patch: delete empties a map": (
        (ObjectMeta, {"labels": {"a": "1"}}, {"labels": {"$patch": "delete"}}),
        {"labels": {}},
    ),
    "$retainKeys lets the other keys go": (
        (DeploymentSpec, {"strategy": ROLLING}, {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}),
        {"strategy": {"type": "Recreate"}},
    ),
    "plain values with the strategy merge are added, in the patch's order": (
        (ObjectMeta, {"finalizers": ["a/b"]}, {"finalizers": ["c/d", "a/b"]}),
        {"finalizers": ["c/d", "a/b"]},
    ),
    "$deleteFromPrimitiveList takes plain values out": (
        (ObjectMeta, {"finalizers": ["a/b", "c/d"]}, {"$deleteFromPrimitiveList/finalizers": ["a/b"]}),
        {"finalizers": ["c/d"]},
    ),
    "$setElementOrder orders plain values": (
        (ObjectMeta, {"finalizers": ["a/b"]}, {"finalizers": ["c/d"], "$setElementOrder/finalizers": ["c/d", "a/b"]}),
        {"finalizers": ["c/d", "a/b"]},
    ),
    "$setElementOrder alone orders what is there": (
        (PodSpec, {"containers": TWO}, {"$setElementOrder/containers": named("b", "a")}),
        {"containers": [TWO[1], TWO[0]]},
    ),
    "what the author did not know keeps its place": (
        (PodSpec, {"volumes": named("x", "a", "y", "b", "z")}, {"$setElementOrder/volumes": named("a", "b")}),
        {"volumes": named("x", "a", "y", "b", "z")},
    ),
    "a list without a key is replaced whole": (
        (Container, {"command": ["a", "b"]}, {"command": ["c"]}),
        {"command": ["c"]},
    ),
    "taints are replaced whole": (
        (Node, {"spec": {"taints": [{"key": "a"}]}}, {"spec": {"taints": [{"key": "b"}]}}),
        {"spec": {"taints": [{"key": "b"}]}},
    ),
    "ports of a Service are told apart by port": (
        (
            ServiceSpec,
            {"ports": [{"port": 80, "nodePort": 30000}]},
            {"ports": [{"port": 80, "name": "web"}, {"port": 81}]},
        ),
        {"ports": [{"port": 80, "nodePort": 30000, "name": "web"}, {"port": 81}]},
    ),
    "directives in what is new are obeyed, not stored": (
        (
            Deployment,
            {},
            {
                "spec": {
                    "template": {
                        "spec": {
                            "$setElementOrder/containers": named("a"),
                            "containers": [{"name": "a", "image": None}],
                        }
                    }
                }
            },
        ),
        {"spec": {"template": {"spec": {"containers": [{"name": "a"}]}}}},
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_each_directive_does_what_it_says(case):
    (cls, current, given), wanted = case
    untouched = deepcopy((current, given))
    assert strategic.merge(cls, current, given) == wanted
    assert (current, given) == untouched


WRONG = [
    (PodSpec, {"containers": [{"image": "x"}]}, strategic.NoMergeKey, "does not contain declared merge key: name"),
    (PodSpec, {"containers": [{"name": ["x"]}]}, strategic.NoMergeKey, "does not contain declared merge key: name"),
    (ObjectMeta, {"finalizers": [["x"]]}, strategic.BadPatch, "is a list of plain values"),
    (DeploymentSpec, {"strategy": {"$retainKeys": [{}], "type": "b"}}, strategic.BadPatch, "$retainKeys"),
    (PodSpec, {"containers": ["x"]}, strategic.NoMergeKey, "does not contain declared merge key: name"),
    (PodSpec, {"$patch": "rename"}, strategic.BadPatch, "Unknown patch type found: rename"),
    (
        DeploymentSpec,
        {"strategy": {"$retainKeys": ["a"], "type": "b"}},
        strategic.BadPatch,
        "$retainKeys does not list",
    ),
    (PodSpec, {"containers": [{"name": "a"}], "$setElementOrder/containers": []}, strategic.BadPatch, "name 'a'"),
    (PodSpec, {"$setElementOrder/containers": "a"}, strategic.BadPatch, "must be a list"),
]


@pytest.mark.parametrize("case", WRONG, ids=lambda case: case[3])
def test_a_patch_that_makes_no_sense_is_refused_with_the_reason(case):
    cls, given, error, text = case
    with pytest.raises(error) as found:
        strategic.merge(cls, {}, given)
    assert text in str(found.value)


labels = st.dictionaries(st.sampled_from("abcd"), st.sampled_from(["1", "2"]))
containers = st.lists(
    st.builds(dict, name=st.sampled_from("abc"), image=st.sampled_from(["x", "y"])), unique_by=lambda each: each["name"]
)


@given(labels, labels)
def test_without_directives_and_lists_it_is_a_merge_patch(old, new):
    given = {"metadata": {"labels": patch.diff(old, new)}}
    assert strategic.merge(Deployment, {"metadata": {"labels": old}}, given) == {"metadata": {"labels": new}}


@given(containers, containers)
def test_a_list_can_be_turned_into_any_other_in_its_order(old, new):
    """As kubectl does it: what changed, what goes, and the order."""
    kept = {each["name"] for each in new}
    gone = [{"name": each["name"], "$patch": "delete"} for each in old if each["name"] not in kept]
    order = [{"name": each["name"]} for each in new]
    made = strategic.merge(
        PodSpec, {"containers": old}, {"containers": [*new, *gone], "$setElementOrder/containers": order}
    )
    assert made == {"containers": new}


@given(containers, containers)
def test_a_second_time_it_changes_nothing(old, given):
    change = {"containers": given, "$setElementOrder/containers": [{"name": each["name"]} for each in given]}
    once = strategic.merge(PodSpec, {"containers": old}, change)
    assert strategic.merge(PodSpec, once, change) == once


def structs(cls, seen):
    if cls not in seen:
        seen.add(cls)
        for shape in shapes.shapes(cls).values():
            if shape.cls:
                structs(shape.cls, seen)
    return seen


def test_every_rule_is_of_a_field_that_a_kind_has():
    reachable = set()
    for cls in kinds.KINDS:
        structs(cls, reachable)
    for cls, fields in mergekeys.RULES.items():
        assert cls in reachable, cls
        for name, rule in fields.items():
            shape = shapes.shapes(cls)[name]
            for key in rule.list_map_keys:
                assert key in shapes.shapes(shape.cls), (cls, name, key)
    assert reachable >= mergekeys.ATOMIC
