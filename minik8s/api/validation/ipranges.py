"""What IPAddress and ServiceCIDR must keep to. Source: Kubernetes' ValidateIPAddress and ValidateServiceCIDR."""

import ipaddress

from minik8s.api.networking import IPAddress, ServiceCIDR
from minik8s.api.validation.fields import Problems

ONE_EACH = "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64"


def check_address(problems: Problems, address: IPAddress) -> None:
    parent = address.spec.parentRef
    if parent is None:
        problems.required("spec.parentRef")
        return
    for field in ("resource", "name"):
        if not getattr(parent, field):
            problems.required(f"spec.parentRef.{field}")


def check_address_update(problems: Problems, new: IPAddress, old: IPAddress) -> None:
    problems.immutable("spec.parentRef", new.spec.parentRef, old.spec.parentRef)


def check_range(problems: Problems, cidr: ServiceCIDR) -> None:
    given = cidr.spec.cidrs
    if not given:
        problems.required("spec.cidrs", "at least one CIDR required")
    families = []
    for at, text in enumerate(given):
        try:
            network = ipaddress.ip_network(text)
        except ValueError:
            hint = "must be a valid CIDR value in canonical form (e.g. 10.9.8.0/24 or 2001:db8::/64)"
            problems.invalid(f"spec.cidrs[{at}]", text, hint)
        else:
            families.append(network.version)
    if len(given) > 2:
        problems.invalid("spec.cidrs", given, "may only hold up to 2 values")
    elif len(families) == 2 and len(set(families)) == 1:
        problems.invalid(
            "spec.cidrs",
            given,
            ONE_EACH,
        )


def check_range_update(problems: Problems, new: ServiceCIDR, old: ServiceCIDR) -> None:
    """A range of one family may be given one of the other; nothing else changes."""
    joined = len(old.spec.cidrs) == 1 and len(new.spec.cidrs) == 2 and new.spec.cidrs[0] == old.spec.cidrs[0]
    if not joined:
        problems.immutable("spec.cidrs", new.spec.cidrs, old.spec.cidrs)
