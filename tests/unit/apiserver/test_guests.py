"""Containers that are added to a running Pod: through their own subresource, and through nothing else."""

import json

import pytest
from memory_store import ask, registry

from minik8s.api.core import Namespace
from minik8s.api.pods import Pod
from minik8s.apiserver.errors import Failure
from minik8s.apiserver.verbs import Verbs

GUEST = {"name": "guest", "image": "tools:1", "targetContainerName": "main"}


@pytest.fixture
def verbs():
    made = Verbs(registry())
    made.create(ask("create", Namespace, body={"metadata": {"name": "a"}}))
    made.create(ask("create", Pod, body=pod()))
    return made


def pod(**spec):
    return {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "main", "image": "app:1"}], **spec}}


def write(verbs, *guests, sub="ephemeralcontainers", labels=None):
    body = json.loads(verbs.read(ask("get", Pod, "p")).kv.value)
    body["spec"]["ephemeralContainers"] = list(guests)
    body["metadata"]["labels"] = labels or {}
    return json.loads(verbs.update(ask("update", Pod, "p", subresource=sub, body=body)).body)


def refusal(call, *args, **more):
    with pytest.raises(Failure) as found:
        call(*args, **more)
    return found.value.status


def test_a_guest_is_added_with_its_defaults_and_nothing_else_is_changed(verbs):
    made = write(verbs, GUEST, labels={"a": "b"})
    (guest,) = made["spec"]["ephemeralContainers"]
    assert guest.items() >= {**GUEST, "imagePullPolicy": "IfNotPresent"}.items()
    assert "labels" not in made["metadata"] and made["metadata"]["generation"] == 2


def test_a_pod_is_neither_made_with_guests_nor_gets_them_by_an_update(verbs):
    asked = ask("create", Pod, body={**pod(ephemeralContainers=[GUEST]), "metadata": {"name": "q"}})
    assert refusal(verbs.create, asked).details.causes[0].field == "spec.ephemeralContainers"
    status = refusal(write, verbs, GUEST, sub="")
    assert (status.code, status.details.causes[0].field) == (422, "spec.ephemeralContainers")


def test_guests_that_are_there_can_be_neither_changed_nor_removed(verbs):
    write(verbs, GUEST)
    assert "may not be removed" in refusal(write, verbs).message
    assert "may not be changed" in refusal(write, verbs, {**GUEST, "image": "other:1"}).message
    assert len(write(verbs, GUEST, {**GUEST, "name": "second"})["spec"]["ephemeralContainers"]) == 2


@pytest.mark.parametrize(
    "wrong, field",
    [
        ({"name": "main"}, "name"),
        ({"image": ""}, "image"),
        ({"targetContainerName": "nobody"}, "targetContainerName"),
        ({"ports": [{"containerPort": 80}]}, "ports"),
        ({"resources": {"limits": {"cpu": "1"}}}, "resources"),
        ({"readinessProbe": {"exec": {"command": ["true"]}}}, "readinessProbe"),
    ],
)
def test_a_guest_that_asks_for_too_much_is_refused_with_its_field(verbs, wrong, field):
    causes = refusal(write, verbs, {**GUEST, **wrong}).details.causes
    assert f"spec.ephemeralContainers[0].{field}" in [cause.field for cause in causes]
