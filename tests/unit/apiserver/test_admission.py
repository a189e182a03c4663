"""What a request's bytes must be to become an object: form, fields, types, values."""

import pytest
from memory_store import ADMIN, ask

from minik8s.api.core import ConfigMap, Pod, Service
from minik8s.apiserver import admission
from minik8s.apiserver.errors import Failure
from minik8s.apiserver.request import Request
from minik8s.apiserver.routes import Target

POD = {"metadata": {"name": "web"}, "spec": {"containers": [{"name": "main", "image": "x:1"}]}}


def decoded(request):
    return admission.decode(request, admission.document(request))


def failure(call, *args):
    with pytest.raises(Failure) as found:
        call(*args)
    return found.value.status


def test_a_body_becomes_an_object_of_the_place_that_the_path_names():
    obj = decoded(ask("create", Pod, body=POD))
    assert (obj.apiVersion, obj.kind, obj.metadata.namespace) == ("v1", "Pod", "a")


def test_nulls_count_as_absent():
    obj = decoded(ask("create", Pod, body={"metadata": {"name": "x", "creationTimestamp": None, "labels": None}}))
    assert (obj.metadata.creationTimestamp, obj.metadata.labels) == (None, {})


WRONG = [
    # path's kind, body, code, message
    (Pod, {"kind": "Service"}, 400, "the kind in the data (Service) does not match the expected kind (Pod)"),
    (Pod, {"apiVersion": "apps/v1"}, 400, "the apiVersion in the data (apps/v1) does not match"),
    (Pod, {"metadata": {"namespace": "b"}}, 400, "the namespace of the provided object does not match"),
    (ConfigMap, {"data": []}, 400, "data: expected `object`, got `array`"),
    (ConfigMap, {"data": {"a": 1}}, 400, "data[...]"),
    (Service, {"spec": {"ports": [{"port": "x"}]}}, 400, "spec.ports[0].port: expected `int`, got `str`"),
    (Service, {"spec": {"selector": "app"}}, 400, "spec.selector: expected"),
    (Service, {"spec": {"ports": [{}]}}, 422, "spec.ports[0].port: Required value"),
    (Pod, {"metadata": 7}, 400, "metadata: expected"),
]


@pytest.mark.parametrize("case", WRONG, ids=lambda case: case[3])
def test_what_is_of_the_wrong_kind_place_or_type_is_refused_with_its_path(case):
    cls, body, code, message = case
    status = failure(decoded, ask("create", cls, body=body))
    assert status.code == code
    assert message in status.message


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("application/json", 0),
        ("application/json; charset=utf-8", 0),
        ("", 0),
        ("application/yaml", 0),
        ("application/cbor", 415),
        ("application/merge-patch+json", 415),
    ],
)
def test_a_body_in_a_form_that_is_not_understood_is_a_415(kind, code):
    request = Request(Target(Pod, "a"), "create", ADMIN, {}, kind, b"{}")
    if code:
        assert failure(admission.document, request).code == code
    else:
        assert admission.document(request) == {}


def test_all_fields_that_are_given_twice_are_named():
    body = b'{"metadata":{"name":"x","name":"x"},"data":{"a":"1","a":"2","a":"3"},"immutable":true,"immutable":true}'
    request = Request(Target(ConfigMap, "a"), "create", ADMIN, {"fieldValidation": "Strict"}, "", body)
    assert failure(decoded, request).message.endswith(
        'strict decoding error: duplicate field "metadata.name", duplicate field "data.a", duplicate field "immutable"'
    )
    text = b"metadata:\n  name: x\ndata: {a: '1', a: '2'}\ndata: {b: '1'}\n"
    yaml = Request(Target(ConfigMap, "a"), "create", ADMIN, {"fieldValidation": "Strict"}, "application/yaml", text)
    assert failure(decoded, yaml).message.endswith('duplicate field "data", duplicate field "data.a"')
    warned = Request(Target(ConfigMap, "a"), "create", ADMIN, {}, "", body)
    assert decoded(warned).data == {"a": "3"}
    assert warned.warnings[1] == 'duplicate field "data.a"'


def test_all_unknown_fields_are_named_not_only_the_first():
    body = {"metadata": {"name": "x"}, "spec": {"bogus": 1, "containers": [{"name": "a", "imagee": "b"}]}}
    status = failure(decoded, ask("create", Pod, body=body, query={"fieldValidation": "Strict"}))
    assert status.message.endswith('unknown field "spec.bogus", unknown field "spec.containers[0].imagee"')
    warned = ask("create", Pod, body=body)
    decoded(warned)
    assert warned.warnings == ['unknown field "spec.bogus"', 'unknown field "spec.containers[0].imagee"']
    silent = ask("create", Pod, body=body, query={"fieldValidation": "Ignore"})
    decoded(silent)
    assert silent.warnings == []
    assert failure(decoded, ask("create", Pod, body=body, query={"fieldValidation": "Maybe"})).code == 422


OPTIONS = [
    # body, query → grace, policy
    (None, {}, None, None),
    ({"gracePeriodSeconds": 0, "propagationPolicy": "Foreground"}, {}, 0, "Foreground"),
    (None, {"gracePeriodSeconds": "5", "propagationPolicy": "Orphan"}, 5, "Orphan"),
    ({"gracePeriodSeconds": 1}, {"gracePeriodSeconds": "5"}, 1, None),
]


@pytest.mark.parametrize("case", OPTIONS, ids=str)
def test_options_of_a_deletion_come_in_the_body_or_in_the_query(case):
    body, query, grace, policy = case
    found = admission.delete_options(ask("delete", Pod, "web", body, query=query))
    assert (found.gracePeriodSeconds, found.propagationPolicy) == (grace, policy)


def test_options_that_cannot_be_meant_are_refused():
    def refused(body=None, **query):
        return failure(admission.delete_options, ask("delete", Pod, "web", body, query=query))

    assert refused(gracePeriodSeconds="soon").code == 400
    for wrong in (
        refused(propagationPolicy="Sideways"),
        refused({"propagationPolicy": "Orphan", "orphanDependents": True}),
    ):
        assert (wrong.code, wrong.details.kind, wrong.details.causes[0].field) == (
            422,
            "DeleteOptions",
            "propagationPolicy",
        )
