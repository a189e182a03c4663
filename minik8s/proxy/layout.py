"""The frame of the table: what is there before the first Service, and how things in it are called.

A packet's questions, in the order of the frame:
  WHO is meant?    `service-ips` and `service-nodeports`: one map look-up, however many Services there are.
  WHICH endpoint?  `svc/NAMESPACE/NAME/PORT`: one chain for each Service port, one rule for each endpoint (`plan.py`).
  WHAT if none?    `refused-ips`, `refused-nodeports`: an honest refusal instead of a time-out.
  COME BACK how?   `mark-masq` and `hairpin`: when the answer would otherwise not pass through this node again.

Invariant: everything in the table can be read without this program: each name tells whose it is, each rule that
surprises has a comment. Why each base chain hangs where it does is drawn in README.md.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from minik8s import params
from minik8s.nft.ruleset import Chain, Element, Hook, Rule, Set, Table

AFFINITY = "aff/"  # sets that remember clients: kept over a restart of the proxy
SERVICE_IPS, SERVICE_NODEPORTS = "service-ips", "service-nodeports"
REFUSED_IPS, REFUSED_NODEPORTS = "refused-ips", "refused-nodeports"
CLUSTER_IPS, CLUSTER_PODS, HAIRPIN = "cluster-ips", "cluster-pods", "hairpin"
BALANCER_IPS = "balancer-ips"
REFUSE, NO_LOCAL_ENDPOINT, NOT_ALLOWED, MARK_MASQ = "refuse", "no-local-endpoint", "not-allowed", "mark-masq"
_MARK = params.MARK_MASQUERADE


@dataclass(frozen=True)
class Family:
    """What differs between IPv4 and IPv6 in nft's language."""

    name: str  # as EndpointSlice.addressType and Service.spec.ipFamilies say it
    table: str
    type: str
    icmp: str
    loopback: str
    cluster_cidr: str

    def own(self, addresses: Iterable[str]) -> tuple[str, ...]:
        """Those addresses and ranges that are of this family, each once, in their order."""
        return tuple(dict.fromkeys(each for each in addresses if (":" in each) == (self.table == "ip6")))


IPV4 = Family("IPv4", "ip", "ipv4_addr", "icmp", "127.0.0.0/8", params.CLUSTER_CIDR)
IPV6 = Family("IPv6", "ip6", "ipv6_addr", "icmpv6", "::1", params.CLUSTER_CIDR_V6)


def frame(family: Family, node: str) -> Table:
    """The table without any Service."""
    sets = [*_maps(family), *_sets(family)]
    chains = [*_nat_hooks(family), *_filter_hooks(), *_steps(family)]
    return Table(
        family.table,
        params.TABLE_PROXY,
        f"minik8s service proxy, {node}; written by the proxy, do not edit",
        {one.name: one for one in sets},
        {one.name: one for one in chains},
    )


def chain_name(kind: str, service: str, port: str, *more: str) -> str:
    """`svc/default/web/http`. nft allows no colon in names, so IPv6 addresses are written with dashes."""
    return "/".join([kind, service, port, *more]).replace(":", "-")


def _maps(family: Family) -> list[Set]:
    by_address = f"{family.type} . inet_proto . inet_service"
    by_port = "inet_proto . inet_service"
    return [
        Set(SERVICE_IPS, by_address, is_map=True),
        Set(SERVICE_NODEPORTS, by_port, is_map=True),
        Set(REFUSED_IPS, by_address, is_map=True),
        Set(REFUSED_NODEPORTS, by_port, is_map=True),
    ]


def _sets(family: Family) -> list[Set]:
    pods = Element((family.cluster_cidr,))
    return [
        Set(CLUSTER_IPS, family.type),
        Set(CLUSTER_PODS, family.type, flags=("interval",)).with_elements([pods]),
        Set(BALANCER_IPS, family.type),
        Set(HAIRPIN, f"{family.type} . {family.type}"),
    ]


def _nat_hooks(family: Family) -> list[Chain]:
    ip = family.table
    unmark = f"meta mark & {_MARK:#x} != 0 meta mark set meta mark & {0xFFFFFFFF ^ _MARK:#x} masquerade fully-random"
    hairpin = f"ct status dnat {ip} saddr . {ip} daddr @{HAIRPIN} masquerade fully-random"
    to_services = (Rule("jump services"),)
    return [
        Chain("nat-prerouting", to_services, Hook("nat", "prerouting", "dstnat"), "from Pods and from outside"),
        Chain("nat-output", to_services, Hook("nat", "output", "-100"), "from this node's own processes"),
        Chain(
            "nat-postrouting",
            (Rule(unmark, f"marked by {MARK_MASQ}"), Rule(hairpin, "a pod reached itself through its Service")),
            Hook("nat", "postrouting", "srcnat"),
            "after the choice: whose address does the endpoint see?",
        ),
    ]


def _filter_hooks() -> list[Chain]:
    check = (Rule("ct state new jump refuse-check"),)
    return [
        Chain("filter-input", check, Hook("filter", "input", "filter"), "for this node: node ports"),
        Chain("filter-forward", check, Hook("filter", "forward", "filter"), "passing through"),
        Chain("filter-output", check, Hook("filter", "output", "filter"), "from this node's own processes"),
    ]


def _steps(family: Family) -> list[Chain]:
    ip = family.table
    by_address = f"{ip} daddr . meta l4proto . th dport vmap"
    # The node that announces a load balancer's address has it as one of its own, and is no other node for that.
    own = f"{ip} daddr != {family.loopback} {ip} daddr != @{BALANCER_IPS} fib daddr type local"
    here = f"{own} meta l4proto . th dport vmap"
    return [
        Chain(
            "services",
            (
                Rule(f"{by_address} @{SERVICE_IPS}", "a Service's own address?"),
                Rule(f"{here} @{SERVICE_NODEPORTS}", "a node port on any address of the node itself but loopback?"),
            ),
            comment="which Service is meant",
        ),
        Chain(MARK_MASQ, (Rule(f"meta mark set meta mark | {_MARK:#x}"),), comment="replace the source on the way out"),
        Chain(
            "refuse-check",
            (
                Rule(f"{by_address} @{REFUSED_IPS}"),
                Rule(f"{here} @{REFUSED_NODEPORTS}"),
                Rule(f"{ip} daddr @{CLUSTER_IPS} goto {REFUSE}", "a port or protocol that no Service has"),
            ),
            comment="for a Service that nobody serves",
        ),
        Chain(
            REFUSE,
            (
                Rule("meta l4proto tcp reject with tcp reset"),
                Rule(f"reject with {family.icmp} type port-unreachable"),
            ),
            comment="an answer at once is kinder than silence",
        ),
        Chain(NO_LOCAL_ENDPOINT, (Rule("drop"),), comment="traffic policy Local, and no endpoint on this node"),
        Chain(NOT_ALLOWED, (Rule("drop"),), comment="loadBalancerSourceRanges do not name this sender"),
    ]
