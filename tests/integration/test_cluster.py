"""A whole cluster on this machine: comes up, survives the death of each of its parts, and leaves nothing behind.

The tests run in order, on one cluster of three nodes with an Engine of its own (unless DOCKER_HOST names one).
"""

import json
import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support import residue

from minik8s import params
from minik8s.api.core import Node
from minik8s.api.pods import Pod
from minik8s.client.errors import ApiError, Unreachable
from minik8s.client.rest import Client
from minik8s.cluster import engine, engine_process, fabric, registry, state, status
from minik8s.cluster.supervise import Process
from minik8s.host import clock, namespaces, processes

pytestmark = pytest.mark.system

# Names of our own, so that another run on the same machine is not disturbed.
NAME, OTHER = f"it{os.getpid()}", f"it{os.getpid()}b"
PATIENCE_S = 60.0
SEEN: set[int] = set()  # every process of ours

WEB = """
apiVersion: v1
kind: Pod
metadata: {{name: web-{node}, labels: {{app: web}}}}
spec:
  nodeName: {node}
  containers:
  - name: web
    image: minik8s/toolbox:1
    readinessProbe: {{httpGet: {{path: /ready, port: 8080}}, periodSeconds: 1}}
---
"""
SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{port: 80, targetPort: 8080}]
"""


def minik8s(*words: str, check: bool = True, say: str = "") -> processes.Completed:
    argv = [sys.executable, "-m", "minik8s.cli.main", *words]
    return processes.run(argv, input=say, check=check, timeout=150)


def until(what: Callable[[], object], why: str) -> None:
    """Wait for something that tells nobody when it is done."""
    deadline, pause = clock.monotonic() + PATIENCE_S, threading.Event()
    while not what():
        assert clock.monotonic() < deadline, why
        pause.wait(0.05)


def process(name: str, cluster: str = NAME) -> Process:
    return next(each for each in registry.read(state.paths(cluster)) if each.name == name)


def crash(name: str) -> Process:
    before = process(name)
    assert processes.kill(before.pid, signal.SIGKILL, before.started)
    return before


def api() -> Client:
    return Client.from_kubeconfig(str(state.paths(NAME).kubeconfig))


def in_pod(pod: str, *words: str) -> str:
    return minik8s("exec", "--cluster", NAME, pod, "--", *words).stdout


@pytest.fixture(scope="module", autouse=True)
def home() -> Iterator[Path]:
    """A state directory of our own, and the machine as it was when all is over."""
    before = residue.snapshot()
    saved = dict(os.environ)
    directory = Path(tempfile.mkdtemp(prefix="mk8s-"))
    os.environ.pop("KUBECONFIG", None)
    os.environ |= {"MINIK8S_HOME": str(directory), "MINIK8S_CLUSTER": NAME}
    try:
        yield directory
        for cluster in (NAME, OTHER):
            minik8s("down", "--cluster", cluster)
        left = residue.left(before, [NAME, str(directory)], SEEN)
        assert not left, "\n".join(left)
    finally:
        for cluster in (NAME, OTHER):
            minik8s("down", "--cluster", cluster, check=False)
        os.environ.clear()
        os.environ.update(saved)
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(autouse=True)
def look_around(home: Path) -> Iterator[None]:
    """Remember who there was, before and after each test."""

    def look() -> None:
        for name in (NAME, OTHER):
            SEEN.update(each.pid for each in registry.read(state.paths(name)) if each.pid)
            SEEN.update(pid for pids in fabric.inhabitants(name).values() for pid in pids)

    look()
    yield
    look()


@pytest.fixture(scope="module")
def cluster(home: Path) -> state.Paths:
    minik8s("up", "--nodes", "3")
    return state.paths(NAME)


def test_up_returns_when_every_node_is_ready(cluster: state.Paths) -> None:
    nodes = api().list(Node).items
    assert sorted(node.metadata.name for node in nodes) == ["node-1", "node-2", "node-3"]
    assert all(c.status == "True" for node in nodes for c in node.status.conditions if c.type == "Ready")


def test_ps_calls_each_process_what_it_is(cluster: state.Paths) -> None:
    for each in registry.read(cluster):
        title = Path(f"/proc/{each.pid}/cmdline").read_bytes().rstrip(b"\0").split(b"\0")[0].decode()
        assert title == f"minik8s: {each.name}" or each.name in ("etcd", "zygote"), title


def test_a_second_up_changes_nothing(cluster: state.Paths) -> None:
    before = registry.read(cluster)
    minik8s("up")
    assert [(p.name, p.pid) for p in registry.read(cluster)] == [(p.name, p.pid) for p in before]


def test_a_service_is_found_by_name_from_every_node(cluster: state.Paths) -> None:
    manifest = "".join(WEB.format(node=f"node-{n}") for n in (1, 2, 3)) + SERVICE
    minik8s("apply", "--cluster", NAME, "-f", "-", say=manifest)
    client = api()
    until(lambda: all(ready(pod) for pod in client.list(Pod, "default").items), "Pods do not become ready")
    for node in ("node-1", "node-2", "node-3"):
        answer = json.loads(in_pod(f"web-{node}", "curl", "-s", "-m", "5", "--retry", "5", "http://web/"))
        assert answer["pod"].startswith("web-node-")


def ready(pod: Pod) -> bool:
    return any(c.type == "Ready" and c.status == "True" for c in pod.status.conditions)


def test_what_crashes_is_started_again_in_its_namespace(cluster: state.Paths) -> None:
    before = crash("proxy@node-2")
    until(lambda: process("proxy@node-2").pid not in (0, before.pid), "the proxy does not come back")
    now = process("proxy@node-2")
    assert now.restarts == before.restarts + 1
    until(lambda: now.pid in fabric.inhabitants(NAME)["node-2"], "it never entered the node's namespace")


def test_what_is_killed_stays_down_until_it_is_started(cluster: state.Paths) -> None:
    minik8s("kill", "kube-scheduler")
    until(lambda: not process("scheduler").pid, "the scheduler does not end")
    minik8s("up")
    assert not process("scheduler").pid
    assert any("stopped, as asked" in line.state for line in status.look(cluster) if line.name == "scheduler")
    minik8s("start", "scheduler")
    assert process("scheduler").pid


def test_nobody_is_refused_while_the_api_server_restarts(cluster: state.Paths) -> None:
    client = api()
    before = crash("apiserver")
    # Its worker answers for a moment longer than it lives.
    back = lambda: answers(client) and process("apiserver").pid not in (0, before.pid)  # noqa: E731
    until(back, "the API server does not come back")
    assert "refused" not in FAILURES


FAILURES: set[str] = set()


def answers(client: Client) -> bool:
    """One attempt; a connection that was open may break, but a new one must find somebody listening."""
    try:
        return bool(client.list(Node).items)
    except (Unreachable, ApiError) as error:
        FAILURES.update(word for word in ("refused",) if word in str(error))
        return False


def test_etcd_and_the_worker_may_die_without_a_trace_in_the_data(cluster: state.Paths) -> None:
    client = api()
    names = {pod.metadata.name for pod in client.list(Pod, "default").items}
    workers = [pid for pid in processes.pids() if processes.parent(pid) == process("apiserver").pid]
    processes.kill(workers[0], signal.SIGKILL)
    crash("etcd")
    until(lambda: answers(client), "the API server does not answer again")
    assert {pod.metadata.name for pod in client.list(Pod, "default").items} == names


def test_components_outlive_the_zygote_and_the_next_one_adopts_them(cluster: state.Paths) -> None:
    pid, started = registry.zygote(cluster)
    before = {p.name: p.pid for p in registry.read(cluster)}
    processes.kill(pid, signal.SIGKILL, started)
    assert processes.wait_gone(pid, 5, started)
    assert answers(api())
    assert status.look(cluster)[0].state.startswith("dead")
    minik8s("up")
    assert registry.zygote(cluster)[0] not in (0, pid)
    assert {p.name: p.pid for p in registry.read(cluster)} == before
    for name in ("dns@node-1", "apiserver"):  # the latter shows that the new zygote has the listening sockets
        crash(name)
        until(lambda name=name: process(name).pid not in (0, before[name]), f"{name} does not come back")
    until(lambda: answers(api()), "the API server does not answer on the socket it was handed")


def test_a_process_of_a_pod_can_be_killed_and_the_same_pod_goes_on(cluster: state.Paths) -> None:
    client = api()
    before = client.get(Pod, "web-node-1", "default")
    minik8s("kill", "pod/web-node-1")
    until(lambda: restarts(client) == 1, "the container is not restarted")
    after = client.get(Pod, "web-node-1", "default")
    assert (after.metadata.uid, after.status.podIP) == (before.metadata.uid, before.status.podIP)


def restarts(client: Client) -> int:
    return starts(client.get(Pod, "web-node-1", "default"))


def starts(pod: Pod) -> int:
    return pod.status.containerStatuses[0].restartCount


def test_two_clusters_stand_side_by_side_with_the_same_addresses(cluster: state.Paths) -> None:
    minik8s("up", "--cluster", OTHER, "--nodes", "1")
    first, second = state.read(cluster), state.read(state.paths(OTHER))
    assert first and second and first.port != second.port
    minik8s("down", "--cluster", OTHER)
    assert answers(api())
    assert not fabric.members(OTHER)


def test_a_cluster_comes_back_after_the_machine_lost_everything_but_its_disk(cluster: state.Paths) -> None:
    client = api()
    before = {pod.metadata.uid: starts(pod) for pod in client.list(Pod, "default").items}
    lose_all(containers=True)
    assert "Ready" in minik8s("up").stdout

    def back() -> bool:
        # Until its agent has looked, a Pod is what it was: ready.
        pods = client.list(Pod, "default").items
        same = {pod.metadata.uid for pod in pods} == before.keys()
        return same and all(ready(pod) and starts(pod) > before[pod.metadata.uid] for pod in pods)

    until(back, "the same Pods do not come back")
    assert "web-node" in in_pod("web-node-1", "curl", "-s", "-m", "5", "--retry", "5", "http://web/")


def test_down_leaves_nothing_even_after_everything_was_killed(cluster: state.Paths, home: Path) -> None:
    lose_all(containers=False)
    own = engine_process.place()
    if own.pidfile.exists():
        processes.kill(int(own.pidfile.read_text()), signal.SIGKILL)
    minik8s("down")
    assert not fabric.members(NAME) and not cluster.root.exists() and not (state.RUN / f"{NAME}.lock").exists()
    assert minik8s("down").stdout.startswith("There was no cluster")
    assert processes.run(["grep", str(home), "/proc/self/mountinfo"], check=False).stdout == ""


def lose_all(containers: bool) -> None:
    """What a power failure does to our processes; with `containers`, to these and the namespaces too."""
    where = state.paths(NAME)
    pid, started = registry.zygote(where)
    processes.kill(pid, signal.SIGKILL, started)
    for each in registry.read(where):
        if each.pid:
            crash(each.name)
    if containers:
        record = state.read(where)
        docker = engine.connect(record.docker_host if record else "")
        for listed in docker.containers(NAME):
            docker.api.kill(listed["Id"]) if listed["State"] == "running" else None
        docker.close()
        fabric.tear_down(NAME)
        assert namespaces.names(f"{params.NETNS_PREFIX}-{NAME}-") == []
