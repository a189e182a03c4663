"""What the server writes into objects, what a write may change, and when the generation grows."""

import msgspec
import pytest

from minik8s.api import codec
from minik8s.api.apps import Deployment, ReplicaSet
from minik8s.api.core import ConfigMap, Namespace, Node, Pod, Service
from minik8s.apiserver import strategy

BIRTH = strategy.Birth(now="2026-01-01T00:00:00Z", uid="u-1", suffix="abcde")


def made(cls, **raw):
    return codec.from_dict(cls, raw)


def container(**resources):
    return {"name": "main", "image": "x:1", "resources": resources}


def test_a_new_object_gets_who_and_when_and_loses_what_is_the_servers():
    obj = made(
        Pod, metadata={"generateName": "web-", "uid": "mine", "deletionTimestamp": "x"}, status={"phase": "Failed"}
    )
    strategy.prepare_create(obj, BIRTH)
    meta = obj.metadata
    assert (meta.name, meta.uid, meta.creationTimestamp, meta.generation) == ("web-abcde", "u-1", BIRTH.now, 1)
    assert (meta.deletionTimestamp, obj.status.phase) == (None, "Pending")


def test_a_generated_name_is_cut_before_its_random_end():
    obj = made(ConfigMap, metadata={"generateName": "x" * 80})
    strategy.prepare_create(obj, BIRTH)
    assert obj.metadata.name == "x" * 58 + "abcde"


def test_a_namespace_begins_active_and_must_be_emptied():
    obj = made(Namespace, metadata={"name": "a"})
    strategy.prepare_create(obj, BIRTH)
    assert (obj.status.phase, obj.spec.finalizers) == ("Active", ["kubernetes"])
    assert obj.metadata.labels == {"kubernetes.io/metadata.name": "a"}


def test_a_node_brings_its_state_along():
    obj = made(Node, metadata={"name": "node-1"}, status={"capacity": {"pods": "110"}})
    strategy.prepare_create(obj, BIRTH)
    assert obj.status.capacity == {"pods": "110"}


def test_a_write_of_the_object_leaves_the_status_and_the_servers_fields():
    old = made(Deployment, metadata={"name": "web", "uid": "u-1", "generation": 3}, status={"replicas": 2})
    new = made(Deployment, metadata={"name": "web", "generation": 9, "labels": {"a": "b"}}, status={"replicas": 7})
    strategy.prepare_update(new, old)
    assert (new.metadata.uid, new.metadata.generation, new.status.replicas) == ("u-1", 3, 2)
    assert new.metadata.labels == {"a": "b"}


def test_something_else_is_wanted_when_the_spec_differs_and_not_when_labels_or_the_order_of_keys_do():
    old = made(Deployment, metadata={"name": "web"}, spec={"selector": {"matchLabels": {"a": "1", "b": "2"}}})
    turned = made(Deployment, metadata={"name": "web"}, spec={"selector": {"matchLabels": {"b": "2", "a": "1"}}})
    labelled = made(Deployment, metadata={"name": "web", "labels": {"a": "b"}}, spec=turned.spec)
    assert strategy.same(turned, old)
    assert not strategy.same(labelled, old)
    assert not strategy.wants_else(labelled, old)
    assert strategy.wants_else(made(Deployment, metadata={"name": "web"}, spec={"replicas": 2}), old)


def test_annotations_of_a_deployment_are_wanted_too_as_upstream_has_it():
    noted = {"metadata": {"name": "web", "annotations": {"a": "b"}}}
    assert strategy.wants_else(made(Deployment, **noted), made(Deployment, metadata={"name": "web"}))
    assert not strategy.wants_else(made(ReplicaSet, **noted), made(ReplicaSet, metadata={"name": "web"}))


def test_a_write_of_the_status_leaves_what_is_wanted():
    old = made(Deployment, metadata={"name": "web", "finalizers": ["x/y"]}, spec={"replicas": 1})
    new = made(Deployment, metadata={"name": "web"}, spec={"replicas": 9})
    new.status.replicas = 4
    strategy.prepare_status(new, old)
    assert (new.spec.replicas, new.status.replicas) == (1, 4)


OWNER = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "1"}


@pytest.mark.parametrize(
    "cls, kept", [(Service, ""), (Node, ""), (ReplicaSet, ""), (Deployment, "labels"), (Pod, "ownerReferences")]
)
def test_metadata_may_be_written_with_the_status_but_for_a_pods_owners_and_a_deployments_labels(cls, kept):
    given = {"labels": {"a": "b"}, "annotations": {"c": "d"}, "finalizers": [], "ownerReferences": [OWNER]}
    old = made(cls, metadata={"name": "web", "uid": "7", "finalizers": ["x/y"]})
    new = made(cls, metadata={"name": "other", "uid": "8", **given})
    strategy.prepare_status(new, old)
    assert (new.metadata.name, new.metadata.uid) == ("web", "7")
    expected = made(cls, metadata={field: value for field, value in given.items() if field != kept}).metadata
    assert [getattr(new.metadata, field) for field in given] == [getattr(expected, field) for field in given]


def test_services_and_nodes_count_no_generations():
    assert [strategy.counts_generations(cls) for cls in (Deployment, Pod, Service, Node, ConfigMap)] == [
        True,
        True,
        False,
        False,
        False,
    ]


def test_the_stored_bytes_know_no_version_and_the_shown_ones_do():
    obj = made(ConfigMap, metadata={"name": "a", "resourceVersion": "7"})
    assert b"resourceVersion" not in strategy.stored_bytes(obj)
    assert msgspec.json.decode(strategy.shown_bytes(obj, 9))["metadata"]["resourceVersion"] == "9"
    assert obj.metadata.resourceVersion == "7"


def test_an_object_has_one_controller_and_no_new_finalizer_while_it_goes():
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "u", "controller": True}
    new = made(ConfigMap, metadata={"ownerReferences": [owner, owner], "finalizers": ["a/b", "a/c"]})
    old = made(ConfigMap, metadata={"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["a/b"]})
    causes = strategy.check_metadata(new, old)
    assert [cause.field for cause in causes] == ["metadata.ownerReferences", "metadata.finalizers"]


QOS = [
    ([{}], "BestEffort"),
    ([{"requests": {"cpu": "1"}}], "Burstable"),
    ([{"limits": {"cpu": "1", "memory": "1Gi"}}], "Guaranteed"),
    ([{"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1000m", "memory": "1024Mi"}}], "Guaranteed"),
    ([{"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m", "memory": "1Gi"}}], "Burstable"),
    ([{"limits": {"cpu": "1", "memory": "1Gi"}}, {}], "Burstable"),
]


@pytest.mark.parametrize(("resources", "quality"), QOS, ids=str)
def test_the_quality_of_service_follows_requests_and_limits(resources, quality):
    pod = made(Pod, spec={"containers": [container(**each) for each in resources]})
    assert strategy.qos_class(pod) == quality


def test_a_quantity_that_is_none_is_left_for_validation_to_refuse():
    odd = codec.from_dict(
        Pod, {"spec": {"containers": [{"name": "c", "resources": {"limits": {"cpu": "abc", "memory": "1"}}}]}}
    )
    assert strategy.qos_class(odd) == "Burstable"
