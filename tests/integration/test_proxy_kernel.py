"""The proxy's rules under real packets: two nodes, three Pods and an outside client, each a network namespace.

The address plan and the helpers stand in `support/proxynet.py`.
"""

import errno
import os
import random
import re
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support.proxynet import PODS, PREFIX, TIMEOUT, Net, Servers, build, ns, service_of, slice_of, talk

from minik8s.host import namespaces, processes
from minik8s.host.journal import Journal
from minik8s.host.metrics import Registry
from minik8s.nft.flows import Flows
from minik8s.nft.kernel import Generations, Nftables, NftProgram, forget_flows, generation, listing
from minik8s.nft.parse import parse
from minik8s.nft.walk import Host, Packet, nth, walk
from minik8s.proxy.book import Book
from minik8s.proxy.endpoints import Here
from minik8s.proxy.layout import IPV4, frame
from minik8s.proxy.metrics import Metrics
from minik8s.proxy.plan import ServicePlan, plan
from minik8s.proxy.sync import Syncer
from minik8s.proxy.world import World

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def network() -> Iterator[Net]:
    servers = None
    try:
        build()
        servers = Servers()
        yield Net()
    finally:
        if servers:
            servers.close()
        for name in namespaces.names(PREFIX):
            namespaces.delete(name)
        assert namespaces.names(PREFIX) == []


@pytest.fixture
def net(network: Net) -> Iterator[Net]:
    yield network
    network.clear()


# --- What Services promise ------------------------------------------------------------------------------------------


def test_a_pod_reaches_every_endpoint_of_a_clusterip_and_keeps_its_address(net: Net) -> None:
    net.apply("web", "10.96.0.5", "b c")
    assert {net.ask("a", "10.96.0.5") for _ in range(24)} == {"b 10.244.1.2", "c 10.244.1.2"}


def test_a_node_reaches_a_clusterip(net: Net) -> None:
    net.apply("web", "10.96.0.5", "c")
    assert net.ask("n1", "10.96.0.5") == "c 10.244.1.1"
    assert net.ask("n2", "10.96.0.5").startswith("c ")


def test_a_pod_reaches_itself_through_its_service(net: Net) -> None:
    net.apply("web", "10.96.0.5", "a")
    assert net.ask("a", "10.96.0.5").split()[0] == "a"
    with net.udp("a", "10.96.0.5") as sock:
        assert talk(sock).split()[0] == "a"


def test_a_node_port_answers_on_every_node_from_outside(net: Net) -> None:
    net.apply("web", "10.96.0.5", "a c", node_port=30080)
    for node_number in (1, 2):
        answers = {net.ask("lan", f"192.168.56.1{node_number}", 30080).split()[0] for _ in range(24)}
        assert answers == {"a", "c"}
    with net.udp("lan", "192.168.56.12", 30080) as sock:
        assert talk(sock).split()[0] in ("a", "c")


def test_a_node_port_answers_pods_and_the_node_but_not_on_loopback(net: Net) -> None:
    net.apply("web", "10.96.0.5", "c", node_port=30080)
    assert net.ask("a", "192.168.56.11", 30080).split()[0] == "c"
    assert net.ask("b", "10.244.1.1", 30080).split()[0] == "c"
    assert net.ask("n1", "192.168.56.11", 30080).split()[0] == "c"
    with pytest.raises(ConnectionRefusedError):
        net.ask("n1", "127.0.0.1", 30080)


def test_policy_local_keeps_the_clients_address(net: Net) -> None:
    net.apply("web", "10.96.0.5", "a", node_port=30080, externalTrafficPolicy="Local")
    assert net.ask("lan", "192.168.56.11", 30080) == "a 192.168.56.1"


@pytest.mark.parametrize("place", ["a", "n1", "lan"])
def test_a_service_without_endpoints_refuses_at_once(net: Net, place: str) -> None:
    net.apply("web", "10.96.0.5", "a!", node_port=30080)
    began = time.monotonic()
    if place != "lan":
        with pytest.raises(ConnectionRefusedError):
            net.ask(place, "10.96.0.5")
    with pytest.raises(ConnectionRefusedError):
        net.ask(place, "192.168.56.11", 30080)
    assert time.monotonic() - began < 1.0


def test_udp_to_a_service_without_endpoints_is_refused_too(net: Net) -> None:
    net.apply("web", "10.96.0.5", "a!")
    with net.udp("a", "10.96.0.5") as sock, pytest.raises(ConnectionRefusedError):
        talk(sock)


def test_a_port_that_no_service_has_is_refused(net: Net) -> None:
    net.apply("web", "10.96.0.5", "a")
    with pytest.raises(ConnectionRefusedError):
        net.ask("b", "10.96.0.5", 81)


def test_connections_are_spread_evenly_and_counted_for_each_endpoint(net: Net) -> None:
    net.apply("web", "10.96.0.5", "a b c")
    asked = 300
    counts = Counter(net.ask("n1", "10.96.0.5").split()[0] for _ in range(asked))
    # Chance leaves this range (five standard deviations) about once in a million runs.
    assert all(60 <= counts[name] <= 140 for name in PODS), counts
    nft = namespaces.in_ns(ns("n1"), Nftables)
    rules = parse(listing(nft, "ip minik8s"), counters=True).chains["svc/default/web/http"].rules[1:]
    counted = [int(rule.text.split("counter packets ")[1].split()[0]) for rule in rules]
    assert counted == [counts["a"], counts["b"], counts["c"]]


def test_a_remembered_client_stays_over_changes_and_a_restart_of_the_proxy(net: Net) -> None:
    sticky = {"sessionAffinity": "ClientIP"}
    net.apply("web", "10.96.0.5", "b c", **sticky)
    first = net.ask("a", "10.96.0.5")
    assert {net.ask("a", "10.96.0.5") for _ in range(8)} == {first}
    net.apply("web", "10.96.0.5", "a b c", **sticky)
    net.start_proxy(1)
    assert {net.ask("a", "10.96.0.5") for _ in range(8)} == {first}
    net.apply("web", "10.96.0.5", "c" if first.startswith("b") else "b", **sticky)
    assert net.ask("a", "10.96.0.5") != first


def test_prefer_same_node_uses_the_nodes_own_and_falls_back_to_all(net: Net) -> None:
    net.apply("dns", "10.96.0.10", "b@1 c@2", trafficDistribution="PreferSameNode")
    assert {net.ask("a", "10.96.0.10").split()[0] for _ in range(12)} == {"b"}
    assert {net.ask("c", "10.96.0.10").split()[0] for _ in range(12)} == {"c"}
    net.apply("dns", "10.96.0.10", "b! c@2", trafficDistribution="PreferSameNode")
    assert net.ask("a", "10.96.0.10").split()[0] == "c"


# --- Change -----------------------------------------------------------------------------------------------------------


def test_open_connections_survive_changes_and_a_restart_of_the_proxy(net: Net) -> None:
    net.apply("web", "10.96.0.5", "b")
    with net.tcp("a", "10.96.0.5", 80) as sock:
        assert talk(sock) == "b 10.244.1.2"
        net.apply("web", "10.96.0.5", "c")
        assert net.ask("a", "10.96.0.5") == "c 10.244.1.2"
        assert talk(sock) == "b 10.244.1.2"
        net.start_proxy(1)
        assert talk(sock) == "b 10.244.1.2"
        net.apply("web")
        assert talk(sock) == "b 10.244.1.2"


def test_udp_clients_of_a_vanished_endpoint_move_on_and_only_they(net: Net) -> None:
    net.apply("gone", "10.96.0.6", "b")
    net.apply("stays", "10.96.0.7", "c")
    with net.udp("a", "10.96.0.6") as moves, net.udp("a", "10.96.0.7") as stays:
        assert (talk(moves)[0], talk(stays)[0]) == ("b", "c")
        before = tracked("n1", "10.96.0.7")
        net.apply("gone", "10.96.0.6", "c")
        assert talk(moves)[0] == "c"
        assert tracked("n1", "10.96.0.7") == before and before


def test_a_udp_client_that_asked_before_the_service_existed_is_served_afterwards(net: Net) -> None:
    with net.udp("a", "10.96.0.8") as sock:
        sock.settimeout(0.2)
        with pytest.raises((TimeoutError, OSError)):
            talk(sock)
        sock.settimeout(TIMEOUT)
        net.apply("late", "10.96.0.8", "b")
        assert ask_again(sock)[0] == "b"


def ask_again(sock: socket.socket) -> str:
    """An ICMP error of an earlier datagram may still wait in the socket."""
    try:
        return talk(sock)
    except OSError as error:
        assert error.errno in (errno.ECONNREFUSED, errno.EHOSTUNREACH)
        return talk(sock)


def tracked(place: str, address: str) -> str:
    """What is tracked, without the seconds that it still will be."""
    argv = ["conntrack", "-L", "-p", "udp", "-d", address, "-o", "id"]
    return re.sub(r"(?m)^(udp\s+17) \d+", r"\1", processes.run(argv, ns=ns(place), check=False).stdout)


def test_flows_are_forgotten_by_the_program_where_the_kernel_cannot_filter(
    net: Net, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(flows: list[Flows]) -> None:
        raise OSError(errno.EINVAL, "no filter")

    monkeypatch.setattr("minik8s.nft.kernel._delete_by_filter", refused)
    net.apply("gone", "10.96.0.6", "b")
    with net.udp("a", "10.96.0.6") as sock:
        assert talk(sock)[0] == "b"
        flows = [Flows("udp", "10.244.1.3", 5353), Flows("udp", "0.0.0.0", 31999), Flows("udp", "::", 31999)]
        namespaces.in_ns(ns("n1"), lambda: forget_flows(flows))
        assert "10.244.1.3" not in tracked("n1", "10.96.0.6")


def test_a_handshake_nobody_answered_does_not_hold_its_port_when_the_endpoint_is_gone(net: Net) -> None:
    """A client that comes again from the same port must not be led to the dead endpoint once more."""

    def knock(port: int, seconds: float) -> tuple[int, bool]:
        """From this port, or from any; which it was, and whether somebody answered."""
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(("", port))
            sock.settimeout(seconds)
            return sock.getsockname()[1], sock.connect_ex(("10.96.0.5", 80)) == 0

    mute = "add table ip mute\nadd chain ip mute in { type filter hook input priority 0; }\nadd rule ip mute in drop"
    net.apply("web", "10.96.0.5", "c")
    processes.run(["nft", "-f", "-"], input=mute, ns=ns("c"))
    try:
        port, answered = namespaces.in_ns(ns("a"), lambda: knock(0, 0.2))
        assert not answered
        net.apply("web", "10.96.0.5", "b")
        assert namespaces.in_ns(ns("a"), lambda: knock(port, 2.0)) == (port, True)
    finally:
        processes.run(["nft", "delete", "table", "ip", "mute"], ns=ns("c"))


def test_tables_of_others_are_never_touched(net: Net) -> None:
    nft = namespaces.in_ns(ns("n1"), Nftables)
    nft.run(
        "add table ip foreign\nadd chain ip foreign x\nadd rule ip foreign x counter accept\nadd table inet minik8s"
    )
    before = listing(nft, "ip foreign")
    net.apply("web", "10.96.0.5", "a")
    net.start_proxy(1)
    assert listing(nft, "ip foreign") == before
    assert "table inet minik8s" in nft.run("list tables")
    nft.run("delete table ip foreign\ndelete table inet minik8s")


def test_a_table_deleted_by_someone_is_whole_again_after_the_next_change(net: Net) -> None:
    net.apply("web", "10.96.0.5", "a")
    namespaces.in_ns(ns("n1"), Nftables).run("flush ruleset")
    net.apply("cart", "10.96.0.6", "b")
    assert net.ask("b", "10.96.0.5").split()[0] == "a"


def test_a_service_that_the_kernel_refuses_is_named_and_the_others_go_on(
    net: Net, caplog: pytest.LogCaptureFixture
) -> None:
    net.apply("web", "10.96.0.5", "a")
    with net.tcp("b", "10.96.0.5", 80) as sock:
        assert talk(sock) == "a 10.244.1.3"
        net.apply("bad", "10.96.0.9", "c", externalIPs=["203.0.113.999"])
        assert "Service default/bad is at fault, its old rules stay" in caplog.text
        assert talk(sock) == "a 10.244.1.3" and net.ask("b", "10.96.0.5") == "a 10.244.1.3"
    net.apply("web", "10.96.0.5", "c")
    assert net.ask("b", "10.96.0.5") == "c 10.244.1.3"
    net.apply("bad", "10.96.0.9", "c")
    assert net.ask("b", "10.96.0.9") == "c 10.244.1.3"


# --- The kernel as the judge of our values ----------------------------------------------------------------------------


def test_many_small_changes_leave_the_listing_that_one_big_one_leaves(net: Net) -> None:
    net.apply("web", "10.96.0.5", "a", node_port=30080)
    net.apply("cart", "10.96.0.6", "a b c", sessionAffinity="ClientIP")
    net.apply("web", "10.96.0.5", "b c")
    net.apply("cart", "10.96.0.6", "b c", sessionAffinity="ClientIP", internalTrafficPolicy="Local")
    net.apply("empty", "10.96.0.7", "", node_port=30081)
    nft = namespaces.in_ns(ns("n1"), Nftables)
    changed = parse(listing(nft, "ip minik8s"))
    nft.run(f"delete table ip minik8s\n{net.syncers[1].book.table().text()}")
    assert parse(listing(nft, "ip minik8s")) == changed


@pytest.mark.parametrize("seed", range(3))
def test_random_changes_are_never_refused_and_end_like_a_table_made_from_scratch(network: Net, seed: int) -> None:
    dice = random.Random(seed)
    nft = namespaces.in_ns(ns("lan"), Nftables)
    registry = Registry()
    syncer = Syncer(Book(frame(IPV4, "node-1")), World(nft), Journal(), Metrics(registry))
    for _ in range(25):
        plans = {one.key: one for one in (random_plan(dice) for _ in range(dice.randint(1, 3)))}
        namespaces.in_ns(ns("lan"), lambda plans=plans: syncer.sync(plans, plans.__getitem__))
    assert "nftables_sync_failures_total 0" in registry.text()
    changed = parse(listing(nft, "ip minik8s"))
    nft.run(f"delete table ip minik8s\n{syncer.book.table().text()}")
    assert parse(listing(nft, "ip minik8s")) == changed
    nft.run("delete table ip minik8s")


def random_plan(dice: random.Random) -> ServicePlan:
    """Few names, addresses and ports, so that Services often want the same."""
    name = dice.choice(["web", "cart", "dns", "api"])
    here = Here("node-1", pod_cidrs=("10.244.1.0/24",))
    if dice.random() < 0.15:
        return plan(None, [], here, f"default/{name}")
    service = service_of(
        name,
        dice.choice(["10.96.0.5", "10.96.0.6", "10.96.0.7", "None"]),
        dice.choice([0, 0, 30080, 30081]),
        sessionAffinity=dice.choice(["None", "ClientIP"]),
        sessionAffinityConfig={"clientIP": {"timeoutSeconds": dice.choice([10, 10800])}},
        externalTrafficPolicy=dice.choice(["Cluster", "Local"]),
        internalTrafficPolicy=dice.choice(["Cluster", "Local"]),
    )
    places = dice.sample(["a", "b", "c", "a!", "c@2"], dice.randint(0, 3))
    return plan(service, [slice_of(name, " ".join(places))], here)


def test_the_nft_program_takes_every_golden_rule_set(net: Net) -> None:
    from pathlib import Path

    program = NftProgram(ns("lan"))
    found = sorted((Path(__file__).parents[1] / "unit" / "proxy" / "golden").glob("*.nft"))
    assert found
    for path in found:
        program.run(path.read_text(), dry=True)


def test_the_walker_foretells_where_packets_go(net: Net) -> None:
    net.apply("web", "10.96.0.5", "c", node_port=30080)
    table = parse(listing(namespaces.in_ns(ns("n1"), Nftables), "ip minik8s"))
    host = Host(("192.168.56.11", "10.244.1.1"), "192.168.56.11")
    for place, source, address, port in (
        ("a", "10.244.1.2", "10.96.0.5", 80),
        ("a", "10.244.1.2", "192.168.56.11", 30080),
        ("lan", "192.168.56.1", "192.168.56.11", 30080),
    ):
        journey = walk(table, Packet(source, address, port), host, nth(0))
        assert net.ask(place, address, port) == f"c {journey.packet.src}", str(journey)


def test_generations_tell_who_changed_the_rules(net: Net) -> None:
    inside: Callable[[Callable[[], Any]], Any] = lambda fn: namespaces.in_ns(ns("lan"), fn)  # noqa: E731
    nft, events = inside(Nftables), inside(Generations)
    try:
        before = inside(generation)
        nft.run("add table ip mine")
        found = []
        while not found:
            found = events.wait(TIMEOUT)
        assert (found[-1].id, found[-1].pid) == (before + 1, os.getpid())
        assert inside(generation) == before + 1
        nft.run("list ruleset")
        assert inside(generation) == before + 1
    finally:
        events.close()
