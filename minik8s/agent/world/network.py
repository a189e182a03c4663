"""The Pod network of this node: the bridge, a wire for each Pod, the routes to other nodes' Pods, the kernel's
settings.

Pod eth0 ═══ veth<8 of the sandbox's id> ── cni0 (first address of each of the node's ranges) ── routes ── eth0 of the
node. A node has a range of one family or of both, and so have its Pods, its bridge and its routes.

Every step looks first and may be done twice. Addresses in use are read off the sandboxes, never written down
elsewhere. Routes carry params.ROUTE_PROTOCOL, and only those with it are ever removed. Read next: docker.py.
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from minik8s import params
from minik8s.agent import addresses, hostports, masquerade
from minik8s.agent.hostports import HostPort
from minik8s.agent.observed import Sandbox
from minik8s.host import netlink, sysctl
from minik8s.host.namespaces import in_ns
from minik8s.nft.kernel import NftProgram, forget_flows
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
# The same for a node with an IPv6 range. Linux believes no router's advertisement where it forwards itself: on a real
# machine the way out must be a route of its own, or net.ipv6.conf.<uplink>.accept_ra be 2.
SETTINGS_V6 = {
    "net.ipv6.conf.all.forwarding": "1",
    "net.bridge.bridge-nf-call-ip6tables": "1",
}
# What the node itself sends to a host port on 127.0.0.1 goes out by the bridge.
BRIDGE_SETTINGS = {"send_redirects": "0", "rp_filter": "0", "route_localnet": "1"}


class NotReady(Exception):
    """The node has no range of Pod addresses yet."""


class PodNetwork:
    """`namespace` is the node's; empty when this process is in it. `_lock` guards the giving of addresses."""

    def __init__(self, namespace: str = "") -> None:
        self._namespace = namespace
        self._lock = threading.RLock()
        self._cidrs: tuple[str, ...] = ()
        self._last = ""
        self._rules = ""  # the table as it was last written
        self._ports: Sequence[HostPort] = ()  # as it has them
        self.connected: set[str] = set()  # sandboxes whose wire this process has seen whole

    @property
    def ready(self) -> bool:
        return bool(self._cidrs)

    def _here(self, work: Callable[[], T]) -> T:
        return in_ns(self._namespace, work) if self._namespace else work()

    # --- The node ---

    def configure(self, cidrs: tuple[str, ...], in_use: Iterable[str], ports: Sequence[HostPort] = ()) -> None:
        """Make the bridge stand, with its addresses and settings, the way out of the node, and its ports' ways in."""
        with self._lock:
            self._here(lambda: _make_bridge(cidrs))
            rules = "".join(replacement(masquerade.table(cidr, ports)) for cidr in cidrs)
            if rules != self._rules:
                NftProgram(self._namespace).run(rules)
                self._here(lambda: forget_flows(hostports.stale(self._ports, ports)))
                self._rules, self._ports = rules, ports
            self._last = self._last or addresses.highest(cidrs[0], in_use)
            self._cidrs = cidrs

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

    def with_addresses(self, in_use: Callable[[], set[str]], make: Callable[[tuple[str, ...]], Sandbox]) -> Sandbox:
        """Choose free addresses and make the sandbox that owns them, one at a time: its label marks them as taken."""
        with self._lock:
            if not self._cidrs:
                raise NotReady("the node has no podCIDR yet")
            chosen = addresses.next_addresses(self._cidrs, in_use(), self._last)
            self._last = chosen[0]
            return make(chosen)

    def connect(self, sandbox: Sandbox, alias: str) -> None:
        """Plug a sandbox into the bridge, or see that it is."""
        if not self._cidrs:
            raise NotReady("the node has no podCIDR yet")
        wire, peer = wire_name(sandbox.id), f"/proc/{sandbox.pid}/ns/net"
        ranges = [(address, addresses.of_family(self._cidrs, address)) for address in sandbox.addresses]

        def plug() -> None:
            if netlink.link(wire) is None:
                netlink.add_veth(wire, UPLINK, peer_ns_pid=sandbox.pid, bridge=params.POD_BRIDGE)
            netlink.set_hairpin(wire)
            netlink.add_alt_name(wire, alias[:120])
            netlink.set_up(wire)

        self._here(plug)
        in_ns(peer, lambda: _inside([(address, cidr) for address, cidr in ranges if cidr]))
        self.connected.add(sandbox.id)

    def forget(self, sandbox: str) -> None:
        self.connected.discard(sandbox)


def wire_name(sandbox: str) -> str:
    """Fifteen characters are all that a link's name may have; the Pod's own name stands in the alternative name."""
    return f"veth{sandbox[:8]}"


def _inside(wanted: Sequence[tuple[str, str]]) -> None:
    """In the Pod's own namespace. `wanted`: each address, and the range it is of."""
    netlink.set_up("lo")
    sysctl.allow_ipv6("lo")
    _furnish(UPLINK, [(address, addresses.prefix_length(cidr)) for address, cidr in wanted])
    for _, cidr in wanted:
        netlink.replace_route("default", via=addresses.gateway(cidr), dev=UPLINK, proto=params.ROUTE_PROTOCOL)


def _furnish(link: str, wanted: Sequence[tuple[str, int]]) -> None:
    """Give a link these addresses, set it up. Its hardware address follows from the first."""
    present = netlink.addresses(link)
    missing = [(address, length) for address, length in wanted if f"{address}/{length}" not in present]
    if missing and missing[0] == wanted[0]:
        netlink.set_mac(link, addresses.mac(missing[0][0]))
    sysctl.allow_ipv6(link)
    for address, length in missing:
        netlink.add_address(link, f"{address}/{length}")
    netlink.set_up(link)


def _make_bridge(cidrs: Sequence[str]) -> None:
    bridge = params.POD_BRIDGE
    netlink.add_bridge(bridge)
    # Its hardware address is given, not taken from whichever wire has the lowest: else it would change, and Pods send
    # into the void.
    _furnish(bridge, [(addresses.gateway(cidr), addresses.prefix_length(cidr)) for cidr in cidrs])
    for name, value in (SETTINGS | (SETTINGS_V6 if any(":" in cidr for cidr in cidrs) else {})).items():
        if sysctl.exists(name):
            sysctl.write(name, value)
    for name, value in BRIDGE_SETTINGS.items():
        sysctl.write(f"net/ipv4/conf/{bridge}/{name}", value)
    for cidr in cidrs:
        # Service addresses stand on no link: the node's own connections to them need some way out to be translated on.
        netlink.replace_route(addresses.service_range(cidr), dev=bridge, proto=params.ROUTE_PROTOCOL)
