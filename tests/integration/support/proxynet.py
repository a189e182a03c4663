"""Two nodes, three Pods and an outside client, each a network namespace, with the proxy's rules in both nodes.

    lan      192.168.56.1   the outside client
    node-1   192.168.56.11  Pods a 10.244.1.2, b 10.244.1.3
    node-2   192.168.56.12  Pod  c 10.244.2.2

Each has an IPv6 address with the same digits too (`packets.in_family`). 203.0.113.0/24 and the load balancers'
addresses are routed from the lan to node-1.

Sockets are made inside the namespaces and served by threads of the test; no address of the host is touched.
"""

import contextlib
import os
import socket
import threading
from typing import Any

from support.packets import in_family

from minik8s.api import core, discovery
from minik8s.api.codec import from_dict
from minik8s.host import namespaces, processes
from minik8s.host.journal import Journal
from minik8s.host.metrics import Registry
from minik8s.nft.kernel import Nftables
from minik8s.proxy.book import Book
from minik8s.proxy.endpoints import Here
from minik8s.proxy.layout import IPV4, IPV6, frame
from minik8s.proxy.metrics import Metrics
from minik8s.proxy.plan import ServicePlan, plan
from minik8s.proxy.sync import Syncer
from minik8s.proxy.world import World

PREFIX = f"mk8s-t-proxy{os.getpid()}-"
PODS = {"a": ("10.244.1.2", 1), "b": ("10.244.1.3", 1), "c": ("10.244.2.2", 2)}
TIMEOUT = 3.0


def ns(name: str) -> str:
    return PREFIX + name


def ip(name: str, *commands: str) -> None:
    processes.run(["ip", "-batch", "-"], ns=ns(name), input="\n".join(commands) + "\n")


# --- The network ----------------------------------------------------------------------------------------------------


def build() -> None:
    for name in ("lan", "n1", "n2", *PODS):
        namespaces.create(ns(name))
    ip("lan", "link set lo up", "link add br0 type bridge mcast_snooping 0", "link set br0 up")
    ip("lan", "addr add 192.168.56.1/24 dev br0", "addr add fd00:56::1/64 dev br0 nodad")
    for number in (1, 2):
        node(number)
    for name, (address, number) in PODS.items():
        pod(name, address, number)
    ip("lan", "route add 203.0.113.0/24 via 192.168.56.11", "route add 192.168.56.200/29 via 192.168.56.11")
    ip("lan", "route add 192.168.56.208/28 via 192.168.56.11", "route add 192.168.56.224/27 via 192.168.56.11")
    ip("lan", "route add fd00:113::/64 via fd00:56::11", "route add fd00:56::200/119 via fd00:56::11")


def node(number: int) -> None:
    other = 3 - number
    ip(
        "lan",
        f"link add n{number} type veth peer name eth0 netns {ns(f'n{number}')}",
        f"link set n{number} master br0 up",
    )
    ip(
        f"n{number}",
        "link set lo up",
        "link set eth0 up",
        f"addr add 192.168.56.1{number}/24 dev eth0",
        f"addr add fd00:56::1{number}/64 dev eth0 nodad",
        "link add cni0 type bridge mcast_snooping 0",
        "link set cni0 up",
        f"addr add 10.244.{number}.1/24 dev cni0",
        f"addr add fd00:244:0:{number}::1/64 dev cni0 nodad",
        "route add 10.96.0.0/16 dev cni0",
        "route add fd00:96::/112 dev cni0",
        f"route add 10.244.{other}.0/24 via 192.168.56.1{other}",
        f"route add fd00:244:0:{other}::/64 via fd00:56::1{other}",
        # Where a refusal would be sent on to, if nobody refused: a packet without a route never comes so far.
        "route add 203.0.113.0/24 dev eth0",
        "route add fd00:113::/64 dev eth0",
        "route add unreachable default",
        "route add unreachable ::/0",
    )
    settings = ["net.ipv4.ip_forward=1", "net.bridge.bridge-nf-call-iptables=1"]
    settings += ["net.ipv6.conf.all.forwarding=1", "net.bridge.bridge-nf-call-ip6tables=1"]
    # Tests refuse more in a second than the kernel would tell about.
    settings += ["net.ipv4.icmp_ratelimit=0", "net.ipv6.icmp.ratelimit=0"]
    settings += ["net.ipv4.conf.all.send_redirects=0", "net.ipv4.conf.cni0.send_redirects=0"]
    processes.run(["sysctl", "-q", "-w", *settings], ns=ns(f"n{number}"))


def pod(name: str, address: str, number: int) -> None:
    ip(
        f"n{number}",
        f"link add veth-{name} type veth peer name eth0 netns {ns(name)}",
        f"link set veth-{name} master cni0 up",
        f"link set veth-{name} type bridge_slave hairpin on",
    )
    ip(
        name,
        "link set lo up",
        f"addr add {address}/24 dev eth0",
        f"addr add {in_family(IPV6, address)}/64 dev eth0 nodad",
        "link set eth0 up",
        f"route add default via 10.244.{number}.1",
        f"route add ::/0 via fd00:244:0:{number}::1",
    )


class Servers:
    """In each Pod, and on each node: TCP on 8080 and 8081, UDP on 5353, in both families.

    All answer `name peer-address port`; TCP goes on answering.
    """

    def __init__(self) -> None:
        self.sockets: list[socket.socket] = []
        for name in PODS:
            self._serve(name, name, ("::",))
        for name, place, address in (("m", "n1", "192.168.56.11"), ("n", "n2", "192.168.56.12")):
            # On the very address: of a machine with several, an answer to a datagram could leave from another one.
            self._serve(name, place, (f"::ffff:{address}", in_family(IPV6, address)))

    def _serve(self, name: str, place: str, addresses: tuple[str, ...]) -> None:
        for address in addresses:
            for port in (8080, 8081):
                server = self._bound(place, (address, port), socket.SOCK_STREAM)
                server.listen(512)
                threading.Thread(target=self.accept, args=(name, server), daemon=True).start()
            server = self._bound(place, (address, 5353), socket.SOCK_DGRAM)
            threading.Thread(target=self.datagrams, args=(name, server), daemon=True).start()

    def _bound(self, place: str, where: tuple[str, int], kind: socket.SocketKind) -> socket.socket:
        sock = namespaces.in_ns(ns(place), lambda: socket.socket(socket.AF_INET6, kind))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.bind(where)
        self.sockets.append(sock)
        return sock

    def accept(self, name: str, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            port = server.getsockname()[1]
            while True:
                sock, peer = server.accept()
                threading.Thread(target=self.talk, args=(f"{name} {plain(peer[0])} {port}", sock), daemon=True).start()

    def talk(self, answer: str, sock: socket.socket) -> None:
        with sock, contextlib.suppress(OSError):
            while sock.recv(100):
                sock.sendall(answer.encode())

    def datagrams(self, name: str, sock: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                _, peer = sock.recvfrom(100)
                if not peer or not peer[1]:  # shut down
                    return
                sock.sendto(f"{name} {plain(peer[0])} 5353".encode(), peer)

    def close(self) -> None:
        for sock in self.sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()


def plain(address: str) -> str:
    """An IPv4 client of a socket for both families shows as ::ffff:10.0.0.1."""
    return address.removeprefix("::ffff:")


class Net:
    """Both nodes' proxies, and clients."""

    def __init__(self) -> None:
        self.syncers: dict[int, Syncer] = {}
        self.plans: dict[int, dict[str, ServicePlan]] = {1: {}, 2: {}}
        for number in (1, 2):
            self.start_proxy(number)

    def start_proxy(self, number: int) -> None:
        world = namespaces.in_ns(ns(f"n{number}"), lambda: World(Nftables()))
        book = Book(frame(IPV4, f"node-{number}"))
        self.syncers[number] = Syncer(book, world, Journal(), Metrics(Registry()))
        self.sync(number, self.plans[number])

    def sync(self, number: int, plans: dict[str, ServicePlan]) -> None:
        syncer = self.syncers[number]
        namespaces.in_ns(ns(f"n{number}"), lambda: syncer.sync(plans, plans.__getitem__))

    def apply(self, name: str, address: str = "", endpoints: str = "", **spec: Any) -> None:
        """A Service and its slice, on both nodes; without address it is deleted."""
        for number in (1, 2):
            here = Here(f"node-{number}", pod_cidrs=(f"10.244.{number}.0/24",))
            service = service_of(name, address, **spec) if address else None
            one = plan(service, [slice_of(name, endpoints)], here, f"default/{name}")
            self.plans[number][one.key] = one
            self.sync(number, {one.key: one})

    def clear(self) -> None:
        for key in sorted(self.plans[1]):
            self.apply(key.partition("/")[2])

    def tcp(self, place: str, address: str, port: int) -> socket.socket:
        return namespaces.in_ns(ns(place), lambda: socket.create_connection((address, port), TIMEOUT))

    def ask(self, place: str, address: str, port: int = 80) -> str:
        """`a 10.244.1.3`: which Pod answered, and whom it saw."""
        with self.tcp(place, address, port) as sock:
            return talk(sock)

    def udp(self, place: str, address: str, port: int = 53) -> socket.socket:
        sock = namespaces.in_ns(ns(place), lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        sock.settimeout(TIMEOUT)
        sock.connect((address, port))
        return sock


def talk(sock: socket.socket) -> str:
    """`a 10.244.1.3`: which Pod answered, and whom it saw."""
    sock.sendall(b"hello")
    return sock.recv(100).decode().rpartition(" ")[0]


def service_of(name: str, address: str, node_port: int = 0, **spec: Any) -> core.Service:
    ports = [
        {"name": "http", "port": 80, "nodePort": node_port},
        {"name": "dns", "port": 53, "protocol": "UDP", "nodePort": node_port},
    ]
    spec = {"clusterIP": address, "ports": ports, "type": "NodePort" if node_port else "ClusterIP", **spec}
    return from_dict(core.Service, {"metadata": {"name": name, "namespace": "default"}, "spec": spec})


def slice_of(name: str, endpoints: str) -> discovery.EndpointSlice:
    """`a b! c@2`: places; `!` is not ready; `@2` is hinted for node-2."""
    found = []
    for text in endpoints.split():
        address, number = PODS[text[0]]
        hint = {"hints": {"forNodes": [{"name": f"node-{text[2]}"}]}} if "@" in text else {}
        ready = {"ready": "!" not in text, "serving": "!" not in text}
        found.append({"addresses": [address], "nodeName": f"node-{number}", "conditions": ready, **hint})
    ports = [{"name": "http", "port": 8080}, {"name": "dns", "port": 5353, "protocol": "UDP"}]
    meta = {"name": f"{name}-x", "namespace": "default", "labels": {"kubernetes.io/service-name": name}}
    return from_dict(
        discovery.EndpointSlice, {"metadata": meta, "addressType": "IPv4", "ports": ports, "endpoints": found}
    )
