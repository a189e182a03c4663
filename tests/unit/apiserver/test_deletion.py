"""How objects go: at once, gracefully, or when their finalizers are done."""

import pytest

from minik8s.api import codec, times
from minik8s.api.core import ConfigMap, Namespace, Pod
from minik8s.api.meta import DeleteOptions
from minik8s.apiserver import deletion
from minik8s.apiserver.deletion import Outcome

NOW = 1_000_000_000.0
GOES = Outcome(remove=True)
STAYS = Outcome(remove=False, changed=True)
AS_BEFORE = Outcome(remove=False, changed=False)


def pod(node="node-1", phase="Running", **metadata):
    spec = {"nodeName": node, "containers": []}
    return codec.from_dict(Pod, {"metadata": {"name": "web", **metadata}, "spec": spec, "status": {"phase": phase}})


def terminating(left: int, **more):
    return pod(deletionTimestamp=times.rfc3339(NOW + left), deletionGracePeriodSeconds=left, **more)


def options(**given):
    return DeleteOptions(**given)


CASES = [
    # object, options → outcome, grace period afterwards
    ("a Pod on a node takes its leave", pod(), options(), STAYS, 30),
    ("a shorter grace is kept to", pod(), options(gracePeriodSeconds=5), STAYS, 5),
    ("a negative grace is one second", pod(), options(gracePeriodSeconds=-1), STAYS, 1),
    ("grace 0 removes at once", pod(), options(gracePeriodSeconds=0), GOES, None),
    ("a Pod on no node goes at once", pod(node=""), options(), GOES, None),
    ("a Pod that has ended goes at once", pod(phase="Failed"), options(), GOES, None),
    ("finalizers keep it, even with grace 0", pod(finalizers=["x/y"]), options(gracePeriodSeconds=0), STAYS, 0),
    ("a second delete changes nothing", terminating(30), options(), AS_BEFORE, 30),
    ("a second delete may shorten", terminating(30), options(gracePeriodSeconds=5), STAYS, 5),
    ("a second delete does not prolong", terminating(5), options(gracePeriodSeconds=60), AS_BEFORE, 5),
    ("the agent removes with grace 0", terminating(30), options(gracePeriodSeconds=0), GOES, None),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0])
def test_a_pod_goes_as_upstreams_pods_do(case):
    _, obj, given, outcome, grace = case
    assert deletion.begin(obj, given, NOW) == outcome
    if not outcome.remove:
        assert obj.metadata.deletionGracePeriodSeconds == grace
        assert times.parse(obj.metadata.deletionTimestamp) == NOW + grace


def test_other_kinds_go_at_once():
    assert deletion.begin(ConfigMap(), options(gracePeriodSeconds=30), NOW) == GOES


@pytest.mark.parametrize(("policy", "finalizer"), [("Foreground", "foregroundDeletion"), ("Orphan", "orphan")])
def test_a_propagation_policy_is_a_finalizer(policy, finalizer):
    obj = ConfigMap()
    assert deletion.begin(obj, options(propagationPolicy=policy), NOW) == STAYS
    assert obj.metadata.finalizers == [finalizer]
    assert not deletion.is_over(obj)
    obj.metadata.finalizers = []
    assert deletion.is_over(obj)


def test_background_takes_the_other_policies_back():
    obj = codec.from_dict(ConfigMap, {"metadata": {"finalizers": ["orphan"]}})
    assert deletion.begin(obj, options(propagationPolicy="Background"), NOW) == GOES


def test_a_namespace_stays_terminating_until_it_is_empty():
    obj = codec.from_dict(Namespace, {"spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}})
    assert deletion.begin(obj, options(), NOW) == STAYS
    assert obj.status.phase == "Terminating"
    assert deletion.begin(obj, options(), NOW) == AS_BEFORE
    assert not deletion.is_over(obj)
    obj.spec.finalizers = []
    assert deletion.is_over(obj)


def test_an_object_that_nobody_deletes_is_not_over():
    assert not deletion.is_over(ConfigMap())
    assert not deletion.is_over(terminating(30))
