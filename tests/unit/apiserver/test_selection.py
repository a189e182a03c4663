"""Label and field selectors of a request, judged on encoded bytes."""

import pytest

from minik8s.api import codec, kinds
from minik8s.api.core import ConfigMap, Event, Node, Pod, Service
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
    (Event, EVENT | {"source": {"component": "kubelet"}}, {"fieldSelector": "source=kubelet"}, True),
    (Event, EVENT | {"reportingComponent": "kubelet"}, {"fieldSelector": "source=kubelet"}, True),
    (Pod, POD, {"fieldSelector": "spec.host=node-1"}, True),
    (Pod, POD | {"metadata": {"labels": {"size": "3"}}}, {"labelSelector": "size>2"}, True),
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


OPERATORS = "in, notin, =, ==, !=, gt, lt"
ONLY = 'only "metadata.name", "metadata.namespace"'
REFUSED = [
    (Pod, {"fieldSelector": "spec.bogus=x"}, "field label not supported: spec.bogus"),
    (Service, {"fieldSelector": "metadata.name=a,spec.nodeName=x"}, "field label not supported: spec.nodeName"),
    (Node, {"fieldSelector": "metadata.namespace=x"}, "field label not supported: metadata.namespace"),
    (ConfigMap, {"fieldSelector": "data=x"}, f'"data" is not a known field selector: {ONLY}'),
    (Pod, {"fieldSelector": "nonsense"}, "invalid selector: 'nonsense'; can't understand 'nonsense'"),
    (Pod, {"labelSelector": "a=b=c"}, "found '=', expected: ',' or 'end of string'"),
    (
        Pod,
        {"labelSelector": "in (a)"},
        "unable to parse requirement: found '(', expected: in, notin, =, ==, !=, gt, lt",
    ),
]


@pytest.mark.parametrize(("cls", "query", "said"), REFUSED, ids=[case[2] for case in REFUSED])
def test_what_cannot_be_judged_is_refused_not_ignored(cls, query, said):
    with pytest.raises(Failure) as found:
        selection.matcher(cls, query)
    assert (found.value.code, found.value.status.reason, found.value.status.message) == (400, "BadRequest", said)


KNOWN = [(cls, label) for cls in kinds.KINDS for label in selection.FIELDS.get(cls.resource.qualified, ())]


@pytest.mark.parametrize(("cls", "label"), KNOWN, ids=[f"{cls.__name__}-{label}" for cls, label in KNOWN])
def test_every_field_label_can_be_asked_of_an_empty_object(cls, label):
    absent = selection.FIELDS[cls.resource.qualified][label][1]
    for text, belongs in ((absent, True), ("something", False)):
        matches = selection.matcher(cls, {"fieldSelector": f"{label}={text}"})
        assert matches is not None and matches(b'{"metadata":{}}') is belongs, (label, text)
