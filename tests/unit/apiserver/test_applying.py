"""Patches and server-side apply through the verbs: who is written down, what kubectl may take over, what is refused."""

import dataclasses
import json

import pytest
from memory_store import ask, registry

from minik8s.api import codec
from minik8s.api.batch import Job
from minik8s.api.core import ConfigMap, Namespace, Pod
from minik8s.apiserver import applying, patches
from minik8s.apiserver.admission import JSON_PATCH
from minik8s.apiserver.errors import Failure
from minik8s.apiserver.verbs import Verbs

TEMPLATE = {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "x:1"}]}}


@pytest.fixture
def verbs():
    made = Verbs(registry())
    made.create(ask("create", Namespace, body={"metadata": {"name": "a"}}))
    return made


def sent(cls, kind, body, **query):
    """A PATCH of the object `one`."""
    return dataclasses.replace(ask("patch", cls, "one", body, query=query), content_type=kind)


def config(*, annotations=None, **data):
    metadata = {"name": "one", **({"annotations": annotations} if annotations else {})}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def apply(verbs, body, who="kubectl", cls=ConfigMap, **query):
    request = sent(cls, patches.APPLY_PATCH, body, fieldManager=who, **query)
    return codec.decode(cls, applying.patch(verbs, request).body)


def refused(call, *args, **more):
    with pytest.raises(Failure) as found:
        call(*args, **more)
    return found.value.status


def managers(obj):
    return {each.manager: each for each in obj.metadata.managedFields}


def test_what_the_server_adds_is_nobodys_to_give_up(verbs):
    body = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "one"}, "spec": {"template": TEMPLATE}}
    verbs.create(ask("create", Job, body=body, query={"fieldManager": "tool"}))
    made = codec.decode(Job, verbs.read(ask("get", Job, "one")).kv.value)
    assert made.spec.selector is not None
    assert "f:selector" not in managers(made)["tool"].fieldsV1["f:spec"]
    changed = apply(verbs, {**body, "spec": {"template": TEMPLATE, "parallelism": 3}}, "tool", Job, force="true")
    assert changed.spec.selector == made.spec.selector


def test_a_pod_keeps_the_token_that_the_server_gave_it(verbs):
    spec = {"containers": [{"name": "c", "image": "x:1"}]}
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "one"}, "spec": spec}
    verbs.create(ask("create", Pod, body=body, query={"fieldManager": "tool"}))
    made = codec.decode(Pod, verbs.read(ask("get", Pod, "one")).kv.value)
    assert len(made.spec.volumes) == 1
    assert "f:volumes" not in managers(made)["tool"].fieldsV1["f:spec"]
    (entry,) = made.metadata.managedFields
    taken_over = [{**codec.to_dict(entry), "operation": "Apply"}]  # as kubectl does it
    change = {"metadata": {"managedFields": taken_over}}
    applying.patch(verbs, sent(Pod, "application/merge-patch+json", change))
    assert apply(verbs, body, "tool", Pod).spec == made.spec


def test_kubectl_may_change_on_the_server_what_it_applied_from_the_client(verbs):
    last = {applying.LAST_APPLIED: json.dumps(config(a="1"))}
    verbs.create(ask("create", ConfigMap, body=config(annotations=last, a="1", b="1"), query={"fieldManager": "old"}))
    assert refused(apply, verbs, config(a="2"), "somebody").reason == "Conflict"
    assert refused(apply, verbs, config(b="2")).reason == "Conflict", "it never applied b"
    changed = apply(verbs, config(a="2"))
    assert changed.data == {"a": "2", "b": "1"}
    kept = json.loads(changed.metadata.annotations[applying.LAST_APPLIED])
    assert kept == config(a="2"), "who goes back to the client's side finds what was applied"


@pytest.mark.parametrize("text", ["nonsense", "[1]", '{"metadata": 1}', '{"data": null}'])
def test_an_annotation_that_is_no_object_allows_nothing(verbs, text):
    body = config(annotations={applying.LAST_APPLIED: text}, a="1")
    verbs.create(ask("create", ConfigMap, body=body, query={"fieldManager": "old"}))
    assert refused(apply, verbs, config(a="2")).reason == "Conflict"


def test_an_apply_that_names_an_object_that_is_gone_does_not_make_another(verbs):
    body = config(a="1")
    body["metadata"]["uid"] = "u-1"
    assert "uid mismatch" in refused(apply, verbs, body).message
    assert apply(verbs, config(a="1")).data == {"a": "1"}
    assert refused(apply, verbs, body).reason == "Conflict"


def test_only_an_apply_may_force_and_a_name_must_be_one(verbs):
    apply(verbs, config(a="1"))
    status = refused(applying.patch, verbs, sent(ConfigMap, "application/merge-patch+json", {}, force="true"))
    assert (status.code, status.details.causes[0].field) == (422, "force")
    for wrong in ("a" * 129, "a\u0007b"):
        status = refused(apply, verbs, config(a="1"), wrong)
        assert (status.code, status.details.causes[0].field) == (422, "fieldManager")


def test_what_nobody_reads_in_a_json_patch_is_named(verbs):
    apply(verbs, config(a="1"))
    body = [{"op": "replace", "path": "/data/a", "value": "2", "vlaue": "3"}]
    strict = sent(ConfigMap, JSON_PATCH, body, fieldValidation="Strict")
    assert refused(applying.patch, verbs, strict).message.endswith('json patch unknown field "[0].vlaue"')
    twice = dataclasses.replace(strict, body=b'[{"op":"test","op":"replace","path":"/data/a","value":"2"}]')
    assert refused(applying.patch, verbs, twice).message.endswith('json patch duplicate field "[0].op"')


def test_the_program_is_the_manager_when_none_is_named(verbs):
    request = dataclasses.replace(ask("create", ConfigMap, body=config(a="1")), user_agent="kubectl/v1.33 (linux)")
    made = codec.decode(ConfigMap, verbs.create(request).body)
    assert list(managers(made)) == ["kubectl"]
    nameless = verbs.create(ask("create", ConfigMap, body={**config(a="1"), "metadata": {"name": "two"}}))
    assert list(managers(codec.decode(ConfigMap, nameless.body))) == ["unknown"]
