"""Decides which addresses of the LAN a Service of type LoadBalancer has. Pure; of one family or of both.

The only record is each Service's own status, so there is nothing to lose at a restart. Invariants: an address is
given out only when no Service's status names it, so no two get the same however often a round stops halfway; what was
given is kept as long as the Service may have it; of two that have the same, because somebody wrote a status by hand,
the older one keeps it; a Service of another class is left alone.

A Service of both families gets addresses with the same last digits where it can: 192.168.56.203 and fd00:56::203.
"""

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from minik8s import params
from minik8s.api.core import Service
from minik8s.api.meta import key
from minik8s.controllers.actions import Action, Patch, Tell

VIP = "VIP"  # packets come with the address still on them; KEP-1860


@dataclass(frozen=True)
class Pool:
    """A family's addresses, from the first to the last. IPv6 counts in the digits of IPv4: ::209 is before ::210."""

    first: str
    last: str

    @property
    def family(self) -> str:
        return _family(self.first)

    @property
    def addresses(self) -> tuple[str, ...]:
        sign = ":" if ":" in self.first else "."
        network, _, first = self.first.rpartition(sign)
        last = self.last.rpartition(sign)[2]
        return tuple(f"{network}{sign}{number}" for number in range(int(first), int(last) + 1))

    def __str__(self) -> str:
        return f"{self.first}-{self.last}"


@dataclass
class _Round:
    """All Services together, once."""

    pools: Mapping[str, Pool]
    holders: dict[str, str]  # address: the Service that has it
    actions: list[Action] = field(default_factory=list)


def plan(services: Iterable[Service], pools: Sequence[Pool]) -> list[Action]:
    """What to write for these Services; those that concern nobody here may be left out."""
    by_age = sorted(services, key=lambda each: (each.metadata.creationTimestamp or "", key(each)))
    holders: dict[str, str] = {}
    for service in sorted(by_age, key=_claim):
        for address in _named(service):
            holders.setdefault(address, key(service))
    this = _Round({pool.family: pool for pool in pools}, holders)
    for service in by_age:
        if service.spec.type != "LoadBalancer":
            _take_back(service, this)
        elif _ours(service) and service.metadata.deletionTimestamp is None:
            _give(service, this)
    return this.actions


def concerned(service: Service) -> bool:
    """Is there anything to decide for this Service, or has it anything that others cannot have?"""
    return service.spec.type == "LoadBalancer" or bool(service.status.loadBalancer.ingress)


def _claim(service: Service) -> int:
    """Whose word counts first: what a foreign controller gave is not ours to mend, another type has no claim at all."""
    return 2 if service.spec.type != "LoadBalancer" else int(_ours(service))


def _ours(service: Service) -> bool:
    return service.spec.loadBalancerClass in (None, "", params.LOAD_BALANCER_CLASS)


def _take_back(service: Service, this: _Round) -> None:
    """The type was changed. What somebody else gave is somebody else's to take back."""
    given = [each for each in _named(service) if any(each in pool.addresses for pool in this.pools.values())]
    if given:
        because = f"{key(service)} is of type {service.spec.type} now"
        tell = Tell(service, "IPReleased", f"{' and '.join(given)} can be given to others: {because}")
        this.actions.append(_status(service, [], because, tell))


def _give(service: Service, this: _Round) -> None:
    kept = _kept(service, this)
    given, problems = _missing(service, kept, this)
    wanted = [address for family in service.spec.ipFamilies if (address := (kept | given).get(family))]
    if wanted != _named(service) or any(each.ipMode != VIP for each in service.status.loadBalancer.ingress):
        because = _because(service, kept, given, this)
        tell = Tell(service, "IPAllocated", f"Assigned {' and '.join(given.values())}: {because}") if given else None
        this.actions.append(_status(service, wanted, because, tell))
    this.actions += [Tell(service, "AllocationFailed", problem, "Warning") for problem in problems]


def _kept(service: Service, this: _Round) -> dict[str, str]:
    """By family, what the Service has and may keep."""
    kept: dict[str, str] = {}
    asked = _asked(service)
    for address in _named(service):
        family = _family(address)
        pool = this.pools.get(family)
        possible = pool is not None and address in pool.addresses and family in service.spec.ipFamilies
        other = asked and _family(asked) == family and asked != address
        if possible and not other and this.holders[address] == key(service):
            kept.setdefault(family, address)
    return kept


def _missing(service: Service, kept: Mapping[str, str], this: _Round) -> tuple[dict[str, str], list[str]]:
    """By family, what the Service is given now; and why it gets nothing of the others."""
    given: dict[str, str] = {}
    problems = []
    asked, families = _asked(service), service.spec.ipFamilies
    if asked and _family(asked) not in families:
        return {}, [f"spec.loadBalancerIP: {asked} is not of the Service's families: {', '.join(families)}"]
    for family in families:
        if family in kept or family not in this.pools:
            continue
        pool = this.pools[family]
        if asked and _family(asked) == family:
            address, problem = asked, _refusal(asked, pool, this)
        else:
            address = _free(pool, [*kept.values(), *given.values()], families, this)
            problem = "" if address else f"no address is left in {pool}: all {len(pool.addresses)} are held"
        if problem:
            problems.append(problem)
        else:
            given[family] = address
            this.holders[address] = key(service)
    return given, problems


def _refusal(asked: str, pool: Pool, this: _Round) -> str:
    if asked not in pool.addresses:
        return f"spec.loadBalancerIP: {asked} is not in the pool {pool}"
    return f"spec.loadBalancerIP: {asked} is held by {this.holders[asked]}" if asked in this.holders else ""


def _free(pool: Pool, beside: Sequence[str], families: Sequence[str], this: _Round) -> str:
    """The twin of the address that is there already; else the first that is free in each family; else the first."""
    pools = [this.pools[each].addresses for each in families if each in this.pools]
    twins = [pool.addresses[known.index(other)] for other in beside for known in pools if other in known]
    both = [
        address
        for at, address in enumerate(pool.addresses)
        if all(at < len(known) and known[at] not in this.holders for known in pools)
    ]
    return next((each for each in (*twins, *both, *pool.addresses) if each not in this.holders), "")


def _because(service: Service, kept: Mapping[str, str], given: Mapping[str, str], this: _Round) -> str:
    """Why the status changes: what is new decides, else what is lost."""
    asked = _asked(service)
    lost = [each for each in _named(service) if each not in kept.values()]
    stolen = [each for each in lost if this.holders.get(each, key(service)) != key(service)]
    if stolen:
        return f"{stolen[0]} belongs to {this.holders[stolen[0]]}, which had it before {key(service)}"
    if asked and asked in given.values():
        return f"spec.loadBalancerIP of {key(service)} asks for it"
    if given:
        free = " and ".join(str(this.pools[family]) for family in given)
        return f"{key(service)} is of type LoadBalancer, and it was free in {free}"
    return f"{key(service)} may not have {' and '.join(lost)} any more" if lost else f"{VIP} is what we give"


def _status(service: Service, addresses: Sequence[str], because: str, tell: Tell | None) -> Patch:
    ingress = [{"ip": each, "ipMode": VIP} for each in addresses] or None
    unchanged = {"resourceVersion": service.metadata.resourceVersion}
    change = {"status": {"loadBalancer": {"ingress": ingress}}, "metadata": unchanged}
    return Patch(service, change, because, "status", tell)


def _named(service: Service) -> list[str]:
    return [each.ip for each in service.status.loadBalancer.ingress if each.ip]


def _asked(service: Service) -> str:
    """`spec.loadBalancerIP` in its usual form. Deprecated since 1.24, and still what people write."""
    try:
        return str(ipaddress.ip_address(service.spec.loadBalancerIP))
    except ValueError:
        return service.spec.loadBalancerIP


def _family(address: str) -> str:
    return "IPv6" if ":" in address else "IPv4"
