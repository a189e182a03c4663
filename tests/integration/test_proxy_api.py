"""The whole proxy against a real API server: objects in, the kernel's table out, and restarts of either in between.

Everything (etcd, API server, proxy, table) lives in one network namespace, which the thread that `in_ns` makes hands
on to all that it starts.
"""

import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.apiserver import Certificates, Etcd, Server, wait_until

from minik8s.api import core, discovery
from minik8s.api.codec import from_dict
from minik8s.client.component import Component, Options
from minik8s.client.events import Recorder
from minik8s.client.rest import Client
from minik8s.host import namespaces, processes
from minik8s.host.journal import Journal
from minik8s.host.metrics import Registry
from minik8s.nft.kernel import Nftables, listing
from minik8s.nft.parse import parse
from minik8s.proxy import main as proxy

pytestmark = pytest.mark.system

NAMESPACE = f"mk8s-t-proxyapi{os.getpid()}"


@dataclass
class World:
    """An API server with an administrator, and proxies that can be started and stopped."""

    folder: Path
    server: Server
    admin: Client
    mode: str = "nftables"

    def start(self) -> tuple[Component, threading.Thread]:
        file = self.server.kubeconfig(self.folder / "proxy.conf", "system:kube-proxy:node-1", "system:node-proxier")
        client = Client.from_kubeconfig(str(file), user_agent="minik8s-proxy")
        options = Options(name="proxy", kubeconfig=str(file), node="node-1", proxy_mode=self.mode)
        component = Component(options, client, Journal(), Registry(), Recorder(client, "proxy", "node-1"))
        thread = threading.Thread(target=proxy.main, args=(component,), daemon=True)
        thread.start()
        return component, thread

    def rules(self) -> dict[str, list[str]]:
        """What the kernel has: the targets in each Service's chain."""
        text = listing(Nftables(), "ip minik8s")
        chains = parse(text).chains if text else {}
        return {
            name: [rule.text.split(" dnat to ")[1] for rule in chain.rules if " dnat to " in rule.text]
            for name, chain in chains.items()
            if name.startswith("svc/")
        }

    def wait_rules(self, wanted: dict[str, list[str]]) -> None:
        wait_until(lambda: self.rules() == wanted, 10, f"{wanted} in the kernel")


@pytest.fixture
def inside() -> Iterator[Callable[[Callable[[], None]], None]]:
    namespaces.create(NAMESPACE)
    processes.run(["ip", "link", "set", "lo", "up"], ns=NAMESPACE)
    yield lambda work: namespaces.in_ns(NAMESPACE, work)
    namespaces.delete(NAMESPACE)


def endpoints(*addresses: str) -> dict[str, Any]:
    return {"endpoints": [{"addresses": [one], "conditions": {"ready": True}} for one in addresses]}


def service(name: str, port: int = 80) -> core.Service:
    spec = {"ports": [{"name": "http", "port": port}]}
    return from_dict(core.Service, {"metadata": {"name": name, "namespace": "default"}, "spec": spec})


def slice_of(name: str, *addresses: str) -> discovery.EndpointSlice:
    meta = {"name": f"{name}-x", "namespace": "default", "labels": {"kubernetes.io/service-name": name}}
    ports = [{"name": "http", "port": 8080, "protocol": "TCP"}]
    body = {"metadata": meta, "addressType": "IPv4", "ports": ports, **endpoints(*addresses)}
    return from_dict(discovery.EndpointSlice, body)


def test_services_reach_the_kernel_and_survive_restarts_of_proxy_and_api_server(
    tmp_path: Path, inside: Callable[[Callable[[], None]], None]
) -> None:
    inside(lambda: story(tmp_path, World))


def story(folder: Path, make: Callable[[Path, Server, Client], World]) -> None:
    """An API server, and what a proxy lives through with it."""
    etcd = Etcd(folder)
    server = Server(folder, etcd, Certificates(folder))
    try:
        admin = Client.from_kubeconfig(
            str(server.kubeconfig(folder / "admin.conf", "kubernetes-admin", "system:masters")), user_agent="test"
        )
        live(make(folder, server, admin))
    finally:
        server.close()
        etcd.close()


def told(component: Component, name: str, service: core.Service) -> bool:
    """Does the journal's last entry name the object, and the Service in its revision?"""
    last = component.journal.entries()[-1:]
    return bool(last) and name in last[0]["objects"] and service.metadata.resourceVersion in last[0]["revisions"]


def live(world: World) -> None:
    admin = world.admin
    web = admin.create(service("web"))
    component, thread = world.start()
    world.wait_rules({})
    admin.create(slice_of("web", "10.244.1.2", "10.244.2.2"))
    world.wait_rules({"svc/default/web/http": ["10.244.1.2:8080", "10.244.2.2:8080"]})
    wait_until(lambda: told(component, "endpointslices/default/web-x", web), 10, "the journal tells of it")

    world.server.stop()
    world.server.start()
    admin.patch(discovery.EndpointSlice, "web-x", "default", endpoints("10.244.2.2"))
    world.wait_rules({"svc/default/web/http": ["10.244.2.2:8080"]})

    component.stop.set()
    thread.join(10)
    assert not thread.is_alive()
    assert world.rules() == {"svc/default/web/http": ["10.244.2.2:8080"]}, "the rules stay when the proxy goes"

    admin.delete(core.Service, "web", "default")
    admin.create(service("cart"))
    admin.create(slice_of("cart", "10.244.1.3"))
    component, thread = world.start()
    world.wait_rules({"svc/default/cart/http": ["10.244.1.3:8080"]})
    component.stop.set()
    thread.join(10)
