"""All of the proxy that touches the kernel: commits a transaction, reads the table at start, drops stale flows.

Bound to the network namespace of the thread that makes it. Touches its own table of each family, by name; other tables
of the node are never read or written.
"""

import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext

from minik8s.host import sysctl
from minik8s.nft.flows import Flows
from minik8s.nft.kernel import Nft, NftError, forget_flows, listing, open_nftables
from minik8s.nft.parse import NotUnderstood, parse
from minik8s.nft.ruleset import Table
from minik8s.proxy.layout import IPV4, IPV6, Family

log = logging.getLogger(__name__)


class World:
    """The packet filter of one node."""

    def __init__(self, nft: Nft | None = None) -> None:
        self._nft = nft or open_nftables()
        # Around each transaction, told how many bytes it has: `guard.py`.
        self.writing: Callable[[int], AbstractContextManager[object]] = nullcontext

    def families(self) -> list[Family]:
        """IPv4, and IPv6 where this namespace has it."""
        return [family for family in (IPV4, IPV6) if family.name in sysctl.ip_families()]

    def observe(self, address: str) -> Table | None:
        """Our table (`ip minik8s`) as a former proxy left it in the kernel. None: none there, or none we can read."""
        text = self.text(address)
        if not text:
            return None
        try:
            return parse(text)
        except NotUnderstood as error:
            log.warning("table %s cannot be read (%s): replaced whole, client affinity is lost", address, error)
            return None

    def text(self, address: str) -> str:
        """The kernel's own listing of our table; "" when there is none. From any thread: the library is locked."""
        return listing(self._nft, address)

    def apply(self, commands: str) -> None:
        """One transaction: all of it, or NftError and nothing."""
        with self.writing(len(commands)):
            self._nft.run(commands)

    def forget(self, flows: Sequence[Flows]) -> None:
        """After the commit: whoever looks the flow up again takes the new rules."""
        forget_flows(flows)

    def close(self) -> None:
        self._nft.close()


__all__ = ["NftError", "World"]
