"""What a Pod refers to, and what its node may therefore read."""

from memory_store import ask, registry

from minik8s.api import codec
from minik8s.api.core import Namespace, Pod
from minik8s.apiserver.auth import usage
from minik8s.apiserver.verbs import Verbs

CONTAINER = {
    "name": "main",
    "image": "x:1",
    "env": [
        {"name": "A", "valueFrom": {"secretKeyRef": {"name": "s-key", "key": "a"}}},
        {"name": "B", "valueFrom": {"configMapKeyRef": {"name": "c-key", "key": "a"}}},
    ],
    "envFrom": [{"configMapRef": {"name": "c-all"}}, {"secretRef": {"name": "s-all"}}],
}
SPEC = {
    "nodeName": "node-1",
    "containers": [CONTAINER],
    "volumes": [
        {"name": "c", "configMap": {"name": "c-volume"}},
        {"name": "s", "secret": {"secretName": "s-volume"}},
        {"name": "e", "emptyDir": {}},
    ],
}


def test_every_way_to_name_a_secret_or_a_configmap_is_found():
    assert usage.references(codec.from_dict(Pod, {"spec": SPEC})) == {
        ("secrets", "s-key"),
        ("secrets", "s-all"),
        ("secrets", "s-volume"),
        ("configmaps", "c-key"),
        ("configmaps", "c-all"),
        ("configmaps", "c-volume"),
    }


def test_only_the_node_of_the_pod_and_only_its_namespace_counts():
    known = registry()
    verbs = Verbs(known)
    verbs.create(ask("create", Namespace, body={"metadata": {"name": "a"}}))
    verbs.create(ask("create", Pod, body={"metadata": {"name": "web"}, "spec": SPEC}))
    assert usage.used_on_node(known, "secrets", "a", "s-all", "node-1")
    assert not usage.used_on_node(known, "configmaps", "a", "s-all", "node-1")
    assert not usage.used_on_node(known, "secrets", "b", "s-all", "node-1")
    assert not usage.used_on_node(known, "secrets", "a", "s-all", "node-2")
