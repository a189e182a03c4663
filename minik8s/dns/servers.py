"""Which servers are asked for names of the rest of the world: `--upstream`, read and judged. Pure.

A server that would ask us back is no upstream server: the question would go round until everybody gives up. Most
often it is named by accident, because a machine's own resolv.conf says 127.0.0.53, where its stub resolver listens.
"""

import ipaddress
from collections.abc import Iterable

from minik8s import params
from minik8s.api.addresses import host_port

Server = tuple[str, int]  # address, port
STUBS = ("127.0.0.53", "127.0.0.54")  # systemd-resolved's


def parse(text: str, own: Iterable[str] = ()) -> tuple[Server, ...]:
    """`192.0.2.1,192.0.2.2:5353,[2001:db8::1]:53` → addresses with their ports. `own` are addresses we answer on.

    Raises ValueError, naming --upstream, for what is no address and for what would be a loop.
    """
    servers = tuple(_server(word.strip()) for word in text.split(",") if word.strip())
    for address, port in servers:
        if address in STUBS:
            raise ValueError(
                f"--upstream {address} is a loop: it is a machine's own stub resolver (systemd-resolved), which asks "
                "whom it is told to, and that may be us. Name the servers that it asks: `resolvectl dns`, or "
                "/run/systemd/resolve/resolv.conf"
            )
        if (address, port) == (params.DNS_SERVICE_IP, 53) or (address in own and port == params.DNS_PORT):
            raise ValueError(f"--upstream {address} is a loop: that is the cluster's own DNS")
    return servers


def _server(word: str) -> Server:
    host, port = word, "53"
    if word.startswith("["):
        host, _, rest = word[1:].partition("]")
        port = rest.removeprefix(":") or "53"
    elif word.count(":") == 1:
        host, port = word.split(":")
    try:
        address = str(ipaddress.ip_address(host))
        if not 0 < int(port) < 65536:
            raise ValueError
    except ValueError:
        raise ValueError(
            f"--upstream {word}: not an address, or address:port ([address]:port for IPv6); "
            "names cannot be resolved before there is somebody to ask"
        ) from None
    return address, int(port)


def shown(server: Server) -> str:
    """`192.0.2.1`, `192.0.2.1:5353`, `[2001:db8::1]:5353`."""
    address, port = server
    return address if port == 53 else host_port(address, port)
