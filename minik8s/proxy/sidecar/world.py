"""Finds the network namespaces of Pods, and puts listeners and rules into them.

No label and no container engine is asked which namespace is whose: the kernel knows. A Pod of this node is where the
other end of one of this node's cables is, and has the Pod's addresses. So of each namespace that some process is in we
ask whether our own namespace has a number for it (a cable leads there), and then which addresses it has. Two clusters
on one machine may use the same addresses; their cables end in different nodes.

Invariant: everything made here hangs on descriptors of this process. When it ends, however it ends, listeners and rules
are gone; only the table `kept`, which changes nothing, stays for as long as the Pod. Next: `relay.py`.
"""

import contextlib
import os
import socket
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from minik8s import params
from minik8s.host import namespaces, netlink, processes
from minik8s.nft.changes import changes
from minik8s.nft.kernel import Nftables, NftError
from minik8s.nft.ruleset import Table, replacement
from minik8s.proxy.layout import IPV4, IPV6
from minik8s.proxy.sidecar.plan import Address, Client, Served, kept, table

BACKLOG = 1024
FAMILIES = {IPV4: "127.0.0.1", IPV6: "::1"}  # and where the listener of each stands


@dataclass(eq=False)
class Place:
    """A Pod's network namespace, held open, and what was put into it."""

    client: Client
    namespace: int  # descriptor
    process: int  # pidfd of its oldest process, that is, of the sandbox
    nft: Nftables | None = None
    listeners: list[socket.socket] = field(default_factory=list)
    tables: dict[str, Table] = field(default_factory=dict)  # what its kernel has, by family

    def close(self) -> None:
        """The rules first: they lead to the listeners."""
        if self.nft:
            self.nft.close()
        for listener in self.listeners:
            listener.close()
        os.close(self.namespace)
        os.close(self.process)


def find(wanted: Collection[Client]) -> dict[str, int]:
    """A process of each of these Pods' sandboxes, by the Pod's uid; those that are not found are left out."""
    found: dict[str, int] = {}
    here = namespaces.identity("/proc/thread-self/ns/net")
    for identity, pid in sorted(processes.eldest_in_each_ns().items()):
        if identity == here or len(found) == len(wanted):
            continue
        with contextlib.suppress(OSError, netlink.NetlinkError):  # it ended while we looked
            if netlink.knows_namespace_of(pid):
                there = _addresses(f"/proc/{pid}/ns/net")
                found.update({client.uid: pid for client in wanted if there.issuperset(client.addresses)})
    return found


def enter(client: Client, pid: int) -> Place:
    """Listen in a Pod's namespace. OSError: why not."""
    place = Place(client, os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC), os.pidfd_open(pid))
    path = f"/proc/self/fd/{place.namespace}"
    try:
        if not _addresses(path).issuperset(client.addresses):
            raise ProcessLookupError(f"process {pid} is somebody else's by now")
        namespaces.in_ns(path, lambda: _furnish(place))
    except BaseException:
        place.close()
        raise
    return place


def redirect(places: Iterable[Place], services: Mapping[Address, Served]) -> dict[str, NftError]:
    """Lead the connections of these Pods to these addresses here; where the kernel refuses, by uid, its words."""
    wanted = {family: table(family, services) for family in FAMILIES}
    steps: dict[tuple[str, int], list[str]] = {}  # all Pods have the same table, so what leads there is said once
    refused = {}
    for place in places:
        families = [family for family in FAMILIES if family.own(place.client.addresses)]
        commands: list[str] = []
        for family in families:
            have = place.tables.get(family.name)
            key = family.name, id(have)
            if key not in steps:
                steps[key] = (
                    changes(have, wanted[family]) if have else [replacement(kept(family)), wanted[family].text()]
                )
            commands += steps[key]
        try:
            if commands and place.nft:
                place.nft.run("\n".join(commands))
            place.tables = {family.name: wanted[family] for family in families}
        except NftError as error:
            refused[place.client.uid] = error
    return refused


def _addresses(path: str) -> set[str]:
    return {each.partition("/")[0] for each in namespaces.in_ns(path, netlink.addresses)}


def _furnish(place: Place) -> None:
    """In the Pod's namespace."""
    for family, loopback in FAMILIES.items():
        if family.own(place.client.addresses):
            place.listeners.append(_listener(loopback))
    place.nft = Nftables()


def _listener(address: str) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((address, params.SIDECAR_PORT))
        sock.listen(BACKLOG)
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock
