"""Which Pods the sidecar serves, which Service addresses it stands in for, by which rules, and whom it tries next.

Pure. Services come as the proxy plans them (`../plan.py`): their usable endpoints, this node's policies and hints, the
fallback to those that are terminating are decided there once, for every way of spreading.

Next: `relay.py`, which does it.
"""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass

from minik8s import params
from minik8s.api import pods
from minik8s.api.meta import key as key_of
from minik8s.nft.ruleset import Chain, Element, Hook, Rule, Set, Table
from minik8s.proxy.endpoints import Endpoint
from minik8s.proxy.layout import Family
from minik8s.proxy.plan import ServicePlan

SERVICES = "services"
CHAIN = "nat-output"

Address = tuple[str, int]  # a Service's address and port: what a client asks for


@dataclass(frozen=True)
class Client:
    """A Pod whose connections go through the sidecar."""

    key: str  # namespace/name
    uid: str
    addresses: tuple[str, ...]


@dataclass(frozen=True)
class Served:
    """What stands behind one Service address."""

    service: str  # namespace/name
    title: str  # with the port
    endpoints: tuple[Endpoint, ...]
    affinity: int = 0  # seconds; 0: none


@dataclass(frozen=True)
class Inject:
    """Put listeners and rules into this Pod's namespace."""

    client: Client
    because: str


@dataclass(frozen=True)
class Release:
    """Take them away again. Connections that are open go on, for as long as there is a Pod."""

    client: Client
    because: str


# --- Pods -------------------------------------------------------------------------------------------------------------


def asks(pod: pods.Pod, mode: str) -> bool:
    """Does this Pod want a sidecar, by itself or because the whole cluster does?

    A Pod in the node's own network has no namespace to put rules into.
    """
    wanted = pod.metadata.annotations.get(params.PROXY_ANNOTATION, mode)
    return wanted == "sidecar" and not pod.spec.hostNetwork


def clients(given: Iterable[pods.Pod], mode: str) -> dict[str, Client]:
    """By uid: the Pods that want a sidecar and have an address to be found by."""
    found = {}
    for pod in given:
        addresses = tuple(each.ip for each in pod.status.podIPs) or ((pod.status.podIP,) if pod.status.podIP else ())
        if asks(pod, mode) and addresses and not pods.is_terminal(pod):
            found[pod.metadata.uid] = Client(key_of(pod), pod.metadata.uid, addresses)
    return found


def plan(wanted: Mapping[str, Client], present: Mapping[str, Client], gone: Container[str]) -> list[Inject | Release]:
    """What to do so that exactly the wanted Pods are served. `gone`: those whose sandbox has ended."""
    actions: list[Inject | Release] = []
    for uid, client in sorted(present.items(), key=lambda item: item[1].key):
        if uid in gone:
            actions.append(Release(client, "its sandbox has ended"))
        elif uid not in wanted:
            actions.append(Release(client, "it does not ask for a sidecar any more"))
        elif wanted[uid] != client:
            actions.append(Release(client, "its addresses changed"))
    released = {each.client.uid for each in actions}
    for uid, client in sorted(wanted.items(), key=lambda item: item[1].key):
        if uid not in present or uid in released:
            actions.append(Inject(client, "it asks for a sidecar"))
    return actions


# --- Services ---------------------------------------------------------------------------------------------------------


def served(plans: Iterable[ServicePlan]) -> dict[Address, Served]:
    """The addresses the sidecar stands in for: TCP, and only while somebody is there to connect to.

    Whatever is left out here goes the node's way, which refuses what nobody serves, at once.
    """
    return {
        (port.address, port.port): Served(port.service, port.title, port.in_use, port.affinity)
        for plan in plans
        for port in plan.ports
        if port.protocol == "tcp" and port.in_use
    }


def table(family: Family, services: Mapping[Address, Served]) -> Table:
    """The rules inside the Pod's namespace. They are ours while we live, and gone when we are."""
    ip = family.table
    wanted = family.own(address for address, _ in services)
    elements = [
        Element((address, str(port)), comment=one.title)
        for (address, port), one in services.items()
        if address in set(wanted)
    ]
    mark = params.MARK_SIDECAR
    rules = (
        Rule(f"meta mark & {mark:#x} != 0 return", "the sidecar's own connection to an endpoint"),
        Rule(f"{ip} daddr . tcp dport @{SERVICES} counter redirect to :{params.SIDECAR_PORT}", "to the sidecar"),
    )
    chain = Chain(CHAIN, rules, Hook("nat", "output", "-100"), "what this Pod sends, before it leaves")
    return Table(
        ip,
        params.TABLE_SIDECAR,
        "this Pod's sidecar; vanishes with the process that serves it",
        {SERVICES: Set(SERVICES, f"{family.type} . inet_service").with_elements(elements)},
        {CHAIN: chain},
        owned=True,
    )


def kept(family: Family) -> Table:
    """What stays when the sidecar dies: a chain that changes nothing.

    The kernel translates known connections only while some chain for translation stands, and tracks them only while
    some rule asks about tracking. Without this table the client of a killed sidecar might never hear that its
    connection has ended, because the end comes from another address than the one it had asked for.
    """
    past = f"meta mark & {params.MARK_SIDECAR:#x} == 0 ct state new counter"
    rules = (Rule(past, "what went past the sidecar: UDP, Pods asked directly"),)
    chain = Chain(CHAIN, rules, Hook("nat", "output", "0"), "keeps translation alive for connections that are open")
    return Table(family.table, params.TABLE_SIDECAR_KEPT, "see the table of the sidecar", {}, {CHAIN: chain})


# --- Endpoints --------------------------------------------------------------------------------------------------------


def pick(
    endpoints: Sequence[Endpoint], busy: Mapping[str, int], aside: Container[str], draw: Callable[[], float]
) -> Endpoint | None:
    """Of two endpoints taken at random the one with fewer open connections; None if there is none.

    `busy`: open connections by target, as far as this sidecar knows; `aside`: targets that failed a moment ago, which
    lose against any other; `draw`: a random number, at least 0 and less than 1.

    Two choices instead of one even out long connections almost as well as asking all, at a cost that does not grow with
    the Service (Mitzenmacher, "The power of two choices in randomized load balancing"; Envoy's LEAST_REQUEST). The
    fewest of all would also send everybody to whoever fails fastest.
    """
    count = len(endpoints)
    if count < 2:
        return endpoints[0] if endpoints else None
    first = int(draw() * count)
    second = int(draw() * (count - 1))
    pair = endpoints[first], endpoints[second + (second >= first)]
    return min(pair, key=lambda one: (one.target in aside, busy.get(one.target, 0)))
