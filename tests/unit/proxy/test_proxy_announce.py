"""Three announcers, a played API server, a played kernel and one clock: never two answer for an address, whoever is cut
off, stopped, slow or restarted; and in the end one does.
"""

import copy
import threading
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from played_informer import Memory

from minik8s import params
from minik8s.api.codec import from_dict, to_dict
from minik8s.api.coordination import Lease
from minik8s.api.core import Node, Service
from minik8s.api.meta import Status
from minik8s.api.meta import key as key_of
from minik8s.api.patch import merge
from minik8s.client.rest import AlreadyExists, Conflict, NotFound, Unreachable
from minik8s.host.journal import Journal
from minik8s.proxy import announce
from minik8s.proxy.announce import Announcer, lease_name
from minik8s.proxy.followed import KEY, Sources

A, B = "192.168.56.200", "fd00:56::201"
NODES = ("node-1", "node-2", "node-3")
TIMERS = params.PROFILES["fast"]


class World:
    """The clock, the Leases with their revisions, and what each node's kernel answers for, until when."""

    def __init__(self) -> None:
        self.now, self.revision, self.slow = 1000.0, 0, 0.01
        self.leases: dict[str, Lease] = {}
        self.kernel: dict[str, dict[str, float]] = {node: {} for node in NODES}
        self.said: list[str] = []
        self.services = Memory(service())
        self.slices = Memory()
        self.nodes = Memory(*[node(each) for each in NODES])
        self.machines = {name: Machine(self, name) for name in NODES}

    def answering(self, address: str) -> list[str]:
        return [node for node, lent in self.kernel.items() if lent.get(address, 0) > self.now]

    def go_on(self, seconds: float, *nodes: str) -> None:
        """Time passes; these nodes hear and look every fifth of a second."""
        end = self.now + seconds
        while self.now < end:
            for name in nodes:
                self.machines[name].hear()
                self.machines[name].look()
                self.check()
            self.now += 0.2

    def check(self) -> None:
        for address in (A, B):
            assert len(self.answering(address)) <= 1, f"{address} at {self.now}: {self.answering(address)}"


class Machine:
    """A node: its cable, its client, its kernel and its announcer."""

    def __init__(self, world: World, name: str) -> None:
        self.world, self.name, self.cut, self.loading = world, name, False, ""
        self.start()

    def start(self) -> None:
        """A new process; the kernel's addresses are as they were."""
        self.leases = Memory()
        self.announcer = _Announcer(self)

    def hear(self) -> None:
        """The watch comes up to date."""
        if self.cut:
            return
        for name in self.leases.objects.keys() - self.world.leases.keys():
            self.leases.remove(name)
        for name, lease in self.world.leases.items():
            known = self.leases.get(name)
            if known is None or int(known.metadata.resourceVersion) < int(lease.metadata.resourceVersion):
                self.leases.put(copy.deepcopy(lease))

    def look(self) -> None:
        self.announcer.sync(KEY)

    # --- As a client

    def _call(self, name: str, revision: str | None) -> Lease | None:
        self.world.now += self.world.slow
        if self.cut:
            raise Unreachable("cut off")
        found = self.world.leases.get(f"kube-system/{name}")
        if found is None and revision is not None:
            raise NotFound(Status(message=name, code=404))
        if found is not None and revision != found.metadata.resourceVersion:
            raise (Conflict if revision else AlreadyExists)(Status(message=name, code=409))
        return found

    def _store(self, lease: Lease) -> Lease:
        self.world.revision += 1
        lease.metadata.resourceVersion = str(self.world.revision)
        self.world.leases[key_of(lease)] = lease
        self.world.now += self.world.slow  # the answer is on its way
        return copy.deepcopy(lease)

    def create(self, obj, *, why):
        self._call(obj.metadata.name, None)
        return self._store(copy.deepcopy(obj))

    def patch(self, cls, name, namespace, body, *, why):
        found = self._call(name, body["metadata"]["resourceVersion"])
        return self._store(from_dict(Lease, merge(to_dict(found), body)))

    def delete(self, cls, name, namespace, *, options, why):
        self.world.leases.pop(f"{namespace}/{name}", None)

    # --- As a LAN

    def lent(self) -> set[str]:
        return {each for each, end in self.world.kernel[self.name].items() if end > self.world.now}

    def lend(self, address: str, until: float) -> None:
        seconds = int(until - self.world.now)
        if seconds > 0:
            self.world.kernel[self.name][address] = self.world.now + seconds + announce.LAG_S

    def take_back(self, address: str) -> None:
        self.world.kernel[self.name].pop(address, None)

    def shout(self, address: str) -> None:
        self.world.said.append(f"{self.name} is {address}")


class _Announcer(Announcer):
    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        world = machine.world
        component = SimpleNamespace(
            options=SimpleNamespace(node=machine.name),
            client=machine,
            timers=TIMERS,
            journal=Journal(),
            events=SimpleNamespace(normal=lambda obj, reason, message: world.said.append(message)),
            stop=threading.Event(),
        )
        sources = Sources(world.services, world.slices, world.nodes)
        super().__init__(component, sources, lambda: machine.loading)

    def _lan(self):
        return self.machine


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return made(monkeypatch)


def made(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(announce, "Informer", lambda client, *_, **__: client.leases)
    world = World()
    clock = SimpleNamespace(monotonic=lambda: world.now, wall=lambda: world.now)
    monkeypatch.setattr(announce, "clock", clock)
    return world


def service(*addresses: str) -> Service:
    ingress = [{"ip": each, "ipMode": "VIP"} for each in addresses or (A, B)]
    meta = {"name": "web", "namespace": "default", "uid": "1", "resourceVersion": "7"}
    status = {"loadBalancer": {"ingress": ingress}}
    return from_dict(Service, {"metadata": meta, "spec": {"type": "LoadBalancer"}, "status": status})


def node(name: str, ready: str = "True") -> Node:
    return from_dict(Node, {"metadata": {"name": name}, "status": {"conditions": [{"type": "Ready", "status": ready}]}})


def test_each_address_is_announced_by_one_node_and_the_neighbours_are_told_thrice(world: World) -> None:
    world.go_on(4, *NODES)
    assert (world.answering(A), world.answering(B)) == (["node-1"], ["node-2"])
    assert world.said.count(f"node-1 is {A}") == announce.SHOUTS
    assert f"node-1 announces {A} for default/web: nobody announced it" in world.said


def test_a_lost_node_is_followed_by_another_within_five_seconds_and_gets_nothing_back(world: World) -> None:
    world.go_on(3, *NODES)
    world.machines["node-1"].cut = True
    world.go_on(5, *NODES)
    assert world.answering(A) == ["node-3"]
    lost = f"node-3 announces {A} for default/web: node-1 was lost: it had not renewed its Lease for 4 s"
    assert lost in world.said
    world.machines["node-1"].cut = False
    world.go_on(5, *NODES)
    assert world.answering(A) == ["node-3"] and not world.machines["node-1"].lent()


def test_a_proxy_that_stops_gives_its_address_back_at_once(world: World) -> None:
    world.go_on(3, *NODES)
    world.machines["node-1"].announcer._leave()
    assert world.answering(A) == []
    world.go_on(0.2, "node-2", "node-3")
    assert world.answering(A) == ["node-3"]
    assert f"node-3 announces {A} for default/web: node-1 gave it back" in world.said


def test_a_proxy_that_was_killed_and_comes_back_in_time_carries_on(world: World) -> None:
    world.go_on(3, *NODES)
    before = list(world.said)
    world.go_on(1.5, "node-2", "node-3")
    world.machines["node-1"].start()
    for _ in range(25):
        world.go_on(0.2, *NODES)
        assert world.answering(A) == ["node-1"]
    assert world.said == before, "nothing has happened that anybody need hear of"


def test_a_lease_says_for_how_long_it_is_good_however_long_it_was_before(world: World) -> None:
    world.go_on(1, *NODES)
    found = world.leases[f"kube-system/{lease_name(A)}"]
    found.spec.leaseDurationSeconds, found.metadata.resourceVersion = 1, "900"
    world.revision = 900
    world.go_on(2, *NODES)
    assert world.leases[f"kube-system/{lease_name(A)}"].spec.leaseDurationSeconds == TIMERS.node_lease_duration_seconds
    assert world.answering(A) == ["node-1"]


def test_who_has_no_rules_yet_takes_nothing_and_keeps_what_it_has(world: World) -> None:
    world.machines["node-1"].loading = "not loaded yet: ip minik8s"
    world.go_on(3, *NODES)
    assert world.answering(A) == ["node-3"]
    world.machines["node-3"].loading = "not loaded yet: ip minik8s"
    world.go_on(3, *NODES)
    assert world.answering(A) == ["node-3"]


def test_a_killed_proxy_is_followed_although_its_kernel_would_go_on_answering(world: World) -> None:
    world.go_on(3, *NODES)
    world.go_on(5, "node-2", "node-3")
    assert world.answering(A) == ["node-3"]


def test_an_address_that_no_service_has_any_more_goes_with_its_lease(world: World) -> None:
    world.go_on(3, *NODES)
    world.services.put(service(B))
    world.go_on(0.2, *NODES)
    assert world.answering(A) == [] and f"kube-system/{lease_name(A)}" not in world.leases
    world.services.remove("default/web")
    world.go_on(0.2, *NODES)
    assert world.leases == {} and not any(machine.lent() for machine in world.machines.values())


def test_what_a_former_proxy_left_and_nobody_holds_is_taken_away(world: World) -> None:
    world.machines["node-3"].lend(A, world.now + 30)
    world.machines["node-3"].look()
    assert world.machines["node-3"].lent() == set()


def test_a_node_that_is_not_ready_hands_over(world: World) -> None:
    world.go_on(3, *NODES)
    world.nodes.put(node("node-1", "False"))
    world.go_on(0.3, *NODES)
    assert world.answering(A) == ["node-3"]


STEPS = st.one_of(
    st.tuples(st.sampled_from(["look", "hear", "hear", "cut", "heal", "kill"]), st.sampled_from(NODES)),
    st.tuples(st.just("wait"), st.floats(0.05, 3.0)),
    st.tuples(st.just("slow"), st.sampled_from([0.01, 0.3, 1.5, 4.0])),
    st.tuples(st.just("go"), st.sets(st.sampled_from(NODES), min_size=1)),
)


def step(world: World, what: str, whom) -> None:
    if what == "wait":
        world.now += whom
    elif what == "slow":
        world.slow = whom
    elif what == "go":
        world.go_on(2, *sorted(whom))
    else:
        machine = world.machines[whom]
        does = {"look": machine.look, "hear": machine.hear, "kill": machine.start}
        machine.cut = {"cut": True, "heal": False}.get(what, machine.cut)
        does.get(what, lambda: None)()


@settings(max_examples=60, deadline=None)
@given(st.lists(STEPS, max_size=30))
def test_never_two_answer_whatever_happens_and_in_the_end_one_does(steps) -> None:
    with pytest.MonkeyPatch.context() as patched:
        world = made(patched)
        for what, whom in steps:
            step(world, what, whom)
            world.check()
        world.slow = 0.01
        for machine in world.machines.values():
            machine.cut = False
        world.go_on(12, *NODES)
        assert len(world.answering(A)) == len(world.answering(B)) == 1
