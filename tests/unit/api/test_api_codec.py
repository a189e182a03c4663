"""Objects on the wire: what is written, what is forgiven, what is found out."""

import re
import sys

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minik8s.api import codec, kinds, patch
from minik8s.api.apps import Deployment
from minik8s.api.core import Node, Pod, Service
from minik8s.api.discovery import EndpointSlice
from minik8s.api.unknown import duplicate_fields, unknown_fields
from minik8s.host import processes


def test_a_blank_object_still_says_what_it_is():
    assert codec.to_dict(Pod()) == {"apiVersion": "v1", "kind": "Pod", "metadata": {}, "spec": {}, "status": {}}


def test_nulls_count_as_absent_because_go_writes_them_for_empty_lists():
    each = codec.decode(
        EndpointSlice, b'{"addressType":"IPv4","endpoints":null,"ports":null,"metadata":{"labels":null}}'
    )
    assert each.endpoints == [] and each.ports == [] and each.metadata.labels == {}


# Threads that all are the first to read a kind; with so short turns most first looks are interrupted.
FIRST_LOOK = """
import sys, threading
from minik8s.api import codec
from minik8s.api.core import Pod
sys.setswitchinterval(1e-6)
container = {"name": "main", "ports": [{"containerPort": 80}], "env": [{"name": "A", "value": "b"}]}
pod = {"metadata": {"name": "x"}, "spec": {"containers": [container], "volumes": [{"name": "v", "emptyDir": {}}]}}
data = codec.encode(pod)
start = threading.Barrier(8)
def read(number):
    start.wait()
    assert (codec.decode(Pod, data) if number % 2 else codec.from_dict(Pod, pod)).spec.containers[0].ports
threads = [threading.Thread(target=read, args=(number,)) for number in range(8)]
for each in threads: each.start()
for each in threads: each.join()
"""


def test_many_threads_may_be_the_first_to_read_a_kind():
    for _ in range(5):  # without care one in two ends with a segmentation fault
        done = processes.run([sys.executable, "-c", FIRST_LOOK], check=False, timeout=60)
        assert (done.code, done.stderr) == (0, "")


def test_fields_that_no_class_has_are_dropped_on_decoding():
    assert codec.decode(Node, b'{"status":{"daemonThing":1}}') == Node()


@pytest.mark.parametrize("number", [2**31, -(2**31) - 1, 2**70])
@pytest.mark.parametrize(
    ("cls", "field", "spec"),
    [
        (Deployment, "replicas", lambda number: {"replicas": number}),
        (Service, "ports[0].targetPort", lambda number: {"ports": [{"port": 80, "targetPort": number}]}),
    ],
)
def test_a_number_that_does_not_fit_upstreams_type_is_an_error_that_names_the_field(cls, field, spec, number):
    with pytest.raises(msgspec.ValidationError, match=re.escape(f"`$.spec.{field}`")):
        codec.from_dict(cls, {"spec": spec(number)})


def test_a_wrong_type_is_an_error_that_names_the_field():
    with pytest.raises(msgspec.ValidationError, match=r"\$\.spec\.ports\[0\]\.port"):
        codec.decode(Service, b'{"spec":{"ports":[{"port":"eighty"}]}}')


def test_every_unknown_field_is_named_not_just_the_first():
    value = {
        "spec": {"containers": [{"name": "a", "imagee": "x", "env": [{"nam": "q"}]}], "nodeNme": "n"},
        "metadata": {"selfLink": "/api", "lables": {}},
    }
    assert unknown_fields(Pod, value) == [
        "spec.containers[0].imagee",
        "spec.containers[0].env[0].nam",
        "spec.nodeNme",
        "metadata.lables",
    ]


@pytest.mark.parametrize("word", ["svc", "service", "services", "Service"])
def test_people_may_call_a_kind_by_any_of_its_names(word):
    assert kinds.find(word) is Service


def test_a_group_may_be_named_to_tell_two_kinds_apart():
    assert kinds.find("deployments.apps").resource.path("shop", "web", "scale") == (
        "/apis/apps/v1/namespaces/shop/deployments/web/scale"
    )


def test_every_kind_is_found_by_its_address_and_by_its_url():
    for cls in kinds.KINDS:
        where = cls.resource
        assert kinds.by_kind(where.apiVersion, where.kind) is cls
        assert kinds.by_plural(where.group, where.version, where.plural) is cls


_values = st.recursive(
    st.booleans() | st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=2),
    lambda inner: st.dictionaries(st.sampled_from("abcd"), inner, max_size=3),
    max_leaves=8,
)
_objects = st.dictionaries(st.sampled_from("abcd"), _values, max_size=4)


@given(_objects, _objects)
def test_a_difference_applied_as_a_merge_patch_gives_the_other_state(old, new):
    assert patch.merge(old, patch.diff(old, new)) == new


@given(_objects)
def test_nothing_changed_means_an_empty_patch(state):
    assert patch.diff(state, state) == {}


@pytest.mark.parametrize(
    ("target", "change", "result"),
    [  # the test cases of RFC 7386, appendix A
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merge_patches_do_what_the_rfc_says(target, change, result):
    assert patch.merge(target, change) == result


@pytest.mark.parametrize(
    ("text", "doubled"),
    [
        (rb'{"a": "\"", "b": [{"c": 1, "d": {}}]}', []),
        (rb'{"a": 1, "b": [{"c": 1, "c": 1}], "a": {}}', ["a", "b[0].c"]),
        (rb'{"a": 1, "\u0061": 2}', ["a"]),
        (rb'{"a": 1, "a": "\u0022\u0022"}', ["a"]),  # escaped quotes that make up for those that are missing
        (b"", []),
    ],
)
def test_a_field_that_is_given_twice_is_found(text, doubled):
    assert sorted(duplicate_fields(text)) == doubled
