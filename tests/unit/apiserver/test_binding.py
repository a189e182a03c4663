"""A Pod is bound once: at its own path, or at the collection of bindings with its name in the body."""

import json

import pytest
from memory_store import ask, registry

from minik8s.api.core import Namespace
from minik8s.api.pods import Pod
from minik8s.apiserver import subresources
from minik8s.apiserver.errors import Failure
from minik8s.apiserver.verbs import Verbs


@pytest.fixture
def verbs():
    made = Verbs(registry())
    made.create(ask("create", Namespace, body={"metadata": {"name": "a"}}))
    containers = [{"name": "main", "image": "app:1"}]
    made.create(ask("create", Pod, body={"metadata": {"name": "p"}, "spec": {"containers": containers}}))
    return made


def bind(verbs, path, named):
    body = {"metadata": {"name": named} if named else {}, "target": {"kind": "Node", "name": "node-1"}}
    return subresources.bind(verbs, ask("create", Pod, path, body=body, subresource="binding"))


@pytest.mark.parametrize("path, named", [("p", ""), ("p", "p"), ("", "p")])
def test_a_binding_names_its_pod_in_the_path_or_in_the_body(verbs, path, named):
    assert bind(verbs, path, named).code == 201
    assert json.loads(verbs.read(ask("get", Pod, "p")).kv.value)["spec"]["nodeName"] == "node-1"


@pytest.mark.parametrize("path, named, code", [("", "", 400), ("p", "q", 400), ("", "q", 404)])
def test_a_binding_of_nobody_or_of_two_is_refused(verbs, path, named, code):
    with pytest.raises(Failure) as found:
        bind(verbs, path, named)
    assert found.value.code == code


def test_a_pod_that_is_bound_stays_where_it_is(verbs):
    bind(verbs, "p", "p")
    with pytest.raises(Failure, match="already assigned to node") as found:
        bind(verbs, "", "p")
    assert found.value.code == 409
