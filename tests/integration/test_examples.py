"""Every manifest of labs/examples does what its comment says, on a whole cluster: the shapes that Kubernetes' own
documentation publishes.
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from support.cluster import ClientPod, Cluster, Space, until

from minik8s import params
from minik8s.api.coordination import Lease
from minik8s.api.core import Service
from minik8s.api.pods import Pod, is_ready
from minik8s.cluster import topology

pytestmark = pytest.mark.system

EXAMPLES = Path(__file__).parents[2] / "labs" / "examples"
NAMES = "import json, socket; print(json.dumps(sorted({a[4][0] for a in socket.getaddrinfo('%s', 1)})))"
SAY = """
import socket
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.settimeout(3)
sock.sendto(b"hello", ("ports", 9000))
print(sock.recv(65535).decode())
"""
NO_IMAGE = """
apiVersion: v1
kind: Pod
metadata: {name: none}
spec: {containers: [{name: main, image: "127.0.0.1:9/none:1"}]}
"""


@pytest.fixture
def client(space: Space) -> ClientPod:
    return space.client_pod("node-2")


def outside(cluster: Cluster, node: str, port: int) -> dict:
    """One request from the world outside to a node's port; {} when nobody answers yet."""
    return asked(cluster, f"http://{topology.node_address(node)}:{port}")


def asked(cluster: Cluster, url: str) -> dict:
    """One request from the world outside; {} when nobody answers yet."""
    done = cluster("outside", "curl", "-s", "--max-time", "2", url, check=False)
    return json.loads(done.stdout) if done.stdout.startswith("{") else {}


def python(client: ClientPod, program: str) -> str:
    return client.run("python3", "-c", program, check=False).stdout


def web(cluster: Cluster, space: Space, client: ClientPod) -> None:
    pods = {pod.metadata.name for pod in space.wait_ready("web", 3)}
    address = space.get(Service, "web").spec.clusterIP
    for url in ("http://web", f"http://web.{space.name}.svc.cluster.local", f"http://{address}"):
        assert until(lambda url=url: client.ask(url), f"{url} answers")["pod"] in pods
    for node in cluster.record.nodes:
        assert until(lambda node=node: outside(cluster, node, 30007), f"{node}'s port answers")["pod"] in pods
    answered = {client.ask(f"http://{address}")["pod"] for _ in range(40)}
    assert answered == pods, "every Pod has its turn"


def demo(cluster: Cluster, space: Space, client: ClientPod) -> None:
    pods = {pod.metadata.name: pod for pod in space.wait_ready("web", 2)}
    answer = until(lambda: client.ask("http://web"), "the name answers")
    assert answer["node"] == pods[answer["pod"]].spec.nodeName, "the backend knows its node"
    assert until(lambda: outside(cluster, "node-3", 30080), "the port answers")["pod"] in pods


def demo_back(cluster: Cluster, space: Space, client: ClientPod) -> None:
    pods = {pod.metadata.name for pod in space.wait_ready("back", 2)}
    assert until(lambda: client.ask("http://back"), "the name answers")["pod"] in pods
    for pod in space.wait_ready("back", 2):
        assert client.ask(f"http://{pod.status.podIP}:8080")["pod"] == pod.metadata.name
    caller = space.wait(Pod, lambda pods: "caller" in pods and is_ready(pods["caller"]))["caller"]
    said = space("exec", caller.metadata.name, "--", "curl", "-s", "http://back").stdout
    assert json.loads(said)["pod"] in pods


def loadbalancer(cluster: Cluster, space: Space, client: ClientPod) -> None:
    pods = {pod.metadata.name: pod for pod in space.wait_ready("web", 2)}
    given = {}
    for name in ("web", "web-local"):
        services = space.wait(Service, lambda found, name=name: found[name].status.loadBalancer.ingress)
        given[name] = services[name].status.loadBalancer.ingress[0].ip
        assert given[name] in space("get", "svc", name).stdout
    assert until(lambda: asked(cluster, f"http://{given['web']}"), "the address answers")["pod"] in pods
    answer = until(lambda: asked(cluster, f"http://{given['web-local']}"), "so does the other")
    assert answer["client"].startswith(f"{params.LAN_GATEWAY}:"), "the Pod sees the client's own address"
    holder = cluster.connect().get(Lease, f"loadbalancer-{given['web-local']}", "kube-system").spec.holderIdentity
    assert holder == pods[answer["pod"]].spec.nodeName
    assert f"{holder} announces {given['web-local']}" in space("describe", "svc", "web-local").stdout


def ports(cluster: Cluster, space: Space, client: ClientPod) -> None:
    first = until(lambda: client.ask("http://ports:80"), "the first port answers")
    second = client.ask("http://ports:9000")
    assert (first["pod"], first["server"].rpartition(":")[2]) == ("ports-1", "8080")
    assert (second["pod"], second["server"].rpartition(":")[2]) == ("ports-1", "9376")
    assert client.ask("http://ports:9000/env")["PORT"] == "8080,9376"
    assert json.loads(python(client, SAY))["said"] == "hello"


def headless(cluster: Cluster, space: Space, client: ClientPod) -> None:
    pods = space.wait(Pod, lambda pods: all(name in pods and is_ready(pods[name]) for name in ("db-0", "db-1")))
    addresses = sorted(pods[name].status.podIP for name in ("db-0", "db-1"))
    until(lambda: python(client, NAMES % "db").strip() == json.dumps(addresses), "the name stands for both Pods")
    assert json.loads(python(client, NAMES % "db-1.db")) == [pods["db-1"].status.podIP]
    assert until(lambda: client.ask("http://db-0.db:8080"), "a Pod's own name answers")["pod"] == "db-0"


def without_selector(cluster: Cluster, space: Space, client: ClientPod) -> None:
    ask = ("curl", "-sk", "--max-time", "2", "https://api-by-hand/healthz")
    until(lambda: client.run(*ask, check=False).stdout == "ok", "the Service leads to the API server")


def config(cluster: Cluster, space: Space, client: ClientPod) -> None:
    pods = space.wait(Pod, lambda pods: "settings" in pods and is_ready(pods["settings"]))
    said = space("exec", "settings", "--", "env").stdout.splitlines()
    assert {"SPECIAL_LEVEL_KEY=very", "CONFIG_log_level=INFO", "CONFIG_special.how=very"} <= set(said)
    assert f"MY_POD_IP={pods['settings'].status.podIP}" in said


def frontend(cluster: Cluster, space: Space, client: ClientPod) -> None:
    answer = until(lambda: outside(cluster, "node-1", 30008).get("answered"), "the front end reaches http://back")
    assert answer.startswith("back-")
    assert client.ask("http://front")["frontend"].startswith("front-")


def ingress(cluster: Cluster, space: Space, client: ClientPod) -> None:
    by_pod = {space.wait_ready(app, 1)[0].metadata.name: app for app in ("front", "cart")}

    def answered(path: str, node: str) -> str:
        url = f"http://{topology.node_address(node)}{path}"
        done = cluster("outside", "curl", "-s", "--max-time", "2", "-H", "Host: shop.example.com", url, check=False)
        return by_pod[json.loads(done.stdout)["pod"]] if done.stdout.startswith("{") else ""

    with cluster.serving_ingress():
        for node in cluster.record.nodes:
            assert until(lambda node=node: answered("/", node), f"{node} serves") == "front"
            assert [answered(path, node) for path in ("/cart", "/cart/7", "/cartoon")] == ["cart", "cart", "front"]


def spread(cluster: Cluster, space: Space, client: ClientPod) -> None:
    space.wait_ready("spread", 3)
    clients = ("plain", "with-sidecar")
    pods = space.wait(Pod, lambda pods: all(name in pods and is_ready(pods[name]) for name in clients))
    plain, sidecar = (ClientPod(space, pods[name]) for name in clients)

    def lost(asker: ClientPod, count: int) -> int:
        return sum(not asker.ask("http://spread") for _ in range(count))

    until(lambda: plain.ask("http://spread"), "the Service answers")
    node = pods["with-sidecar"].spec.nodeName

    def served() -> bool:
        said = [each["because"] for each in cluster.journal("sidecar", node)]
        return any(f"Pod {space.name}/with-sidecar has a sidecar" in each for each in said)

    until(served, "a sidecar serves the Pod that asks for it")
    assert lost(sidecar, 30) == 0 and lost(plain, 30) > 0


SHOWN: dict[str, Callable[[Cluster, Space, ClientPod], None]] = {
    "config": config,
    "demo": demo,
    "demo-back": demo_back,
    "frontend": frontend,
    "headless": headless,
    "loadbalancer": loadbalancer,
    "ingress": ingress,
    "ports": ports,
    "spread": spread,
    "web": web,
    "without-selector": without_selector,
}


def test_every_example_is_tried() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.yaml")} == SHOWN.keys()


@pytest.mark.parametrize("example", SHOWN)
def test_the_example_works(cluster: Cluster, space: Space, client: ClientPod, example: str) -> None:
    space("apply", "-f", str(EXAMPLES / f"{example}.yaml"))
    SHOWN[example](cluster, space, client)


def test_an_image_that_is_not_there_says_which_are(space: Space) -> None:
    space.apply(NO_IMAGE)

    def backing_off(pods: dict[str, Pod]) -> bool:
        statuses = pods["none"].status.containerStatuses
        return bool(statuses and statuses[0].state.waiting and statuses[0].state.waiting.reason == "ImagePullBackOff")

    pod = space.wait(Pod, backing_off)["none"]
    assert "minik8s/toolbox:1" in pod.status.containerStatuses[0].state.waiting.message
    assert "ImagePullBackOff" in space("get", "pods").stdout
    said = space("describe", "pod", "none").stdout
    assert "127.0.0.1:9/none:1" in said and "minik8s/toolbox:1" in said
