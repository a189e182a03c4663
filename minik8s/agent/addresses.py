"""Which address a Pod gets, and which routes lead to the Pods of other nodes. Pure. Read next: world/network.py."""

import ipaddress
from collections.abc import Iterable

from minik8s import params
from minik8s.api.core import Node


class NoAddressLeft(Exception):
    """Every address of the node's range is in use."""


def next_address(cidr: str, in_use: Iterable[str], last: str) -> str:
    """The first free address behind `last`, going round: a freed one rests as long as possible.

    The first host address is the bridge's own.
    """
    network = ipaddress.ip_network(cidr)
    first, count = int(network.network_address) + 2, min(network.num_addresses - 3, 1 << 16)
    taken = {int(ipaddress.ip_address(each)) for each in in_use}
    begin = int(ipaddress.ip_address(last)) - first + 1 if last else 0
    for step in range(count):
        candidate = first + (begin + step) % count
        if candidate not in taken:
            return str(ipaddress.ip_address(candidate))
    raise NoAddressLeft(f"all {count} addresses of {cidr} are in use")


def gateway(cidr: str) -> str:
    """The Pod bridge's own address: the first of the node's range."""
    return str(ipaddress.ip_network(cidr)[1])


def prefix_length(cidr: str) -> int:
    return ipaddress.ip_network(cidr).prefixlen


def mac(address: str) -> str:
    """A hardware address made from the IP address, as CNI's bridge does: whoever remembers the old one is not wrong."""
    low = ipaddress.ip_address(address).packed[-4:]
    return ":".join(f"{byte:02x}" for byte in (0x0A, 0x58, *low))


def highest(addresses: Iterable[str]) -> str:
    """Where counting goes on after a restart."""
    return max(addresses, key=lambda a: int(ipaddress.ip_address(a)), default="")


def pod_cidr(node: Node) -> str:
    """The node's IPv4 range; empty until the controller nodeipam has given one."""
    ranges = [*node.spec.podCIDRs, node.spec.podCIDR]
    return next((each for each in ranges if "." in each), "")


def internal_ip(node: Node) -> str:
    return next((a.address for a in node.status.addresses if a.type == "InternalIP"), "")


def routes(me: str, nodes: Iterable[Node]) -> dict[str, str]:
    """Range of each other node → its address: what this node's routing table has to say."""
    result: dict[str, str] = {}
    for node in nodes:
        cidr, via = pod_cidr(node), internal_ip(node)
        if node.metadata.name != me and cidr and via:
            result[str(ipaddress.ip_network(cidr))] = via
    return dict(sorted(result.items()))


def service_ranges() -> tuple[str, ...]:
    return (params.SERVICE_CIDR,)
