"""Clients that were written for Kubernetes, unchanged: the official Python client, lightkube, kr8s, and JavaScript's.

They are what programs on a cluster are made of, and each asks in its own way: the official client watches without a
selector and options stand in its query, lightkube sends no Accept worth the name, kr8s asks `/version/` first and
discovers in the old form, client-node streams as kubectl does. One Pod serves all that read logs or run commands.
"""

import json
import queue
import shutil
import socket
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import kr8s
import lightkube
import pytest
import yaml
from kr8s.objects import ConfigMap as Kr8sConfigMap
from kr8s.objects import Pod as Kr8sPod
from kubernetes import client, config, dynamic, utils, watch
from kubernetes.leaderelection import electionconfig, leaderelection
from kubernetes.leaderelection.resourcelock.leaselock import LeaseLock
from kubernetes.stream import portforward, stream
from lightkube.core.exceptions import ApiError as LightkubeError
from lightkube.models.meta_v1 import ObjectMeta as LightkubeMeta
from lightkube.resources.apps_v1 import Deployment as LightkubeDeployment
from lightkube.resources.core_v1 import ConfigMap as LightkubeConfigMap
from lightkube.types import PatchType
from support import packages
from support.cluster import WHY, Cluster

from minik8s.api.core import Namespace
from minik8s.api.meta import ObjectMeta
from minik8s.host import processes

pytestmark = pytest.mark.system

HERE = Path(__file__).parent
FILES = HERE / "kubectl" / "files"
NAMESPACE = "clients"
TALKER = """
apiVersion: v1
kind: Pod
metadata: {name: talker, labels: {app: talker}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: backend
    image: minik8s/toolbox:1
    env: [{name: LINGER, value: "0"}]
    readinessProbe: {httpGet: {path: /ready, port: 8080}, periodSeconds: 1}
"""


@pytest.fixture(scope="module")
def kubeconfig(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The cluster's own kubeconfig, with a namespace of these tests as the default; `talker` runs in it."""
    path = tmp_path_factory.mktemp("clients") / "config"
    found = yaml.safe_load(cluster.where.kubeconfig.read_text())
    found["contexts"][0]["context"]["namespace"] = NAMESPACE
    path.write_text(yaml.safe_dump(found))
    admin = cluster.connect()
    admin.create(Namespace(metadata=ObjectMeta(name=NAMESPACE)), why=WHY)
    cluster("apply", "-n", NAMESPACE, "-f", "-", say=TALKER)
    yield path
    admin.delete(Namespace, NAMESPACE, why=WHY)


@pytest.fixture(scope="module")
def official(kubeconfig: Path) -> client.ApiClient:
    return config.new_client_from_config(str(kubeconfig))


@pytest.fixture(scope="module")
def core(official: client.ApiClient) -> client.CoreV1Api:
    return client.CoreV1Api(official)


@pytest.fixture(scope="module")
def talker(core: client.CoreV1Api) -> str:
    """The name of a Pod that is ready, as the official client's watch sees it."""
    for event in watch.Watch().stream(core.list_namespaced_pod, NAMESPACE, timeout_seconds=60):
        conditions = {each.type: each.status for each in event["object"].status.conditions or []}
        if event["object"].metadata.name == "talker" and conditions.get("Ready") == "True":
            return "talker"
    raise AssertionError("the watch ended before the Pod was ready")


def config_map(name: str, **data: str) -> dict:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


# --- the official Python client --------------------------------------------------------------------------------------


def test_the_official_client_creates_reads_replaces_patches_and_deletes(core: client.CoreV1Api) -> None:
    made = core.create_namespaced_config_map(NAMESPACE, config_map("one", colour="green"))
    assert made.metadata.uid
    made.data["colour"] = "blue"
    assert core.replace_namespaced_config_map("one", NAMESPACE, made).data == {"colour": "blue"}
    with pytest.raises(client.ApiException) as stale:
        core.replace_namespaced_config_map("one", NAMESPACE, made)
    assert (stale.value.status, json.loads(stale.value.body)["reason"]) == (409, "Conflict")
    patched = core.patch_namespaced_config_map("one", NAMESPACE, {"data": {"size": "7"}})
    assert patched.data == {"colour": "blue", "size": "7"}
    listed = core.list_namespaced_config_map(NAMESPACE, label_selector="", field_selector="metadata.name=one")
    assert [each.metadata.name for each in listed.items] == ["one"]
    gone = core.delete_namespaced_config_map("one", NAMESPACE, propagation_policy="Background")
    assert gone["status"] == "Success"
    with pytest.raises(client.ApiException) as missing:
        core.read_namespaced_config_map("one", NAMESPACE)
    assert missing.value.status == 404


def test_its_watch_sees_each_change_once_and_goes_on_where_a_list_ended(core: client.CoreV1Api) -> None:
    start = core.list_namespaced_config_map(NAMESPACE).metadata.resource_version
    core.create_namespaced_config_map(NAMESPACE, config_map("seen", n="1"))
    core.patch_namespaced_config_map("seen", NAMESPACE, {"data": {"n": "2"}})
    core.delete_namespaced_config_map("seen", NAMESPACE)
    seen = []
    events = watch.Watch()
    selected = {"field_selector": "metadata.name=seen", "resource_version": start, "timeout_seconds": 30}
    for event in events.stream(core.list_namespaced_config_map, NAMESPACE, **selected):
        seen.append((event["type"], event["object"].data["n"]))
        if event["type"] == "DELETED":
            events.stop()
    assert seen == [("ADDED", "1"), ("MODIFIED", "2"), ("DELETED", "2")]


def test_it_creates_everything_of_a_file_and_scales_it(official: client.ApiClient) -> None:
    made = utils.create_from_yaml(official, str(FILES / "web.yaml"), namespace=NAMESPACE)
    assert [each[0].kind for each in made] == ["Service", "Deployment"]
    apps = client.AppsV1Api(official)
    scaled = apps.patch_namespaced_deployment_scale("web", NAMESPACE, {"spec": {"replicas": 1}})
    assert (scaled.kind, scaled.spec.replicas) == ("Scale", 1)
    assert apps.read_namespaced_deployment("web", NAMESPACE).spec.replicas == 1
    apps.delete_namespaced_deployment("web", NAMESPACE)
    client.CoreV1Api(official).delete_namespaced_service("web", NAMESPACE)


def test_its_dynamic_client_discovers_applies_and_patches(official: client.ApiClient) -> None:
    found = dynamic.DynamicClient(official).resources.get(api_version="v1", kind="ConfigMap")
    applied = found.server_side_apply(body=config_map("dyn", colour="green"), namespace=NAMESPACE, field_manager="py")
    assert [each.manager for each in applied.metadata.managedFields] == ["py"]
    merge = "application/merge-patch+json"
    body = {"metadata": {"name": "dyn"}, "data": {"colour": None, "size": "7"}}
    assert found.patch(body=body, namespace=NAMESPACE, content_type=merge).data.to_dict() == {"size": "7"}
    found.delete(name="dyn", namespace=NAMESPACE)


def test_its_leader_election_has_one_leader_by_a_lease(kubeconfig: Path, core: client.CoreV1Api) -> None:
    config.load_kube_config(str(kubeconfig))
    leads, lost = threading.Event(), threading.Event()
    lock = LeaseLock("elected", NAMESPACE, "me")

    def lead() -> None:
        leads.set()
        # Somebody else takes the Lease by force: the leader must notice at its next renewal.
        leases = client.CoordinationV1Api()
        lease = leases.read_namespaced_lease("elected", NAMESPACE)
        lease.spec.holder_identity = "somebody"
        leases.replace_namespaced_lease("elected", NAMESPACE, lease)

    terms = electionconfig.Config(
        lock, lease_duration=4, renew_deadline=2, retry_period=1, onstarted_leading=lead, onstopped_leading=lost.set
    )
    thread = threading.Thread(target=leaderelection.LeaderElection(terms).run, daemon=True)
    thread.start()
    assert leads.wait(20)
    assert lost.wait(20), "it never noticed that it leads no more"
    thread.join(10)


def test_it_runs_a_command_and_speaks_with_it(core: client.CoreV1Api, talker: str) -> None:
    words = ["sh", "-c", "read line; echo got $line; echo err >&2; exit 3"]
    session = stream(
        core.connect_get_namespaced_pod_exec,
        talker,
        NAMESPACE,
        command=words,
        stdin=True,
        stdout=True,
        stderr=True,
        tty=False,
        _preload_content=False,
    )
    session.write_stdin("hello\n")
    session.run_forever(timeout=20)
    assert (session.read_stdout(), session.read_stderr(), session.returncode) == ("got hello\n", "err\n", 3)


def test_it_forwards_a_port(core: client.CoreV1Api, talker: str) -> None:
    forward = portforward(core.connect_get_namespaced_pod_portforward, talker, NAMESPACE, ports="8080")
    sock = forward.socket(8080)
    sock.setblocking(True)
    sock.sendall(b"GET /ready HTTP/1.1\r\nHost: talker\r\nConnection: close\r\n\r\n")
    answer = b""
    while block := sock.recv(4096):
        answer += block
    assert answer.startswith(b"HTTP/1.1 200") and b'"ready": true' in answer
    assert forward.error(8080) is None


# --- lightkube -------------------------------------------------------------------------------------------------------


def test_lightkube_applies_patches_watches_and_deletes(kubeconfig: Path) -> None:
    found = lightkube.Client(lightkube.KubeConfig.from_file(str(kubeconfig)), field_manager="lightkube-test")
    made = found.create(LightkubeConfigMap(metadata=LightkubeMeta(name="light"), data={"n": "1"}))
    assert made.metadata.resourceVersion
    found.patch(LightkubeConfigMap, "light", {"data": {"n": "2"}}, patch_type=PatchType.MERGE)
    applied = LightkubeConfigMap(
        apiVersion="v1", kind="ConfigMap", metadata=LightkubeMeta(name="light"), data={"other": "1"}
    )
    assert found.apply(applied).data == {"n": "2", "other": "1"}
    seen = [(kind, obj.data["n"]) for kind, obj in _first(found.watch(LightkubeConfigMap), "light")]
    assert seen == [("ADDED", "2")]
    assert "light" in [each.metadata.name for each in found.list(LightkubeConfigMap)]
    found.delete(LightkubeConfigMap, "light")
    with pytest.raises(LightkubeError) as missing:
        found.get(LightkubeDeployment, "nobody")
    assert missing.value.status.code == 404


def _first(events: Iterator, name: str) -> Iterator:
    """The first event about an object."""
    yield next((kind, obj) for kind, obj in events if obj.metadata.name == name)


# --- kr8s ------------------------------------------------------------------------------------------------------------


def test_kr8s_discovers_creates_patches_and_lists(kubeconfig: Path) -> None:
    api = kr8s.api(kubeconfig=str(kubeconfig), namespace=NAMESPACE)
    assert api.version()["gitVersion"].startswith("v1.")
    assert "services" in {each["name"] for each in api.api_resources()}
    found = Kr8sConfigMap(config_map("octo", n="1"), api=api)
    found.create()
    found.patch({"data": {"n": "2"}})
    found.label({"tier": "front"})
    listed = list(api.get("configmaps", label_selector={"tier": "front"}))
    assert [(each.name, each.data["n"]) for each in listed] == [("octo", "2")]
    found.delete()
    found.wait("delete", timeout=20)


def test_kr8s_runs_a_command_reads_logs_and_forwards_a_port(kubeconfig: Path, talker: str) -> None:
    api = kr8s.api(kubeconfig=str(kubeconfig), namespace=NAMESPACE)
    pod = Kr8sPod.get(talker, api=api)
    assert pod.exec(["echo", "hello"]).stdout == b"hello\n"
    assert isinstance(list(pod.logs()), list)
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    with pod.portforward(remote_port=8080, local_port=port), _open(f"http://127.0.0.1:{port}/ready") as answer:
        assert json.loads(answer.read()) == {"ready": True}


def _open(url: str):
    return urllib.request.urlopen(url, timeout=20)


# --- @kubernetes/client-node -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which programs find the JavaScript client; it is installed for the test."""
    if not (shutil.which("node") and shutil.which("npm")):
        packages.install("nodejs", "npm")
    folder = tmp_path_factory.mktemp("node")
    words = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder)]
    processes.run([*words, "@kubernetes/client-node@1"], timeout=110)
    shutil.copy(HERE / "clients" / "client.mjs", folder)
    return folder


def test_the_javascript_client_follows_a_collection_and_runs_a_command(
    node: Path, kubeconfig: Path, core: client.CoreV1Api, talker: str
) -> None:
    child = subprocess.Popen(
        ["node", str(node / "client.mjs"), str(kubeconfig), NAMESPACE, talker],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    lines: queue.Queue[str] = queue.Queue()
    threading.Thread(target=lambda: [lines.put(each.strip()) for each in child.stdout or ()], daemon=True).start()
    try:
        assert lines.get(timeout=40) == "informer connected"
        core.create_namespaced_config_map(NAMESPACE, config_map("js", n="1"))
        assert lines.get(timeout=20) == "add js 1"
        core.patch_namespaced_config_map("js", NAMESPACE, {"data": {"n": "2"}})
        assert lines.get(timeout=20) == "update js 2"
        core.delete_namespaced_config_map("js", NAMESPACE)
        assert lines.get(timeout=20) == "delete js 2"
        assert lines.get(timeout=20) == 'exec {"out":"hello\\n","status":"Failure","code":"3"}'
        assert child.wait(20) == 0
    finally:
        child.kill()
        child.wait()
