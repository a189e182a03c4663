"""The network of a cluster, described apart from building it: which namespaces, which cables, which addresses.

Pure. The same cluster always gets the same names, so a second look recognises what the first one built. Names hold
the cluster's name, addresses do not: every cluster has the same ones, each in namespaces of its own. `fabric.py`
builds what this describes.
"""

import hashlib
import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass

from minik8s import params

LAN, CONTROL = "lan", "control"
BRIDGE = "lan"  # the switch of the LAN
UPLINK = "eth0"  # how every machine calls its way to the LAN
NODE = re.compile(r"node-([1-9][0-9]*)")
LINK_NAME_LIMIT = 15  # the kernel's IFNAMSIZ, without the closing zero


@dataclass(frozen=True)
class Machine:
    """What stands at the other end of a cable from the LAN: the control plane or a node."""

    name: str
    namespace: str
    addresses: tuple[str, ...]  # with their prefix lengths; IPv4, then IPv6
    cable: str  # the LAN's end; its own is always eth0
    cable_alias: str  # the whole name, where the cable's had to be cut


@dataclass(frozen=True)
class Topology:
    cluster: str
    lan: str  # the namespace of the LAN
    gateways: tuple[str, ...]  # the LAN's own addresses, with their prefix lengths; IPv4, then IPv6
    machines: tuple[Machine, ...]

    def machine(self, name: str) -> Machine:
        return next(each for each in self.machines if each.name == name)


def describe(cluster: str, nodes: Iterable[str]) -> Topology:
    """The control plane and these nodes around one LAN."""
    machines = [_machine(cluster, CONTROL, params.CONTROL_PLANE_ADDRESS)]
    machines += [_machine(cluster, node, node_address(node)) for node in sorted(set(nodes), key=_number)]
    return Topology(cluster, namespace(cluster, LAN), _with_lengths(params.LAN_GATEWAY), tuple(machines))


def namespace(cluster: str, member: str) -> str:
    """The namespace of the LAN, the control plane or a node: `mk8s-<cluster>-<member>`."""
    return f"{params.NETNS_PREFIX}-{cluster}-{member}"


def member(cluster: str, name: str) -> str:
    """Which member of this cluster a namespace is; "" when it is not this cluster's.

    A prefix alone would not do: `mk8s-a-b-lan` is the LAN of cluster `a-b`, nothing of cluster `a`.
    """
    found = name.removeprefix(namespace(cluster, ""))
    return found if found != name and (found in (LAN, CONTROL) or NODE.fullmatch(found)) else ""


def node_names(count: int) -> list[str]:
    return [f"node-{number}" for number in range(1, count + 1)]


def node_address(node: str) -> str:
    """node-1 is .11, node-2 is .12, …"""
    host = params.FIRST_NODE_HOST - 1 + _number(node)
    network = ipaddress.IPv4Network(params.LAN_CIDR)
    address = network.network_address + host
    if address >= ipaddress.IPv4Address(params.LOAD_BALANCER_RANGE[0]):
        raise ValueError(f"{node} would have the address {address}, which belongs to the load balancers")
    return str(address)


def beside(address: str) -> str:
    """The IPv6 address of whoever has this IPv4 address on the LAN: the same digits, 192.168.56.11 and fd00:56::11."""
    last = address.rpartition(".")[2]
    return str(ipaddress.IPv6Network(params.LAN_CIDR_V6)[int(last, 16)])


def link_name(full: str) -> str:
    """A name the kernel takes for a link: the full one if it fits, else its beginning and a hash of all of it."""
    if len(full) <= LINK_NAME_LIMIT:
        return full
    return full[: LINK_NAME_LIMIT - 7] + "-" + hashlib.sha256(full.encode()).hexdigest()[:6]


def _machine(cluster: str, name: str, address: str) -> Machine:
    full = f"v-{name}"
    cable = link_name(full)
    return Machine(name, namespace(cluster, name), _with_lengths(address), cable, full if full != cable else "")


def _number(node: str) -> int:
    match = NODE.fullmatch(node)
    if not match:
        raise ValueError(f"a node of a cluster on one machine is called node-1, node-2, …, not {node!r}")
    return int(match[1])


def _with_lengths(address: str) -> tuple[str, str]:
    four, six = ipaddress.IPv4Network(params.LAN_CIDR), ipaddress.IPv6Network(params.LAN_CIDR_V6)
    return f"{address}/{four.prefixlen}", f"{beside(address)}/{six.prefixlen}"
