"""Waits until every node of a cluster is Ready, by watching: what the API says, not what was ordered.

After a resume the API still says Ready of a node that has not come back yet; so a node counts only with a heartbeat
later than the start. Invariant: returns when all nodes are Ready, or raises with the name of each that is not, and why.

Read next: `agent/`, which reports the node.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from minik8s import params
from minik8s.api import times
from minik8s.api.core import Node
from minik8s.client.errors import ApiError, Gone, Unreachable
from minik8s.client.rest import Client
from minik8s.cluster import state
from minik8s.host import clock


class NotReady(Exception):
    """Some nodes are not Ready in time."""


@dataclass
class Look:
    """The nodes as last seen, and what is wanted of them."""

    wanted: tuple[str, ...]
    since: float  # a heartbeat must be later than this
    nodes: dict[str, Node] = field(default_factory=dict)

    def missing(self) -> dict[str, str]:
        """Which nodes are not Ready, and why."""
        found = {name: why_not(self.nodes.get(name), self.since) for name in self.wanted}
        return {name: why for name, why in found.items() if why}


def why_not(node: Node | None, since: float) -> str:
    """Why a node does not count as Ready; "" when it does."""
    if node is None:
        return "has not registered"
    for condition in node.status.conditions:
        if condition.type == "Ready":
            if condition.status != "True":
                return condition.message or condition.reason or "not Ready"
            # Times in the API are whole seconds.
            beat = condition.lastHeartbeatTime
            return "" if not beat or times.parse(beat) + 1 > since else "has not reported since the start"
    return "has not reported yet"


def wait(where: state.Paths, record: state.Record, since: float) -> None:
    """Wait for all nodes of the record; nothing to wait for when the components that matter were left out."""
    if {"apiserver", "etcd", "agent"} & set(record.without):
        return
    client = Client.from_kubeconfig(str(where.kubeconfig), user_agent="minik8s-up")
    look = Look(record.nodes, since)
    deadline = clock.monotonic() + params.READY_TIMEOUT_S
    trouble = ""
    while clock.monotonic() < deadline:
        try:
            if follow(client, look, deadline):
                return
        except (Unreachable, Gone) as error:  # not up yet, or the watch broke: list again
            trouble = str(error)
        except ApiError as error:
            trouble = str(error)
            if error.code < 500:
                raise
    reasons = "; ".join(f"{name} {why}" for name, why in look.missing().items())
    raise NotReady(f"after {params.READY_TIMEOUT_S:.0f} s: {reasons}. {trouble} Logs: {where.logs}")


def follow(client: Client, look: Look, deadline: float) -> bool:
    """List, then watch, until all are Ready (True) or the time is over."""
    listing = client.list(Node)
    look.nodes = by_name(listing.items)
    if not look.missing():
        return True
    for event in client.watch(Node, resourceVersion=listing.resourceVersion):
        if event.type in ("ADDED", "MODIFIED"):
            look.nodes[event.object.metadata.name] = event.object
        if not look.missing():
            return True
        if clock.monotonic() > deadline:
            return False
    return False


def by_name(nodes: Iterable[Node]) -> dict[str, Node]:
    return {node.metadata.name: node for node in nodes}
