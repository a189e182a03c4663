"""What READY, STATUS and RESTARTS say of a Pod, and what stands in its row."""

import json

import pytest

from minik8s.api import codec
from minik8s.api.pods import Pod
from minik8s.apiserver import tables
from minik8s.apiserver.tables import pods

NOW = 1_700_000_000.0
BORN = "2023-11-14T22:08:20Z"  # five minutes before


def pod(**status) -> Pod:
    deleted = status.pop("deleted", None)
    spec = {"containers": [{"name": "a"}, {"name": "b"}], "initContainers": [{"name": "i"}]}
    return codec.from_dict(Pod, {"metadata": {"deletionTimestamp": deleted}, "spec": spec, "status": status})


RUNNING = {"name": "a", "ready": True, "state": {"running": {}}}
COMPLETED = {"name": "a", "state": {"terminated": {"exitCode": 0, "reason": "Completed"}}}
DONE = {"name": "i", "state": {"terminated": {"exitCode": 0}}}
GATED = {"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}


def ended(**how):
    return {"name": "a", "state": {"terminated": {"exitCode": 1, **how}}}


def waits(reason):
    return {"name": "a", "state": {"waiting": {"reason": reason}}}


WORDS = [
    ("Pending", {"phase": "Pending"}),
    ("Unknown", {}),
    ("SchedulingGated", {"phase": "Pending", "conditions": [GATED]}),
    ("Running", {"phase": "Running", "containerStatuses": [RUNNING]}),
    ("CrashLoopBackOff", {"phase": "Running", "containerStatuses": [RUNNING, waits("CrashLoopBackOff")]}),
    ("ImagePullBackOff", {"containerStatuses": [waits("ImagePullBackOff"), waits("CrashLoopBackOff")]}),
    ("Error", {"phase": "Running", "containerStatuses": [ended(reason="Error")]}),
    ("ExitCode:3", {"phase": "Failed", "containerStatuses": [ended(exitCode=3)]}),
    ("Signal:9", {"phase": "Failed", "containerStatuses": [ended(signal=9)]}),
    ("Init:0/1", {"phase": "Pending", "initContainerStatuses": [{"name": "i", "state": {"running": {}}}]}),
    ("Init:0/1", {"phase": "Pending", "initContainerStatuses": [waits("PodInitializing")]}),
    ("Init:ErrImagePull", {"phase": "Pending", "initContainerStatuses": [waits("ErrImagePull")]}),
    ("Init:Error", {"phase": "Pending", "initContainerStatuses": [ended(reason="Error")]}),
    ("Init:ExitCode:1", {"phase": "Pending", "initContainerStatuses": [ended()]}),
    ("ErrImagePull", {"initContainerStatuses": [DONE], "containerStatuses": [waits("ErrImagePull")]}),
    ("Terminating", {"phase": "Running", "deleted": BORN, "containerStatuses": [RUNNING]}),
    ("Completed", {"phase": "Succeeded", "deleted": BORN, "containerStatuses": [COMPLETED]}),
    ("Unknown", {"phase": "Running", "deleted": BORN, "reason": "NodeLost"}),
    ("Evicted", {"phase": "Failed", "reason": "Evicted"}),
    ("NotReady", {"phase": "Running", "containerStatuses": [COMPLETED, RUNNING]}),
    (
        "Running",
        {
            "phase": "Running",
            "containerStatuses": [COMPLETED, RUNNING],
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    ),
]


@pytest.mark.parametrize(("word", "status"), WORDS, ids=[f"{at}-{word}" for at, (word, _) in enumerate(WORDS)])
def test_a_pods_status_is(word, status):
    assert pods.reason(pod(**dict(status))) == word


def restarted(count, when=""):
    last = {"terminated": {"finishedAt": when}} if when else {}
    return {"name": "a", "restartCount": count, "lastState": last, "state": {"running": {}}}


@pytest.mark.parametrize(
    ("status", "text"),
    [
        ({}, "0"),
        ({"containerStatuses": [restarted(2, "2023-11-14T22:13:05Z")]}, "2 (15s ago)"),
        ({"containerStatuses": [restarted(2, "2023-11-14T22:13:05Z"), restarted(1, BORN)]}, "3 (15s ago)"),
        ({"containerStatuses": [restarted(2)]}, "2"),
        ({"containerStatuses": [restarted(0, BORN)]}, "0"),
        ({"initContainerStatuses": [restarted(4, BORN)], "containerStatuses": [restarted(1, BORN)]}, "4 (5m ago)"),
        ({"initContainerStatuses": [restarted(4, BORN) | DONE], "containerStatuses": [restarted(1)]}, "1"),
    ],
)
def test_restarts_say_when_the_last_was(status, text):
    assert pods.restarts(pod(**status), NOW) == text


def test_while_a_pod_initializes_none_of_its_containers_counts_as_ready():
    assert pods.ready_containers(pod(containerStatuses=[RUNNING])) == (1, 2)
    assert pods.ready_containers(pod(initContainerStatuses=[ended()], containerStatuses=[RUNNING])) == (0, 2)


def test_once_a_pod_is_initialized_its_containers_count_whatever_is_left_of_the_init_containers():
    status = {
        "conditions": [{"type": "Initialized", "status": "True"}],
        "initContainerStatuses": [restarted(4)],
        "containerStatuses": [RUNNING, restarted(1)],
    }
    assert pods.ready_containers(pod(**status)) == (1, 2)
    assert pods.restarts(pod(**status), NOW) == "1"
    assert pods.reason(pod(**status | {"containerStatuses": [ended(reason="Error")]})) == "Error"


def test_a_row_has_kubectls_columns_and_says_when_the_pod_is_over():
    value = {
        "metadata": {"name": "web", "creationTimestamp": BORN},
        "spec": {
            "nodeName": "node-1",
            "containers": [{"name": "a"}],
            "readinessGates": [{"conditionType": "x/a"}, {"conditionType": "x/b"}],
        },
        "status": {
            "phase": "Succeeded",
            "podIP": "10.244.1.2",
            "containerStatuses": [COMPLETED],
            "conditions": [{"type": "x/a", "status": "True"}],
        },
    }
    row = json.loads(tables.row(Pod, json.dumps(value).encode(), NOW))
    names = [column["name"] for column in json.loads(tables.definitions(Pod))]
    assert names == ["Name", "Ready", "Status", "Restarts", "Age", "IP", "Node", "Nominated Node", "Readiness Gates"]
    assert row["cells"] == ["web", "0/1", "Completed", "0", "5m", "10.244.1.2", "node-1", "<none>", "1/2"]
    (condition,) = row["conditions"]
    assert (condition["type"], condition["status"], condition["reason"]) == ("Completed", "True", "Succeeded")
