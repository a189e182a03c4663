"""Who listens in a network namespace, read from the kernel's tables /proc/PID/net/tcp and its kin. Pure.

A line gives address and port as hexadecimal; of TCP only sockets in state LISTEN count, of UDP those that are connected
to nobody. An IPv6 socket bound to `::` takes IPv4 clients too.

Read next: reach.py, which reads the files.
"""

import ipaddress
import struct
from collections.abc import Mapping
from dataclasses import dataclass

FILES = ("tcp", "tcp6", "udp", "udp6")
_LISTEN, _UNCONNECTED = "0A", "07"


@dataclass(frozen=True, order=True)
class Listener:
    """A socket that waits for clients."""

    port: int
    protocol: str
    address: str


def parse(files: Mapping[str, str]) -> list[Listener]:
    """From the tables by name, each listener once."""
    found = set()
    for name, text in files.items():
        protocol = name.removesuffix("6")
        wanted = _LISTEN if protocol == "tcp" else _UNCONNECTED
        for words in (line.split() for line in text.splitlines()[1:]):
            if len(words) > 3 and words[3] == wanted:
                address, _, port = words[1].partition(":")
                found.add(Listener(int(port, 16), protocol, _address(address)))
    return sorted(found)


def _address(text: str) -> str:
    """The kernel writes addresses as 32-bit words in the machine's own order."""
    packed = b"".join(struct.pack("=I", int(text[at : at + 8], 16)) for at in range(0, len(text), 8))
    address = ipaddress.ip_address(packed)
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)
