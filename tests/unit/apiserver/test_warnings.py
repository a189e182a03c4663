"""Warnings: which objects are warned of, and what of it reaches a client."""

import pytest
import urllib3
from memory_store import ask, registry

from minik8s.api.core import Namespace, Service
from minik8s.apiserver.http import _warnings
from minik8s.apiserver.verbs import Verbs
from minik8s.client.rest import Response


@pytest.fixture
def verbs():
    made = Verbs(registry())
    made.create(ask("create", Namespace, body={"metadata": {"name": "a"}}))
    return made


def warned(verbs, verb, body, **more):
    request = ask(verb, Service, "" if verb == "create" else "web", body, **more)
    getattr(verbs, verb)(request)
    return [each.partition(":")[0] for each in request.warnings]


def test_a_field_without_effect_is_told_when_it_comes_and_not_again(verbs):
    spec = {"type": "LoadBalancer", "loadBalancerClass": "a/b", "ports": [{"port": 80}]}
    body = {"metadata": {"name": "web"}, "spec": spec}
    assert warned(verbs, "create", body) == ["spec.loadBalancerClass"]
    assert warned(verbs, "patch", {"metadata": {"labels": {"a": "b"}}}) == []
    assert warned(verbs, "patch", {"spec": {"trafficDistribution": "PreferClose"}}) == ["spec.trafficDistribution"]
    assert warned(verbs, "patch", {"status": {"loadBalancer": {}}}, subresource="status") == []


def received(*texts):
    headers = urllib3.HTTPHeaderDict()
    for value in _warnings(list(texts)):
        value.encode("ascii")
        headers.add("Warning", value)
    return Response(urllib3.HTTPResponse(body=b"", headers=headers)).warnings


def test_a_client_reads_the_warnings_as_they_were_meant():
    assert received('unknown field "spec.a"', "b, c\\d") == ['unknown field "spec.a"', "b, c\\d"]


def test_what_no_header_can_hold_does_no_harm():
    assert received("a\r\nX-Evil: 1", "schlüssel") == ["a??X-Evil: 1", "schl\\xfcssel"]


def test_thousands_of_warnings_are_cut_short():
    found = received(*[f"field {n}" for n in range(5000)])
    assert (len(found), found[-1]) == (33, "and 4968 more")
