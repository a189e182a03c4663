"""The controllers and the scheduler on a real API server and etcd; agents are played."""

import threading
import time

import pytest
from support.apiserver import wait_until
from support.control_plane import Agents, Cluster

from minik8s.api import codec
from minik8s.api.apps import Deployment, ReplicaSet
from minik8s.api.core import Endpoints, Event, Namespace, Node, Pod, Service, ServiceAccount
from minik8s.api.discovery import SERVICE_NAME, EndpointSlice
from minik8s.api.meta import DeleteOptions
from minik8s.api.pods import is_ready
from minik8s.client.errors import ApiError, NotFound
from minik8s.controllers.main import main as run_controllers
from minik8s.params import PROFILES
from minik8s.scheduler.main import main as run_scheduler

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    cluster = Cluster(tmp_path_factory.mktemp("controllers"))
    agents = None
    try:
        cluster.controllers = cluster.run("controllers", "system:kube-controller-manager", run_controllers)
        cluster.run("scheduler", "system:kube-scheduler", run_scheduler)
        agents = cluster.agents = Agents(cluster.client, ["node-1", "node-2", "node-3"])
        yield cluster
    finally:
        if agents:
            agents.close()
        cluster.close()


@pytest.fixture
def namespace(cluster, request):
    name = request.node.name.replace("_", "-")[5:40].strip("-")
    cluster.client.create(codec.from_dict(Namespace, {"metadata": {"name": name}}))
    return name


def deployment(namespace: str, name: str = "web", replicas: int = 3, **spec) -> Deployment:
    labels = {"app": name}
    template = {
        "metadata": {"labels": labels},
        "spec": {"terminationGracePeriodSeconds": 1, "containers": [{"name": "c", "image": "minik8s/toolbox:1"}]},
    }
    data = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template, **spec}
    return codec.from_dict(Deployment, {"metadata": {"name": name, "namespace": namespace}, "spec": data})


def service(namespace: str, name: str = "web") -> Service:
    spec = {"selector": {"app": name}, "ports": [{"port": 80, "targetPort": 8080}]}
    return codec.from_dict(Service, {"metadata": {"name": name, "namespace": namespace}, "spec": spec})


def pods(cluster, namespace: str) -> list[Pod]:
    return cluster.client.list(Pod, namespace).items


def addresses(cluster, namespace: str, name: str = "web") -> set[str]:
    """The ready addresses of a Service."""
    slices = cluster.client.list(EndpointSlice, namespace, labels=f"{SERVICE_NAME}={name}").items
    return {each.addresses[0] for one in slices for each in one.endpoints if each.conditions.ready}


def is_gone(cluster, cls, name: str, namespace: str = "") -> bool:
    try:
        cluster.client.get(cls, name, namespace)
    except NotFound:
        return True
    return False


def start(cluster, namespace: str, replicas: int = 3, **spec) -> None:
    """A Deployment and its Service, until all is ready."""
    cluster.client.create(service(namespace))
    cluster.client.create(deployment(namespace, replicas=replicas, **spec))
    wait_until(lambda: len(addresses(cluster, namespace)) == replicas, what="all replicas are in the slices")


def test_the_system_services_and_pod_ranges_are_there(cluster):
    wait_until(lambda: not is_gone(cluster, Service, "kubernetes", "default"))
    wait_until(lambda: not is_gone(cluster, Service, "kube-dns", "kube-system"))
    wait_until(lambda: all(cluster.client.get(Node, f"node-{n}").spec.podCIDR for n in (1, 2, 3)))
    assert cluster.client.get(Node, "node-2").spec.podCIDR == "10.244.2.0/24"
    assert cluster.client.get(Service, "kubernetes", "default").spec.clusterIP == "10.96.0.1"
    assert addresses(cluster, "default", "kubernetes") == {"192.168.56.10"}
    cluster.client.delete(Service, "kube-dns", "kube-system")
    wait_until(lambda: not is_gone(cluster, Service, "kube-dns", "kube-system"), what="kube-dns comes back")


def test_a_deployment_becomes_pods_on_all_nodes_and_endpoints(cluster, namespace):
    start(cluster, namespace, replicas=3)
    assert {pod.spec.nodeName for pod in pods(cluster, namespace)} == {"node-1", "node-2", "node-3"}
    assert {pod.status.podIP for pod in pods(cluster, namespace)} == addresses(cluster, namespace)

    def old_form():
        found = cluster.client.list(Endpoints, namespace).items
        return {each.ip for one in found for subset in one.subsets for each in subset.addresses}

    wait_until(lambda: old_form() == addresses(cluster, namespace), what="Endpoints tell the same")

    def status():
        return cluster.client.get(Deployment, "web", namespace).status

    wait_until(lambda: status().availableReplicas == 3 and status().updatedReplicas == 3)
    wait_until(lambda: any(each.reason == "NewReplicaSetAvailable" for each in status().conditions))
    wait_until(lambda: len(cluster.client.list(Event, namespace).items) >= 5)
    told = {each.reason for each in cluster.client.list(Event, namespace).items}
    assert told >= {"ScalingReplicaSet", "SuccessfulCreate", "Scheduled"}


def test_an_unready_pod_leaves_the_addresses_and_comes_back(cluster, namespace):
    start(cluster, namespace, replicas=2)
    pod = pods(cluster, namespace)[0]
    cluster.agents.ready = False
    try:
        cluster.agents.set_ready(pod, False)
        wait_until(lambda: pod.status.podIP not in addresses(cluster, namespace), what="it left")
        assert len(addresses(cluster, namespace)) == 1
    finally:
        cluster.agents.ready = True
    wait_until(lambda: pod.status.podIP in addresses(cluster, namespace), what="it came back")


def test_a_deleted_pod_is_replaced_at_once(cluster, namespace):
    start(cluster, namespace, replicas=2)
    doomed = pods(cluster, namespace)[0]
    cluster.client.delete(Pod, doomed.metadata.name, namespace)
    wait_until(lambda: is_gone(cluster, Pod, doomed.metadata.name, namespace), what="it is gone")

    def replaced():
        found = addresses(cluster, namespace)
        return len(found) == 2 and doomed.status.podIP not in found

    wait_until(replaced, what="another one has its place in the slices")
    assert len(pods(cluster, namespace)) == 2


def test_a_rolling_update_replaces_all_pods_and_keeps_the_old_revision(cluster, namespace):
    start(cluster, namespace, replicas=3)
    before = {pod.metadata.uid for pod in pods(cluster, namespace)}
    change = {"spec": {"template": {"metadata": {"labels": {"version": "2"}}}}}
    cluster.client.patch(Deployment, "web", namespace, change)

    def done():
        found = pods(cluster, namespace)
        return len(found) == 3 and not before & {pod.metadata.uid for pod in found} and all(map(is_ready, found))

    wait_until(done, 30, "all Pods are of the new template")
    sets = cluster.client.list(ReplicaSet, namespace).items
    assert sorted(rs.spec.replicas for rs in sets) == [0, 3]
    wait_until(lambda: cluster.client.get(Deployment, "web", namespace).status.updatedReplicas == 3)
    assert (
        cluster.client.get(Deployment, "web", namespace).metadata.annotations["deployment.kubernetes.io/revision"]
        == "2"
    )


def test_scaling_up_and_down_makes_exactly_the_pods_asked_for(cluster, namespace):
    start(cluster, namespace, replicas=2)
    for replicas in (7, 1):
        cluster.client.patch(Deployment, "web", namespace, {"spec": {"replicas": replicas}})
        wait_until(lambda n=replicas: len(pods(cluster, namespace)) == n, what=f"{replicas} Pods are there")
        wait_until(lambda n=replicas: len(addresses(cluster, namespace)) == n, what=f"{replicas} are in the slices")
    created = [e for e in cluster.client.list(Event, namespace).items if e.reason == "SuccessfulCreate"]
    assert len(created) == 7


def test_deleting_a_deployment_takes_all_its_children_along(cluster, namespace):
    start(cluster, namespace)
    cluster.client.delete(Deployment, "web", namespace)
    cluster.client.delete(Service, "web", namespace)
    wait_until(lambda: not pods(cluster, namespace) and not cluster.client.list(ReplicaSet, namespace).items)
    wait_until(lambda: not cluster.client.list(EndpointSlice, namespace).items, what="slices are gone")
    wait_until(lambda: not cluster.client.list(Endpoints, namespace).items, what="Endpoints are gone")


def test_a_foreground_deletion_waits_for_the_children(cluster, namespace):
    start(cluster, namespace)
    cluster.client.delete(Deployment, "web", namespace, options=DeleteOptions(propagationPolicy="Foreground"))
    wait_until(lambda: is_gone(cluster, Deployment, "web", namespace))
    assert not cluster.client.list(ReplicaSet, namespace).items and not pods(cluster, namespace)


def test_an_orphaning_deletion_leaves_the_children(cluster, namespace):
    start(cluster, namespace)
    cluster.client.delete(Deployment, "web", namespace, options=DeleteOptions(propagationPolicy="Orphan"))
    wait_until(lambda: is_gone(cluster, Deployment, "web", namespace))
    (rs,) = cluster.client.list(ReplicaSet, namespace).items
    assert not rs.metadata.ownerReferences and len(pods(cluster, namespace)) == 3


def test_a_namespace_has_an_account_and_is_emptied_before_it_goes(cluster, namespace):
    wait_until(lambda: not is_gone(cluster, ServiceAccount, "default", namespace))
    start(cluster, namespace)
    cluster.client.delete(Namespace, namespace)
    wait_until(lambda: is_gone(cluster, Namespace, namespace), 30, "the Namespace is gone")
    assert not pods(cluster, namespace)
    with pytest.raises(ApiError):
        cluster.client.create(service(namespace))


def test_a_pod_that_fits_nowhere_says_why_and_is_bound_when_there_is_room(cluster, namespace):
    greedy = deployment(namespace, replicas=1)
    greedy.spec.template.spec.nodeSelector = {"disk": "fast"}
    cluster.client.create(greedy)

    def message() -> str:
        conditions = [each for pod in pods(cluster, namespace) for each in pod.status.conditions]
        return next((each.message for each in conditions if each.reason == "Unschedulable"), "")

    wait_until(
        lambda: message().startswith("0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector.")
    )
    wait_until(lambda: any(e.reason == "FailedScheduling" for e in cluster.client.list(Event, namespace).items))
    cluster.client.patch(Node, "node-2", "", {"metadata": {"labels": {"disk": "fast"}}})
    wait_until(lambda: [pod.spec.nodeName for pod in pods(cluster, namespace)] == ["node-2"])


def test_a_silent_node_loses_its_pods_and_gets_new_ones_when_it_returns(cluster, namespace):
    start(cluster, namespace, replicas=3)
    lost = next(pod for pod in pods(cluster, namespace) if pod.spec.nodeName == "node-3")
    cluster.agents.silent.add("node-3")
    try:
        wait_until(lambda: lost.status.podIP not in addresses(cluster, namespace), 10, "its Pod left the endpoints")
        wait_until(lambda: len(addresses(cluster, namespace)) == 3, 20, "a new Pod runs elsewhere")
        old = cluster.client.get(Pod, lost.metadata.name, namespace)
        assert old.metadata.deletionTimestamp is not None, "the old one stays, Terminating"
        node = cluster.client.get(Node, "node-3")
        assert {(taint.key, taint.effect) for taint in node.spec.taints} == {
            ("node.kubernetes.io/unreachable", "NoSchedule"),
            ("node.kubernetes.io/unreachable", "NoExecute"),
        }
    finally:
        cluster.agents.silent.clear()
    wait_until(lambda: not cluster.client.get(Node, "node-3").spec.taints, 10, "the taints are gone")
    wait_until(lambda: is_gone(cluster, Pod, lost.metadata.name, namespace), 10, "the old Pod is gone at last")


def test_when_all_nodes_fall_silent_nobody_is_evicted(cluster, namespace):
    start(cluster, namespace, replicas=3)
    before = {pod.metadata.uid for pod in pods(cluster, namespace)}
    cluster.agents.silent.update({"node-1", "node-2", "node-3"})
    try:
        unknown = lambda n: any(  # noqa: E731
            each.status == "Unknown" for each in cluster.client.get(Node, f"node-{n}").status.conditions
        )
        wait_until(lambda: all(map(unknown, (1, 2, 3))), 15, "all nodes are unknown")
    finally:
        cluster.agents.silent.clear()
    wait_until(lambda: not any(cluster.client.get(Node, f"node-{n}").spec.taints for n in (1, 2, 3)), 10)
    found = pods(cluster, namespace)
    assert {pod.metadata.uid for pod in found} == before and all(map(is_ready, found))


def test_an_api_server_that_is_away_for_longer_than_the_grace_period_costs_no_pod(cluster, namespace):
    start(cluster, namespace, replicas=3)
    before = {pod.metadata.uid for pod in pods(cluster, namespace)}
    seen = addresses(cluster, namespace)
    cluster.server.kill()
    threading.Event().wait(PROFILES["fast"].node_monitor_grace_period * 1.5)
    cluster.server.start()
    until = time.monotonic() + PROFILES["fast"].node_monitor_grace_period * 1.5
    while time.monotonic() < until:
        assert addresses(cluster, namespace) == seen, "no endpoint may leave"
    assert {pod.metadata.uid for pod in pods(cluster, namespace)} == before
    cluster.client.patch(Deployment, "web", namespace, {"spec": {"replicas": 4}})
    wait_until(lambda: len(addresses(cluster, namespace)) == 4, what="controllers and scheduler go on")


def test_controllers_that_start_again_double_nothing(cluster, namespace):
    start(cluster, namespace, replicas=3)
    before = {
        each.metadata.uid
        for cls in (Pod, ReplicaSet, EndpointSlice)
        for each in cluster.client.list(cls, namespace).items
    }
    cluster.stop(cluster.controllers)
    doomed = pods(cluster, namespace)[0]
    cluster.client.delete(Pod, doomed.metadata.name, namespace)
    cluster.client.patch(Deployment, "web", namespace, {"spec": {"replicas": 5}})
    cluster.controllers = cluster.run("controllers", "system:kube-controller-manager", run_controllers)
    wait_until(lambda: len(addresses(cluster, namespace)) == 5 == len(pods(cluster, namespace)))
    after = {
        each.metadata.uid
        for cls in (Pod, ReplicaSet, EndpointSlice)
        for each in cluster.client.list(cls, namespace).items
    }
    assert before - after == {doomed.metadata.uid} and len(after - before) == 3
