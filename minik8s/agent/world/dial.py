"""Connections to what listens in a Pod, on the Pod's own 127.0.0.1: nobody else could reach that.

A socket belongs to the network namespace in which it was made, whoever uses it afterwards; so it is made there and
connected here. Read next: ../forwarding.py.
"""

import socket

from minik8s.host import namespaces

_LOOPBACK = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))
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
