"""What a Service's addresses and address families must keep to, alone and when they change. Pure.

A Service has one family or both; the first of each list is its primary one and stays for life. Source: KEP-563;
Kubernetes' ValidateServiceClusterIPsRelatedFields and its checks of upgrades and downgrades, in their order.
"""

from typing import Any

from minik8s.api.core import Service
from minik8s.api.validation.fields import Problems, family

FAMILIES = {4: "IPv4", 6: "IPv6"}
POLICIES = ("PreferDualStack", "RequireDualStack", "SingleStack")


def family_of(address: str) -> str:
    """`IPv4` or `IPv6`, for an address that is valid."""
    return FAMILIES[family(address)]


def is_headless(service: Service) -> bool:
    return service.spec.clusterIPs == ["None"]


def check(problems: Problems, service: Service) -> None:
    """clusterIP, clusterIPs, ipFamilies and ipFamilyPolicy, each by itself and against the others."""
    if service.spec.type == "ExternalName":
        _check_none(problems, service)
        return
    _check_first(problems, service)
    for at, name in enumerate(service.spec.ipFamilies):
        problems.one_of(f"spec.ipFamilies[{at}]", name, FAMILIES.values())
        if name in service.spec.ipFamilies[:at]:
            problems.duplicate(f"spec.ipFamilies[{at}]", name)
    if service.spec.ipFamilyPolicy is not None:
        problems.one_of("spec.ipFamilyPolicy", service.spec.ipFamilyPolicy, POLICIES)
    if _check_texts(problems, service):
        _check_pairs(problems, service)


def _check_none(problems: Problems, service: Service) -> None:
    """A name elsewhere has no address here."""
    for field in ("clusterIPs", "ipFamilies", "ipFamilyPolicy"):
        if getattr(service.spec, field):
            problems.forbidden(f"spec.{field}", "may not be set for ExternalName services")


def _check_first(problems: Problems, service: Service) -> None:
    first, several = service.spec.clusterIP, service.spec.clusterIPs
    if first and not several:
        problems.required("spec.clusterIPs")
    elif first and several[0] != first:
        problems.invalid("spec.clusterIPs", several, "first value must match `clusterIP`")
    elif several and not first:
        problems.invalid("spec.clusterIPs", several, "must be empty when `clusterIP` is not specified")


def _check_texts(problems: Problems, service: Service) -> bool:
    """Is each an address, or the one value 'None'? Only then do the others' checks say anything."""
    several, before = service.spec.clusterIPs, len(problems.causes)
    if several[:1] == ["None"] and len(several) > 1:
        problems.invalid("spec.clusterIPs", several, "'None' must be the first and only value")
    for at, address in enumerate(several):
        if at or address != "None":
            problems.address(f"spec.clusterIPs[{at}]", address)
    good = len(problems.causes) == before
    if len(several) > 2:
        problems.invalid("spec.clusterIPs", several, "may only hold up to 2 values")
    return good


def _check_pairs(problems: Problems, service: Service) -> None:
    several = service.spec.clusterIPs
    if len(several) > 1 and {family_of(each) for each in several} != set(FAMILIES.values()):
        problems.invalid("spec.clusterIPs", several, "may specify no more than one IP for each IP family")
    if is_headless(service):
        return
    for at, (name, address) in enumerate(zip(service.spec.ipFamilies, several, strict=False)):
        if name in FAMILIES.values() and family_of(address) != name:
            problems.invalid(
                f"spec.clusterIPs[{at}]", address, f"expected an {name} value as indicated by `ipFamilies[{at}]`"
            )


# --- Changes ---------------------------------------------------------------------------------------------------------


def check_change(problems: Problems, new: Service, old: Service) -> None:
    """The primary address and family are kept for life; the second may come, and go by a word of the policy."""
    if "ExternalName" in (new.spec.type, old.spec.type):
        return
    if not (is_headless(new) and is_headless(old)):
        _check_kept(problems, new, "clusterIPs", old.spec.clusterIPs)
    if not is_headless(new) and not is_headless(old):
        _check_kept(problems, new, "ipFamilies", old.spec.ipFamilies)


# Field → what upstream calls the first one, and the second one.
WORDS = {"clusterIPs": ("primary clusterIP", "clusterIP"), "ipFamilies": ("primary ipFamily", "ipFamily")}


def _check_kept(problems: Problems, new: Service, field: str, before: list[str]) -> None:
    after: list[Any] = getattr(new.spec, field)
    first, second = WORDS[field]
    if len(before) > len(after) == 0:
        problems.invalid(f"spec.{field}[0]", after, f"{first} can not be unset")
    for at, (one, other) in enumerate(zip(before, after, strict=False)):
        # Of lists that differ in length it is the first that counts; what else differs is said elsewhere.
        if one != other and (at == 0 or len(before) == len(after)):
            problems.invalid(f"spec.{field}[{at}]", after, "may not change once set")
    if len(before) > len(after) == 1 and new.spec.ipFamilyPolicy != "SingleStack":
        detail = f"must be set to 'SingleStack' when releasing the secondary {second}"
        problems.invalid("spec.ipFamilyPolicy", new.spec.ipFamilyPolicy, detail)
