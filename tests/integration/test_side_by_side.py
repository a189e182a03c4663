"""Two clusters on one machine with the same addresses: each answers its own clients, and what befalls one is nothing
to the other.
"""

from collections.abc import Iterator

import pytest
from support.cluster import ClientPod, Cluster, Space, until

from minik8s.api.core import Node
from minik8s.cluster import registry

pytestmark = pytest.mark.system

ADDRESS, PORT = "10.96.0.77", 30777
WEB = """
apiVersion: v1
kind: Pod
metadata: {{name: {name}, labels: {{app: web}}}}
spec:
  nodeName: node-1
  terminationGracePeriodSeconds: 1
  containers:
  - name: backend
    image: minik8s/toolbox:1
    readinessProbe: {{httpGet: {{path: /ready, port: 8080}}, periodSeconds: 1}}
---
apiVersion: v1
kind: Service
metadata: {{name: web}}
spec:
  type: NodePort
  clusterIP: {address}
  selector: {{app: web}}
  ports: [{{port: 80, targetPort: 8080, nodePort: {port}}}]
"""


@pytest.fixture(scope="module")
def neighbour(cluster: Cluster) -> Iterator[Cluster]:
    """A second cluster of the same user, on the same Engine."""
    found = Cluster(f"{cluster.name}b", cluster.home)
    try:
        found.up("--nodes", "1")
        yield found
    finally:
        found.down()


def furnish(space: Space, name: str) -> ClientPod:
    space.apply(WEB.format(name=name, address=ADDRESS, port=PORT))
    space.wait_ready("web", 1)
    return space.client_pod("node-1")


def outside(cluster: Cluster) -> str:
    return cluster("outside", "curl", "-s", "--max-time", "2", f"http://192.168.56.11:{PORT}", check=False).stdout


def test_the_same_addresses_lead_to_two_places(cluster: Cluster, neighbour: Cluster, space: Space) -> None:
    ours, theirs = furnish(space, "ours"), furnish(Space(neighbour, space.name), "theirs")
    addresses = [each.client.get(Node, "node-1").status.addresses for each in (ours.space, theirs.space)]
    assert addresses[0] == addresses[1], "the nodes have the same addresses"
    assert cluster.record.port != neighbour.record.port, "on the host they need two ports"
    for client, who in ((ours, "ours"), (theirs, "theirs")):
        for url in (f"http://{ADDRESS}", "http://web"):
            assert until(lambda client=client, url=url: client.ask(url), f"{url} answers")["pod"] == who
        there = client.space.cluster
        assert f'"pod": "{who}"' in until(lambda there=there: outside(there), "the node's port answers")

    with ours.traffic(f"http://{ADDRESS}") as traffic:
        before = cluster.pids()
        neighbour("node", "cut", "node-1")
        traffic.wait_more(25)
        assert not outside(neighbour) and '"pod": "ours"' in outside(cluster)
        neighbour.kill("apiserver")
        neighbour.down()
        traffic.wait_more(25)
    assert not traffic.lost()
    assert cluster.pids() == before
    assert not registry.read(neighbour.where)
