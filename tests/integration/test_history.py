"""`history` and `traffic` on a whole cluster: every stage is there, each cause is named, and a late stage shows."""

import json
import signal

import pytest
from support.cluster import Cluster, Space, until

from minik8s.api.pods import Pod, is_ready
from minik8s.cli import tally
from minik8s.host import clock

pytestmark = pytest.mark.system

NODES = ("node-1", "node-2", "node-3")
HELD_S = 1.2  # less than a leaving Pod needs to end, which would be the next change
WEB = """
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  type: NodePort
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: http}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 3
      containers:
      - name: backend
        image: minik8s/toolbox:1
        command: [python3, /app/backend.py]
        ports: [{name: http, containerPort: 8080}]
        readinessProbe: {httpGet: {path: /ready, port: http}, periodSeconds: 1}
"""


def web(space: Space) -> list[Pod]:
    space.apply(WEB)
    return space.wait_ready("web", 2)


def episodes(space: Space, target: str = "svc/web") -> list[dict]:
    return json.loads(space("history", target, "-o", "json").stdout)["episodes"]


def stages(episode: dict, stage: str) -> list[dict]:
    return [each for each in episode["stages"] if each["stage"] == stage]


def with_rules(space: Space, change: str, address: str) -> dict:
    """The latest episode, once every node's rules have had this change."""

    def look() -> dict | None:
        last = episodes(space)[-1]
        nodes = {each["node"] for each in stages(last, "rules") if any(address in one for one in each["data"][change])}
        return last if nodes == set(NODES) else None

    return until(look, f"history tells that {address} was {change} on every node")


def test_an_apply_is_one_cause_from_the_manifest_to_the_rules_and_the_name_on_every_node(space: Space) -> None:
    pods = web(space)
    episode = with_rules(space, "added", pods[-1].status.podIP)
    assert "apply -n" in episode["cause"]["text"]
    assert {each["node"] for each in stages(episode, "names")} == set(NODES)
    for stage, count in (("bound", 2), ("sandbox", 2), ("started", 2), ("ready", 2)):
        assert len(stages(episode, stage)) == count, stage
    times = [each["total"] for each in episode["stages"]]
    assert times == sorted(times) and times[-1] < 30


def test_a_death_is_told_with_its_window_and_a_delete_without_reason_as_such(space: Space) -> None:
    pods = web(space)
    space("kill", f"pod/{pods[0].metadata.name}")
    died = with_rules(space, "removed", pods[0].status.podIP)
    (window,) = died["windows"]
    assert (died["cause"]["stage"], window["endpoints"], set(window["seconds"])) == ("died", 2, set(NODES))
    space.wait_ready("web", 2)
    space.client.delete(Pod, pods[1].metadata.name, space.name)
    deleted = with_rules(space, "removed", pods[1].status.podIP)
    assert deleted["cause"]["text"].endswith("a cause without a cause")
    assert stages(deleted, "made"), "the successor belongs to the deletion"


def test_a_proxy_that_is_held_makes_its_own_stage_longer_and_no_other(cluster: Cluster, space: Space) -> None:
    pods = web(space)
    with_rules(space, "added", pods[-1].status.podIP)
    cluster("kill", "proxy@node-2", "-s", "STOP")
    try:
        # Nobody may join or return meanwhile: the held proxy sees the sum of all changes, and tells of the last.
        space("scale", "deploy/web", "--replicas", "1")
        began = clock.wall()
        until(lambda: clock.wall() > began + HELD_S, "the proxy is held for a while")
    finally:
        cluster.signal(["proxy@node-2"], signal.SIGCONT)
    (kept,) = space.wait_ready("web", 1)
    (left,) = (pod for pod in pods if pod.metadata.uid != kept.metadata.uid)
    episode = with_rules(space, "removed", left.status.podIP)
    removed = {each["node"]: each["step"] for each in stages(episode, "rules") if each["data"]["removed"]}
    assert removed["node-2"] > HELD_S * 0.8
    assert max(removed["node-1"], removed["node-3"]) < 1
    others = [each["step"] for each in episode["stages"] if each["stage"] in ("not ready", "endpoints")]
    assert max(others) < 1.5


@pytest.mark.parametrize("target", ["svc/web", "deploy/web", "web"])
def test_people_read_it_at_eighty_columns(space: Space, target: str) -> None:
    web(space)
    said = space("history", target).stdout
    assert "rules:" in said or target == "deploy/web"
    assert all(len(line) <= 80 for line in said.splitlines())


def test_a_pods_history_is_its_own(space: Space) -> None:
    mine, other = web(space)
    said = space("history", f"pod/{mine.metadata.name}", "-o", "json").stdout
    assert mine.metadata.name in said
    (episode,) = json.loads(said)["episodes"]
    assert not [each for each in episode["stages"] if each["object"].endswith(other.metadata.name)]


def test_what_is_not_remembered_and_what_is_no_target_is_said(space: Space) -> None:
    assert "Nothing is remembered" in space("history", "svc/none").stdout
    refused = space("history", "node/node-1", check=False)
    assert (refused.code, refused.stderr.count("\n")) == (1, 1)


# --- Traffic ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("origin", ["", "outside", "node/node-2"])
def test_traffic_counts_every_request_from_wherever_it_is_sent(space: Space, origin: str) -> None:
    pods = web(space)
    words = ["--from", origin] if origin else []
    said = json.loads(space("traffic", "svc/web", "--rate", "40", "--count", "40", "-o", "json", *words).stdout)
    assert (said["sent"], said["ok"], said["lost"]) == (40, 40, 0)
    assert set(said["pods"]) <= {pod.metadata.name for pod in pods}


def test_the_pod_that_traffic_makes_for_itself_goes_with_it(space: Space) -> None:
    web(space)
    said = space("traffic", "svc/web", "--rate", "20", "--count", "10").stdout
    assert tally.parse(said).ok == 10
    space.wait(Pod, lambda pods: "minik8s-client" not in pods)


def test_a_kept_connection_stays_with_one_pod(space: Space) -> None:
    web(space)
    words = ("--rate", "40", "--count", "40", "--keepalive", "--from", "node/node-1", "-o", "json")
    assert list(json.loads(space("traffic", "svc/web", *words).stdout)["pods"].values()) == [40]


def test_an_address_is_that_of_the_pod_and_not_of_its_successor(space: Space) -> None:
    pod = web(space)[0]
    words = ("--rate", "10", "--count", "10", "--from", "node/node-1", "-o", "json")
    said = json.loads(space("traffic", f"pod/{pod.metadata.name}", *words).stdout)
    assert said["pods"] == {pod.metadata.name: 10}
    space.wait(Pod, lambda pods: all(is_ready(each) for each in pods.values()))
