"""What all Services together want of IPVS, and who claims what.

Two Services may share an address (an external IP with two ports), or even want the same virtual service; then the one
whose name comes first has it, as in the rules. So each address and each virtual service has claims, and goes with the
last one. `put` says what a Service's new plan touches, so that a change costs what it touches.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from minik8s.proxy.plan import ServicePlan
from minik8s.proxy.virtual.plan import Key, State, wanted

Name = Key | str  # a virtual service, or an address


class Book:
    """All Services' wishes, in one family. One thread changes it."""

    def __init__(self, local: tuple[str, ...] = ()) -> None:
        self.local = local  # the addresses that node ports are served on
        self.plans: dict[str, ServicePlan] = {}
        self._states: dict[str, State] = {}
        self._claims: dict[Name, set[str]] = defaultdict(set)

    def put(self, plans: Mapping[str, ServicePlan]) -> set[Name]:
        """Take these plans over the old ones; what is touched."""
        touched: set[Name] = set()
        for key, plan in plans.items():
            old = _names(self._states.pop(key, State()))
            self.plans.pop(key, None)
            if plan.sources:  # else the Service is gone
                self.plans[key] = plan
                self._states[key] = wanted([plan], self.local)
            new = _names(self._states.get(key, State()))
            for name in old - new:
                self._claims[name].discard(key)
            for name in new - old:
                self._claims[name].add(key)
            touched |= old | new
        return touched

    def want(self, names: Iterable[Name] | None = None) -> State:
        """What is wanted of these names; of all: None."""
        claimed = [
            (name, min(found))
            for name in (self._claims if names is None else names)
            if (found := self._claims.get(name))
        ]
        virtuals = {name: self._states[key].virtuals[name] for name, key in claimed if isinstance(name, Key)}
        return State(virtuals, frozenset(name for name, _ in claimed if isinstance(name, str)))


def _names(state: State) -> set[Name]:
    return {*state.virtuals, *state.addresses}
