"""The table as the sum of the frame and of all Services' plans.

`replace(plans)` puts new plans in the place of old ones and gives the two *parts* of the table that differ, old and
new, for `nft.changes`: work in proportion to what changed, however many Services there are.

Two Services may name the same element: two ports of one address share it in `cluster-ips`, two Services with the same
Pods share `hairpin` pairs. So each element has claims, and goes when the last claim goes. If two want the same key
for different ends (the API server prevents it), the Service whose name comes first has it.

Invariant: `table()` depends on the plans alone, never on the order in which they came; and the parts are exactly what
differs.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from minik8s.nft.ruleset import Chain, Element, Key, Set, Table
from minik8s.proxy.plan import ServicePlan

Claim = tuple[str, Key]  # the set or map, and the key in it


class Book:
    """All plans, and who claims which element. One thread uses it."""

    def __init__(self, frame: Table) -> None:
        self.frame = frame
        self.plans: dict[str, ServicePlan] = {}
        self._claims: dict[Claim, dict[str, Element]] = defaultdict(dict)

    def replace(self, plans: Mapping[str, ServicePlan]) -> tuple[Table, Table]:
        """The part of the table that these plans touch: before, and after."""
        old = [self.plans[key] for key in plans if key in self.plans]
        touched = sorted({(name, e.key) for one in (*old, *plans.values()) for name, e in one.elements})
        before = self._part(old, touched)
        for key, plan in plans.items():
            self._put(key, plan)
        return before, self._part(plans.values(), touched)

    def table(self) -> Table:
        """The whole table."""
        whole = self._part(self.plans.values(), self._claims)
        sets = {**self.frame.sets, **whole.sets}
        for name, one in self.frame.sets.items():
            sets[name] = one.with_elements([*one.elements.values(), *sets[name].elements.values()])
        return replace(self.frame, sets=sets, chains={**self.frame.chains, **whole.chains})

    def _put(self, key: str, plan: ServicePlan) -> None:
        for name, element in self.plans[key].elements if key in self.plans else ():
            claims = self._claims[name, element.key]
            claims.pop(key, None)
            if not claims:
                del self._claims[name, element.key]
        for name, element in plan.elements:
            self._claims[name, element.key][key] = element
        if plan.sources:
            self.plans[key] = plan
        else:
            self.plans.pop(key, None)  # the Service is gone

    def _part(self, plans: Iterable[ServicePlan], touched: Iterable[Claim]) -> Table:
        chains: dict[str, Chain] = {}
        sets: dict[str, Set] = {}
        for plan in plans:
            chains.update((one.name, one) for one in plan.chains)
            sets.update((one.name, one) for one in plan.sets)
        members: dict[str, list[Element]] = defaultdict(list)
        for name, key in touched:
            claims = self._claims.get((name, key))
            members[name] += [claims[min(claims)]] if claims else []
        sets.update((name, self.frame.sets[name].with_elements(given)) for name, given in members.items())
        return Table(self.frame.family, self.frame.name, self.frame.comment, sets, chains)
