"""The scheduler on a real API server and etcd: bursts, last places, restarts."""

import threading
from collections import Counter

import pytest
from support.apiserver import wait_until
from support.control_plane import Cluster

from minik8s.api import codec
from minik8s.api.core import Node, Pod
from minik8s.scheduler.main import main as run_scheduler

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    cluster = Cluster(tmp_path_factory.mktemp("scheduler"))
    try:
        for number in (1, 2, 3):
            name = f"node-{number}"
            cluster.client.create(codec.from_dict(Node, {"metadata": {"name": name}}))
            room = {"cpu": "2", "memory": "4Gi", "pods": "20"}
            status = {"allocatable": room, "capacity": room, "conditions": [{"type": "Ready", "status": "True"}]}
            cluster.client.patch(Node, name, "", {"status": status}, subresource="status")
        yield cluster
    finally:
        cluster.close()


@pytest.fixture
def scheduler(cluster):
    component = cluster.run("scheduler", "system:kube-scheduler", run_scheduler)
    yield component
    cluster.stop(component)
    for pod in cluster.client.list(Pod, "default").items:
        cluster.client.delete(Pod, pod.metadata.name, "default", options=cluster.at_once)


def pod(name: str, cpu: str = "", **spec) -> Pod:
    resources = {"requests": {"cpu": cpu}} if cpu else {}
    container = {"name": "c", "image": "minik8s/toolbox:1", "resources": resources}
    labels = {"app": name.rpartition("-")[0]}
    meta = {"name": name, "namespace": "default", "labels": labels}
    return codec.from_dict(Pod, {"metadata": meta, "spec": {"containers": [container], **spec}})


def nodes_of(cluster) -> Counter:
    return Counter(each.spec.nodeName for each in cluster.client.list(Pod, "default").items)


def test_a_burst_spreads_over_the_nodes(cluster, scheduler):
    threads = [threading.Thread(target=cluster.client.create, args=(pod(f"burst-{n}", cpu="100m"),)) for n in range(15)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wait_until(lambda: nodes_of(cluster) == {"node-1": 5, "node-2": 5, "node-3": 5}, what="five on each node")


def test_a_last_place_is_given_once_and_again_when_it_is_free(cluster, scheduler):
    for number in range(4):
        cluster.client.create(pod(f"big-{number}", cpu="1500m"))
    wait_until(lambda: nodes_of(cluster) == {"node-1": 1, "node-2": 1, "node-3": 1, "": 1})
    waiting = next(each for each in cluster.client.list(Pod, "default").items if not each.spec.nodeName)

    def reason() -> str:
        conditions = cluster.client.get(Pod, waiting.metadata.name, "default").status.conditions
        return next((each.message for each in conditions if each.reason == "Unschedulable"), "")

    wait_until(
        lambda: reason().startswith("0/3 nodes are available: 3 Insufficient cpu. node-1: Insufficient cpu (wants")
    )
    done = next(each for each in cluster.client.list(Pod, "default").items if each.spec.nodeName)
    cluster.client.delete(Pod, done.metadata.name, "default", options=cluster.at_once)
    wait_until(lambda: nodes_of(cluster) == {"node-1": 1, "node-2": 1, "node-3": 1}, what="the free place is taken")


def test_pods_that_were_made_while_it_was_down_are_bound_at_start_and_others_pods_are_not(cluster):
    cluster.client.create(pod("early-1"))
    cluster.client.create(pod("other-1", schedulerName="mine"))
    component = cluster.run("scheduler", "system:kube-scheduler", run_scheduler)
    wait_until(lambda: bool(cluster.client.get(Pod, "early-1", "default").spec.nodeName))
    assert not cluster.client.get(Pod, "other-1", "default").spec.nodeName
    cluster.stop(component)
