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

from minik8s import params
from minik8s.api import core, discovery
from minik8s.api.codec import from_dict
from minik8s.api.networking import IPAddress
from minik8s.client.component import Component, Options
from minik8s.client.events import Recorder
from minik8s.client.rest import Client, Invalid
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
    tmp_path: Path, inside: Callable[[Callable[[], None]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(params, "RULES_MEND_S", 0.05)  # nobody fights here: one repair after the other
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


TAMPERING = {
    "a chain": "delete element ip minik8s service-ips { CLUSTERIP . tcp . 80 : goto svc/default/web/http }\n"
    "flush chain ip minik8s svc/default/web/http\ndelete chain ip minik8s svc/default/web/http",
    "a map element": "delete element ip minik8s service-ips { CLUSTERIP . tcp . 80 : goto svc/default/web/http }",
    "a rule more": "insert rule ip minik8s services drop",
    "another family": "delete table ip6 minik8s",
    "everything": "flush ruleset",
}


def tampered(component: Component, address: str) -> None:
    """Whatever somebody writes into the proxy's tables is mended at once; of other tables it keeps away."""
    nft = Nftables()
    tables = ("ip minik8s", "ip6 minik8s")
    wait_until(lambda: all(listing(nft, each) for each in tables), 10, "both families' tables")
    before = [parse(listing(nft, each)) for each in tables]
    processes.run(["nft", "-f", "-"], input="add table ip minik8s-other\nadd chain ip minik8s-other x")
    for what, commands in TAMPERING.items():
        known = len(mendings(component))
        processes.run(["nft", "-f", "-"], input=commands.replace("CLUSTERIP", address))
        count = known + (2 if what == "everything" else 1)
        wait_until(lambda count=count: len(mendings(component)) == count, 10, f"{what} to be mended")
        assert [parse(listing(nft, each)) for each in tables] == before, what
        assert ("minik8s-other" in nft.run("list tables")) == (what != "everything")
    assert all(one["data"]["foreign"].startswith("nft (process ") for one in mendings(component))
    assert mendings(component)[0]["data"]["services"] == ["default/web"]


def mendings(component: Component) -> list[dict[str, Any]]:
    return [one for one in component.journal.entries() if "foreign" in one["data"]]


def live(world: World) -> None:
    admin = world.admin
    web = admin.create(service("web"))
    component, thread = world.start()
    world.wait_rules({})
    admin.create(slice_of("web", "10.244.1.2", "10.244.2.2"))
    world.wait_rules({"svc/default/web/http": ["10.244.1.2:8080", "10.244.2.2:8080"]})
    wait_until(lambda: told(component, "endpointslices/default/web-x", web), 10, "the journal tells of it")
    if world.mode == "nftables":
        tampered(component, web.spec.clusterIP)

    world.server.stop()
    world.server.start()
    admin.patch(discovery.EndpointSlice, "web-x", "default", endpoints("10.244.2.2"))
    world.wait_rules({"svc/default/web/http": ["10.244.2.2:8080"]})
    component.stop.set()
    thread.join(10)
    assert "foreign" not in component.journal.entries()[-1]["data"], "its own writes are no tampering"
    assert not thread.is_alive()
    assert world.rules() == {"svc/default/web/http": ["10.244.2.2:8080"]}, "the rules stay when the proxy goes"

    admin.delete(core.Service, "web", "default")
    admin.create(service("cart"))
    admin.create(slice_of("cart", "10.244.1.3"))
    component, thread = world.start()
    world.wait_rules({"svc/default/cart/http": ["10.244.1.3:8080"]})
    admin.delete(core.Service, "cart", "default")
    if world.mode == "nftables":
        changed_types(admin)
    component.stop.set()
    thread.join(10)


# --- Every change of type ---------------------------------------------------------------------------------------------

TYPES: dict[str, dict[str, Any]] = {
    "clusterip": {"type": "ClusterIP", "externalName": None},
    "nodeport": {"type": "NodePort", "externalName": None},
    "loadbalancer": {"type": "LoadBalancer", "externalName": None},
    "externalname": {"type": "ExternalName", "externalName": "example.org"},
    "headless": {"type": "ClusterIP", "externalName": None, "clusterIP": "None", "clusterIPs": ["None"]},
}
CHANGES = [(old, new) for old in TYPES for new in TYPES if old != new]


def end_of(old: str, new: str) -> str:
    """An address is for as long as a Service lives (upstream: the field is immutable); ExternalName gives it back."""
    return new if "externalname" in (old, new) or "headless" not in (old, new) else old


def changed_types(admin: Client) -> None:
    """Addresses and ports are given back, rules follow, and what was given back can be had by others."""
    for number, (old, new) in enumerate(CHANGES):
        spec = {name: value for name, value in TYPES[old].items() if value} | {"ports": [{"name": "http", "port": 80}]}
        meta = {"name": f"{old}-{new}", "namespace": "default"}
        admin.create(from_dict(core.Service, {"metadata": meta, "spec": spec}))
        admin.create(slice_of(meta["name"], f"10.244.1.{number + 10}"))
    wait_until(lambda: ways_in(admin), 10, "the rules of all types")
    before = {one.metadata.name: one for one in admin.list(core.Service, "default").items}
    for old, new in CHANGES:
        # Left out means "as before": a headless Service that should be a ClusterIP Service is one already.
        if end_of(old, new) == new or (old, new) == ("headless", "clusterip"):
            admin.patch(core.Service, f"{old}-{new}", "default", {"spec": TYPES[new]})
        else:
            with pytest.raises(Invalid, match="clusterIP"):
                admin.patch(core.Service, f"{old}-{new}", "default", {"spec": TYPES[new]})
    after = {one.metadata.name: one for one in admin.list(core.Service, "default").items}
    for old, new in CHANGES:
        name = f"{old}-{new}"
        assert shape(after[name]) == end_of(old, new), name
        if "externalname" not in (old, new):
            assert after[name].spec.clusterIPs == before[name].spec.clusterIPs, name
    wait_until(lambda: ways_in(admin), 10, "the rules of all types after the change")
    taken_again(admin, list(before.values()), list(after.values()))


def shape(service: core.Service) -> str:
    """What it is, by what it has."""
    addresses, port = service.spec.clusterIPs, service.spec.ports[0]
    if not addresses or addresses == ["None"]:
        assert not port.nodePort
        return "headless" if addresses else "externalname"
    assert bool(port.nodePort) == (service.spec.type != "ClusterIP")
    return service.spec.type.lower()


def ways_in(admin: Client) -> bool:
    """Has the kernel an element for each address and node port, and no other? As has the API server an object."""
    services = admin.list(core.Service, "").items
    addresses = {one for each in services for one in each.spec.clusterIPs if one != "None"}
    assert {one.metadata.name for one in admin.list(IPAddress).items} == addresses
    mine = [each for each in services if each.metadata.name != "kubernetes"]
    table = parse(listing(Nftables(), "ip minik8s"))
    found = [{key for key in table.sets[name].elements} for name in ("service-ips", "service-nodeports")]
    ips = {(one, "tcp", "80") for each in mine for one in each.spec.clusterIPs if one != "None"}
    return found == [ips, {("tcp", str(each.spec.ports[0].nodePort)) for each in mine if each.spec.ports[0].nodePort}]


def taken_again(admin: Client, before: list[core.Service], after: list[core.Service]) -> None:
    """Each address and port that was given back is free for whoever asks for it."""

    def has(services: list[core.Service]) -> set[tuple[str, int]]:
        found = {(address, 0) for each in services for address in each.spec.clusterIPs if address != "None"}
        return found | {("", port) for each in services if (port := each.spec.ports[0].nodePort)}

    # Addresses first: whoever only asks for a port is given any address, and it might be one of these.
    free = sorted(has(before) - has(after), reverse=True)
    # Three addresses and four ports; one of the ports may have been given to another Service at once.
    assert len(free) >= 6
    for number, (address, port) in enumerate(free):
        spec = {"ports": [{"port": 81, "nodePort": port}], "type": "NodePort" if port else "ClusterIP"}
        spec |= {"clusterIP": address} if address else {}
        made = admin.create(
            from_dict(core.Service, {"metadata": {"name": f"again-{number}", "namespace": "default"}, "spec": spec})
        )
        assert address in ("", made.spec.clusterIP) and port in (0, made.spec.ports[0].nodePort)
