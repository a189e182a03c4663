"""Fetches what the boxes said of themselves: the audit from the API server, journals through its node proxy.

Read only. A node that does not answer costs its own lines, not the others': it is named, because a gap that is not
named would be read as "nothing happened".

Read next: facts.py.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from minik8s.api import selectors
from minik8s.api.core import Node, Pod, Service
from minik8s.api.meta import key
from minik8s.client.rest import ApiError, Client, Unreachable
from minik8s.explain import facts, plan
from minik8s.explain.facts import Fact

COMPONENTS = ("agent", "proxy", "dns", "sidecar")
NOT_EVERYWHERE = ("sidecar",)  # on a node without one nobody is missed
WORKERS = 12


@dataclass(frozen=True)
class Seen:
    """All facts in order of time, and who could not be asked."""

    facts: tuple[Fact, ...]
    silent: tuple[str, ...]
    machines: int
    selected: Mapping[str, tuple[str, ...]]  # Service → Pods that its selector matches


def observe(client: Client) -> Seen:
    """Everything that is remembered."""
    nodes = client.list(Node).items
    asked = [(component, node.metadata.name) for node in nodes for component in COMPONENTS]
    with ThreadPoolExecutor(max_workers=WORKERS) as pool:
        journals = list(pool.map(lambda each: _journal(client, *each), asked))
    # The audit comes last, so that it has every revision that a journal speaks of.
    known = [*_audit(client), *(fact for journal in journals for fact in journal or ())]
    answers = zip(asked, journals, strict=True)
    unheard = [each for each, found in answers if found is None and each[0] not in NOT_EVERYWHERE]
    silent = [f"{component}@{node}" for component, node in unheard]
    # Nodes of one machine share its clock; a machine is known by its boot.
    machines = len({node.status.nodeInfo.bootID for node in nodes if node.status.nodeInfo}) or 1
    return Seen(tuple(facts.in_order(known)), tuple(silent), machines, _selected(client))


def history_of(seen: Seen, target: str, since: float = 0.0) -> plan.History:
    """The history of one object, such as `services/default/web`, from what was seen."""
    found = plan.history(seen.facts, target, since, seen.selected)
    return replace(found, silent=seen.silent, machines=seen.machines)


def _audit(client: Client) -> list[Fact]:
    return facts.from_audit(client.request("GET", "/minik8s/audit?since=0").data.splitlines())


def _selected(client: Client) -> dict[str, tuple[str, ...]]:
    pods = client.list(Pod).items
    return {
        f"services/{key(service)}": tuple(
            f"pods/{key(pod)}"
            for pod in pods
            if pod.metadata.namespace == service.metadata.namespace
            and selectors.matches(service.spec.selector, pod.metadata.labels)
        )
        for service in client.list(Service).items
        if service.spec.selector
    }


def _journal(client: Client, component: str, node: str) -> list[Fact] | None:
    """None: it does not answer."""
    page = Node.resource.path("", node, "proxy") + f"/debug/{component}/debug/journal"
    try:
        return facts.from_journal(client.request("GET", page).data.splitlines())
    except (ApiError, Unreachable):
        return None
