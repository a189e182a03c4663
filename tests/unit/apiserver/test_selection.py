"""Label and field selectors of a request, judged on encoded bytes."""

import pytest

from minik8s.api import codec
from minik8s.api.core import Event, Node, Pod, Service
from minik8s.apiserver import selection
from minik8s.apiserver.errors import Failure

POD = {
    "metadata": {"name": "web-1", "namespace": "a", "labels": {"app": "web", "tier": "front"}},
    "spec": {"nodeName": "node-1", "containers": []},
    "status": {"phase": "Running"},
}
EVENT = {
    "metadata": {"name": "e", "namespace": "a"},
    "involvedObject": {"kind": "Pod", "name": "web-1"},
    "type": "Normal",
}

CASES = [
    (Pod, POD, {"labelSelector": "app=web"}, True),
    (Pod, POD, {"labelSelector": "app=web,tier!=front"}, False),
    (Pod, POD, {"labelSelector": "app in (web, other),!gone"}, True),
    (Pod, POD, {"fieldSelector": "spec.nodeName=node-1"}, True),
    (Pod, POD, {"fieldSelector": "spec.nodeName=node-1,status.phase!=Running"}, False),
    (Pod, POD, {"fieldSelector": "status.phase!=Succeeded,status.phase!=Failed"}, True),
    (Pod, POD, {"fieldSelector": "metadata.namespace=a,metadata.name=web-1"}, True),
    (Pod, POD, {"fieldSelector": "spec.nodeName="}, False),
    (Pod, {"spec": {"containers": []}}, {"fieldSelector": "spec.nodeName="}, True),
    (Pod, POD, {"fieldSelector": "spec.hostNetwork=false"}, True),
    (Pod, POD, {"labelSelector": "app=web", "fieldSelector": "metadata.name=other"}, False),
    (Event, EVENT, {"fieldSelector": "involvedObject.name=web-1,involvedObject.kind=Pod"}, True),
    (Event, EVENT, {"fieldSelector": "involvedObject.uid=,type=Normal"}, True),
    (Event, EVENT, {"fieldSelector": "type=Warning"}, False),
    (Node, {"spec": {}}, {"fieldSelector": "spec.unschedulable=false"}, True),
    (Node, {"spec": {"unschedulable": True}}, {"fieldSelector": "spec.unschedulable=true"}, True),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case[2]))
def test_an_object_belongs_or_does_not(case):
    cls, raw, query, belongs = case
    matches = selection.matcher(cls, query)
    assert matches is not None
    assert matches(codec.encode(codec.from_dict(cls, raw))) is belongs


def test_no_selector_asks_nothing():
    assert selection.matcher(Pod, {}) is None
    assert selection.matcher(Pod, {"labelSelector": "", "fieldSelector": ""}) is None


@pytest.mark.parametrize(
    ("cls", "query"),
    [
        (Pod, {"fieldSelector": "spec.bogus=x"}),
        (Service, {"fieldSelector": "spec.nodeName=x"}),
        (Pod, {"fieldSelector": "nonsense"}),
        (Pod, {"labelSelector": "a=b=c"}),
        (Pod, {"labelSelector": "in (a)"}),
    ],
)
def test_what_cannot_be_judged_is_refused_not_ignored(cls, query):
    with pytest.raises(Failure) as found:
        selection.matcher(cls, query)
    assert (found.value.code, found.value.status.reason) == (400, "BadRequest")
