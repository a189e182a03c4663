"""Which objects belong to a Service, a Deployment, a ReplicaSet or a Pod. Pure.

The ties are read from what the writers themselves looked at: a Pod was made from a ReplicaSet, that from a Deployment,
and an EndpointSlice from a Service and the Pods behind it. So the family of an object that is gone is found as well.

Read next: plan.py.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from minik8s.explain import facts
from minik8s.explain.facts import Fact

NOTHING: Mapping[str, Iterable[str]] = {}


class Ties:
    """Owners and members, both ways."""

    def __init__(self, known: Iterable[Fact], selected: Mapping[str, Iterable[str]] = NOTHING) -> None:
        """`selected`: Service → the Pods its selector matches now, also those that no slice has named yet."""
        self.owners: dict[str, set[str]] = defaultdict(set)
        self.owned: dict[str, set[str]] = defaultdict(set)
        self.service_of: dict[str, str] = {}  # slice → Service
        self.pods_of: dict[str, set[str]] = defaultdict(set)  # Service → Pods
        for service, pods in selected.items():
            self.pods_of[service].update(pods)
        for fact in known:
            self._learn(fact)

    def _learn(self, fact: Fact) -> None:
        seen = [name for name, _ in fact.seen]
        if fact.stage == facts.MADE:
            for owner in seen:
                if owner.startswith(("replicasets/", "deployments/")):
                    self.owners[fact.object].add(owner)
                    self.owned[owner].add(fact.object)
        if fact.stage == facts.ENDPOINTS:
            for service in (name for name in seen if name.startswith("services/")):
                self.service_of[fact.object] = service
                self.pods_of[service].update(name for name in seen if name.startswith("pods/"))

    def family(self, target: str) -> set[str]:
        """All objects whose facts belong to the target's history, itself included."""
        pods = self._pods(target)
        family = {target, *pods}
        if not target.startswith("pods/"):
            # Its Pods' makers, and what else these made: a successor is of the family before any slice names it.
            above = {each for pod in pods for each in self._above(pod)}
            family |= above.union(*(self._below(each) for each in above))
        family |= self._below(target)
        services = {target} if target.startswith("services/") else self.services(pods)
        family |= self.slices(services)
        return family | (services if not target.startswith("pods/") else set())

    def services(self, pods: Iterable[str]) -> set[str]:
        """The Services that these Pods were ever behind."""
        wanted = set(pods)
        return {service for service, members in self.pods_of.items() if members & wanted}

    def slices(self, services: Collection[str]) -> set[str]:
        return {each for each, service in self.service_of.items() if service in services}

    def _pods(self, target: str) -> set[str]:
        if target.startswith("services/"):
            return set(self.pods_of[target])
        return {name for name in {target} | self._below(target) if name.startswith("pods/")}

    def _below(self, name: str) -> set[str]:
        found = set(self.owned[name])
        return found.union(*(self._below(each) for each in self.owned[name]))

    def _above(self, name: str) -> set[str]:
        found = set(self.owners[name])
        return found.union(*(self._above(each) for each in self.owners[name]))
