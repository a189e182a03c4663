"""Decides which Pod range a Node gets. Pure; one family or two.

`node-3` gets the third range when that is free (10.244.3.0/24), so that a learner can tell from a Pod's address where
it runs; any other name gets the first free one. Invariants: no two Nodes share a range; a range that was given is
never changed.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from itertools import chain

from minik8s.api.core import Node
from minik8s.controllers.actions import Action, Patch, Tell


@dataclass(frozen=True)
class Range:
    """A family's whole range, and the mask of a Node's part of it."""

    cidr: str
    mask: int

    @property
    def size(self) -> int:
        return 1 << (self.mask - ip_network(self.cidr).prefixlen)

    def part(self, index: int) -> IPv4Network | IPv6Network:
        whole = ip_network(self.cidr)
        step = 1 << (whole.max_prefixlen - self.mask)
        return ip_network((int(whole.network_address) + index * step, self.mask))


def plan(nodes: Iterable[Node], ranges: Sequence[Range]) -> list[Action]:
    """The ranges for Nodes that have none, in order of age."""
    nodes = sorted(nodes, key=lambda node: (node.metadata.creationTimestamp or "", node.metadata.name))
    taken = [ip_network(cidr) for node in nodes for cidr in given(node)]
    actions: list[Action] = []
    for node in nodes:
        if given(node) or node.metadata.deletionTimestamp is not None:
            continue
        index = _choose(node.metadata.name, ranges, taken)
        if index is None:
            message = f"Node {node.metadata.name} status is now: CIDRNotAvailable"
            actions.append(Tell(node, "CIDRNotAvailable", message, "Warning"))
            continue
        parts = [each.part(index) for each in ranges]
        taken += parts
        cidrs = [str(part) for part in parts]
        unchanged = {"resourceVersion": node.metadata.resourceVersion}
        patch = {"spec": {"podCIDR": cidrs[0], "podCIDRs": cidrs}, "metadata": unchanged}
        because = f"Node {node.metadata.name} has no range for its Pods, and {' and '.join(cidrs)} can be had"
        actions.append(Patch(node, patch, because))
    return actions


def given(node: Node) -> list[str]:
    return list(node.spec.podCIDRs) or [cidr for cidr in [node.spec.podCIDR] if cidr]


def _choose(name: str, ranges: Sequence[Range], taken: Sequence[IPv4Network | IPv6Network]) -> int | None:
    """The number in the name if it may be had, else the first free one; 0 comes last, because it reads like no
    number."""
    number = re.search(r"([0-9]{1,9})$", name)
    count = min(each.size for each in ranges)
    wished = [int(number[1])] if number and int(number[1]) < count else []
    for index in chain(wished, range(1, count), [0]):
        parts = [each.part(index) for each in ranges]
        if not any(part.version == other.version and part.overlaps(other) for part in parts for other in taken):  # type: ignore[arg-type]
            return index
    return None
