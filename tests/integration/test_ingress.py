"""Ingress on a whole cluster: who is told what, the status, and a client through a rolling update."""

import signal

import pytest
from support.cluster import Cluster, Space, until
from test_failover import WEB

from minik8s.api.networking import Ingress
from minik8s.cluster import topology
from minik8s.host import processes

pytestmark = pytest.mark.system

INGRESS = """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec:
  tls: [{hosts: [web.test], secretName: missing}]
  defaultBackend: {service: {name: web, port: {name: http}}}
"""


def test_an_ingress_from_the_first_warning_to_a_rolling_update(cluster: Cluster, space: Space) -> None:
    told = space("apply", "-f", "-", say=INGRESS).stderr
    assert "Warning: spec.ingressClassName: " in told and "`minik8s up --ingress` starts what serves Ingresses" in told
    space.apply(WEB.format(replicas=2))
    client = space.client_pod("node-2")
    with cluster.serving_ingress():
        addresses = [topology.node_address(node) for node in cluster.record.nodes]

        def served(found: dict[str, Ingress]) -> bool:
            at = [each.ip for each in found["web"].status.loadBalancer.ingress]
            return [each for each in at if ":" not in each] == addresses

        space.wait(Ingress, served)
        assert addresses[-1] in space("get", "ingress").stdout
        again = INGRESS.replace("name: web}\nspec", "name: again}\nspec")
        assert space("apply", "-f", "-", say=again).stderr == "", "now it is served"
        assert space.get(Ingress, "again").spec.ingressClassName == "minik8s"
        until(lambda: "BadCertificate" in space("describe", "ingress", "web").stdout, "the missing Secret is told")
        until(lambda: "Conflict" in space("describe", "ingress", "again").stdout, "the younger one hears of the older")
        space.wait_ready("web", 2)
        roll(cluster, space, client, addresses[0])
    gone = space.wait(Ingress, lambda found: not found["web"].status.loadBalancer.ingress)
    assert gone["web"].spec.ingressClassName is None, "it was made before there was a class"


def roll(cluster: Cluster, space: Space, client, address: str) -> None:
    """All Pods are replaced, the component is killed, and no request is lost."""
    known = {pod.metadata.name for pod in space.wait_ready("web", 2)}
    until(lambda: client.ask(f"http://{address}"), "it is served")
    with client.traffic(f"http://{address}", rate=50) as traffic:
        pid = cluster.pids()["ingress@node-1"]
        assert processes.kill(pid, signal.SIGKILL)
        until(lambda: cluster.pids().get("ingress@node-1", pid) != pid, "it is started again")
        space.apply(WEB.format(replicas=2).replace("labels: {app: web}", "labels: {app: web, version: two}"))
        until(lambda: known.isdisjoint(pod.metadata.name for pod in space.wait_ready("web", 2)), "new Pods stand")
        traffic.wait_more(50)
    assert traffic.lost() == [] and len(traffic.requests) > 100
