"""The writes against a store that can be slow, full of rivals, or gone: nothing is doubled, nothing is guessed."""

import json

import pytest
from memory_store import ask, registry

from minik8s import params
from minik8s.api.core import ConfigMap, Namespace, Service
from minik8s.apiserver import verbs as module
from minik8s.apiserver.allocating.allocation import ADDRESSES_PREFIX, NODE_PORTS_PREFIX
from minik8s.apiserver.errors import Failure
from minik8s.apiserver.verbs import Verbs
from minik8s.store.model import Put, Txn, Unavailable, Unknown


@pytest.fixture
def verbs():
    made = Verbs(registry())
    made.create(ask("create", Namespace, body={"metadata": {"name": "a"}}))
    return made


def config(name="one", **data):
    return {"metadata": {"name": name}, "data": data}


def service(name="web", **spec):
    return {"metadata": {"name": name}, "spec": {"ports": [{"port": 80}], **spec}}


def stored(verbs, cls, name):
    return json.loads(verbs.read(ask("get", cls, name)).kv.value)


def failure(call, *args):
    with pytest.raises(Failure) as found:
        call(*args)
    return found.value.status


def test_a_write_that_etcd_did_and_could_not_say_is_answered_as_done(verbs):
    verbs.registry.store.fault = Unknown("gone")
    answer = verbs.create(ask("create", ConfigMap, body=config()))
    assert answer.code == 201
    assert answer.writes[0].revision == verbs.registry.store.now


def test_a_write_whose_outcome_nobody_knows_is_not_called_done_or_undone(verbs):
    store = verbs.registry.store
    store.fault, store.lose = Unknown("gone"), True
    status = failure(verbs.create, ask("create", ConfigMap, body=config()))
    assert (status.code, status.reason) == (504, "Timeout")


def test_a_store_that_does_not_answer_is_said_to_be_unavailable(verbs):
    store = verbs.registry.store
    store.fault, store.lose = Unavailable("no etcd"), True
    assert failure(verbs.create, ask("create", ConfigMap, body=config())).code == 503


def test_a_patch_without_a_version_is_applied_to_what_is_newest(verbs):
    verbs.create(ask("create", ConfigMap, body=config(a="1")))
    rival = ask("patch", ConfigMap, "one", {"data": {"rival": "was here"}})
    verbs.registry.store.before_commit = lambda: verbs.patch(rival)
    verbs.patch(ask("patch", ConfigMap, "one", {"data": {"a": "2"}}))
    assert stored(verbs, ConfigMap, "one")["data"] == {"a": "2", "rival": "was here"}


def test_an_update_with_a_version_is_refused_when_a_rival_was_faster(verbs):
    made = json.loads(verbs.create(ask("create", ConfigMap, body=config(a="1"))).body)
    rival = ask("patch", ConfigMap, "one", {"data": {"rival": "was here"}})
    verbs.registry.store.before_commit = lambda: verbs.patch(rival)
    status = failure(verbs.update, ask("update", ConfigMap, "one", {**made, "data": {"a": "2"}}))
    assert (status.code, status.reason) == (409, "Conflict")
    assert stored(verbs, ConfigMap, "one")["data"] == {"a": "1", "rival": "was here"}


def test_nothing_is_created_in_a_namespace_that_began_to_go_meanwhile(verbs):
    going = ask("delete", Namespace, "a")
    verbs.registry.store.before_commit = lambda: verbs.delete(going)
    status = failure(verbs.create, ask("create", ConfigMap, body=config()))
    assert (status.code, status.reason) == (403, "Forbidden")


def test_a_change_of_the_namespace_meanwhile_only_delays_a_create(verbs):
    labelled = ask("patch", Namespace, "a", {"metadata": {"labels": {"x": "y"}}})
    verbs.registry.store.before_commit = lambda: verbs.patch(labelled)
    assert verbs.create(ask("create", ConfigMap, body=config())).code == 201


def test_a_generated_name_that_is_taken_is_generated_anew(verbs, monkeypatch):
    ends = iter(["aaaaa", "aaaaa", "bbbbb"])
    monkeypatch.setattr(module.clock, "suffix", lambda: next(ends))
    body = {"metadata": {"generateName": "web-"}}
    names = [verbs.create(ask("create", ConfigMap, body=body)).writes[0].name for _ in range(2)]
    assert names == ["web-aaaaa", "web-bbbbb"]


def test_a_service_that_loses_its_candidates_to_a_rival_takes_others(verbs, monkeypatch):
    monkeypatch.setattr(module.clock, "fraction", lambda: 0.0)
    verbs.registry.cache.freeze()
    first = json.loads(verbs.create(ask("create", Service, body=service("one", type="NodePort"))).body)["spec"]
    second = json.loads(verbs.create(ask("create", Service, body=service("two", type="NodePort"))).body)["spec"]
    assert (first["clusterIP"], second["clusterIP"]) == ("10.96.1.0", "10.96.1.1")
    assert (first["ports"][0]["nodePort"], second["ports"][0]["nodePort"]) == (30086, 30087)


def test_a_range_is_called_full_only_after_a_fresh_look(verbs):
    low, high = params.NODE_PORT_RANGE
    store = verbs.registry.store
    store.commit(Txn((), tuple(Put(f"{NODE_PORTS_PREFIX}{n}", b"x") for n in range(low, high + 1))))
    verbs.registry.cache.freeze()
    store.commit(Txn((), (), (f"{NODE_PORTS_PREFIX}31000",)))
    made = json.loads(verbs.create(ask("create", Service, body=service(type="NodePort"))).body)
    assert made["spec"]["ports"][0]["nodePort"] == 31000
    status = failure(verbs.create, ask("create", Service, body=service("two", type="NodePort")))
    assert status.message == "Internal error occurred: failed to allocate a nodePort: range is full"
    assert not [key for key in store.kvs if key.endswith("/two")]


def test_a_refusal_is_known_at_its_revision_though_the_cache_is_behind(verbs):
    """The audit notes it there, so that it stands after the write it ran into."""
    verbs.registry.cache.freeze()
    made = verbs.create(ask("create", ConfigMap, body=config())).writes[0].revision
    assert verbs.registry.cache.revision < made
    assert failure(verbs.create, ask("create", ConfigMap, body=config())).code == 409
    assert verbs.registry.newest == made


def test_a_refused_service_leaves_no_claim_behind(verbs):
    before = set(verbs.registry.store.kvs)
    failure(verbs.create, ask("create", Service, body=service(clusterIP="10.96.0.9", sessionAffinity="Nonsense")))
    verbs.create(ask("create", Service, body=service("held", clusterIP="10.96.0.9")))
    verbs.delete(ask("delete", Service, "held"))
    assert set(verbs.registry.store.kvs) == before


def test_a_service_held_by_a_finalizer_keeps_its_address_until_it_goes(verbs):
    body = service(clusterIP="10.96.0.9")
    body["metadata"]["finalizers"] = ["example.org/x"]
    verbs.create(ask("create", Service, body=body))
    verbs.delete(ask("delete", Service, "web"))
    assert f"{ADDRESSES_PREFIX}10.96.0.9" in verbs.registry.store.kvs
    verbs.patch(ask("patch", Service, "web", {"metadata": {"finalizers": None}}))
    assert f"{ADDRESSES_PREFIX}10.96.0.9" not in verbs.registry.store.kvs


def test_a_write_that_differs_in_nothing_is_not_written(verbs):
    made = verbs.create(ask("create", Service, body=service()))
    before = verbs.registry.store.now
    same = verbs.update(ask("update", Service, "web", json.loads(made.body)))
    assert (verbs.registry.store.now, same.writes, same.body) == (before, (), made.body)


def test_a_dry_run_leaves_the_store_as_it_was(verbs):
    before = dict(verbs.registry.store.kvs)
    dry = {"query": {"dryRun": "All"}}
    assert json.loads(verbs.create(ask("create", Service, body=service(), **dry)).body)["spec"]["clusterIP"]
    verbs.create(ask("create", ConfigMap, body=config()))
    with_one = dict(verbs.registry.store.kvs)
    verbs.delete(ask("delete", ConfigMap, "one", **dry))
    verbs.patch(ask("patch", ConfigMap, "one", {"data": {"x": "y"}}, **dry))
    assert verbs.registry.store.kvs == with_one != before


@pytest.mark.parametrize("field", ["uid", "resourceVersion"])
def test_a_precondition_that_does_not_hold_protects_the_object(verbs, field):
    verbs.create(ask("create", ConfigMap, body=config()))
    status = failure(verbs.delete, ask("delete", ConfigMap, "one", {"preconditions": {field: "7777"}}))
    assert (status.code, status.reason) == (409, "Conflict")
    assert "Precondition failed" in status.message
