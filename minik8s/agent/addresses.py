"""Which addresses a Pod gets, and which routes lead to the Pods of other nodes. Pure; of one family or of both.

A Pod's second address has the digits of the first: 10.244.1.23 and fd00:244:0:1::23. So they are recognised as one
Pod's, and no two Pods share one as long as they do not share the first. Read next: world/network.py.
"""

import ipaddress
from collections.abc import Iterable, Sequence

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


def next_addresses(cidrs: Sequence[str], in_use: Iterable[str], last: str) -> tuple[str, ...]:
    """The next free address of the first range, and what goes with it of the others. Raises NoAddressLeft."""
    first = next_address(cidrs[0], in_use, last)
    number = int(ipaddress.ip_address(first)) - int(ipaddress.ip_network(cidrs[0]).network_address)
    return (first, *(_numbered(cidr, number) for cidr in cidrs[1:]))


def _numbered(cidr: str, number: int) -> str:
    """10.244.1.23 for 23, and fd00:244:0:1::23, where it is the digits that count."""
    network = ipaddress.ip_network(cidr)
    offset = int(str(number), 16) if network.version == 6 else number
    if offset >= network.num_addresses:
        raise NoAddressLeft(f"{cidr} is too small for an address number {number}")
    return str(network[offset])


def of_family(addresses: Iterable[str], like: str) -> str:
    """The one of these addresses or ranges that is of the same family as `like`; "" if there is none."""
    return next((each for each in addresses if (":" in each) == (":" in like)), "")


def gateway(cidr: str) -> str:
    """The Pod bridge's own address: the first of the node's range."""
    return str(ipaddress.ip_network(cidr)[1])


def prefix_length(cidr: str) -> int:
    return ipaddress.ip_network(cidr).prefixlen


def mac(address: str) -> str:
    """A hardware address made from the IP address, as CNI's bridge does: whoever remembers the old one is not wrong."""
    low = ipaddress.ip_address(address).packed[-4:]
    return ":".join(f"{byte:02x}" for byte in (0x0A, 0x58, *low))


def highest(cidr: str, addresses: Iterable[str]) -> str:
    """Where counting in a range goes on after a restart."""
    mine = [each for each in addresses if of_family([each], cidr)]
    return max(mine, key=lambda a: int(ipaddress.ip_address(a)), default="")


def pod_cidrs(node: Node, families: Sequence[str]) -> tuple[str, ...]:
    """The node's ranges of these families, its own first; empty until the controller nodeipam has given some."""
    given = node.spec.podCIDRs or [node.spec.podCIDR]
    return tuple(cidr for cidr in given if cidr and ("IPv6" if ":" in cidr else "IPv4") in families)


def check_node_ips(given: Sequence[str]) -> None:
    """Are these what a node may be told that its addresses are? Raises ValueError."""
    if not given:
        raise ValueError("agent needs --node-ip: the node's address, or one of each family")
    try:
        families = [ipaddress.ip_address(each).version for each in given]
    except ValueError as error:
        raise ValueError(f"--node-ip: {error}") from None
    if len(families) != len(set(families)):
        raise ValueError(f"--node-ip: {', '.join(given)}: at most one address of each family")


def internal_ips(node: Node) -> list[str]:
    return [each.address for each in node.status.addresses if each.type == "InternalIP"]


def routes(me: str, nodes: Iterable[Node], families: Sequence[str]) -> dict[str, str]:
    """Range of each other node → its address of that family: what this node's routing table has to say."""
    others = [node for node in nodes if node.metadata.name != me]
    pairs = [(cidr, of_family(internal_ips(node), cidr)) for node in others for cidr in pod_cidrs(node, families)]
    return {str(ipaddress.ip_network(cidr)): via for cidr, via in sorted(pairs) if via}


def service_range(cidr: str) -> str:
    """The range of Service addresses that clients in this Pod range use."""
    return of_family((params.SERVICE_CIDR, params.SERVICE_CIDR_V6), cidr)
