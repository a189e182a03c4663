"""The Pod network of this node: the bridge, a wire for each Pod, the routes to other nodes' Pods, the kernel's
settings.

Pod eth0 ═══ veth<8 of the sandbox's id> ── cni0 (first address of the node's range) ── routes ── eth0 of the node

Every step looks first and may be done twice. Addresses in use are read off the sandboxes, never written down
elsewhere. Routes carry params.ROUTE_PROTOCOL, and only those with it are ever removed. Read next: docker.py.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from minik8s import params
from minik8s.agent import addresses, masquerade
from minik8s.agent.observed import Sandbox
from minik8s.host import netlink, sysctl
from minik8s.host.namespaces import in_ns
from minik8s.nft.kernel import NftProgram
from minik8s.nft.ruleset import replacement

T = TypeVar("T")
UPLINK = "eth0"  # how every Pod calls its end of the wire

# Without bridge-nf-call-iptables a reply between two Pods of one bridge would pass connection tracking by, and with it
# the translation back to the Service's address. Redirects would use up the kernel's budget of ICMP errors, and then UDP
# refusals vanish. Packets of one connection may come in by bridge and uplink: strict reverse path filtering forbids it.
SETTINGS = {
    "net.ipv4.ip_forward": "1",
    "net.bridge.bridge-nf-call-iptables": "1",
    "net.ipv4.conf.all.send_redirects": "0",
    "net.ipv4.conf.default.send_redirects": "0",
    "net.ipv4.conf.all.rp_filter": "0",
    "net.ipv4.conf.default.rp_filter": "0",
}
BRIDGE_SETTINGS = ("send_redirects", "rp_filter")


class NotReady(Exception):
    """The node has no range of Pod addresses yet."""


class PodNetwork:
    """`namespace` is the node's; empty when this process is in it. `_lock` guards the giving of addresses."""

    def __init__(self, namespace: str = "") -> None:
        self._namespace = namespace
        self._lock = threading.RLock()
        self._cidr = ""
        self._last = ""
        self.connected: set[str] = set()  # sandboxes whose wire this process has seen whole

    @property
    def ready(self) -> bool:
        return bool(self._cidr)

    def _here(self, work: Callable[[], T]) -> T:
        return in_ns(self._namespace, work) if self._namespace else work()

    # --- The node ---

    def configure(self, cidr: str, in_use: Iterable[str]) -> None:
        """Make the bridge stand, with its address and settings, and the way out of the node."""
        with self._lock:
            self._here(lambda: _make_bridge(cidr))
            if cidr != self._cidr:
                NftProgram(self._namespace).run(replacement(masquerade.table(cidr)))
            self._last = self._last or addresses.highest(in_use)
            self._cidr = cidr

    def set_routes(self, wanted: Mapping[str, str]) -> list[str]:
        """Lead the ranges of the other nodes to them, remove our routes that lead nowhere now; says what it did."""

        def work() -> list[str]:
            present = {r.dst: r.via for r in netlink.routes(params.ROUTE_PROTOCOL) if r.via}
            for dst in sorted(present.keys() - wanted.keys()):
                netlink.delete_route(dst, params.ROUTE_PROTOCOL)
            fresh = {dst: via for dst, via in wanted.items() if present.get(dst) != via}
            for dst, via in sorted(fresh.items()):
                netlink.replace_route(dst, via=via, proto=params.ROUTE_PROTOCOL)
            gone = [f"- {dst}" for dst in sorted(present.keys() - wanted.keys())]
            return [*gone, *(f"+ {dst} via {via}" for dst, via in sorted(fresh.items()))]

        return self._here(work)

    # --- A Pod ---

    def with_address(self, in_use: Callable[[], set[str]], make: Callable[[str], Sandbox]) -> Sandbox:
        """Choose a free address and make the sandbox that owns it, one at a time: its label marks it as taken."""
        with self._lock:
            if not self._cidr:
                raise NotReady("the node has no podCIDR yet")
            address = addresses.next_address(self._cidr, in_use(), self._last)
            self._last = address
            return make(address)

    def connect(self, sandbox: Sandbox, alias: str) -> None:
        """Plug a sandbox into the bridge, or see that it is."""
        if not self._cidr:
            raise NotReady("the node has no podCIDR yet")
        wire, peer = wire_name(sandbox.id), f"/proc/{sandbox.pid}/ns/net"
        router, length = addresses.gateway(self._cidr), addresses.prefix_length(self._cidr)

        def plug() -> None:
            if netlink.link(wire) is None:
                netlink.add_veth(wire, UPLINK, peer_ns_pid=sandbox.pid, bridge=params.POD_BRIDGE)
            netlink.set_hairpin(wire)
            netlink.add_alt_name(wire, alias[:120])
            netlink.set_up(wire)

        self._here(plug)
        in_ns(peer, lambda: _inside(f"{sandbox.address}/{length}", router))
        self.connected.add(sandbox.id)

    def forget(self, sandbox: str) -> None:
        self.connected.discard(sandbox)


def wire_name(sandbox: str) -> str:
    """Fifteen characters are all that a link's name may have; the Pod's own name stands in the alternative name."""
    return f"veth{sandbox[:8]}"


def _inside(address: str, router: str) -> None:
    """In the Pod's own namespace."""
    netlink.set_up("lo")
    if address not in netlink.addresses(UPLINK):
        netlink.set_mac(UPLINK, addresses.mac(address.partition("/")[0]))
        netlink.add_address(UPLINK, address)
    netlink.set_up(UPLINK)
    netlink.replace_route("default", via=router, dev=UPLINK, proto=params.ROUTE_PROTOCOL)


def _make_bridge(cidr: str) -> None:
    bridge, own = params.POD_BRIDGE, addresses.gateway(cidr)
    address = f"{own}/{addresses.prefix_length(cidr)}"
    netlink.add_bridge(bridge)
    if address not in netlink.addresses(bridge):
        # Given, not taken from whichever wire has the lowest: else it would change, and Pods send into the void.
        netlink.set_mac(bridge, addresses.mac(own))
        netlink.add_address(bridge, address)
    netlink.set_up(bridge)
    for name, value in SETTINGS.items():
        if sysctl.exists(name):
            sysctl.write(name, value)
    for name in BRIDGE_SETTINGS:
        sysctl.write(f"net/ipv4/conf/{bridge}/{name}", "0")
    for services in addresses.service_ranges():
        # Service addresses stand on no link: the node's own connections to them need some way out to be translated on.
        netlink.replace_route(services, dev=bridge, proto=params.ROUTE_PROTOCOL)
