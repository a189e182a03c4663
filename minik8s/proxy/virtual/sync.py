"""IPVS kept in step with the plans of all Services, and the change from one mode to the other.

IPVS comes first, the small table second (`proxy/sync.py`): while a cluster changes to IPVS, the old table translates
until everything stands behind it; on the way back the table stands before IPVS is emptied. New connections meet no
gap either way. Connections that IPVS holds are reset when it is emptied: nobody else knows them.

A change costs what it touches: it is compared with what was seen last and done since. IPVS tells nobody of changes, so
every few seconds all of it is looked at: drained servers leave then, what somebody else did is mended, and node ports
follow the node's addresses.

Invariant: only what is ours is touched: what stands on an address of `kube-ipvs0`, on a node port, or is wanted.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

from minik8s import params
from minik8s.api.addresses import host_port
from minik8s.host import clock
from minik8s.proxy import ipvs
from minik8s.proxy.layout import IPV4, IPV6, Family
from minik8s.proxy.plan import ServicePlan
from minik8s.proxy.virtual.book import Book
from minik8s.proxy.virtual.plan import State, after, busy, owned, part, plan, removal, wanted

log = logging.getLogger(__name__)


@dataclass
class Servers:
    """IPVS of one node, in one family. One thread uses it."""

    family: Family
    book: Book = field(default_factory=Book)
    known: State | None = None  # what IPVS had when it was last seen, and what was done since; None: look
    due: float = 0.0  # when all of it is to be looked at again, by the monotonic clock
    period: float = params.IPVS_SYNC_PERIOD_S

    def sync(self, plans: Mapping[str, ServicePlan]) -> None:
        """Bring IPVS to what these plans want; without any, look at all of it. Refused: not all was done."""
        touched = self.book.put(plans)
        started = clock.monotonic()
        if self.known is None or not plans or started >= self.due:
            self._look()
            # Looking takes a twentieth of the time at most.
            self.period = max(params.IPVS_SYNC_PERIOD_S, 20 * (clock.monotonic() - started))
            self.due = started + self.period
        else:
            self._apply(self.book.want(touched), part(self.known, touched))

    def _look(self) -> None:
        if self.known is None:
            ipvs.prepare()
        there, every = ipvs.observe(self.family)
        services = self.book.want().addresses  # one may be announced by this node: no node port belongs there
        local = tuple(one for one in every if one not in services)
        if local != self.book.local:
            plans, self.book = self.book.plans, Book(local)
            self.book.put(plans)
        want = self.book.want()
        seen = owned(there, want)
        self.known = busy(seen)
        self._apply(want, seen)

    def _apply(self, want: State, seen: State) -> None:
        actions = plan(want, seen)
        for action in actions:
            log.info("ipvs: %s", action)
        known, self.known = self.known or State(), None
        ipvs.apply(actions)
        self.known = after(known, actions)

    def shown(self, service: str) -> list[dict[str, object]]:
        """One Service's virtual services as the kernel has them. From any thread."""
        known = self.book.plans.get(service)
        want = wanted([known] if known else [], self.book.local)
        seen = ipvs.observe(self.family)[0].virtuals
        return [
            {
                "virtual": str(key),
                "scheduler": seen[key].scheduler,
                "persistent": seen[key].persistent,
                "servers": [
                    {
                        "target": host_port(*target),
                        "weight": real.weight,
                        "connections": real.connections,
                        "who": one.who.get(target, "a server that no EndpointSlice names any more"),
                    }
                    for target, real in sorted(seen[key].reals.items())
                ],
            }
            for key, one in sorted(want.virtuals.items())
            if key in seen
        ]


def leave() -> None:
    """Take away what a proxy in IPVS mode left behind."""
    for family in (IPV4, IPV6):
        ipvs.apply(removal(owned(ipvs.observe(family)[0], State())))
    ipvs.remove_link()
    log.info("ipvs: a former proxy's virtual services and %s are gone", params.IPVS_LINK)
