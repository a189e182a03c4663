"""What makes Pods, on a real cluster: sets with names, one Pod a node, work done once, and budgets that are asked."""

import contextlib
import itertools
import json
import socket
import subprocess
from typing import Any

import pytest
from support.cluster import WHY, Cluster, Space, until
from support.kubectl import installed

from minik8s.api import codec
from minik8s.api.apps import ControllerRevision, DaemonSet, StatefulSet
from minik8s.api.batch import TRACKING, Job
from minik8s.api.core import Endpoints, Namespace, Node, Pod, Service
from minik8s.api.discovery import SERVICE_NAME, EndpointSlice
from minik8s.api.meta import DeleteOptions
from minik8s.api.pods import condition, is_ready
from minik8s.api.policy import PodDisruptionBudget
from minik8s.cluster import topology
from minik8s.host import namespaces

pytestmark = pytest.mark.system

SLEEPER = """
      terminationGracePeriodSeconds: 0
      containers: [{name: c, image: "minik8s/toolbox:1", command: [sleep, infinity]}]"""
SET = f"""
apiVersion: v1
kind: Service
metadata: {{name: db}}
spec: {{clusterIP: None, selector: {{app: db}}, ports: [{{port: 80}}]}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {{name: db}}
spec:
  serviceName: db
  replicas: 3
  selector: {{matchLabels: {{app: db}}}}
  template:
    metadata: {{labels: {{app: db}}}}
    spec: {SLEEPER}
"""
DAEMON = f"""
apiVersion: apps/v1
kind: DaemonSet
metadata: {{name: log}}
spec:
  selector: {{matchLabels: {{app: log}}}}
  template:
    metadata: {{labels: {{app: log}}}}
    spec: {SLEEPER}
"""
JOB = """
apiVersion: batch/v1
kind: Job
metadata: {{name: {name}}}
spec:
  {spec}
  template:
    spec:
      restartPolicy: Never
      terminationGracePeriodSeconds: 0
      containers: [{{name: c, image: "minik8s/toolbox:1", command: [sh, -c, '{run}']}}]
"""
PORT = """
apiVersion: v1
kind: Pod
metadata: {{name: {name}, labels: {{app: port}}}}
spec:
  nodeName: {node}
  terminationGracePeriodSeconds: 0
  containers:
  - name: c
    image: minik8s/toolbox:1
    args: [backend]
    readinessProbe: {{tcpSocket: {{port: 8080}}, periodSeconds: 1}}
    ports: [{{containerPort: 8080, hostPort: 54323, hostIP: {address}, protocol: {protocol}}}]
"""
WEB = f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec:
  replicas: 2
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec: {SLEEPER}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {{name: web}}
spec: {{minAvailable: 2, selector: {{matchLabels: {{app: web}}}}}}
"""


DATAGRAM = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(3)
s.sendto(b"hello", (sys.argv[1], 54323))
print(s.recv(9000).decode())
"""


@pytest.fixture
def kubectl(cluster: Cluster, space: Space):
    """The newest kubectl, in the test's namespace."""
    program = installed()[-1].program

    def run(*words: str, check: bool = True) -> str:
        argv = [program, f"--kubeconfig={cluster.where.kubeconfig}", "-n", space.name, *words]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 or not check, done.stderr
        return done.stdout + done.stderr

    return run


def change(space: Space, cls: Any, name: str, patch: dict[str, Any]) -> None:
    space.client.patch(cls, name, space.name, patch, why=WHY)


def test_a_stateful_sets_pods_come_in_order_are_found_by_name_and_go_back_to_an_earlier_template(space, kubectl):
    space.apply(SET)
    created = [pod.metadata.creationTimestamp for pod in space.wait_ready("db", 3)]
    assert created == sorted(created)
    ask = ("exec", "db-0", "--", "nslookup", f"db-2.db.{space.name}.svc.cluster.local")
    until(lambda: "NXDOMAIN" not in kubectl(*ask, check=False), "the DNS has heard of it")
    assert "db-2.db." in kubectl(*ask)
    template = {"metadata": {"annotations": {"try": "2"}}}
    change(space, StatefulSet, "db", {"spec": {"template": template}})
    kubectl("rollout", "status", "sts/db", "--timeout=30s")
    assert all(pod.metadata.annotations == {"try": "2"} for pod in space.wait_ready("db", 3))
    kubectl("rollout", "undo", "sts/db")
    kubectl("rollout", "status", "sts/db", "--timeout=30s")
    assert all(pod.metadata.annotations == {} for pod in space.wait_ready("db", 3))
    numbers = [each.revision for each in space.client.list(ControllerRevision, space.name).items]
    assert sorted(numbers) == [2, 3]
    kubectl("scale", "sts/db", "--replicas=1")
    assert [pod.metadata.name for pod in space.wait_ready("db", 1)] == ["db-0"]


def test_every_node_gets_a_daemon_and_those_no_longer_selected_lose_it(cluster, space, kubectl):
    space.apply(DAEMON)
    pods = space.wait_ready("log", 3)
    assert sorted(pod.spec.nodeName for pod in pods) == sorted(cluster.record.nodes)
    kubectl("set", "env", "ds/log", "TRY=2")
    kubectl("rollout", "status", "ds/log", "--timeout=30s")
    status = space.get(DaemonSet, "log").status
    assert (status.updatedNumberScheduled, status.numberAvailable, status.numberMisscheduled) == (3, 3, 0)
    only = {"nodeSelector": {"kubernetes.io/hostname": pods[0].spec.nodeName}}
    change(space, DaemonSet, "log", {"spec": {"template": {"spec": only}}})
    space.wait(DaemonSet, lambda seen: seen["log"].status.desiredNumberScheduled == 1)
    assert len(space.wait_ready("log", 1)) == 1


def test_jobs_end_as_their_pods_do(space):
    space.apply(_job("good", "completions: 3\n  parallelism: 2\n  completionMode: Indexed", "exit 0"))
    space.apply(_job("bad", "backoffLimit: 0", "exit 3"))
    space.apply(_job("late", "activeDeadlineSeconds: 1", "sleep 1000"))
    space.apply(_job("brief", "ttlSecondsAfterFinished: 0", "exit 0"))

    def over(seen: dict[str, Job]) -> bool:
        ends = [each for name, job in seen.items() if name != "brief" for each in job.status.conditions]
        return sum(each.type in ("Complete", "Failed") for each in ends) == 3 and "brief" not in seen

    seen = space.wait(Job, over)
    good = seen["good"].status
    assert (good.succeeded, good.active, good.completedIndexes) == (3, 0, "0-2")
    reasons = {name: condition(seen[name].status.conditions, "Failed").reason for name in ("bad", "late")}
    assert reasons == {"bad": "BackoffLimitExceeded", "late": "DeadlineExceeded"}
    space.wait(Pod, lambda pods: not any(TRACKING in pod.metadata.finalizers for pod in pods.values()))


def _job(name: str, spec: str, run: str) -> str:
    return JOB.format(name=name, spec=spec, run=run)


def test_a_drain_waits_for_the_budget_and_then_goes_on(space, kubectl):
    space.apply(WEB)
    pods = space.wait_ready("web", 2)
    space.wait(PodDisruptionBudget, lambda seen: seen["web"].status.currentHealthy == 2)
    words = ["drain", pods[0].spec.nodeName, "--ignore-daemonsets", "--pod-selector=app=web", "--timeout=1s"]
    said = kubectl(*words, check=False)
    assert "Cannot evict pod as it would violate the pod's disruption budget." in said
    assert space.get(Pod, pods[0].metadata.name).metadata.deletionTimestamp is None
    change(space, PodDisruptionBudget, "web", {"spec": {"minAvailable": 1}})
    try:
        space.wait(PodDisruptionBudget, lambda seen: seen["web"].status.disruptionsAllowed == 1)
        kubectl(*words[:-1], "--timeout=30s")
        assert all(pod.spec.nodeName != pods[0].spec.nodeName for pod in space.wait_ready("web", 2))
    finally:
        kubectl("uncordon", pods[0].spec.nodeName)


def test_endpoints_by_hand_are_mirrored_changed_and_removed(space):
    namespace = space.name
    plain = {"metadata": {"name": "far", "namespace": namespace}}
    space.client.create(codec.from_dict(Service, plain | {"spec": {"ports": [{"port": 80}]}}), why=WHY)
    subsets = [{"addresses": [{"ip": "10.1.2.3"}], "ports": [{"port": 80}]}]
    space.client.create(codec.from_dict(Endpoints, plain | {"subsets": subsets}), why=WHY)

    def mirrored(address: str):
        def look(seen: dict[str, EndpointSlice]) -> bool:
            mine = [each for each in seen.values() if each.metadata.labels.get(SERVICE_NAME) == "far"]
            found = list(itertools.chain.from_iterable(e.addresses for each in mine for e in each.endpoints))
            return found == ([address] if address else []) and (bool(address) or not mine)

        return look

    space.wait(EndpointSlice, mirrored("10.1.2.3"))
    change(space, Endpoints, "far", {"subsets": [{**subsets[0], "addresses": [{"ip": "10.1.2.4"}]}]})
    space.wait(EndpointSlice, mirrored("10.1.2.4"))
    space.client.delete(Endpoints, "far", namespace, why=WHY)
    space.wait(EndpointSlice, mirrored(""))


def test_one_host_port_leads_to_another_pod_for_each_address_and_protocol(cluster, space):
    node = cluster.record.nodes[0]
    home = cluster.connect().get(Node, node).status.addresses[0].address
    wanted = [("a", "127.0.0.1", "TCP"), ("b", home, "TCP"), ("c", home, "UDP")]
    for name, address, protocol in wanted:
        space.apply(PORT.format(name=name, node=node, address=address, protocol=protocol))
    space.wait_ready("port", 3)

    def asked(*words: str) -> str:
        done = cluster("node", "exec", node, "--", *words, check=False)
        return json.loads(done.stdout)["pod"] if done.stdout.startswith("{") else ""

    def curl(address: str, *words: str) -> str:
        return asked("curl", "-s", "--max-time", "3", *words, f"http://{address}:54323/")

    until(lambda: curl(home) == "b", "the node's port leads to the Pod")
    assert curl("127.0.0.1") == curl("127.0.0.1", "--interface", home) == "a"
    assert asked("python3", "-c", DATAGRAM, home) == "c"
    space.client.delete(Pod, "b", space.name, why=WHY)
    until(lambda: curl(home) == "", "the port is closed with its Pod")


def test_a_client_of_a_host_port_that_goes_on_talking_is_led_to_the_next_pod(cluster, space):
    node = cluster.record.nodes[0]
    home = cluster.connect().get(Node, node).status.addresses[0].address

    def told(sock: socket.socket) -> str:
        """Who answers, if anybody."""
        with contextlib.suppress(TimeoutError, ConnectionRefusedError):
            sock.send(b"hello")
            return json.loads(sock.recv(9000))["pod"]
        return ""

    client = namespaces.in_ns(topology.namespace(cluster.name, "lan"), datagrams)
    with client:
        client.connect((home, 54324))
        assert told(client) == "", "nobody listens yet"
        for name in ("one", "two"):
            space.apply(PORT.format(name=name, node=node, address=home, protocol="UDP").replace("54323", "54324"))
            until(lambda name=name: told(client) == name, "the same flow leads to the Pod")
            space.client.delete(Pod, name, space.name, why=WHY)
            space.wait(Pod, lambda seen: not seen)


def datagrams() -> socket.socket:
    found = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    found.settimeout(0.2)
    return found


def test_children_go_first_stay_or_follow_as_the_deletion_says(space):
    for name, policy in (("one", "Foreground"), ("two", "Orphan"), ("three", "Background")):
        space.apply(SET.replace("db", name).replace("replicas: 3", "replicas: 1"))
        space.wait_ready(name, 1)
        space.client.delete(StatefulSet, name, space.name, options=DeleteOptions(propagationPolicy=policy), why=WHY)
    space.wait(StatefulSet, lambda seen: not seen)
    left = space.wait(Pod, lambda seen: set(seen) == {"two-0"})
    assert is_ready(left["two-0"]) and left["two-0"].metadata.ownerReferences == []


def test_a_namespace_ends_with_all_its_kinds(cluster, space):
    space.apply(SET + "---" + DAEMON + "---" + WEB + "---" + _job("late", "parallelism: 1", "sleep 1000"))
    space.wait_ready("db", 3)
    space.client.delete(Namespace, space.name, why=WHY)
    client = cluster.connect()
    until(lambda: space.name not in {each.metadata.name for each in client.list(Namespace).items}, "the namespace goes")
