"""The debug pages of the proxy: the rule set it has committed, and what it knows of each Service port.

    /debug/rules                       the whole table, as text
    /debug/rules?service=default/web   one Service's chains and map elements
    /debug/services                    for each Service port: endpoints, chain, the objects and revisions they come from
    /debug/kernel                      the table as the kernel lists it, like `nft list table ip minik8s`

All but the last show the proxy's own picture. The two differ only if someone else wrote, which `minik8s doctor` finds.
Each is of the table `ip minik8s`; with `family=IPv6` in the query, of `ip6 minik8s`.
"""

from collections.abc import Mapping

from minik8s.host.health import Page, Query
from minik8s.nft.ruleset import Table
from minik8s.proxy.endpoints import Endpoint
from minik8s.proxy.plan import PortPlan, ServicePlan
from minik8s.proxy.sync import Syncer


def pages(syncers: Mapping[str, Syncer]) -> dict[str, Page]:
    """By path; `syncers` by family. Read in another thread than the one that syncs: plans are values, and their table
    is copied first.
    """

    def asked(query: Query) -> Syncer:
        return syncers.get(query.get("family", ""), syncers["IPv4"])

    return {
        "/debug/rules": lambda query: rules(asked(query), query),
        "/debug/services": lambda query: services(asked(query), query),
        "/debug/kernel": lambda query: asked(query).world.text(asked(query).book.frame.address),
    }


def rules(syncer: Syncer, query: Query) -> str:
    table = syncer.book.table()
    plan = syncer.book.plans.get(query["service"]) if "service" in query else None
    if "service" not in query:
        return table.text()
    if plan is None:
        return f"no Service {query['service']} on this node\n"
    return _share(table, plan).text()


def services(syncer: Syncer, query: Query) -> list[object]:
    plans = dict(syncer.book.plans)
    keys = [query["service"]] if "service" in query else sorted(plans)
    return [_service(plans[key]) for key in keys if key in plans]


def _share(table: Table, plan: ServicePlan) -> Table:
    """The part of the table that one Service is responsible for."""
    names = {one.name for one in plan.sets}
    sets = {name: one for name, one in table.sets.items() if name in names}
    for name, _ in plan.elements:
        sets[name] = table.sets[name].with_elements([given for at, given in plan.elements if at == name])
    return Table(table.family, table.name, table.comment, sets, {one.name: one for one in plan.chains})


def _service(plan: ServicePlan) -> dict[str, object]:
    return {
        "service": plan.key,
        "sources": [{"object": name, "revision": revision} for name, revision in plan.sources],
        "ports": [_port(port) for port in plan.ports],
    }


def _port(port: PortPlan) -> dict[str, object]:
    return {
        "port": port.name,
        "protocol": port.protocol,
        "clusterIP": port.address,
        "number": port.port,
        "nodePort": port.node_port,
        "external": list(port.external),
        "chain": port.chain,
        "because": port.choice.because,
        "bad": list(port.choice.bad),
        "endpoints": [_endpoint(one, one in port.in_use) for one in port.choice.known],
    }


def _endpoint(one: Endpoint, used: bool) -> dict[str, object]:
    return {"target": one.target, "pod": one.pod, "state": one.state, "local": one.local, "used": used}
