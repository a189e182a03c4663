"""Which nodes serve, and what the status says of it."""

from support.ingresscases import ingress

from minik8s.api import codec
from minik8s.api.coordination import Lease
from minik8s.api.core import Node
from minik8s.ingress import members


def lease(name, holder="x"):
    spec = {"holderIdentity": holder, "leaseDurationSeconds": 15}
    return codec.from_dict(Lease, {"metadata": {"name": name, "namespace": "kube-system"}, "spec": spec})


def node(name, ready="True"):
    status = {
        "conditions": [{"type": "Ready", "status": ready}],
        "addresses": [{"type": "InternalIP", "address": f"a-{name}"}, {"type": "Hostname", "address": name}],
    }
    return codec.from_dict(Node, {"metadata": {"name": name}, "status": status})


def test_an_instance_lives_while_its_lease_changes():
    leases = [lease("ingress-c"), lease("ingress-a"), lease("ingress-b", ""), lease("kube-scheduler")]
    changed = {each.metadata.name: 100.0 for each in leases}
    assert members.alive(leases, changed, 110.0) == ["a", "c"]
    assert members.alive(leases, {**changed, "ingress-a": 94.0}, 110.0) == ["c"]


def test_an_ingress_is_at_the_addresses_of_ready_nodes_that_serve():
    nodes = [node("c"), node("b"), node("a", "Unknown")]
    assert members.addresses(["a", "c"], nodes) == ["a-c"]


def test_a_status_is_written_only_where_it_differs():
    one, other = ingress("one"), ingress("other")
    ((found, patch),) = members.status_patches([one], ["1.1.1.1"])
    assert found is one and patch == {"status": {"loadBalancer": {"ingress": [{"ip": "1.1.1.1"}]}}}
    there = codec.from_dict(type(one), {"status": patch["status"]})
    assert members.status_patches([there], ["1.1.1.1"]) == []
    assert members.status_patches([there, other], [])[0][0] is there
