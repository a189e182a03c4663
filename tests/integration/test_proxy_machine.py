"""Random Services, slices and nodes, changed in random order, in a real kernel.

After each sync the kernel's listing must be that of a table made from scratch in an empty namespace; no transaction may
be refused; and packets go where the walker says, which is where a small model of the rules of Services says.

One namespace is the node, with the addresses of all Pods on its loopback interface, so that one process can answer as
each of them. The other stays empty but for the table made from scratch. The examples are the same in every run;
`MINIK8S_EXPLORE=1` looks for others, and for the shortest failure.
"""

import contextlib
import os
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from support.packets import PLACES, STATES, in_family

from minik8s.api import core, discovery
from minik8s.api.codec import from_dict
from minik8s.host import namespaces, processes
from minik8s.host.journal import Journal
from minik8s.host.metrics import Registry
from minik8s.nft.kernel import Nft, Nftables, listing
from minik8s.nft.parse import parse
from minik8s.nft.ruleset import Table, replacement
from minik8s.nft.walk import Host, Packet, nth, walk
from minik8s.proxy.book import Book
from minik8s.proxy.endpoints import Here
from minik8s.proxy.layout import AFFINITY, IPV4, IPV6, Family, frame
from minik8s.proxy.metrics import Metrics
from minik8s.proxy.plan import ServicePlan, plan
from minik8s.proxy.sync import Syncer
from minik8s.proxy.world import World

pytestmark = pytest.mark.system
LIVE, EMPTY = f"mk8s-t-machine{os.getpid()}", f"mk8s-t-machine{os.getpid()}-empty"
FAMILIES = (IPV4, IPV6)
NODE = "192.168.56.11"
PODS = "abc"
TIMEOUT, SILENCE = 5.0, 0.15
# A Service's port, its protocol, and the Pods' port by the slice that names them. Packets are sent to those of TCP.
PORTS = {
    "http": (80, "TCP", {"x": 8080, "y": 8081}),
    "admin": (81, "TCP", {"x": 8081, "y": 8081}),
    "dns": (53, "UDP", {"x": 5353, "y": 5353}),
    "stream": (82, "SCTP", {"x": 8082, "y": 8082}),
}
TARGETS = (8080, 8081)
Key = tuple[str, str]  # a Service's name, a slice's


# --- The network ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def node() -> Iterator[None]:
    sockets: list[socket.socket] = []
    try:
        for name in (LIVE, EMPTY):
            namespaces.create(name)
        own = [NODE, *(PLACES[each][0] for each in PODS)]
        lines = ["link set lo up", *(f"addr add {each}/32 dev lo" for each in own)]
        lines += [f"addr add {in_family(IPV6, each)}/128 dev lo nodad" for each in own]
        lines += [f"route add 10.96.0.0/16 dev lo src {NODE}"]
        lines += [f"route add fd00:96::/112 dev lo src {in_family(IPV6, NODE)}"]
        processes.run(["ip", "-batch", "-"], ns=LIVE, input="\n".join(lines) + "\n")
        sockets = [namespaces.in_ns(LIVE, lambda port=port: serve(port)) for port in TARGETS]
        yield
    finally:
        for one in sockets:
            one.shutdown(socket.SHUT_RDWR)
            one.close()
        for name in (LIVE, EMPTY):
            namespaces.delete(name)


def serve(port: int) -> socket.socket:
    """Whoever connects is told the address and port at which it arrived."""
    server = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=512)

    def answer() -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = server.accept()
                with sock:
                    address, port, *_ = sock.getsockname()
                    sock.sendall(f"{address.removeprefix('::ffff:')} {port}".encode())

    threading.Thread(target=answer, daemon=True).start()
    return server


def ask(address: str, port: int, patience: float) -> str:
    try:
        with socket.create_connection((address, port), patience) as sock:
            return sock.recv(100).decode()
    except ConnectionRefusedError:
        return "refused"
    except TimeoutError:
        return "silence"


# --- What is drawn ----------------------------------------------------------------------------------------------------

NAMES = st.sampled_from(["api", "cart", "web"])
WISHES = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["ClusterIP", "NodePort", "NodePort", "LoadBalancer", "ExternalName", "headless"]),
        "families": st.sampled_from([(IPV4,), (IPV6,), FAMILIES]),
        "ports": st.sampled_from([("http",), ("http", "admin"), ("admin", "dns"), ("dns", "stream", "http")]),
        # Few of them, so that Services sometimes want the same: the API server prevents it, the proxy must not care.
        "node_port": st.sampled_from([30080, 30090]),
        "externalIPs": st.sampled_from([[], ["203.0.113.5", "fd00:113::5"]]),
        "loadBalancerSourceRanges": st.sampled_from([[], ["198.51.100.0/24", "fd00:51::/64"]]),
        "sessionAffinity": st.sampled_from(["None", "None", "ClientIP"]),
        "timeout": st.sampled_from([10, 10800]),
        "externalTrafficPolicy": st.sampled_from(["Cluster", "Local"]),
        "internalTrafficPolicy": st.sampled_from(["Cluster", "Cluster", "Local"]),
    }
)
ENDPOINT = st.fixed_dictionaries(
    {
        "place": st.sampled_from(PODS),
        "state": st.sampled_from(["ready", "ready", *STATES]),
        "hints": st.sampled_from(
            [None, None, {"forNodes": [{"name": "node-1"}]}, {"forNodes": [{"name": "node-2"}]}]
            + [{"forZones": [{"name": zone}]} for zone in ("z1", "z2")]
        ),
    }
)
SLICES = st.fixed_dictionaries(
    {
        "family": st.sampled_from(FAMILIES),
        "ports": st.sampled_from([("http", "admin", "dns", "stream"), ("http", "dns")]),
        "endpoints": st.lists(ENDPOINT, max_size=3, unique_by=lambda each: each["place"]),
    }
)


def service_of(name: str, wish: dict[str, Any]) -> core.Service:
    last = 5 + ("api", "cart", "web").index(name)
    addresses = [in_family(family, f"10.96.0.{last}") for family in wish["families"]]
    kind = wish["type"]
    if kind in ("ExternalName", "headless"):
        addresses = ["None"] if kind == "headless" else []
    opened = kind in ("NodePort", "LoadBalancer")
    ports = [
        {
            "name": each,
            "port": number,
            "protocol": protocol,
            "nodePort": wish["node_port"] + number % 10 if opened else 0,
        }
        for each in wish["ports"]
        for number, protocol, _ in (PORTS[each],)
    ]
    same = ("externalIPs", "loadBalancerSourceRanges", "sessionAffinity")
    spec = {each: wish[each] for each in (*same, "externalTrafficPolicy", "internalTrafficPolicy")}
    spec |= {"type": "ClusterIP" if kind == "headless" else kind, "clusterIPs": addresses, "ports": ports}
    spec |= {"sessionAffinityConfig": {"clientIP": {"timeoutSeconds": wish["timeout"]}}}
    spec |= {"clusterIP": addresses[0]} if addresses else {}
    status = {"loadBalancer": {"ingress": [{"ip": f"192.168.56.20{last}"}]}} if kind == "LoadBalancer" else {}
    meta = {"name": name, "namespace": "default", "resourceVersion": "1"}
    return from_dict(core.Service, {"metadata": meta, "spec": spec, "status": status})


def slice_of(key: Key, wish: dict[str, Any]) -> discovery.EndpointSlice:
    name, suffix = key
    found = [
        {
            "addresses": [in_family(wish["family"], PLACES[each["place"]][0])],
            "nodeName": PLACES[each["place"]][1],
            "conditions": STATES[each["state"]],
            **({"hints": each["hints"]} if each["hints"] else {}),
        }
        for each in wish["endpoints"]
    ]
    meta = {"name": f"{name}-{suffix}", "namespace": "default", "resourceVersion": "1"}
    ports = [{"name": each, "protocol": PORTS[each][1], "port": PORTS[each][2][suffix]} for each in wish["ports"]]
    body = {"addressType": wish["family"].name, "ports": ports, "endpoints": found}
    return from_dict(discovery.EndpointSlice, {"metadata": meta, **body})


# --- The model: who serves, by the rules that Kubernetes' documentation gives -----------------------------------------


class Model:
    """All that was wished for."""

    def __init__(self) -> None:
        self.services: dict[str, dict[str, Any]] = {}
        self.slices: dict[Key, dict[str, Any]] = {}
        self.zone = ""

    def plan(self, family: Family, name: str) -> ServicePlan:
        here = Here("node-1", family, self.zone)
        service = service_of(name, self.services[name]) if name in self.services else None
        slices = [slice_of(key, wish) for key, wish in self.slices.items() if key[0] == name]
        return plan(service, slices, here, f"default/{name}")

    def serving(self, family: Family, name: str, port: str, everywhere: bool = True) -> set[str]:
        """Targets that get new connections; only this node's unless `everywhere`."""
        known = [
            (f"{in_family(family, PLACES[each['place']][0])} {PORTS[port][2][suffix]}", each)
            for (owner, suffix), wish in sorted(self.slices.items())
            if owner == name and wish["family"] is family and port in wish["ports"]
            for each in wish["endpoints"]
            if everywhere or PLACES[each["place"]][1] == "node-1"
        ]
        ready: dict[str, dict[str, Any]] = {}  # with hints; of a Pod in two slices, those of the first
        for target, each in known:
            if each["state"] == "ready":
                ready.setdefault(target, each["hints"] or {})
        if not ready:
            return {target for target, each in known if each["state"] == "leaving"}
        for kind, mine in (("forNodes", "node-1"), ("forZones", self.zone)):
            near = {target for target, hints in ready.items() if mine and {"name": mine} in hints.get(kind, [])}
            if everywhere and near and all(kind in hints for hints in ready.values()):
                return near
        return set(ready)

    def ways(self) -> list[tuple[Family, str, str, str, int]]:
        """Family, Service, port, address and number, for all that a process of the node can ask for."""
        found = []
        for name, wish in sorted(self.services.items()):
            if wish["type"] in ("ExternalName", "headless"):
                continue
            made = service_of(name, wish)
            for family in wish["families"]:
                address = family.own(made.spec.clusterIPs)[0]
                for port in (each for each in made.spec.ports if each.protocol == "TCP"):
                    found.append((family, name, port.name, address, port.port))
                    if port.nodePort and self._alone(name):
                        found.append((family, name, port.name, in_family(family, NODE), port.nodePort))
        return found

    def _alone(self, name: str) -> bool:
        """Does nobody else want its node ports?"""
        mine = self.services[name]
        return all(other == name or wish["node_port"] != mine["node_port"] for other, wish in self.services.items())

    def ends(self, way: tuple[Family, str, str, str, int]) -> set[str]:
        family, name, port, address, _ = way
        every = self.serving(family, name, port)
        near = self.services[name]["internalTrafficPolicy"] == "Local" and address != in_family(family, NODE)
        found = self.serving(family, name, port, everywhere=False) if near else every
        return found or {"silence" if near and every else "refused"}


# --- The machine ------------------------------------------------------------------------------------------------------


class Machine(RuleBasedStateMachine):
    """A node whose proxy hears of changes."""

    # Not from an empty node: the most is to be seen where Services share Pods from the beginning.
    @initialize(
        services=st.fixed_dictionaries({name: WISHES for name in ("api", "cart", "web")}),
        slices=st.fixed_dictionaries({(name, "x"): SLICES for name in ("api", "cart", "web")}),
    )
    def begin(self, services: dict[str, Any], slices: dict[Key, Any]) -> None:
        self.model = Model()
        self.model.services, self.model.slices = dict(services), dict(slices)
        self.waiting: set[str] = set()
        self.nft: dict[str, Nft] = {each: namespaces.in_ns(each, Nftables) for each in (LIVE, EMPTY)}
        self.registry = Registry()
        self.restart()
        self.sync()

    def teardown(self) -> None:
        if hasattr(self, "model"):
            self.sync()
            for nft in self.nft.values():
                nft.run("flush ruleset")
                nft.close()

    @rule()
    def restart(self) -> None:
        """A proxy that has just started knows nothing, and finds the table of the former one."""
        world, metrics = World(self.nft[LIVE]), Metrics(self.registry)
        self.syncers = [Syncer(Book(frame(each, "node-1")), world, Journal(), metrics) for each in FAMILIES]
        self.waiting = set(self.model.services)

    @rule(name=NAMES, wish=WISHES)
    def put_service(self, name: str, wish: dict[str, Any]) -> None:
        self.model.services[name] = wish
        self.waiting.add(name)

    @rule(name=NAMES)
    def delete_service(self, name: str) -> None:
        self.model.services.pop(name, None)
        self.waiting.add(name)

    @rule(name=NAMES, suffix=st.sampled_from("xy"), wish=SLICES)
    def put_slice(self, name: str, suffix: str, wish: dict[str, Any]) -> None:
        self.model.slices[name, suffix] = wish
        self.waiting.add(name)

    @rule(name=NAMES, suffix=st.sampled_from("xy"))
    def delete_slice(self, name: str, suffix: str) -> None:
        self.model.slices.pop((name, suffix), None)
        self.waiting.add(name)

    @rule(zone=st.sampled_from(["", "z1", "z2"]))
    def move_node(self, zone: str) -> None:
        self.model.zone = zone
        self.waiting |= set(self.model.services)

    @rule(what=st.sampled_from(["flush ruleset", "delete table ip6 minik8s", "flush chain ip minik8s services"]))
    @precondition(lambda self: not self.waiting and all(one.loaded for one in self.syncers))
    def tamper(self, what: str) -> None:
        self.nft[LIVE].run(what)
        for syncer in self.syncers:
            self._inside(lambda syncer=syncer: syncer.mend({syncer.book.frame.address: "a stranger"}))
        self._compare()

    @rule()
    def sync(self) -> None:
        for syncer in self.syncers:
            plans = {f"default/{name}": self.model.plan(syncer.family, name) for name in self.waiting}
            self._inside(lambda syncer=syncer, plans=plans: syncer.sync(plans, plans.__getitem__))
        self.waiting.clear()
        self._compare()

    @rule(which=st.integers(0, 1 << 16))
    @precondition(lambda self: not self.waiting and self.model.ways())
    def send(self, which: int) -> None:
        ways = self.model.ways()
        way = family, _, _, address, port = ways[which % len(ways)]
        table = self._listed(LIVE, family)
        own = tuple(in_family(family, each) for each in (NODE, *(PLACES[each][0] for each in PODS)))
        packet = Packet(own[0], address, port)
        journeys = [walk(table, packet, Host(own), nth(choice), sent_here=True) for choice in range(len(PODS))]
        foreseen, path = {said(each) for each in journeys}, "\n".join(map(str, journeys))
        expected = self.model.ends(way)
        assert foreseen == expected, f"{way}: the model says {expected}\n{path}"
        found = self._inside(lambda: ask(address, port, SILENCE if expected == {"silence"} else TIMEOUT))
        assert found in expected, f"{way}: {found}, not {expected}\n{path}"

    @invariant()
    def nothing_was_refused(self) -> None:
        if hasattr(self, "registry"):
            assert "nftables_sync_failures_total 0" in self.registry.text()

    def _inside(self, work: Callable[[], Any]) -> Any:
        return namespaces.in_ns(LIVE, work)

    def _compare(self) -> None:
        for family in FAMILIES:
            book = Book(frame(family, "node-1"))
            book.replace({f"default/{name}": self.model.plan(family, name) for name in self.model.services})
            self.nft[EMPTY].run(replacement(book.table()))
            assert self._listed(LIVE, family) == self._listed(EMPTY, family)

    def _listed(self, space: str, family: Family) -> Table:
        """Without the clients that are remembered: they came with packets."""
        table = parse(listing(self.nft[space], f"{family.table} minik8s"))
        sets = {name: one.with_elements([]) if name.startswith(AFFINITY) else one for name, one in table.sets.items()}
        return Table(table.family, table.name, table.comment, sets, table.chains)


def said(journey: Any) -> str:
    if journey.verdict in ("reject", "drop"):
        return "refused" if journey.verdict == "reject" else "silence"
    return f"{journey.packet.dst} {journey.packet.dport}"


def test_the_kernel_ends_with_the_table_made_from_scratch_whatever_came_before(node: None) -> None:
    explore = "MINIK8S_EXPLORE" in os.environ
    # The same in every run, and within bounds when it fails: to look for a shorter failure takes minutes.
    phases = tuple(Phase) if explore else (Phase.generate,)
    steady = settings(max_examples=50, stateful_step_count=30, derandomize=not explore, database=None, phases=phases)
    run_state_machine_as_test(Machine, settings=steady)
