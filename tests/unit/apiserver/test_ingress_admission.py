"""The class of a new Ingress, and what its author hears when nobody serves it."""

import pytest
from memory_store import ask, registry

from minik8s.api import codec, times
from minik8s.api.coordination import Lease
from minik8s.api.core import Namespace
from minik8s.api.networking import CONTROLLER, DEFAULT_CLASS, Ingress, IngressClass
from minik8s.apiserver.verbs import Verbs
from minik8s.host import clock

HOW = "`minik8s up --ingress` starts what serves Ingresses"
BACKEND = {"service": {"name": "web", "port": {"number": 80}}}


@pytest.fixture
def verbs():
    made = Verbs(registry())
    for name in ("a", "kube-system"):
        made.create(ask("create", Namespace, body={"metadata": {"name": name}}))
    return made


def a_class(verbs, name, default=True, controller=CONTROLLER):
    meta = {"name": name, "annotations": {DEFAULT_CLASS: "true"} if default else {}}
    verbs.create(ask("create", IngressClass, body={"metadata": meta, "spec": {"controller": controller}}))


def lives(verbs, age=0.0, holder="node-1"):
    spec = {"holderIdentity": holder, "leaseDurationSeconds": 15, "renewTime": times.rfc3339(clock.wall() - age)}
    body = {"metadata": {"name": "ingress-node-1"}, "spec": spec}
    verbs.create(ask("create", Lease, body=body, namespace="kube-system"))


def create(verbs, named=None, annotations=None):
    spec = {"defaultBackend": BACKEND, **({"ingressClassName": named} if named else {})}
    request = ask("create", Ingress, body={"metadata": {"name": "w", "annotations": annotations or {}}, "spec": spec})
    made = codec.decode(Ingress, verbs.create(request).body)
    return made.spec.ingressClassName, request.warnings


def test_the_default_class_is_filled_in_and_nobody_is_warned_where_a_node_serves_it(verbs):
    a_class(verbs, "other", default=False)
    a_class(verbs, "minik8s")
    lives(verbs)
    assert create(verbs) == ("minik8s", [])


def test_without_a_class_the_author_hears_how_to_get_one(verbs):
    nobody = f"spec.ingressClassName: there is no default IngressClass, so nobody serves this Ingress; {HOW}"
    assert create(verbs) == (None, [nobody])


def test_a_class_that_does_not_exist_is_named(verbs):
    warned = f"spec.ingressClassName: there is no IngressClass x, so nobody serves this Ingress; {HOW}"
    assert create(verbs, "x") == ("x", [warned])


@pytest.mark.parametrize("lease", [None, {"age": 60}, {"holder": ""}])
def test_a_class_of_ours_that_no_node_serves_is_told(verbs, lease):
    a_class(verbs, "minik8s")
    if lease:
        lives(verbs, **lease)
    assert create(verbs)[1] == [f"spec.ingressClassName: no node serves the class minik8s just now; {HOW}"]


def test_who_serves_a_foreign_class_is_not_ours_to_know(verbs):
    a_class(verbs, "nginx", default=False, controller="k8s.io/ingress-nginx")
    assert create(verbs, "nginx") == ("nginx", [])


def test_the_annotation_of_old_counts_as_a_class(verbs):
    a_class(verbs, "minik8s")
    lives(verbs)
    assert create(verbs, annotations={"kubernetes.io/ingress.class": "minik8s"}) == (None, [])
