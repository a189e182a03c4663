"""What IPVS costs beside the rules, in one run: a new connection, and the proxy's own work. Printed, not judged."""

import socket
import time
from typing import Any

from conftest import figure
from support.proxynet import PODS, TIMEOUT, ns, service_of, slice_of, talk

from minik8s.host import namespaces
from minik8s.proxy.endpoints import Here
from minik8s.proxy.plan import plan

ROUNDS, CONNECTIONS, SERVICES = 5, 100, 60
HERE = Here("node-1", pod_cidrs=("10.244.1.0/24",))


def per_second(place: str, address: str, port: int) -> float:
    """New connections, one after the other, each asked once."""

    def ask() -> float:
        began = time.perf_counter()
        for _ in range(CONNECTIONS):
            with socket.create_connection((address, port), TIMEOUT) as sock:
                assert talk(sock)
        return CONNECTIONS / (time.perf_counter() - began)

    return namespaces.in_ns(ns(place), ask)


def test_new_connections_in_each_mode(net: Any) -> None:
    net.apply("web", "10.96.0.5", "c")
    found: dict[str, list[float]] = {"direct": [], "nftables": [], "ipvs": []}
    for _ in range(ROUNDS):
        for mode in ("nftables", "ipvs"):
            net.change(mode)
            found[mode].append(per_second("a", "10.96.0.5", 80))
            # From another Pod: IPVS would take the answers for its own, where a port it remembers comes again.
            found["direct"].append(per_second("b", PODS["c"][0], 8080))
    rates = {name: max(values) for name, values in found.items()}
    assert all(rates.values())
    figure(
        "new connections per second, the best of interleaved rounds, Pod to Pod of another node",
        ", ".join(f"{name} {rate:.0f}" for name, rate in rates.items())
        + f"; of direct: nftables {rates['nftables'] / rates['direct']:.2f}, ipvs {rates['ipvs'] / rates['direct']:.2f}"
        + f"; ipvs to nftables {rates['ipvs'] / rates['nftables']:.2f}",
    )


def test_the_proxys_own_work_in_each_mode(net: Any) -> None:
    many = {}
    for number in range(SERVICES):
        name = f"s{number}"
        service = service_of(name, f"10.96.{1 + number // 250}.{1 + number % 250}")
        one = plan(service, [slice_of(name, "a b c")], HERE, f"default/{name}")
        many[one.key] = one
    fewer = plan(service_of("s7", "10.96.1.8"), [slice_of("s7", "a b")], HERE, "default/s7")
    spent: dict[str, tuple[float, float]] = {}
    for mode in ("nftables", "ipvs"):
        net.change(mode)
        full = cpu(net, many)
        net.look()
        spent[mode] = (full, cpu(net, {fewer.key: fewer}))
        gone = {key: plan(None, [], HERE, key) for key in many}
        cpu(net, gone)
    all_, one = (spent["ipvs"][at] / spent["nftables"][at] for at in (0, 1))
    words = ", ".join(f"{mode} {1000 * full:.0f} and {1000 * change:.1f}" for mode, (full, change) in spent.items())
    figure(
        f"CPU ms of the proxy for {SERVICES} Services of two ports and three endpoints, and for one change of these",
        f"{words}; ipvs to nftables {all_:.1f} and {one:.1f}",
    )


def cpu(net: Any, plans: dict[str, Any]) -> float:
    began = time.process_time()
    net.sync(1, plans)
    return time.process_time() - began
