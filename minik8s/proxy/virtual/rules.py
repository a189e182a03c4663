"""What nftables still does when IPVS chooses: refuse where nobody serves, and replace the source where it must be.

The table has the same names as in the other mode and is made from the same plans: a Service's share keeps what says
who is refused (`refused-ips`, `refused-nodeports`), whose address a Service is (`cluster-ips`) and who may reach itself
(`hairpin`). The chains that choose are gone. `service-ips` and `service-nodeports` name only what comes from outside
under policy Cluster, to be masqueraded.

Where IPVS sits decides the rest. It takes what is for a virtual service at the end of `INPUT` (priority 99), and of
the node's own packets at the beginning of `OUTPUT` (-98); so what is still for a ClusterIP after that is for a port
that no Service has.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from minik8s.nft.ruleset import Chain, Hook, Rule, Table
from minik8s.proxy import layout
from minik8s.proxy.layout import Family
from minik8s.proxy.plan import Placed, ServicePlan

AFTER_IPVS = "110"
REST = "refuse-rest"
MASQUERADE = f"goto {layout.MARK_MASQ}"


def frame(family: Family, node: str) -> Table:
    """The table without any Service."""
    table = layout.frame(family, node)
    chains = dict(table.chains)
    ip = family.table
    not_a_pod = f"{ip} daddr @{layout.CLUSTER_IPS} {ip} saddr != @{layout.CLUSTER_PODS} jump {layout.MARK_MASQ}"
    chains["services"] = _with(chains["services"], Rule(not_a_pod, "no Pod asks: the answer must come back this way"))
    # To connection tracking it is not nftables that changed the destination.
    chains["nat-postrouting"] = _mapped(chains["nat-postrouting"], "ct status dnat ", "")
    rest = [rule for rule in chains["refuse-check"].rules if f"@{layout.CLUSTER_IPS}" in rule.text]
    kept = tuple(rule for rule in chains["refuse-check"].rules if rule not in rest)
    chains["refuse-check"] = replace(chains["refuse-check"], rules=kept)
    chains[REST] = Chain(REST, tuple(rest), comment="what IPVS did not take")
    to_rest = Rule(f"ct state new jump {REST}")
    for name in ("filter-forward", "filter-output"):
        chains[name] = replace(chains[name], rules=(*chains[name].rules, to_rest))
    last = Chain("filter-input-last", (to_rest,), Hook("filter", "input", AFTER_IPVS), "after IPVS has had its turn")
    chains[last.name] = last
    return replace(table, chains=chains)


def share(plan: ServicePlan) -> ServicePlan:
    """A Service's share of the table, from its share of the other mode's."""
    ways = {port.external_chain: "return" if port.external_local else MASQUERADE for port in plan.ports}
    elements = tuple(_kept(plan, ways))
    firewalls = {element.verdict.removeprefix("goto ") for _, element in elements}
    chains = tuple(_led(chain, ways) for chain in plan.chains if chain.name in firewalls)
    servers = tuple((port.title, port.affinity, port.in_use, port.outside) for port in plan.ports)
    return replace(plan, chains=chains, sets=(), elements=elements, servers=servers)


def _kept(plan: ServicePlan, ways: Mapping[str, str]) -> Iterator[Placed]:
    """All elements but those that only lead to a choice."""
    choices = {port.chain for port in plan.ports}
    for name, element in plan.elements:
        chain = element.verdict.removeprefix("goto ")
        verdict = ways.get(chain, element.verdict)
        if chain not in choices and verdict != "return":
            yield name, replace(element, verdict=verdict)


def _led(chain: Chain, ways: Mapping[str, str]) -> Chain:
    """A firewall's chain: whom it lets pass goes on to IPVS."""
    for old, verdict in ways.items():
        chain = _mapped(chain, f"goto {old}", verdict)
    return chain


def _with(chain: Chain, first: Rule) -> Chain:
    return replace(chain, rules=(first, *chain.rules))


def _mapped(chain: Chain, old: str, new: str) -> Chain:
    """The same rules with `new` where they end in `old` or begin with it."""
    return replace(chain, rules=tuple(replace(rule, text=rule.text.replace(old, new)) for rule in chain.rules))
