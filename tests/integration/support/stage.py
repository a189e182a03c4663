"""One stage for many small plays: three backends (one for each node) and clients in every place, shared by a file.

    stage.pods      the backends, by node
    stage.ask(PLACE, "http://10.96.0.7")        what one backend said of itself; {} if nobody answered
    stage.everybody(PLACE, url)                 who answers, asked until all have or patience ends

A place is `pod` (a Pod without rights on node-1), `node` (a process of node-1), or `outside` (a client on the LAN).
Every question is a connection of its own. UDP is asked with `udp://10.96.0.7:53`.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from support.cluster import ClientPod, Cluster, Space, until

from minik8s.api import codec
from minik8s.api.core import Service
from minik8s.api.pods import Pod, is_ready
from minik8s.cluster import topology
from minik8s.host import processes

PLACES = ("pod", "node", "outside")
REFUSED, TIMED_OUT = 7, 28  # curl's exit codes
BACKEND = """
apiVersion: v1
kind: Pod
metadata:
  name: {name}
  labels: {labels}
spec:
  nodeName: {node}
  terminationGracePeriodSeconds: {grace}
  hostNetwork: {host}
  containers:
  - name: backend
    image: minik8s/toolbox:1
    command: [python3, /app/backend.py]
    env:
    - {{name: PORT, value: "{ports}"}}
    - {{name: LINGER, value: "{linger}"}}
    ports: [{{name: http, containerPort: {port}}}]
    readinessProbe: {{exec: {{command: {ready}}}, periodSeconds: 1}}
"""
UDP = """
import socket, sys
for _ in range(int(sys.argv[4])):
    with socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(float(sys.argv[3]))
        sock.connect((sys.argv[1], int(sys.argv[2])))
        sock.send(b"hello")
        print(sock.recv(65535).decode(), end="")
"""


@dataclass
class Stage:
    cluster: Cluster
    space: Space
    client: ClientPod
    pods: dict[str, Pod] = field(default_factory=dict)

    # --- Asking -------------------------------------------------------------------------------------------------------

    def run(self, place: str, *words: str) -> processes.Completed:
        """A command at a place; it may fail."""
        if place == "pod":
            return self.client.run(*words, check=False)
        member = {"outside": topology.LAN, "node": "node-1"}.get(place, place)
        return processes.run(words, ns=topology.namespace(self.cluster.name, member), check=False)

    def ask(self, place: str, url: str, wait_s: float = 2.0) -> dict[str, Any]:
        """One question; what the backend said of itself, {} if nobody did."""
        return next(iter(self.ask_often(place, url, 1, wait_s)), {})

    def ask_often(self, place: str, url: str, count: int, wait_s: float = 2.0) -> list[dict[str, Any]]:
        """So many questions, one after the other, each a connection of its own; the answers there were."""
        parts = urlsplit(url)
        if parts.scheme == "udp":
            words = ("python3", "-c", UDP, parts.hostname or "", str(parts.port), f"{wait_s:g}", str(count))
        else:
            words = ("curl", "-sg", "--max-time", f"{wait_s:g}", "-H", "Connection: close", *[url] * count)
        said = self.run(place, *words).stdout
        return [json.loads(line) for line in said.splitlines() if line.startswith("{")]

    def refused(self, place: str, url: str) -> bool:
        """Is a connection refused at once, instead of running into a time-out?"""
        return self.run(place, "curl", "-sg", "--max-time", "3", url).code == REFUSED

    def everybody(self, place: str, url: str, expected: set[str], patience: float = 15.0) -> None:
        """Wait until exactly these backends answer here: each of them, nobody else, and never silence."""
        # A miss of one of three in 36 questions happens once in two million looks, and costs another look.
        count = 12 * len(expected) if len(expected) > 1 else 2

        def look() -> bool:
            seen = [said["pod"] for said in self.ask_often(place, url, count)]
            return len(seen) == count and set(seen) == expected

        until(look, f"{sorted(expected)} answer {url} from the {place}", patience)

    def answers(self, place: str, url: str) -> None:
        until(lambda: self.ask(place, url), f"somebody answers {url} from the {place}", 15.0)

    def refuses(self, place: str, url: str) -> None:
        until(lambda: self.refused(place, url), f"{url} is refused from the {place}", 15.0)

    # --- Objects ------------------------------------------------------------------------------------------------------

    @property
    def names(self) -> set[str]:
        return {pod.metadata.name for pod in self.pods.values()}

    def service(self, name: str, ports: list[dict[str, Any]] | None = None, **spec: Any) -> Service:
        """Make a Service, by default one of all backends; as the API server returned it."""
        ports = ports or [{"name": "http", "port": 80, "targetPort": 8080}]
        spec = {"selector": {"stage": "web"}, "ports": ports, **spec}
        labels: Mapping[str, str] = spec.pop("labels", {})
        made = {"metadata": {"name": name, "namespace": self.space.name, "labels": dict(labels)}, "spec": spec}
        return self.space.client.create(codec.from_dict(Service, made))

    def change(self, name: str, patch: Mapping[str, Any]) -> Service:
        return self.space.client.patch(Service, name, self.space.name, patch)

    def backend(self, name: str, node: str, **given: Any) -> Pod:
        """One Pod more; it is not waited for."""
        words = {
            "labels": "{stage: more}",
            "grace": 1,
            "host": "false",
            "ports": "8080",
            "linger": 0,
            "ready": '["true"]',
        }
        words |= {"name": name, "node": node, **given}
        words.setdefault("port", str(words["ports"]).partition(",")[0])
        self.space.apply(BACKEND.format(**words))
        return self.space.get(Pod, name)

    def ready(self, *names: str) -> list[Pod]:
        """Wait until these Pods are ready."""

        def done(pods: dict[str, Pod]) -> bool:
            return all(name in pods and is_ready(pods[name]) for name in names)

        found = self.space.wait(Pod, done)
        return [found[name] for name in names]

    def delete(self, cls: Any, name: str, wait: bool = True) -> None:
        self.space.client.delete(cls, name, self.space.name)
        if wait:
            self.space.wait(cls, lambda seen: name not in seen)


def up(cluster: Cluster, name: str) -> Iterator[Stage]:
    """The stage in a namespace of this name; for a fixture."""
    space = Space(cluster, name)
    try:
        stage = Stage(cluster, space, space.client_pod("node-1"))
        for number, node in enumerate(cluster.record.nodes, 1):
            labels = f"{{stage: web, number: '{number}'}}"
            stage.backend(f"web-{number}", node, labels=labels, ports="8080,8081", grace=1)
        found = stage.ready(*(f"web-{number}" for number, _ in enumerate(cluster.record.nodes, 1)))
        stage.pods = {pod.spec.nodeName: pod for pod in found}
        yield stage
    finally:
        space.close()


def url(service: Service, port: int = 80) -> str:
    address = service.spec.clusterIP
    return f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"


def each_node(cluster: Cluster, ask: Callable[[str], Any]) -> None:
    """Do it for the address of every node."""
    for node in cluster.record.nodes:
        ask(topology.node_address(node))
