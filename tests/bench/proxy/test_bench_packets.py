"""What a Service costs a packet: through the ClusterIP against straight to the Pod; 10 Services against 10 000.

    .venv/bin/pytest -q -s tests/bench/proxy/test_bench_packets.py

Needs root. Two nodes, each a namespace with a bridge and two Pods on it; one has few Services in its rules, the other
many. A client program and a server program run in the Pods; rounds alternate between what is compared, and medians are
printed, so that the ratio means something on a busy machine too. The client is a Python program: its own time is in
every figure and flatters the ratios a little, so the microseconds added are printed beside them.
"""

import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from minik8s.api import core, discovery
from minik8s.api.codec import from_dict
from minik8s.host import namespaces, processes
from minik8s.host.journal import Journal
from minik8s.host.metrics import Registry
from minik8s.nft.kernel import Nftables
from minik8s.proxy.book import Book
from minik8s.proxy.endpoints import Here
from minik8s.proxy.layout import IPV4, frame
from minik8s.proxy.metrics import Metrics
from minik8s.proxy.plan import plan
from minik8s.proxy.sync import Syncer
from minik8s.proxy.world import World

PREFIX = f"mk8s-t-packets{os.getpid()}-"
FEW, MANY = 10, 10_000
ROUNDS, CONNECTIONS, SECONDS = 15, 2000, 0.5
# One core each and before everybody else: what is measured is the path, not who else runs on the machine.
SERVER = """
import os, socket, threading
os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
def pour(sock):
    block = bytes(1 << 20)
    try:
        while True: sock.sendall(block)
    except OSError: pass
def drain(server):
    while True: threading.Thread(target=pour, args=(server.accept()[0],), daemon=True).start()
threading.Thread(target=drain, args=(socket.create_server(("", 8081)),), daemon=True).start()
server = socket.create_server(("", 8080), backlog=1024)
print("ready", flush=True)
while True:
    sock = server.accept()[0]
    sock.send(b"x")
    try: sock.recv(1)
    except OSError: pass
    sock.close()
"""
# It ends each connection with a reset: thousands that wait for their time to run out would slow the next ones down.
CLIENT = """
import os, socket, statistics, sys, time
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
address, port, what, amount = sys.argv[1], int(sys.argv[2]), sys.argv[3], float(sys.argv[4])
now = time.perf_counter
if what == "flow":
    with socket.create_connection((address, port)) as sock:
        block, got, end = bytearray(1 << 20), 0, now() + amount
        began = now()
        while now() < end: got += sock.recv_into(block)
        print(got / (now() - began) / 1e9)
else:
    connects, wholes = [], []
    for _ in range(int(amount)):
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, bytes([1, 0, 0, 0, 0, 0, 0, 0]))
        began = now()
        sock.connect((address, port))
        connects.append(now() - began)
        sock.recv(1)
        sock.close()
        wholes.append(now() - began)
    print(statistics.median(connects) * 1e6, statistics.median(wholes) * 1e6)
"""


@dataclass(frozen=True)
class Figures:
    connect_us: float
    whole_us: float
    gbytes: float

    @property
    def per_second(self) -> float:
        return 1e6 / self.whole_us


@pytest.fixture
def nodes() -> Iterator[dict[int, str]]:
    """Number of Services → the client Pod's namespace."""
    children = []
    try:
        for size in (FEW, MANY):
            children.append(build(size))
        yield {size: f"{PREFIX}{size}-a" for size in (FEW, MANY)}
    finally:
        for child in children:
            child.kill()
            child.wait()
        for name in namespaces.names(PREFIX):
            namespaces.delete(name)


def build(size: int) -> "subprocess.Popen[bytes]":
    """A node with so many Services, two Pods, and the server in the second."""
    node, pods = f"{PREFIX}{size}", {"a": "10.244.1.2", "b": "10.244.1.3"}
    for name in (node, *(f"{node}-{pod}" for pod in pods)):
        namespaces.create(name)
    ip(node, "link set lo up", "link add cni0 type bridge", "link set cni0 up", "addr add 10.244.1.1/24 dev cni0")
    ip(node, "route add 10.96.0.0/16 dev cni0")
    settings = ("net.ipv4.ip_forward=1", "net.bridge.bridge-nf-call-iptables=1")
    processes.run(["sysctl", "-q", "-w", *settings], ns=node)
    for pod, address in pods.items():
        ip(node, f"link add v{pod} type veth peer name eth0 netns {node}-{pod}", f"link set v{pod} master cni0 up")
        ip(f"{node}-{pod}", "link set lo up", f"addr add {address}/24 dev eth0", "link set eth0 up")
        ip(f"{node}-{pod}", "route add default via 10.244.1.1")
    namespaces.in_ns(node, lambda: load(size))
    return serve(f"{node}-b")


def ip(ns: str, *commands: str) -> None:
    processes.run(["ip", "-batch", "-"], ns=ns, input="\n".join(commands) + "\n")


def load(size: int) -> None:
    """The proxy's rules: all Services lead to other Pods, but the last, which leads to ours."""
    syncer = Syncer(Book(frame(IPV4, "node-1")), World(Nftables()), Journal(), Metrics(Registry()))
    here = Here("node-1", pod_cidrs=("10.244.1.0/24",))
    plans = {}
    for number in range(size):
        last = number == size - 1
        pods = ["10.244.1.3"] if last else [f"10.244.{2 + number // 250}.{number % 250 + 2}"]
        address = "10.96.250.1" if last else f"10.96.{number // 250}.{number % 250 + 1}"
        key = f"default/svc-{number}"
        plans[key] = plan(service(number, address), [endpoints(number, pods)], here, key)
    syncer.sync(plans, plans.__getitem__)
    syncer.world.close()


def service(number: int, address: str) -> core.Service:
    ports = [{"name": "http", "port": 80}, {"name": "flow", "port": 81}]
    meta = {"name": f"svc-{number}", "namespace": "default", "resourceVersion": "1"}
    return from_dict(core.Service, {"metadata": meta, "spec": {"clusterIP": address, "ports": ports}})


def endpoints(number: int, pods: list[str]) -> discovery.EndpointSlice:
    meta = {
        "name": f"svc-{number}-x",
        "namespace": "default",
        "labels": {"kubernetes.io/service-name": f"svc-{number}"},
    }
    ports = [{"name": "http", "port": 8080}, {"name": "flow", "port": 8081}]
    found = [{"addresses": [address], "nodeName": "node-1"} for address in pods]
    return from_dict(
        discovery.EndpointSlice, {"metadata": meta, "addressType": "IPv4", "ports": ports, "endpoints": found}
    )


def serve(ns: str) -> "subprocess.Popen[bytes]":
    child = processes.pipe([sys.executable, "-c", SERVER], ns=ns)
    assert child.stdout and child.stdout.readline() == b"ready\n"
    return child


def ask(ns: str, address: str, port: int) -> Figures:
    figures = []
    for number, what, amount in ((port, "connect", CONNECTIONS), (port + 1, "flow", SECONDS)):
        words = [sys.executable, "-c", CLIENT, address, str(number), what, str(amount)]
        figures += [float(word) for word in processes.run(words, ns=ns).stdout.split()]
    return Figures(*figures)


def middle(rounds: list[Figures]) -> Figures:
    names = ("connect_us", "whole_us", "gbytes")
    return Figures(*(statistics.median(getattr(each, name) for each in rounds) for name in names))


def test_what_a_service_costs_a_packet(nodes: dict[int, str]) -> None:
    """Sanity only; the table is what one looks at."""
    ways = {
        "to the Pod": (nodes[FEW], "10.244.1.3", 8080),
        f"ClusterIP, {FEW} Services": (nodes[FEW], "10.96.250.1", 80),
        f"ClusterIP, {MANY} Services": (nodes[MANY], "10.96.250.1", 80),
    }
    taken: dict[str, list[Figures]] = {way: [] for way in ways}
    for round_ in range(ROUNDS):
        for way in sorted(ways, key=lambda way: (list(ways).index(way) + round_) % len(ways)):
            taken[way].append(ask(*ways[way]))
    direct, few, many = (middle(rounds) for rounds in taken.values())
    print(f"\n{'':>26} {'connect, us':>12} {'whole, us':>10} {'conn/s':>8} {'GB/s':>6}")
    for way, figures in zip(ways, (direct, few, many), strict=True):
        print(
            f"{way:>26} {figures.connect_us:>12.1f} {figures.whole_us:>10.1f} {figures.per_second:>8.0f}"
            f" {figures.gbytes:>6.2f}"
        )
    print(
        f"ClusterIP / Pod: connections {few.per_second / direct.per_second:.3f} (aim 0.88), "
        f"throughput {few.gbytes / direct.gbytes:.3f} (aim 0.97), {few.whole_us - direct.whole_us:+.1f} us each"
    )
    print(f"first packet, {MANY} / {FEW} Services: {many.connect_us / few.connect_us:.3f} (aim 1.05)")
    assert few.per_second > 0.3 * direct.per_second
