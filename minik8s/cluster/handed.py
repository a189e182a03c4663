"""The sockets of each node's DNS, held by the zygote and handed down, so that no question is refused.

When a DNS server dies, questions wait in the kernel, and the next one, a moment later, answers them: a client sees a
slow answer, where it would otherwise be told that nobody is there. What the user stopped holds no sockets: whoever asks
is to be refused at once, and another server may take the address. A new zygote takes them over from the servers that
outlived the old one (pidfd_getfd).
Invariant: sockets belong to the namespace that the node has now.

Read next: `zygote.py`; for the API's own sockets `listeners.py`.
"""

import socket

from minik8s import params
from minik8s.cluster import listeners, registry, topology
from minik8s.host import namespaces

Sockets = tuple[socket.socket, ...]


class Handed:
    """What each process is handed, by its name (`dns@node-1`)."""

    def __init__(self, cluster: str) -> None:
        self._cluster = cluster
        self._held: dict[str, tuple[int, Sockets]] = {}  # with the namespace they were made in

    def prepare(self, name: str) -> tuple[int, ...]:
        """Descriptors for a process that is about to start. Raises OSError when the address is taken."""
        component, _, node = name.partition("@")
        if component != "dns":
            return ()
        from minik8s.dns.server import listen

        where = registry.namespace(self._cluster, name)
        place = namespaces.identity(where)
        if self._held.get(name, (0, ()))[0] != place:
            self.release(name)
            address = topology.node_address(node)
            self._held[name] = place, namespaces.in_ns(where, lambda: listen(address, params.DNS_PORT))
        return tuple(sock.fileno() for sock in self._held[name][1])

    def adopt(self, name: str, pid: int, started: int) -> None:
        """Take over those of a running process."""
        if name.partition("@")[0] != "dns":
            return
        found = listeners.inherited(pid, started, params.DNS_PORT)
        if found:
            place = namespaces.identity(f"/proc/{pid}/ns/net")
            self._held[name] = place, tuple(sorted(found, key=lambda sock: sock.type == socket.SOCK_STREAM))

    def release(self, name: str) -> None:
        for sock in self._held.pop(name, (0, ()))[1]:
            sock.close()

    def all(self) -> list[int]:
        """Every descriptor that is held."""
        return [sock.fileno() for _, sockets in self._held.values() for sock in sockets]
