"""Which address families a Service has: what it asks for, what it had, and what the cluster can give. Pure.

    SingleStack        one family (the default): the first of the cluster, unless the Service names another
    PreferDualStack    both, where the cluster has both
    RequireDualStack   both, or the Service is refused

Invariants: nothing but the policy, or a second entry in a list, makes a Service of one family one of two or the other
way round; the order of the families is the user's. Source: KEP-563; Kubernetes' initIPFamilyFields, whose order and
words these are. Read `services.py` (who calls this) and `allocation.py` (which addresses the families then get).
"""

from collections.abc import Sequence

from minik8s.api.core import Service
from minik8s.api.defaults import WITH_CLUSTER_IP
from minik8s.api.validation import families
from minik8s.api.validation.fields import Problems
from minik8s.apiserver.allocating.allocation import Refused

SINGLE, PREFER, REQUIRE = "SingleStack", "PreferDualStack", "RequireDualStack"
OTHER = {"IPv4": "IPv6", "IPv6": "IPv4"}
SEVERAL = "must be 'RequireDualStack' or 'PreferDualStack' when multiple {} are specified"


def settle(new: Service, old: Service | None, cluster: Sequence[str]) -> None:
    """Complete ipFamilyPolicy and ipFamilies in place. `cluster`: its families, the first one first. Raises Refused."""
    if new.spec.type == "ExternalName" or (old is not None and _rests(new, old)):
        return
    new.spec.ipFamilyPolicy = new.spec.ipFamilyPolicy or _policy(new, old)
    problems = Problems()
    families.check(problems, new)
    _refuse(problems)
    if old is not None:
        _follow_policy(problems, new, old)
    _check_policy(problems, new)
    _infer(problems, new, cluster)
    _refuse(problems)
    if _points_anywhere(new):
        _complete(new, cluster[0])
        return
    _check_cluster(problems, new, cluster)
    _refuse(problems)
    _complete(new, cluster[0], len(cluster) > 1)


def _rests(new: Service, old: Service) -> bool:
    """A Service that prefers both keeps what it has, also when the cluster has meanwhile won or lost a family."""
    same_type = new.spec.type == old.spec.type and new.spec.type in WITH_CLUSTER_IP
    prefers = new.spec.ipFamilyPolicy == PREFER and old.spec.ipFamilyPolicy in (PREFER, None)
    same = (new.spec.clusterIPs, new.spec.ipFamilies) == (old.spec.clusterIPs, old.spec.ipFamilies)
    return same_type and prefers and same


def _policy(new: Service, old: Service | None) -> str:
    if old is not None and old.spec.ipFamilyPolicy:
        return old.spec.ipFamilyPolicy
    return REQUIRE if _points_anywhere(new) else SINGLE


def _points_anywhere(service: Service) -> bool:
    """Headless and without selector: endpoints written by hand, of whatever family, whatever the cluster has."""
    return service.spec.clusterIP == "None" and not service.spec.selector


def _follow_policy(problems: Problems, new: Service, old: Service) -> None:
    """SingleStack alone is a clear word: what was not changed is cut to its first. Without it, cutting is a mistake."""
    spec = new.spec
    if spec.ipFamilyPolicy == SINGLE:
        if spec.clusterIPs == old.spec.clusterIPs:
            spec.clusterIPs = spec.clusterIPs[:1]
        if spec.ipFamilies == old.spec.ipFamilies:
            spec.ipFamilies = spec.ipFamilies[:1]
        return
    for before, after, what in (
        (old.spec.clusterIPs, spec.clusterIPs, "cluster IP"),
        (old.spec.ipFamilies, spec.ipFamilies, "IP family"),
    ):
        if 0 < len(after) < len(before):
            detail = f"must be 'SingleStack' to release the secondary {what}"
            problems.invalid("spec.ipFamilyPolicy", spec.ipFamilyPolicy, detail)


def _check_policy(problems: Problems, new: Service) -> None:
    spec = new.spec
    for given, what in ((spec.clusterIPs, "cluster IPs"), (spec.ipFamilies, "IP families")):
        if spec.ipFamilyPolicy == SINGLE and len(given) == 2:
            problems.invalid("spec.ipFamilyPolicy", SINGLE, SEVERAL.format(what))


def _infer(problems: Problems, new: Service, cluster: Sequence[str]) -> None:
    """An address says its family."""
    spec = new.spec
    if spec.clusterIP == "None":
        return
    for at, address in list(enumerate(spec.clusterIPs))[len(spec.ipFamilies) :]:
        family = families.family_of(address)
        if family in cluster:
            spec.ipFamilies = [*spec.ipFamilies, family]
        else:
            problems.invalid(f"spec.clusterIPs[{at}]", spec.clusterIPs, f"{family} is not configured on this cluster")


def _check_cluster(problems: Problems, new: Service, cluster: Sequence[str]) -> None:
    spec = new.spec
    if spec.ipFamilyPolicy == REQUIRE and len(cluster) < 2:
        detail = "this cluster is not configured for dual-stack services"
        problems.invalid("spec.ipFamilyPolicy", REQUIRE, detail)
    for at, family in enumerate(spec.ipFamilies):
        if family not in cluster:
            problems.invalid(f"spec.ipFamilies[{at}]", family, "not configured on this cluster")


def _complete(new: Service, first: str, both: bool = True) -> None:
    spec = new.spec
    spec.ipFamilies = spec.ipFamilies or [first]
    if both and spec.ipFamilyPolicy != SINGLE and len(spec.ipFamilies) == 1:
        spec.ipFamilies = [*spec.ipFamilies, OTHER[spec.ipFamilies[0]]]


def _refuse(problems: Problems) -> None:
    if problems.causes:
        raise Refused(problems.causes)
