"""Look, plan, commit: brings the kernel's table to what the Services want, and says what it did.

The first sync replaces the table in one transaction, with all Services in it, so that a restart of the proxy leaves
no gap. Every later one commits only what differs. All Services that are waiting go into one transaction.

When the kernel refuses a transaction, our picture of it may be wrong: the whole table is written. If that is refused
too, the last good table stays in force and the Services are tried one by one, so that one bad Service does not hold
up the others; the refused one is logged, counted and left as it was until it changes.

When somebody else wrote into the table (`guard.py` notices), it is no longer what the book says: written anew, whole.

Invariant: `book` holds what the kernel has. One thread uses a `Syncer`.
"""

import logging
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from minik8s.host import clock
from minik8s.host.journal import Journal
from minik8s.nft.changes import changes
from minik8s.nft.flows import Flows
from minik8s.nft.kernel import NftError
from minik8s.nft.ruleset import Table, replacement
from minik8s.proxy.book import Book
from minik8s.proxy.layout import AFFINITY, IPV4, IPV6, Family
from minik8s.proxy.metrics import Metrics
from minik8s.proxy.plan import ServicePlan
from minik8s.proxy.why import difference, stale_flows
from minik8s.proxy.world import World

log = logging.getLogger(__name__)
Plans = dict[str, ServicePlan]

_TARGET = re.compile(r" l4proto (tcp|udp) dnat to (\S+)$")  # where a rule leads


@dataclass
class Syncer:
    """Keeps one table in step."""

    book: Book
    world: World
    journal: Journal
    metrics: Metrics
    loaded: bool = False

    @property
    def family(self) -> Family:
        return {one.table: one for one in (IPV4, IPV6)}[self.book.frame.family]

    def sync(self, keys: Iterable[str], look: Callable[[str], ServicePlan]) -> None:
        """Plan these Services anew and commit what differs."""
        started = clock.monotonic()
        wanted = {key: look(key) for key in sorted(keys)}
        before = {key: self.book.plans[key] for key in wanted if key in self.book.plans}
        first = not self.loaded
        accepted = self._load(wanted) if first else self._change(wanted)
        if accepted or first:
            self._record(before, accepted, clock.monotonic() - started, first)
        # An endpoint may end its service long after it left the rules: asked even if no rule changed.
        self.world.forget(stale_flows(before, self._in_force(wanted)))
        self.metrics.synced(clock.monotonic() - started)

    def mend(self, foreign: Mapping[str, str]) -> None:
        """If somebody else wrote into our table (by table: who), all of it anew. NftError: refused, come again."""
        who = foreign.get(self.book.frame.address)
        if who is None or not self.loaded:
            return
        started = clock.monotonic()
        self._rewrite()
        # While the rules were gone, UDP clients may have begun flows that nothing translates.
        self.world.forget(stale_flows({}, self.book.plans))
        because = f"{who} wrote into table {self.book.frame.address}: all its rules are written anew"
        took, services = round((clock.monotonic() - started) * 1000, 2), sorted(self.book.plans)
        self.journal.record("rules", because, added=[], removed=[], services=services, foreign=who, ms=took)
        log.warning("rules: %s (%.1f ms)", because, took)
        self.metrics.mended()

    # --- Commits -----------------------------------------------------------------------------------------------------

    def _load(self, wanted: Plans) -> Plans:
        """The first time: everything at once, keeping what a former proxy remembered of clients."""
        found = self.world.observe(self.book.frame.address)
        self.book.replace(wanted)
        try:
            self.world.apply(replacement(self.book.table(), found, AFFINITY))
        except NftError as error:
            wanted = self._one_by_one(wanted, error)
        self.loaded = True
        self.world.forget(_left_behind(found, self.book.plans))
        return wanted

    def _change(self, wanted: Plans) -> Plans:
        """What differs. The plans that took effect."""
        differ = {key: plan for key, plan in wanted.items() if self._differs(key, plan)}
        for key in wanted.keys() - differ.keys():
            self.book.replace({key: wanted[key]})  # new revisions, same rules: the debug page shows them
        if not differ:
            return {}
        before = self._in_force(differ)
        commands = "\n".join(changes(*self.book.replace(differ)))
        try:
            self.world.apply(commands)
            return differ
        except NftError as error:
            log.warning("the kernel refused a change, writing the whole table: %s", error)
            self.metrics.failed()
        try:
            self._rewrite()
            return differ
        except NftError as error:
            self.book.replace(before)
            return self._one_by_one(differ, error)

    def _rewrite(self) -> None:
        self.world.apply(replacement(self.book.table(), self.world.observe(self.book.frame.address), AFFINITY))

    def _one_by_one(self, wanted: Plans, error: NftError) -> Plans:
        """The kernel refuses the whole: find out whose fault it is, and let the others pass."""
        log.error("the kernel refused the whole table, trying each Service alone: %s", error.said)
        self.book.replace({key: ServicePlan(key) for key in wanted if not self.loaded})
        self._rewrite()
        accepted = {}
        for key, plan in wanted.items():
            before = self._in_force([key])
            try:
                self.world.apply("\n".join(changes(*self.book.replace({key: plan}))))
                accepted[key] = plan
            except NftError as fault:
                self.book.replace(before)
                self.metrics.refused(key)
                log.error("Service %s is at fault, its old rules stay: %s", key, fault)
        return accepted

    def _in_force(self, keys: Iterable[str]) -> Plans:
        return {key: self.book.plans.get(key, ServicePlan(key)) for key in keys}

    def _differs(self, key: str, plan: ServicePlan) -> bool:
        return self.book.plans.get(key, ServicePlan(key)).rules != plan.rules

    # --- Telling -----------------------------------------------------------------------------------------------------

    def _record(self, before: Plans, after: Plans, seconds: float, first: bool) -> None:
        """One entry for one transaction."""
        what = difference(before, after)
        because = f"the proxy started: the whole table, {len(after)} Services" if first else what.because
        sources = _sources(before, after)
        self.journal.record(
            "rules",
            because,
            [name for name, _ in sources],
            [revision for _, revision in sources],
            added=list(what.added),
            removed=list(what.removed),
            services=sorted(after),
            ms=round(seconds * 1000, 2),
        )
        log.info("rules: %s (%.1f ms)", because, seconds * 1000)
        self.metrics.changed(len(what.added) + len(what.removed), len(after))


def _sources(before: Mapping[str, ServicePlan], after: Mapping[str, ServicePlan]) -> list[tuple[str, str]]:
    """The objects behind a change, each once; of a Service that is gone, its last ones."""
    sources: dict[str, str] = {}
    for key, plan in sorted(after.items()):
        known = before.get(key)
        sources.update(plan.sources or (known.sources if known else ()))
    return sorted(sources.items())


def _left_behind(found: Table | None, plans: Mapping[str, ServicePlan]) -> list[Flows]:
    """Endpoints that a former proxy's table still had and that serve no longer: they went while no proxy ran."""
    rules = [rule.text for chain in (found.chains.values() if found else ()) for rule in chain.rules]
    had = {match.groups() for text in rules if (match := _TARGET.search(text))}
    ports = [port for plan in plans.values() for port in plan.ports]
    serving = {(port.protocol, one.target) for port in ports for one in port.choice.known if one.serving}
    gone = ((protocol, target.rpartition(":")) for protocol, target in had - serving)
    return [Flows(protocol, address.strip("[]"), int(number)) for protocol, (address, _, number) in sorted(gone)]
