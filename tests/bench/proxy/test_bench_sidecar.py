"""What the ways of spreading cost: straight to the Pod, through the node's rules, through a sidecar.

    .venv/bin/pytest -q -s tests/bench/proxy/test_bench_sidecar.py

Needs root. The same node, server and client programs as in test_bench_packets.py; the sidecar's relay runs in this
process. Rounds alternate between the ways, and medians are printed with their ratios.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import test_bench_packets as packets

from minik8s.host import namespaces, processes
from minik8s.host.journal import Journal
from minik8s.host.metrics import Registry
from minik8s.proxy.endpoints import Endpoint
from minik8s.proxy.sidecar import world
from minik8s.proxy.sidecar.metrics import Metrics
from minik8s.proxy.sidecar.plan import Client, Served
from minik8s.proxy.sidecar.relay import Relay

ROUNDS = 9
NODE = f"{packets.PREFIX}{packets.FEW}"
SERVICE, POD, INJECTED = "10.96.250.1", "10.244.1.3", "10.244.1.4"


@dataclass
class Bed:
    relay: Relay
    place: world.Place


@pytest.fixture
def bed() -> Iterator[Bed]:
    """A node with two Pods as elsewhere, and a third one with a sidecar."""
    children = [packets.build(packets.FEW)]
    injected = f"{NODE}-c"
    namespaces.create(injected)
    try:
        packets.ip(NODE, f"link add vc type veth peer name eth0 netns {injected}", "link set vc master cni0 up")
        packets.ip(
            injected,
            "link set lo up",
            f"addr add {INJECTED}/24 dev eth0",
            "link set eth0 up",
            "route add default via 10.244.1.1",
        )
        children.append(processes.pipe(["sleep", "600"], ns=injected))
        yield namespaces.in_ns(NODE, inject)
    finally:
        for child in children:
            child.kill()
            child.wait()
        for name in namespaces.names(packets.PREFIX):
            namespaces.delete(name)


def inject() -> Bed:
    client = Client("default/c", "c", (INJECTED,))
    services = {
        (SERVICE, 80 + more): Served("default/s", "default/s", (Endpoint(POD, 8080 + more),)) for more in (0, 1)
    }
    place = world.enter(client, world.find([client])["c"])
    relay = Relay(Journal(), Metrics(Registry()), lambda uid: None)
    relay.start()
    relay.serve(services)
    relay.add(place)
    assert not world.redirect([place], services)
    return Bed(relay, place)


def test_what_a_sidecar_costs(bed: Bed) -> None:
    """Sanity only; the table is what one looks at."""
    ways = {
        "to the Pod": (f"{NODE}-a", POD, 8080),
        "nftables": (f"{NODE}-a", SERVICE, 80),
        "sidecar": (f"{NODE}-c", SERVICE, 80),
    }
    taken: dict[str, list[packets.Figures]] = {way: [] for way in ways}
    for round_ in range(ROUNDS):
        for way in sorted(ways, key=lambda way: (list(ways).index(way) + round_) % len(ways)):
            taken[way].append(packets.ask(*ways[way]))
    figures = {way: packets.middle(rounds) for way, rounds in taken.items()}
    direct = figures["to the Pod"]
    print(
        f"\n{'':>12} {'connect, us':>12} {'whole, us':>10} {'conn/s':>8} {'GB/s':>6} {'of conn/s':>10} {'of GB/s':>8}"
    )
    for way, one in figures.items():
        print(
            f"{way:>12} {one.connect_us:>12.1f} {one.whole_us:>10.1f} {one.per_second:>8.0f} {one.gbytes:>6.2f}"
            f" {one.per_second / direct.per_second:>10.3f} {one.gbytes / direct.gbytes:>8.3f}"
        )
    bed.relay.stop()
    bed.place.close()
    assert bed.relay.failure is None
    assert figures["sidecar"].per_second > 100
