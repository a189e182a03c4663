"""A cluster that changes from one mode to the other: nobody is refused meanwhile, and nothing of the other stays."""

import threading
from typing import Any

import pytest
from support.proxynet import TIMEOUT, ns, talk

from minik8s.host import namespaces, netlink
from minik8s.nft.kernel import Nftables, listing
from minik8s.proxy import ipvs
from minik8s.proxy.layout import IPV4


class Client:
    """Asks without pause from a place, and keeps what went wrong."""

    def __init__(self, net: Any, place: str) -> None:
        self.net, self.place = net, place
        self.failures: list[str] = []
        self.asked = 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.ask)

    def ask(self) -> None:
        while not self.over.is_set():
            self.asked += 1
            try:
                self.net.ask(self.place, "10.96.0.5")
            except OSError as error:
                self.failures.append(repr(error))

    def __enter__(self) -> "Client":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join(2 * TIMEOUT)


@pytest.mark.parametrize(("before", "after"), [("nftables", "ipvs"), ("ipvs", "nftables")])
def test_no_new_connection_fails_while_the_mode_changes(net: Any, before: str, after: str) -> None:
    net.change(before)
    net.apply("web", "10.96.0.5", "b c", node_port=30080)
    with Client(net, "a") as client:
        while client.asked < 10:
            client.over.wait(0.05)
        net.change(after)
        asked = client.asked
        while client.asked < asked + 10:
            client.over.wait(0.05)
    # On the way to nftables, what IPVS holds at this moment is reset: at most the one that is being asked.
    assert len(client.failures) <= (1 if after == "nftables" else 0), client.failures


def test_a_connection_opened_under_rules_goes_on_under_ipvs(net: Any) -> None:
    net.change("nftables")
    net.apply("web", "10.96.0.5", "b")
    with net.tcp("a", "10.96.0.5", 80) as sock:
        assert talk(sock) == "b 10.244.1.2"
        net.change("ipvs")
        assert talk(sock) == "b 10.244.1.2"


def test_nothing_of_ipvs_stays_behind(net: Any) -> None:
    net.apply("web", "10.96.0.5", "b c", node_port=30080)
    net.change("nftables")
    assert namespaces.in_ns(ns("n1"), lambda: ipvs.observe(IPV4))[0].virtuals == {}
    assert namespaces.in_ns(ns("n1"), lambda: netlink.link("kube-ipvs0")) is None
    assert net.ask("a", "10.96.0.5").split()[0] in ("b", "c")
    assert net.ask("lan", "192.168.56.11", 30080).split()[0] in ("b", "c")


def test_nothing_of_the_rules_stays_behind(net: Any) -> None:
    net.change("nftables")
    net.apply("web", "10.96.0.5", "b c", sessionAffinity="ClientIP")
    assert "svc/default/web/http" in listing(namespaces.in_ns(ns("n1"), Nftables), "ip minik8s")
    net.change("ipvs")
    table = listing(namespaces.in_ns(ns("n1"), Nftables), "ip minik8s")
    assert "default/web/http" not in table and "dnat" not in table
    assert "refuse-rest" in table
