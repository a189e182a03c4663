"""The sidecar way of spreading, on a whole cluster: an annotated Pod beside one that is not, asking the same Services.

What the kernel counts is the proof: in the annotated Pod's own namespace the rule that leads to the sidecar, on its
node the Service's chain.
"""

import contextlib
import json
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import pytest
from support.cluster import ClientPod, Cluster, Space, until

from minik8s.api.core import Event, Service
from minik8s.api.pods import Pod
from minik8s.host import clock, namespaces, processes
from minik8s.params import TABLE_SIDECAR

pytestmark = pytest.mark.system

# Reads to the end of what the client says, and answers only then: a proxy that does not pass a half-close on hangs.
SERVER = """
import os, socket, threading
def talk(sock, peer):
    said = b""
    while data := sock.recv(65536): said += data
    sock.sendall(f"{os.environ['HOSTNAME']} {peer[0].removeprefix('::ffff:')} {len(said)}".encode())
    sock.close()
server = socket.create_server(("::", 8080), family=socket.AF_INET6, backlog=1024, dualstack_ipv6=True)
while True: threading.Thread(target=talk, args=server.accept(), daemon=True).start()
"""
MANIFEST = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec:
  replicas: 3
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - name: main
        image: minik8s/toolbox:1
        command: [python3, -c, {server}]
        readinessProbe: {{tcpSocket: {{port: 8080}}, periodSeconds: 1}}
---
apiVersion: v1
kind: Service
metadata: {{name: web}}
spec: {{selector: {{app: web}}, ipFamilyPolicy: PreferDualStack, ports: [{{port: 80, targetPort: 8080}}]}}
---
apiVersion: v1
kind: Service
metadata: {{name: sticky}}
spec: {{selector: {{app: web}}, sessionAffinity: ClientIP, ports: [{{port: 80, targetPort: 8080}}]}}
---
apiVersion: v1
kind: Service
metadata: {{name: nobody}}
spec: {{ports: [{{port: 80}}]}}
---
apiVersion: v1
kind: Service
metadata: {{name: mixed}}
spec: {{ports: [{{port: 80}}]}}
"""
POD = """
apiVersion: v1
kind: Pod
metadata: {{name: {name}, labels: {{app: {name}}}, annotations: {{"minik8s.io/proxy": {proxy}}}}}
spec:
  nodeName: node-1
  terminationGracePeriodSeconds: 0
  containers:
  - {{name: main, image: "minik8s/toolbox:1", command: [sleep, infinity]}}
"""
SLICE = """
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: mixed-{port}, labels: {{kubernetes.io/service-name: mixed}}}}
addressType: IPv4
ports: [{{port: {port}}}]
endpoints: [{{addresses: [{address}]}}]
"""


@dataclass
class Asker:
    """A client Pod; every connection of it is made here, with a socket of its namespace."""

    client: ClientPod

    @cached_property
    def namespace(self) -> str:
        return f"/proc/{self.client.space.cluster.main_process(self.pod)}/ns/net"

    @property
    def pod(self) -> Pod:
        return self.client.pod

    @property
    def address(self) -> str:
        return self.pod.status.podIP

    def inside(self, what: Any) -> Any:
        return namespaces.in_ns(self.namespace, what)

    def ruled(self) -> bool:
        """Has the sidecar rules of its own in the Pod's network?"""
        return TABLE_SIDECAR in self.inside(lambda: processes.run(["nft", "list", "tables"]).stdout.split())

    def connect(self, address: str, count: int = 1) -> list[socket.socket]:
        return self.inside(lambda: [socket.create_connection((address, 80), 5) for _ in range(count)])

    def ask(self, address: str, say: bytes = b"hello") -> list[str]:
        """Who answered, whom it saw, how many bytes it got."""
        return finish(self.connect(address)[0], say)

    def lost(self, address: str, count: int) -> int:
        return sum(not self.works(address) for _ in range(count))

    def works(self, address: str) -> bool:
        try:
            return len(self.ask(address)) == 3
        except OSError:
            return False


def finish(sock: socket.socket, say: bytes = b"hello") -> list[str]:
    with sock:
        sock.sendall(say)
        sock.shutdown(socket.SHUT_WR)
        answer = b""
        while data := sock.recv(4096):
            answer += data
    return answer.decode().split()


@dataclass
class Stage:
    space: Space
    side: Asker
    plain: Asker
    web: list[Pod]

    def address(self, name: str) -> str:
        return self.space.get(Service, name).spec.clusterIP

    def page(self, name: str) -> Any:
        """A page of node-1's sidecar, as everybody reads it: through the API server and the agent."""
        path = f"/api/v1/nodes/node-1/proxy/debug/sidecar/debug/{name}"
        said = self.space.cluster("get", "--raw", path, check=False).stdout
        return json.loads(said) if said[:1] in ("[", "{") else said

    def led(self) -> int:
        """How many connections the rules of the annotated Pod led to the sidecar."""
        found = re.search(
            r"ip daddr .* counter packets (\d+)",
            self.page(f"rules?pod={self.space.name}/{self.side.pod.metadata.name}"),
        )
        return int(found[1]) if found else 0

    def served(self, name: str) -> bool:
        pods = self.page("pods")
        return isinstance(pods, list) and f"{self.space.name}/{name}" in [each["pod"] for each in pods]

    def counters(self, service: str) -> list[int]:
        """How many connections node-1's own rules have led to each endpoint of a Service."""
        words = ("nft", "list", "chain", "ip", "minik8s", f"svc/{self.space.name}/{service}/80")
        said = self.space.cluster("node", "exec", "node-1", "--", *words, check=False).stdout
        return [int(each) for each in re.findall(r"counter packets (\d+)", said)]

    def translated(self, service: str) -> int:
        return sum(self.counters(service))

    def targets(self, service: str) -> int:
        """How many endpoints of a Service the sidecar knows and the node's rules too."""
        title = f"{self.space.name}/{service}:80"
        known = [len(each["endpoints"]) for each in self.page("services") if each["service"] == title]
        return min(known[0], len(self.counters(service))) if known else 0


@pytest.fixture(scope="module")
def stage(cluster: Cluster) -> Iterator[Stage]:
    space = Space(cluster, "sidecar")
    space.apply(MANIFEST.format(server=json.dumps(SERVER)))
    for name, proxy in (("side", "sidecar"), ("plain", "nftables")):
        space.apply(POD.format(name=name, proxy=proxy))
    web = space.wait_ready("web", 3)
    side, plain = (Asker(ClientPod(space, space.wait_ready(name, 1)[0])) for name in ("side", "plain"))
    found = Stage(space, side, plain, web)
    until(lambda: found.served("side"), "the sidecar serves the annotated Pod")
    until(lambda: plain.works(found.address("web")), "node-1 has the Service's rules")
    yield found
    space.close()


def test_an_annotated_pod_reaches_a_service_through_the_sidecar_alone(stage: Stage) -> None:
    address = stage.address("web")
    led, translated = stage.led(), stage.translated("web")
    answers = [stage.side.ask(address) for _ in range(40)]
    assert stage.led() - led == 40, "its own namespace's rule counted each connection"
    assert stage.translated("web") == translated, "the node's rules saw none of them"
    assert {answer[1] for answer in answers} == {stage.side.address}, "the endpoints saw the Pod's own address"
    assert {answer[0] for answer in answers} == {pod.metadata.name for pod in stage.web}, "every Pod has its turn"
    stage.plain.ask(address)
    assert stage.translated("web") == translated + 1 and stage.led() - led == 40, "its neighbour goes the node's way"


def test_both_families_are_served(stage: Stage) -> None:
    six = next(each for each in stage.space.get(Service, "web").spec.clusterIPs if ":" in each)
    until(lambda: stage.side.works(six), "the IPv6 address answers")
    answer = stage.side.ask(six)
    assert answer[1] in [each.ip for each in stage.side.pod.status.podIPs] and ":" in answer[1]
    assert re.search(r"ip6 daddr .* counter packets [1-9]", stage.page(f"rules?pod={stage.space.name}/side"))


def test_another_endpoint_is_tried_when_one_refuses(stage: Stage) -> None:
    for port, pod in ((8080, stage.web[0]), (9, stage.web[1])):
        stage.space.apply(SLICE.format(port=port, address=pod.status.podIP))
    address = stage.address("mixed")
    until(lambda: stage.targets("mixed") == 2, "both the sidecar and the node's rules have both endpoints")
    # With nftables half of 40 connections meet the endpoint that refuses: none would be a chance of 1 to 10^12.
    assert (stage.side.lost(address, 40), stage.plain.lost(address, 40) > 0) == (0, True)
    metrics = stage.space.cluster("node", "exec", "node-1", "--", "curl", "-s", "127.0.0.1:15020/metrics").stdout
    assert f'minik8s_sidecar_retries_total{{service="{stage.space.name}/mixed",why="refused"}}' in metrics
    said = [each["because"] for each in stage.space.cluster.journal("sidecar", "node-1")]
    assert any(f"of {stage.space.name}/mixed:80: Connection refused; another one is tried" in each for each in said)


def test_without_endpoints_the_client_is_refused_at_once(stage: Stage) -> None:
    began = clock.monotonic()
    with pytest.raises(ConnectionRefusedError):
        stage.side.connect(stage.address("nobody"))
    assert clock.monotonic() - began < 2


def test_a_client_stays_with_its_endpoint_if_the_service_says_so(stage: Stage) -> None:
    until(lambda: stage.side.works(stage.address("sticky")), "the Service answers")
    assert len({stage.side.ask(stage.address("sticky"))[0] for _ in range(10)}) == 1


def test_two_hundred_connections_at_once_are_spread_evenly_and_lose_nothing(stage: Stage) -> None:
    socks = stage.side.connect(stage.address("web"), 200)
    ends = until(
        lambda: (
            len(found := [each for each in stage.page("connections") if each["state"] == "established"]) >= 200
            and [each["endpoint"] for each in found]
        ),
        "all of them have reached an endpoint",
    )
    share = [ends.count(f"{pod.status.podIP}:8080") for pod in stage.web]
    assert min(share) > 50 and sum(share) == 200, f"of two at random the less busy one: {share}"
    said = bytes(100_000)
    assert {finish(sock, said)[2] for sock in socks} == {str(len(said))}
    until(lambda: stage.page("connections") == [], "and all of them have ended")


def test_killed_it_lets_nobody_hang_and_is_back_by_itself(stage: Stage) -> None:
    address = stage.address("web")
    for _ in range(2):
        # Many, so that among them are descriptors above and below those of the rules: the kernel closes them in order.
        waiting = stage.side.connect(address, 20)
        pid = stage.space.cluster.kill("sidecar@node-1")
        for sock in waiting:
            with sock, contextlib.suppress(ConnectionResetError):
                assert sock.recv(10) == b"", "the end of the connection reached its client"
        # Connections above the rules' descriptor end before the rules do: for a moment these lead to who is dying.
        until(lambda: not stage.side.ruled(), "the Pod's rules have gone with the sidecar")
        assert stage.side.lost(address, 20) == 0, "the node's rules serve meanwhile"
        until(lambda pid=pid: stage.space.cluster.pids().get("sidecar@node-1", pid) != pid, "it is started again")
        until(lambda: stage.served("side"), "and serves its Pod")
        led = stage.led()
        stage.side.ask(address)
        assert stage.led() == led + 1


def test_an_annotation_that_goes_ends_nothing_that_is_open(stage: Stage) -> None:
    stage.space.apply(POD.format(name="fickle", proxy="sidecar"))
    fickle = Asker(ClientPod(stage.space, stage.space.wait_ready("fickle", 1)[0]))
    until(lambda: stage.served("fickle"), "the sidecar serves it")
    sock = fickle.connect(stage.address("web"))[0]
    stage.space("annotate", "pod/fickle", "--overwrite", "minik8s.io/proxy=nftables")
    until(lambda: not stage.served("fickle"), "the sidecar serves it no longer")
    assert finish(sock)[1] == fickle.address, "the open connection goes on"
    before = stage.translated("web")
    fickle.ask(stage.address("web"))
    assert stage.translated("web") == before + 1, "the next one goes the node's way"


def test_a_pod_that_ends_takes_its_connections_along(stage: Stage) -> None:
    stage.space.apply(POD.format(name="brief", proxy="sidecar"))
    brief = Asker(ClientPod(stage.space, stage.space.wait_ready("brief", 1)[0]))
    until(lambda: stage.served("brief"), "the sidecar serves it")
    with brief.connect(stage.address("web"))[0]:
        name = f"{stage.space.name}/brief"
        until(lambda: name in [each["pod"] for each in stage.page("connections")], "its connection is open")
        stage.space("delete", "pod/brief")
        until(lambda: stage.page("connections") == [], "the sidecar held nothing of it open")
    assert not stage.served("brief")


def test_a_pod_whose_port_is_taken_is_told_and_goes_the_nodes_way(stage: Stage) -> None:
    stage.space.apply(
        POD.format(name="taken", proxy="nftables").replace("[sleep, infinity]", '[python3, -m, http.server, "15001"]')
    )
    taken = Asker(ClientPod(stage.space, stage.space.wait_ready("taken", 1)[0]))
    until(partial(listening, taken), "the Pod listens there itself")
    stage.space("annotate", "pod/taken", "--overwrite", "minik8s.io/proxy=sidecar")

    def told(events: dict[str, Event]) -> bool:
        texts = [each.message for each in events.values() if each.involvedObject.name == "taken"]
        return any("Address already in use" in each for each in texts)

    stage.space.wait(Event, told)
    assert taken.works(stage.address("web"))


def listening(asker: Asker) -> bool:
    try:
        asker.inside(lambda: socket.create_connection(("127.0.0.1", 15001), 1)).close()
    except OSError:
        return False
    return True
