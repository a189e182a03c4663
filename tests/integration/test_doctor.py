"""The doctor and the five faults, on a whole cluster: what breaks fails as described, is found, and only a right mend
counts.

The mend that the doctor proposes is typed as it stands. Read next: minik8s/explain/README.md.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.cluster import MINIK8S, WHY, ClientPod, Cluster, Space, until

from minik8s.api.core import Service
from minik8s.explain import faults
from minik8s.explain.doctor import ladder, tell
from minik8s.explain.doctor.facts import Facts
from minik8s.explain.doctor.world import World
from minik8s.host import processes

pytestmark = pytest.mark.system

HERE, ELSEWHERE = "node-2", "node-1"  # where the client stands, and where it does not
REFUSED = 7  # curl's exit code

WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: backend
        image: minik8s/toolbox:1
        command: [python3, /app/backend.py]
        env: [{name: LINGER, value: "0.3"}]
        ports: [{name: http, containerPort: 8080}]
        readinessProbe: {httpGet: {path: /ready, port: 8080}, periodSeconds: 1}
"""
SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: NAME}
spec:
  type: NodePort
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: 8080}]
"""


@pytest.fixture(scope="module")
def shop(cluster: Cluster) -> Iterator[Space]:
    """Three backends behind `web`, and a client."""
    found = Space(cluster, "shop")
    found.apply(f"{WEB}---{SERVICE.replace('NAME', 'web')}")
    found.wait_ready("web", 3)
    yield found
    found.close()


@pytest.fixture(scope="module")
def client(shop: Space) -> ClientPod:
    return shop.client_pod(HERE)


@pytest.fixture(autouse=True)
def mended(shop: Space) -> Iterator[None]:
    """A test that fails leaves nothing broken for the next one."""
    yield
    shop("break", "mend", check=False)


def examine(shop: Space, *words: str, name: str = "web") -> tuple[int, dict]:
    """The doctor as people call it."""
    done = shop("doctor", f"svc/{name}", "-o", "json", *words, check=False)
    return done.code, json.loads(done.stdout)


def climbed(shop: Space, name: str = "web") -> dict:
    """The same without a process of its own, for waiting."""
    facts = Facts(shop.name, name)
    return tell.values(facts, list(ladder.climb(facts, World(shop.client).look)))


def diagnosed(shop: Space, code: str) -> dict:
    """The doctor's findings, once new Pods have got as far as to fail."""

    def look() -> dict:
        seen.append(climbed(shop))
        return seen[-1] if seen[-1]["code"] == code else {}

    seen: list[dict] = []
    found = until(look, f"the doctor says {code}")
    assert {each["code"] for each in seen} <= {code, "MK-STARTING"}, "another cause was named before"
    return found


def curl(client: ClientPod, url: str = "http://web") -> int:
    return client.run("curl", "-s", "-o", "/dev/null", "--max-time", "1", url, check=False).code


def judged(shop: Space) -> str:
    """What `break check` says; empty when it is content."""
    done = shop("break", "check", check=False)
    assert (done.code == 0) == ("Mended" in done.stdout)
    return done.stderr


def typed(shop: Space, line: str) -> None:
    """Run a line as a learner types it."""
    cluster = shop.cluster
    surroundings = [f"MINIK8S_HOME={cluster.home}", f"MINIK8S_CLUSTER={cluster.name}"]
    path = f"PATH={Path(MINIK8S).parent}:/usr/sbin:/usr/bin:/sbin:/bin"
    processes.run(["env", path, *surroundings, "sh", "-ec", line], timeout=60)


def well_again(shop: Space, client: ClientPod) -> None:
    until(lambda: curl(client) == 0, "the client is served again")
    until(lambda: climbed(shop)["well"], "the doctor finds nothing")


# --- A healthy cluster ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", [False, True])
def test_in_a_healthy_cluster_every_rung_is_green(shop: Space, client: ClientPod, given: bool) -> None:
    code, found = examine(shop, *(("--from", f"pod/{client.pod.metadata.name}") if given else ()))
    assert (code, found["well"], found["from"]) == (0, True, f"shop/{client.pod.metadata.name}")
    assert [rung["state"] for rung in found["rungs"]] == ["ok"] * 11, found


def test_services_without_pods_of_their_own_are_well_too(shop: Space, client: ClientPod) -> None:
    for namespace, name in (("default", "kubernetes"), ("kube-system", "kube-dns")):
        done = shop.cluster("doctor", "-n", namespace, f"svc/{name}")
        assert " NO " not in done.stdout
        assert "wrong" not in done.stdout.replace("Nothing wrong", "")


def test_a_name_nearly_right_is_answered_with_the_right_one(shop: Space) -> None:
    code, found = examine(shop, name="wbe")
    assert (code, found["code"], found["rungs"][-1]["cause"]) == (1, "MK-SERVICE", "Was web meant?")


def test_each_rule_is_explained_on_each_node_within_eighty_columns(shop: Space) -> None:
    told = shop("rules", "svc/web").stdout
    for node in shop.cluster.record.nodes:
        assert re.search(rf"^--- .*{node}", told, re.MULTILINE)
    assert "services/shop/web@" in told and "endpointslices/shop/web-" in told
    assert "somebody else" not in told
    assert max(map(len, told.splitlines())) < 80
    machine = json.loads(shop("rules", "svc/web", "--node", HERE, "-o", "json").stdout)
    assert [each["node"] for each in machine] == [HERE]
    assert all(rule["means"] and rule["sources"] for rule in machine[0]["told"])


# --- The five faults --------------------------------------------------------------------------------------------------


def refused(shop: Space, client: ClientPod) -> None:
    until(lambda: curl(client) == REFUSED, "requests are refused")


def fails_here_only(shop: Space, client: ClientPod) -> None:
    """The new Pods are ready and other nodes serve; here every request goes to Pods that are gone."""
    shop.wait_ready("web", 3)
    words = ("curl", "-sf", "-o", "/dev/null", "--max-time", "2", shop.get(Service, "web").spec.clusterIP)
    until(lambda: shop.cluster("node", "exec", ELSEWHERE, "--", *words, check=False).code == 0, "other nodes serve")
    assert all(curl(client) for _ in range(3)), f"requests from {HERE} fail"


def others_help(shop: Space, client: ClientPod) -> None:
    """After a while the DNS servers of other nodes answer; what was before, the traffic shows."""
    until(lambda: curl(client) == 0, "names resolve again")
    asked = shop.cluster("node", "exec", HERE, "--", "nc", "-z", "-w", "1", "192.168.56.12", "10053", check=False)
    assert asked.code


def patched(**spec: object):
    return lambda shop: shop.client.patch(Service, "web", shop.name, {"spec": spec}, why=WHY)


def started(component: str):
    return lambda shop: shop.cluster("start", component)


# number: (how it fails, a wrong mend, what takes the wrong mend back)
CASES = {
    1: (refused, patched(selector={"app": "client"}), patched(selector={"app": "wbe"})),
    2: (refused, patched(ports=[{"name": "http", "port": 80, "targetPort": 8081, "nodePort": 0}]), None),
    3: (refused, patched(publishNotReadyAddresses=True), patched(publishNotReadyAddresses=False)),
    4: (fails_here_only, started(f"proxy@{ELSEWHERE}"), None),
    5: (others_help, started(f"dns@{ELSEWHERE}"), None),
}


@pytest.mark.parametrize("fault", faults.FAULTS, ids=lambda fault: fault.name.replace(" ", "-"))
def test_a_fault_fails_as_described_is_found_and_only_a_right_mend_counts(
    shop: Space, client: ClientPod, fault: faults.Fault
) -> None:
    fails, wrong_mend, back = CASES[fault.number]
    with client.traffic("http://web", rate=20) as traffic:
        said = shop("break", str(fault.number)).stdout
        assert fault.symptom in said and fault.name not in said and fault.code not in said
        fails(shop, client)
        until(lambda: traffic.lost(), "the traffic feels it")
    diagnosed(shop, fault.code)
    assert examine(shop)[0] == 1
    if fault.number == 5:
        assert {request["outcome"] for request in traffic.lost()} == {"noname"}

    assert "Not mended yet" in judged(shop), "doing nothing is no mend"
    wrong_mend(shop)
    assert "Not mended yet" in judged(shop), "a wrong mend is none"
    if back:
        back(shop)

    typed(shop, diagnosed(shop, fault.code)["rungs"][-1]["mend"])
    well_again(shop, client)
    assert judged(shop) == ""


# --- Around them ------------------------------------------------------------------------------------------------------


def test_one_fault_at_a_time_and_only_of_a_service_that_works(shop: Space, client: ClientPod) -> None:
    assert "nothing is broken" in shop("break", "check", check=False).stderr
    assert "does not work as it is" in shop("break", "1", "svc/nothing", check=False).stderr
    shop("break", "2")
    assert "broken already" in shop("break", "1", check=False).stderr
    assert "wrong target port (MK-TARGET-PORT)" in shop("break", "mend").stdout
    well_again(shop, client)


def test_a_service_deleted_is_not_mended_nor_is_one_with_another_address(shop: Space, client: ClientPod) -> None:
    shop.apply(SERVICE.replace("NAME", "other"))
    until(lambda: climbed(shop, "other")["well"], "the second Service works")
    shop("break", "1", "svc/other")
    shop("delete", "svc/other")
    assert "Service other is gone" in judged(shop)
    shop.apply(SERVICE.replace("NAME", "other"))
    until(lambda: curl(client, "http://other") == 0, "the new Service works")
    assert "clients know" in judged(shop)
    shop("break", "mend")
    shop("delete", "svc/other")


def test_rules_that_somebody_changed_are_written_anew_by_the_proxy_which_says_who(shop: Space) -> None:
    shop.cluster("node", "exec", HERE, "--", "nft", "flush", "chain", "ip", "minik8s", f"svc/{shop.name}/web/http")

    def told() -> bool:
        entries = shop.cluster.journal("proxy", HERE)
        return any(one["because"].startswith("nft (process ") for one in entries)

    until(told, "the proxy noticed")
    until(lambda: climbed(shop)["well"], "the doctor finds nothing")
