"""The node on the LAN: answering for addresses that are not its own, and telling the neighbours so.

An address on the node's link is all it takes: the kernel then answers ARP (RFC 826) and neighbour discovery (RFC 4861)
for it, and packets for it come here, where the rules send them on before anybody on the node could take them. Each
address is lent to the link for seconds only: a proxy that hangs or was killed stops answering all the same, by the
kernel's clock. Whoever takes an address over says so unasked, or the neighbours would go on sending to the other node.

Bound to the network namespace of the thread that calls. Read next: `announce.py`.
"""

import logging
import socket
import struct
from collections.abc import Sequence
from functools import cached_property

from minik8s import params
from minik8s.host import clock, netlink

log = logging.getLogger(__name__)
_ARP, _IPV4, _ETHERNET, _REQUEST = 0x0806, 0x0800, 1, 1
_BROADCAST = b"\xff" * 6
_ADVERTISEMENT, _ALL_NODES, _HOPS = 136, "ff02::1", 255
_ROUTER_OVERRIDE = 0xA0000000  # we forward; and it replaces what a neighbour knew
_TARGET_LINK_ADDRESS = b"\x02\x01"  # the option, and its length in units of eight bytes
HELD_S = 0.1  # telling the kernel takes a hundredth of it


class Lan:
    """The LAN as seen from the node that has these addresses of its own on it."""

    def __init__(self, node_addresses: Sequence[str]) -> None:
        self._own = node_addresses

    def lent(self) -> set[str]:
        """The addresses that the kernel answers for because we said so: perhaps before we were restarted."""
        return {each.partition("/")[0] for each in netlink.lent_addresses(params.ROUTE_PROTOCOL)}

    def lend(self, address: str, until: float) -> None:
        """Answer for it from now on, for whole seconds that are over by then (`clock.monotonic`); the kernel takes up
        to half a second more. Who is stopped between looking at the clock and telling the kernel finds it out here.
        """
        while (seconds := int(until - clock.monotonic())) > 0:
            netlink.lend_address(self._link, _whole(address), seconds, params.ROUTE_PROTOCOL)
            if clock.monotonic() + seconds <= until + HELD_S:
                return
        self.take_back(address)

    def take_back(self, address: str) -> None:
        """Answer for it no more."""
        link = netlink.lent_addresses(params.ROUTE_PROTOCOL).get(_whole(address))
        if link:
            netlink.delete_address(link, _whole(address))

    def shout(self, address: str) -> None:
        """Tell every neighbour at once. Nobody answers; a packet that gets lost is why callers say it thrice."""
        link = netlink.link(self._link)
        if link is None:
            return
        mac = bytes.fromhex(link.mac.replace(":", ""))
        try:
            _advertise(link, mac, address) if ":" in address else _announce(link, mac, address)
        except OSError as error:  # a cable that was cut
            log.debug("nobody told of %s: %s", address, error)

    @cached_property
    def _link(self) -> str:
        for each in self._own:
            if found := netlink.link_of(each):
                return found
        raise LookupError(f"no link of this node has an address of {', '.join(self._own) or 'nothing'}")


def _whole(address: str) -> str:
    return f"{address}/{128 if ':' in address else 32}"


def _announce(link: netlink.Link, mac: bytes, address: str) -> None:
    """An ARP announcement (RFC 5227, section 3): a question that names the asker as the answer."""
    packed = socket.inet_aton(address)
    head = struct.pack("!HHBBH", _ETHERNET, _IPV4, len(mac), len(packed), _REQUEST)
    frame = _BROADCAST + mac + struct.pack("!H", _ARP) + head + mac + packed + bytes(len(mac)) + packed
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sock:
        sock.bind((link.name, _ARP))
        sock.send(frame)


def _advertise(link: netlink.Link, mac: bytes, address: str) -> None:
    """An unsolicited neighbour advertisement (RFC 4861, 7.2.6). The kernel fills the checksum in."""
    head = struct.pack("!BBHI", _ADVERTISEMENT, 0, 0, _ROUTER_OVERRIDE)
    packet = head + socket.inet_pton(socket.AF_INET6, address) + _TARGET_LINK_ADDRESS + mac
    with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as sock:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, _HOPS)
        sock.bind((address, 0, 0, link.index))
        sock.sendto(packet, (_ALL_NODES, 0, 0, link.index))
