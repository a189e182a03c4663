"""How much work Services are for the proxy: all of them at once, and one endpoint's change until the kernel has it.

    .venv/bin/pytest -q -s tests/bench/proxy/test_bench_rules.py
    .venv/bin/python tests/bench/proxy/test_bench_rules.py [--sizes 100 1000 10000] [--upstream-limit 1000]

Needs root. Everything happens in one network namespace of its own. Three endpoints for each Service. Beside our
layout (one chain for each Service port, a cascade of rules) stands kube-proxy's (a chain for each endpoint, a verdict
map in each Service's chain), loaded through the same library in the same run: compare the two rows, not the
milliseconds of two machines. kube-proxy's layout grows with the square of the number of Services; it is left out
above `--upstream-limit`. Each row is measured in a process of its own, so that its memory is its own too: objects,
plans and, of ours, the journal; of theirs, only the text.
"""

import argparse
import gc
import json
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass

from minik8s import params
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
from minik8s.proxy.plan import ServicePlan, plan
from minik8s.proxy.sync import Syncer
from minik8s.proxy.world import World

NAMESPACE = f"mk8s-t-proxybench{os.getpid()}"
ENDPOINTS = 3
CHANGES = 200
HERE = Here("node-1", pod_cidrs=("10.244.1.0/24",))


@dataclass(frozen=True)
class Cost:
    """Milliseconds: CPU of the process for each, whatever it is for, and wall until the kernel has it."""

    cpu: float
    wall: float
    p99: float = 0.0


@dataclass(frozen=True)
class Row:
    """One layout with so many Services."""

    full: Cost
    change: Cost
    megabytes: float


def test_the_cost_of_services_for_the_proxy() -> None:
    """Sanity only; the table is what one looks at."""
    rows = report([100, 1000, 10_000], 1000)
    assert rows[1000].change.cpu < 20 * rows[100].change.cpu


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    arguments.add_argument("--sizes", type=int, nargs="+", default=[100, 1000, 10_000])
    arguments.add_argument("--upstream-limit", type=int, default=1000)
    arguments.add_argument("--row", nargs=2, metavar=("LAYOUT", "SIZE"), help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.row:
        gc.set_threshold(*params.GC_THRESHOLD)  # as every component does
        full, change = LAYOUTS[given.row[0]](int(given.row[1]))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps(asdict(Row(full, change, peak))))
    else:
        report(given.sizes, given.upstream_limit)


def report(sizes: Iterable[int], limit: int) -> dict[int, Row]:
    """Print the table; our rows, by the number of Services."""
    rows = {}
    namespaces.create(NAMESPACE)
    try:
        print(f"\n{'':>9} {'':>12} {'all at once, ms':>22} {'one change, ms':>30} {'memory':>8}")
        heads = f"{'CPU':>10} {'wall':>11} {'CPU':>10} {'median':>9} {'p99':>9} {'MB peak':>8}"
        print(f"{'services':>9} {'layout':>12} {heads}")
        for size in sizes:
            mine = rows[size] = measured("minik8s", size)
            if size > limit:
                continue
            theirs = measured("kube-proxy", size)
            full, change = theirs.full.cpu / mine.full.cpu, theirs.change.cpu / mine.change.cpu
            print(f"{'':>9} {'ratio':>12} {full:>9.1f}x {'':>11} {change:>9.1f}x")
    finally:
        namespaces.delete(NAMESPACE)
    return rows


def measured(layout: str, size: int) -> Row:
    """One row, from a process of its own; printed."""
    said = processes.run([sys.executable, __file__, "--row", layout, str(size)], ns=NAMESPACE, timeout=300).stdout
    found = json.loads(said)
    row = Row(Cost(**found["full"]), Cost(**found["change"]), found["megabytes"])
    full, change = row.full, row.change
    print(
        f"{size:>9} {layout:>12} {full.cpu:>10.0f} {full.wall:>11.0f} {change.cpu:>10.2f} {change.wall:>9.2f}"
        f" {change.p99:>9.2f} {row.megabytes:>8.0f}",
        flush=True,
    )
    return row


class Watched(World):
    """Notes when the kernel had taken a transaction: what is done afterwards delays no packet."""

    taken = 0.0

    def apply(self, commands: str) -> None:
        super().apply(commands)
        self.taken = time.perf_counter()


def ours(size: int) -> tuple[Cost, Cost]:
    """The real thing: objects to plans to text to the kernel, journal and all."""
    world = Watched(Nftables())
    syncer = Syncer(Book(frame(IPV4, "node-1")), world, Journal(), Metrics(Registry()))
    objects = {f"default/svc-{n}": (service(n), endpoints(n, ENDPOINTS)) for n in range(size)}

    def look(key: str) -> ServicePlan:
        wanted, slice_ = objects[key]
        return plan(wanted, [slice_], HERE, key)

    def load(_: int) -> float:
        syncer.sync(objects, look)
        return world.taken

    full = cost(load, 1)

    def change(round_: int) -> float:
        key = f"default/svc-{round_ % size}"
        objects[key] = (objects[key][0], endpoints(round_ % size, ENDPOINTS - 1 - round_ // size % 2))
        syncer.sync([key], look)
        return world.taken

    changed = cost(change, CHANGES)
    world.close()
    return full, changed


def upstreams(size: int) -> tuple[Cost, Cost]:
    """kube-proxy's layout: text made beforehand, so only the library and the kernel are counted."""
    nft = Nftables()
    text = "add table ip minik8s\ndelete table ip minik8s\n" + kube_proxy_table(size)

    def run(commands: str) -> float:
        nft.run(commands)
        return time.perf_counter()

    full = cost(lambda _: run(text), 1)
    changed = cost(lambda n: run(kube_proxy_change(n)), min(CHANGES, size))
    nft.close()
    return full, changed


def cost(work: Callable[[int], float], rounds: int) -> Cost:
    """`work` says when the kernel had it."""
    walls, began = [], time.process_time()
    for number in range(rounds):
        before = time.perf_counter()
        walls.append((work(number) - before) * 1000)
    p99 = sorted(walls)[int(len(walls) * 0.99)]
    return Cost((time.process_time() - began) * 1000 / rounds, statistics.median(walls), p99)


# --- Objects, and kube-proxy's table ---------------------------------------------------------------------------------


def service(number: int) -> core.Service:
    ports = [{"name": "http", "port": 80}]
    meta = {"name": f"svc-{number}", "namespace": "default", "resourceVersion": "1"}
    return from_dict(core.Service, {"metadata": meta, "spec": {"clusterIP": cluster_ip(number), "ports": ports}})


def endpoints(number: int, count: int) -> discovery.EndpointSlice:
    found = [
        {"addresses": [address], "nodeName": "node-1", "targetRef": {"kind": "Pod", "name": f"p-{number}-{n}"}}
        for n, address in enumerate(pod_ips(number)[:count])
    ]
    labels = {"kubernetes.io/service-name": f"svc-{number}"}
    meta = {"name": f"svc-{number}-x", "namespace": "default", "labels": labels}
    ports = [{"name": "http", "port": 8080}]
    return from_dict(
        discovery.EndpointSlice, {"metadata": meta, "addressType": "IPv4", "ports": ports, "endpoints": found}
    )


def cluster_ip(number: int) -> str:
    return f"10.96.{number // 250}.{number % 250 + 1}"


def pod_ips(number: int) -> Sequence[str]:
    first = number * ENDPOINTS
    return [f"10.244.{n // 250}.{n % 250 + 2}" for n in range(first, first + ENDPOINTS)]


def kube_proxy_table(size: int) -> str:
    lines = ["table ip minik8s {", "\tchain mark-for-masquerade { meta mark set meta mark | 0x4000; }"]
    for number in range(size):
        name = f"service-ULMVA6XW-default/svc-{number}/tcp/http"
        for address in pod_ips(number):
            lines += [
                f"\tchain {endpoint_name(number, address)} {{",
                f"\t\tip saddr {address} jump mark-for-masquerade",
            ]
            lines += [f"\t\tmeta l4proto tcp dnat to {address}:8080", "\t}"]
        lines += [f"\tchain {name} {{", f"\t\t{kube_proxy_guard(number)}"]
        lines += [f"\t\t{kube_proxy_choice(number, ENDPOINTS)}", "\t}"]
    lines += ["\tmap service-ips {", "\t\ttype ipv4_addr . inet_proto . inet_service : verdict", "\t\telements = {"]
    lines += [
        f"\t\t\t{cluster_ip(n)} . tcp . 80 : goto service-ULMVA6XW-default/svc-{n}/tcp/http," for n in range(size)
    ]
    lines += ["\t\t}", "\t}", "\tchain pre {", "\t\ttype nat hook prerouting priority dstnat;"]
    return "\n".join([*lines, "\t\tip daddr . meta l4proto . th dport vmap @service-ips", "\t}", "}", ""])


def kube_proxy_change(number: int) -> str:
    """One endpoint leaves: the Service's chain anew, the endpoint's chain away."""
    name = f"service-ULMVA6XW-default/svc-{number}/tcp/http"
    gone = endpoint_name(number, pod_ips(number)[ENDPOINTS - 1])
    return "\n".join(
        [
            f"flush chain ip minik8s {name}",
            f"add rule ip minik8s {name} {kube_proxy_guard(number)}",
            f"add rule ip minik8s {name} {kube_proxy_choice(number, ENDPOINTS - 1)}",
            f"flush chain ip minik8s {gone}",
            f"delete chain ip minik8s {gone}",
        ]
    )


def kube_proxy_guard(number: int) -> str:
    return f"ip daddr {cluster_ip(number)} tcp dport 80 ip saddr != 10.244.0.0/16 jump mark-for-masquerade"


def kube_proxy_choice(number: int, count: int) -> str:
    targets = [f"{n} : goto {endpoint_name(number, address)}" for n, address in enumerate(pod_ips(number)[:count])]
    return f"numgen random mod {count} vmap {{ {', '.join(targets)} }}"


def endpoint_name(number: int, address: str) -> str:
    return f"endpoint-5OJB2KTY-default/svc-{number}/tcp/http__{address}/8080"


LAYOUTS = {"minik8s": ours, "kube-proxy": upstreams}

if __name__ == "__main__":
    main()
