"""Waits until every node of a cluster is Ready, by watching: what the API says, not what was ordered.

After a resume the API still says Ready of a node that has not come back yet. So a node whose agent was just started
counts only once it has renewed its Lease. Invariant: returns when all nodes are Ready, or raises with the name of each
that is not, and why.

Read next: `agent/`, which reports the node.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from minik8s import params
from minik8s.api import times
from minik8s.api.coordination import Lease
from minik8s.api.core import Node
from minik8s.api.meta import Object
from minik8s.client.errors import ApiError, Gone, Unreachable
from minik8s.client.rest import Client
from minik8s.cluster import state
from minik8s.host import clock

LEASES = "kube-node-lease"


class NotReady(Exception):
    """Some nodes are not Ready in time."""


@dataclass(frozen=True)
class Condition:
    """One thing that must become true of each of some objects: `why_not` says what is missing, "" when nothing is."""

    cls: type[Object]
    namespace: str
    names: tuple[str, ...]
    why_not: Callable[[Object | None], str]

    def missing(self, seen: dict[str, Object]) -> dict[str, str]:
        """Which objects do not fulfil it, and why."""
        reasons = {name: self.why_not(seen.get(name)) for name in self.names}
        return {name: why for name, why in reasons.items() if why}


def is_ready(node: Object | None) -> str:
    """Why a node is not Ready; "" when it is."""
    if not isinstance(node, Node):
        return "has not registered"
    for condition in node.status.conditions:
        if condition.type == "Ready":
            return "" if condition.status == "True" else condition.message or condition.reason or "is not Ready"
    return "has not reported yet"


def renewed_since(moment: float) -> Callable[[Object | None], str]:
    """Why a Lease does not show that its holder lives."""

    def why_not(lease: Object | None) -> str:
        if not isinstance(lease, Lease) or not lease.spec.renewTime:
            return "has no Lease yet"
        return "" if times.parse(lease.spec.renewTime) >= moment else "has not come back yet"

    return why_not


def wait(where: state.Paths, record: state.Record, started: Iterable[str], began: float) -> None:
    """Wait for all nodes of the record; those whose agent was `started` must have been heard of since."""
    if {"apiserver", "etcd", "agent"} & set(record.without):
        return
    client = Client.from_kubeconfig(str(where.kubeconfig), user_agent="minik8s-up")
    revived = tuple(node for node in record.nodes if f"agent@{node}" in set(started))
    deadline = clock.monotonic() + params.READY_TIMEOUT_S
    for condition in (
        Condition(Lease, LEASES, revived, renewed_since(began)),
        Condition(Node, "", record.nodes, is_ready),
    ):
        reach(client, condition, deadline, where)


def reach(client: Client, condition: Condition, deadline: float, where: state.Paths) -> None:
    """Wait for one condition, listing again whenever a watch ends."""
    seen: dict[str, Object] = {}
    trouble = ""
    while clock.monotonic() < deadline:
        try:
            if follow(client, condition, seen, deadline):
                return
        except (Unreachable, Gone) as error:  # not up yet, or the watch broke: list again
            trouble = str(error)
        except ApiError as error:
            trouble = str(error)
            if error.code < 500:
                raise
    reasons = "; ".join(f"{name} {why}" for name, why in condition.missing(seen).items())
    raise NotReady(f"after {params.READY_TIMEOUT_S:.0f} s: {reasons}. {trouble} Logs: {where.logs}")


def follow(client: Client, condition: Condition, seen: dict[str, Object], deadline: float) -> bool:
    """List, then watch, until the condition holds (True) or the time is over."""
    listing = client.list(condition.cls, condition.namespace)
    seen.clear()
    seen.update({each.metadata.name: each for each in listing.items})
    if not condition.missing(seen):
        return True
    for event in client.watch(condition.cls, condition.namespace, resourceVersion=listing.resourceVersion):
        if event.type in ("ADDED", "MODIFIED"):
            seen[event.object.metadata.name] = event.object
        if not condition.missing(seen):
            return True
        if clock.monotonic() > deadline:
            return False
    return False
