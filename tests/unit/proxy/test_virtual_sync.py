"""When IPVS is looked at and when what is known is enough; the kernel is played."""

from collections.abc import Iterable

import pytest
from proxy_worlds import planned

from minik8s.proxy import ipvs
from minik8s.proxy.layout import IPV4, Family
from minik8s.proxy.plan import ServicePlan
from minik8s.proxy.virtual.plan import Action, Key, State, Virtual, after
from minik8s.proxy.virtual.sync import Servers

WEB = Key("tcp", "10.96.0.5", 80)


class Kernel:
    """IPVS in memory: counts the looks, refuses once if told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.state, self.local = State(), ("192.168.56.11",)
        self.looks = 0
        self.refuse = False
        for name in ("observe", "apply", "prepare"):
            monkeypatch.setattr(ipvs, name, getattr(self, name))

    def prepare(self) -> None: ...

    def observe(self, family: Family) -> tuple[State, tuple[str, ...]]:
        self.looks += 1
        return self.state, self.local

    def apply(self, actions: Iterable[Action]) -> None:
        if self.refuse:
            self.refuse = False
            raise ipvs.Refused("add: for a test")
        self.state = after(self.state, actions)

    def targets(self, key: Key = WEB) -> set[str]:
        found = self.state.virtuals.get(key, Virtual()).reals
        return {address for (address, _), real in found.items() if real.weight}


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    return Kernel(monkeypatch)


def web(endpoints: str) -> dict[str, ServicePlan]:
    one = planned("web", "10.96.0.5", endpoints, "http:80:30080", type="NodePort")
    return {one.key: one}


def test_a_change_costs_no_look_and_without_a_change_all_is_looked_at(kernel: Kernel) -> None:
    servers = Servers(IPV4)
    servers.sync(web("a"))
    assert (kernel.looks, kernel.targets()) == (1, {"10.244.1.2"})
    servers.due = float("inf")  # however slow this machine is
    servers.sync(web("a c"))
    assert (kernel.looks, kernel.targets()) == (1, {"10.244.1.2", "10.244.2.2"})
    servers.sync({})
    assert kernel.looks == 2


def test_what_somebody_else_did_is_mended_at_the_next_look(kernel: Kernel) -> None:
    servers = Servers(IPV4)
    servers.sync(web("a"))
    kernel.state = State({Key("tcp", "192.168.56.11", 443): Virtual()})
    servers.sync({})
    assert kernel.targets() == {"10.244.1.2"} and kernel.state.addresses == {"10.96.0.5"}
    assert Key("tcp", "192.168.56.11", 443) in kernel.state.virtuals


def test_after_a_refusal_the_kernel_is_asked_what_became_of_it(kernel: Kernel) -> None:
    servers = Servers(IPV4)
    servers.sync(web("a"))
    kernel.refuse = True
    with pytest.raises(ipvs.Refused):
        servers.sync(web("c"))
    servers.sync(web("c"))
    assert (kernel.looks, kernel.targets()) == (2, {"10.244.2.2"})


def test_a_proxy_that_starts_takes_over_what_a_former_one_left(kernel: Kernel) -> None:
    Servers(IPV4).sync(web("a b"))
    there = kernel.state
    Servers(IPV4).sync(web("a b"))
    assert kernel.state == there


def test_node_ports_follow_the_nodes_addresses(kernel: Kernel) -> None:
    servers = Servers(IPV4)
    servers.sync(web("a"))
    kernel.local = ("192.168.56.91",)
    servers.sync({})
    assert kernel.targets(Key("tcp", "192.168.56.91", 30080)) == {"10.244.1.2"}
    assert kernel.targets(Key("tcp", "192.168.56.11", 30080)) == set()
    assert kernel.targets() == {"10.244.1.2"}


def test_a_services_address_that_this_node_announces_gets_no_node_port(kernel: Kernel) -> None:
    kernel.local = ("192.168.56.11", "192.168.56.201")
    one = planned("web", "10.96.0.5", "a", "http:80:30080", type="NodePort", externalIPs=["192.168.56.201"])
    servers = Servers(IPV4)
    servers.sync({one.key: one})
    assert kernel.targets(Key("tcp", "192.168.56.201", 80)) == {"10.244.1.2"}
    assert {key.address for key in kernel.state.virtuals if key.port == 30080} == {"192.168.56.11"}


def test_the_page_shows_a_services_virtual_services_with_who_they_are(kernel: Kernel) -> None:
    servers = Servers(IPV4)
    servers.sync(web("a"))
    first, second = servers.shown("default/web")
    assert [first["virtual"], second["virtual"]] == ["tcp 10.96.0.5:80", "tcp 192.168.56.11:30080"]
    assert first["servers"] == [
        {"target": "10.244.1.2:8080", "weight": 1, "connections": 1, "who": "pod default/web-a"},
    ]
    assert servers.shown("default/nobody") == []
