"""The network that a cluster on one machine stands on: builds what `topology.py` describes, and takes it down again.

    lan       a bridge, 192.168.56.1: the switch between the machines, and where an external client stands
    control   192.168.56.10, no route to Pods: like most real control planes, it can only reach nodes
    node-N    192.168.56.(10+N), in the namespace of the node's sandbox container

Everybody has the IPv6 address of the same digits too (fd00:56::1, ::10, ::11, …) where the kernel speaks IPv6.
Nothing is ever put into the host's own namespace. Every step may be done twice and adopts what is there; only
namespaces with this cluster's names are touched. What a node needs beyond its address (Pod bridge, routes to other
nodes, kernel settings) is the agent's work, because on a real machine there is no fabric.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence

from minik8s import params
from minik8s.cluster import topology
from minik8s.cluster.topology import BRIDGE, CONTROL, LAN, UPLINK, Machine, Topology
from minik8s.host import namespaces, netlink, processes, sysctl

BRIDGE_FILTER = "net.bridge.bridge-nf-call-iptables"
# A switch and a client, no router: new namespaces copy the host's setting, which Docker may have turned on.
LAN_SETTINGS = (
    "net.ipv4.ip_forward",
    "net.ipv6.conf.all.forwarding",
    BRIDGE_FILTER,
    "net.bridge.bridge-nf-call-ip6tables",
)
# Whatever is not on the LAN is refused at once, instead of being waited for.
EVERYTHING = {"IPv4": "default", "IPv6": "::/0"}


def build(cluster: str, sandboxes: Mapping[str, int]) -> Topology:
    """Bring the network up. A node gets the namespace of its sandbox container, whose pid `sandboxes` gives."""
    plan = topology.describe(cluster, sandboxes)
    namespaces.create(plan.lan)
    _load_bridge_filter(plan.lan)
    namespaces.in_ns(plan.lan, lambda: _furnish_lan(plan))
    control = plan.machine(CONTROL)
    namespaces.create(control.namespace)
    _plug(plan, control)
    for node, pid in sandboxes.items():
        add_node(cluster, node, pid)
    return plan


def add_node(cluster: str, node: str, pid: int) -> None:
    """Plug one node into the LAN that `build` made: its namespace is that of process `pid`, its sandbox."""
    plan = topology.describe(cluster, (node,))
    machine = plan.machine(node)
    namespaces.bind(pid, machine.namespace)
    _plug(plan, machine)


def tear_down(cluster: str) -> None:
    """Remove the LAN, its cables and every namespace of this cluster, whatever state they are in."""
    lan = topology.namespace(cluster, LAN)
    if namespaces.exists(lan):
        # At once and by hand: the kernel would get round to it only when the last process has left.
        namespaces.in_ns(lan, _empty_lan)
    for name in members(cluster).values():
        namespaces.delete(name)


def members(cluster: str) -> dict[str, str]:
    """The namespaces this cluster has now: {"lan": "mk8s-c-lan", "node-1": …}."""
    found = {topology.member(cluster, name): name for name in namespaces.names(topology.namespace(cluster, ""))}
    found.pop("", None)
    return found


def inhabitants(cluster: str) -> dict[str, list[int]]:
    """The processes that are in this cluster's namespaces, whoever started them."""
    present = {name: space for name, space in members(cluster).items() if namespaces.exists(space)}
    return {name: processes.pids_in_ns(space) for name, space in present.items()}


# --- Faults ----------------------------------------------------------------------------------------------------------


def cut(cluster: str, node: str) -> None:
    """Pull the node's cable out of the switch: it goes on by itself, but nobody hears of it."""
    _on_cable(cluster, node, netlink.set_down)


def heal(cluster: str, node: str) -> None:
    _on_cable(cluster, node, netlink.set_up)


def is_cut(cluster: str, node: str) -> bool:
    machine = _known(cluster, node)
    cable = namespaces.in_ns(topology.namespace(cluster, LAN), lambda: netlink.link(machine.cable))
    return cable is None or not cable.up


# --- Commands at a place in the network -------------------------------------------------------------------------------


def outside(cluster: str, argv: Sequence[str]) -> int:
    """Run a command as the external client, on our terminal; its exit code."""
    return processes.call(argv, ns=_present(cluster, LAN))


def node_exec(cluster: str, node: str, argv: Sequence[str]) -> int:
    """Run a command in a node's network, on our terminal; its exit code."""
    return processes.call(argv, ns=_present(cluster, node))


# --- Steps ------------------------------------------------------------------------------------------------------------


def _load_bridge_filter(lan: str) -> None:
    """Without this module, answers between two Pods of one node would pass their bridge untranslated.

    Docker loads it too on most machines. It brings its settings along, which the agent then sets in each node.
    """
    if not namespaces.in_ns(lan, lambda: sysctl.exists(BRIDGE_FILTER)):
        processes.run(["modprobe", "br_netfilter"])


def _furnish_lan(plan: Topology) -> None:
    netlink.set_up("lo")
    sysctl.allow_ipv6()
    netlink.add_bridge(BRIDGE)
    _address(BRIDGE, plan.gateways)
    netlink.set_up(BRIDGE)
    for setting in filter(sysctl.exists, LAN_SETTINGS):
        sysctl.write(setting, 0)


def _empty_lan() -> None:
    for link in netlink.links():
        if link.kind in ("veth", "bridge"):
            netlink.delete_link(link.name)


def _plug(plan: Topology, machine: Machine) -> None:
    uplink = namespaces.in_ns(machine.namespace, lambda: netlink.link(UPLINK))
    namespaces.in_ns(plan.lan, lambda: _lay_cable(machine, plugged=uplink is not None))
    namespaces.in_ns(machine.namespace, lambda: _furnish_machine(machine))


def _lay_cable(machine: Machine, plugged: bool) -> None:
    if netlink.link(machine.cable):
        if plugged:
            return  # and if it is down, it was cut on purpose
        netlink.delete_link(machine.cable)  # its other end is in the namespace of a sandbox that died
    target = os.open(namespaces.path(machine.namespace), os.O_RDONLY | os.O_CLOEXEC)
    try:
        netlink.add_veth(machine.cable, UPLINK, peer_ns_fd=target, bridge=BRIDGE)
    finally:
        os.close(target)
    if machine.cable_alias:
        netlink.add_alt_name(machine.cable, machine.cable_alias)


def _furnish_machine(machine: Machine) -> None:
    netlink.set_up("lo")
    sysctl.allow_ipv6()
    _address(UPLINK, machine.addresses)
    netlink.set_up(UPLINK)
    for family in sysctl.ip_families():
        netlink.replace_route(EVERYTHING[family], proto=params.ROUTE_PROTOCOL, unreachable=True)


def _address(link: str, addresses: Iterable[str]) -> None:
    for address in addresses:
        if ":" not in address or "IPv6" in sysctl.ip_families():
            netlink.add_address(link, address)


def _on_cable(cluster: str, node: str, change: Callable[[str], None]) -> None:
    machine = _known(cluster, node)
    namespaces.in_ns(topology.namespace(cluster, LAN), lambda: change(machine.cable))


def _known(cluster: str, node: str) -> Machine:
    _present(cluster, LAN)
    _present(cluster, node)
    return topology.describe(cluster, () if node == CONTROL else (node,)).machine(node)


def _present(cluster: str, name: str) -> str:
    """The namespace of a member, or a LookupError that says what there is instead."""
    there = members(cluster)
    if name in there:
        return there[name]
    if LAN not in there:
        raise LookupError(f"cluster {cluster} is not up (minik8s up starts it)")
    nodes = ", ".join(each for each in sorted(there) if each not in (LAN, CONTROL)) or "none"
    raise LookupError(f"cluster {cluster} has no node {name}; it has {nodes}")
