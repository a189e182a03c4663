"""Connections for the API server: to what listens on a Pod's own 127.0.0.1, and to any address that this node reaches.

A socket belongs to the network namespace in which it was made, whoever uses it afterwards; so the first is made in the
Pod's and connected here. Read next: ../forwarding.py, ../upgrades.py.
"""

import socket
import ssl

from minik8s.host import namespaces

_LOOPBACK = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))
_REACH_S = 5.0
_PATIENCE_S = 2.0  # only a program that is too busy to accept anybody lets its own machine wait


def loopback(pid: int, port: int) -> socket.socket:
    """A socket that is connected to a port in the namespace of a process. Raises OSError, in words for the client."""
    said = []
    for family, address in _LOOPBACK:
        try:
            return _connected(f"/proc/{pid}/ns/net", family, (address, port))
        except OSError as error:
            said.append(f"{address}: {(error.strerror or str(error)).lower()}")
    raise OSError(f"failed to connect to localhost:{port} inside the pod: {', '.join(said)}")


def _connected(namespace: str, family: int, address: tuple[str, int]) -> socket.socket:
    sock = namespaces.in_ns(namespace, lambda: socket.socket(family))
    try:
        sock.settimeout(_PATIENCE_S)
        sock.connect(address)
        return sock
    except OSError:
        sock.close()
        raise


def reach(scheme: str, address: tuple[str, int]) -> socket.socket:
    """A connection from this node, over TLS if the scheme says so. Raises OSError, in words for the client.

    Whose certificate it is is not asked: the address comes from the API, and a Pod's certificate names no address.
    """
    host, port = address
    try:
        sock = socket.create_connection(address, _REACH_S)
    except OSError as error:
        raise OSError(f"dial tcp {host}:{port}: connect: {(error.strerror or str(error)).lower()}") from error
    if scheme != "https":
        return sock
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        return context.wrap_socket(sock)
    except OSError as error:
        sock.close()
        raise OSError(f"no TLS with {host}:{port}: {error}") from error
