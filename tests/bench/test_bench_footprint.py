"""What a cluster of three nodes weighs: memory of each process after load, and processor time when nothing happens.

Memory is PSS, each shared page divided among its users, so the lines add up. Aims: below 150 MB, and below 3 % of one
core, in all of minik8s' own processes. etcd and the Docker Engine are shown beside.
"""

from pathlib import Path

import pytest
from support.cluster import Cluster, Space, until

from minik8s.api.core import Service
from minik8s.cluster import status
from minik8s.host import clock, processes

pytestmark = pytest.mark.system

EXAMPLES = Path(__file__).parents[2] / "labs" / "examples"
IDLE_S = 30.0
SETTLE_S = 10.0
SANE_BYTES, SANE_PERCENT = 400e6, 30.0


@pytest.fixture(scope="module")
def used(cluster: Cluster) -> Cluster:
    """The cluster after the demo's load: it was scaled up and down under traffic, and is empty again."""
    space = Space(cluster, "load")
    space("apply", "-f", str(EXAMPLES / "demo.yaml"))
    space.wait_ready("web", 2)
    client = space.client_pod("node-1")
    with client.traffic(f"http://{space.get(Service, 'web').spec.clusterIP}") as traffic:
        for count in (5, 1):
            space("scale", "deployment/web", f"--replicas={count}")
            space.wait_ready("web", count)
            traffic.wait_more(100)
    space.close()
    ours = f"mk8s-{cluster.name}-"
    until(lambda: all(any(n.startswith(f"/{ours}") for n in c["Names"]) for c in cluster.containers()), "it is empty")
    return cluster


def test_memory(used: Cluster) -> None:
    lines = status.look(used.where)
    own = sum(line.pss for line in lines if line.name != "etcd")
    print("\nmemory (PSS) after load, MB")
    for line in lines:
        print(f"  {line.pss / 1e6:7.1f}  {line.name}")
    print(f"  {own / 1e6:7.1f}  all of minik8s' own (aim: below 150)")
    assert own < SANE_BYTES


def test_idle_processor_time(used: Cluster) -> None:
    began = clock.monotonic()
    until(lambda: clock.monotonic() - began > SETTLE_S, "it comes to rest")
    pids = {**used.pids(), **engine(used)}
    before = {name: processes.cpu_seconds(pid) for name, pid in pids.items()}
    began = clock.monotonic()
    until(lambda: clock.monotonic() - began > IDLE_S, "a while passes", timeout=IDLE_S + 5)
    took = clock.monotonic() - began
    shares = {name: (processes.cpu_seconds(pid) - before[name]) / took * 100 for name, pid in pids.items()}
    own = sum(share for name, share in shares.items() if name not in ("etcd", "dockerd", "containerd"))
    print(f"\nprocessor time when idle, % of one core, over {took:.0f} s")
    for name, share in sorted(shares.items()):
        print(f"  {share:6.2f}  {name}")
    print(f"  {own:6.2f}  all of minik8s' own (aim: below 3)")
    assert own < SANE_PERCENT


def engine(cluster: Cluster) -> dict[str, int]:
    """Our Docker Engine's two processes, where it is ours."""
    file = cluster.home / "engine" / "docker.pid"
    if not file.exists():
        return {}
    dockerd = int(file.read_text())
    children = [pid for pid in processes.pids() if processes.parent(pid) == dockerd]
    return {"dockerd": dockerd, **dict(zip(["containerd"], children, strict=False))}
