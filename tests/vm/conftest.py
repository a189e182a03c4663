"""The network of `tests/integration/support/proxynet.py` with proxies in IPVS mode, or in any other."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.proxynet import PREFIX, Net, Servers, build, ns

from minik8s.host import namespaces
from minik8s.host.journal import Journal
from minik8s.host.metrics import Registry
from minik8s.nft.kernel import Nftables
from minik8s.proxy.book import Book
from minik8s.proxy.layout import IPV4
from minik8s.proxy.metrics import Metrics
from minik8s.proxy.modes import MODES
from minik8s.proxy.plan import ServicePlan
from minik8s.proxy.sync import Syncer
from minik8s.proxy.world import World

FIGURES = Path("/mnt/out/figures.json")


class ModeNet(Net):
    """Both nodes' proxies in one mode; `change` starts them anew in another."""

    def __init__(self, mode: str) -> None:
        self.mode = mode
        self.modes: dict[int, Any] = {}
        super().__init__()

    def change(self, mode: str) -> None:
        self.mode = mode
        for number in self.modes:
            self.start_proxy(number)

    def start_proxy(self, number: int) -> None:
        def start() -> None:
            mode = MODES[self.mode]()
            mode.start()
            book = Book(mode.frame(IPV4, f"node-{number}"))
            self.modes[number] = mode
            self.syncers[number] = Syncer(book, World(Nftables()), Journal(), Metrics(Registry()))

        namespaces.in_ns(ns(f"n{number}"), start)
        self.sync(number, self.plans[number])

    def sync(self, number: int, plans: dict[str, ServicePlan]) -> None:
        """As `proxy/main.py` does it."""

        def work() -> None:
            mine = self.modes[number].before(IPV4, plans)
            self.syncers[number].sync(mine, mine.__getitem__)
            self.modes[number].after()

        namespaces.in_ns(ns(f"n{number}"), work)

    def look(self) -> None:
        """What the proxies do every few seconds."""
        for number in self.modes:
            self.sync(number, {})


@pytest.fixture(scope="session")
def network() -> Iterator[ModeNet]:
    servers = None
    try:
        build()
        servers = Servers()
        yield ModeNet("ipvs")
    finally:
        if servers:
            servers.close()
        for name in namespaces.names(PREFIX):
            namespaces.delete(name)


@pytest.fixture
def net(network: ModeNet) -> Iterator[ModeNet]:
    if network.mode != "ipvs":
        network.change("ipvs")
    yield network
    network.clear()
    network.look()


def figure(name: str, value: str) -> None:
    """For RESULT.md."""
    print(f"{name}: {value}")
    known = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
    FIGURES.write_text(json.dumps({**known, name: value}))
