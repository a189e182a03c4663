"""The ways of spreading packets that `--proxy-mode` names, and where each takes part in a sync.

In every mode the same plans say who is meant and who is chosen, and a table `minik8s` is written. What differs is who
chooses for each connection: rules of that table, or the kernel's IPVS.

- `nftables`: the plans' own rules.
- `ipvs`: virtual services, see `virtual/`; the table keeps what IPVS cannot do.
- `sidecar`: for Pods a process of its own, see `sidecar/`; here the rules, for the node itself and clients outside.

A mode also takes away what the other one left, so that a cluster can change from one to the other.
"""

from collections.abc import Mapping

from minik8s.host.health import Page, Query
from minik8s.nft.ruleset import Table
from minik8s.proxy import ipvs, layout
from minik8s.proxy.layout import Family
from minik8s.proxy.plan import ServicePlan
from minik8s.proxy.virtual import rules
from minik8s.proxy.virtual import sync as virtual

Plans = Mapping[str, ServicePlan]


class Nftables:
    """The default: rules choose."""

    pages: dict[str, Page] = {}
    alone = False  # nothing is left of another mode

    @property
    def period(self) -> float | None:
        """Seconds until the next look; None: when something changes."""
        return None

    def start(self) -> None:
        """Before anything else. NoIpvs: this kernel cannot do what the mode needs."""

    def frame(self, family: Family, node: str) -> Table:
        return layout.frame(family, node)

    def before(self, family: Family, plans: Plans) -> Plans:
        """Before a family's table is changed: what of these plans is for the table."""
        return plans

    def after(self) -> None:
        """The tables are in force."""
        if not self.alone and ipvs.left_behind():
            virtual.leave()
        self.alone = True


class Ipvs(Nftables):
    """The kernel's load balancer chooses."""

    def __init__(self) -> None:
        self._servers = {family.name: virtual.Servers(family) for family in (layout.IPV4, layout.IPV6)}
        self.pages = {"/debug/ipvs": self._page}

    @property
    def period(self) -> float:
        return max(one.period for one in self._servers.values())

    def start(self) -> None:
        ipvs.load()

    def frame(self, family: Family, node: str) -> Table:
        return rules.frame(family, node)

    def before(self, family: Family, plans: Plans) -> Plans:
        self._servers[family.name].sync(plans)
        return {key: rules.share(plan) for key, plan in plans.items()}

    def after(self) -> None:
        pass

    def _page(self, query: Query) -> object:
        """The kernel's listing; with `service=` (and `family=`) that Service's virtual services, for programs."""
        if "service" not in query:
            return ipvs.text()
        return self._servers[query.get("family", "IPv4")].shown(query["service"])


MODES: dict[str, type[Nftables]] = {"nftables": Nftables, "ipvs": Ipvs, "sidecar": Nftables}
