"""Which Pod of a Deployment is asked."""

from minik8s.api import codec
from minik8s.api.core import Pod
from minik8s.cli.podchoice import hopeful


def pod(name, created, ready="True", phase="Running", deleted=None):
    status = {"phase": phase, "conditions": [{"type": "Ready", "status": ready}]}
    meta = {"name": name, "creationTimestamp": created, "deletionTimestamp": deleted}
    return codec.from_dict(Pod, {"metadata": meta, "status": status})


def test_after_a_rollout_the_new_pod_is_asked_not_the_one_about_to_go():
    old = pod("old", "2030-01-01T00:00:00Z", deleted="2030-01-01T00:10:00Z")
    new = pod("new", "2030-01-01T00:09:00Z")
    assert hopeful([old, new]) == [new, old]


def test_a_ready_pod_is_asked_before_an_older_one_that_is_not():
    waiting = pod("waiting", "2030-01-01T00:00:00Z", phase="Pending", ready="False")
    failing = pod("failing", "2030-01-01T00:01:00Z", ready="False")
    older, younger = pod("older", "2030-01-01T00:02:00Z"), pod("younger", "2030-01-01T00:03:00Z")
    assert hopeful([waiting, failing, younger, older]) == [older, younger, failing, waiting]
