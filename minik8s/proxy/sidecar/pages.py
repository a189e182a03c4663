"""The debug pages of the sidecar.

/debug/pods           which Pods it serves, by which namespace, with how many open connections
/debug/rules          the tables in each of these Pods' namespaces, as the kernel lists them; ?pod=default/caller
/debug/connections    every open connection: who asked for whom, who answers, who was tried before. What
                      `conntrack -L` of the node shows for the other ways of spreading
/debug/services       the addresses it stands in for, their endpoints, and which of them come last for a while
"""

from collections import Counter
from collections.abc import Callable

from minik8s import params
from minik8s.host import clock
from minik8s.host.health import Page, Query
from minik8s.nft.kernel import listing
from minik8s.proxy.sidecar.connection import Connection
from minik8s.proxy.sidecar.plan import Address, Served
from minik8s.proxy.sidecar.relay import Relay
from minik8s.proxy.sidecar.world import Place


def pages(
    relay: Relay, places: Callable[[], list[Place]], services: Callable[[], dict[Address, Served]]
) -> dict[str, Page]:
    """By path."""
    return {
        "/debug/pods": lambda query: _pods(places(), relay.connections()),
        "/debug/rules": lambda query: _rules(places(), query),
        "/debug/connections": lambda query: [_connection(each) for each in relay.connections()],
        "/debug/services": lambda query: _services(services(), relay.aside()),
    }


def _pods(places: list[Place], connections: list[Connection]) -> list[object]:
    open_now = Counter(each.client.uid for each in connections)
    return [
        {
            "pod": place.client.key,
            "addresses": list(place.client.addresses),
            "listeners": [f"{each.getsockname()[0]} port {params.SIDECAR_PORT}" for each in place.listeners],
            "connections": open_now[place.client.uid],
        }
        for place in places
    ]


def _rules(places: list[Place], query: Query) -> str:
    texts = []
    for place in places:
        if place.nft and query.get("pod", place.client.key) == place.client.key:
            tables = [one.address for one in place.tables.values()]
            kept = [f"{one.family} {params.TABLE_SIDECAR_KEPT}" for one in place.tables.values()]
            texts += [f"# pod {place.client.key}\n", *(listing(place.nft, address) for address in (*tables, *kept))]
    return "".join(texts)


def _connection(one: Connection) -> dict[str, object]:
    return {
        "pod": one.client.key,
        "service": one.served.title,
        "asked": list(one.address),
        "state": "established" if one.established else "connecting",
        "endpoint": one.endpoint.target if one.tried else "",
        "tried": [each.target for each in one.tried],
        "seconds": round(clock.monotonic() - one.began, 3),
        "sent": one.near.carried,
        "received": one.far.carried if one.far else 0,
    }


def _services(services: dict[Address, Served], aside: list[str]) -> list[object]:
    return [
        {
            "service": one.title,
            "address": address,
            "number": port,
            "affinity": one.affinity,
            "endpoints": [each.target for each in one.endpoints],
            "last": [each.target for each in one.endpoints if each.target in aside],
        }
        for (address, port), one in sorted(services.items())
    ]
