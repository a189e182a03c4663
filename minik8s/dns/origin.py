"""Where an answer comes from: the objects that a name stands on, each with the revision that was read.

    origins(names, ("web", "shop", "svc", "cluster", "local")) → ("services/shop/web@1234",)

Pure, and beside the path of answers: the same labels are read once more, from the right, as plan.py does. A name that
does not exist stands on what would have to be there.
"""

from collections.abc import Sequence

from minik8s.dns.addresses import prefix, undashed
from minik8s.dns.plan import DNS_SERVICE, Names
from minik8s.dns.records import Labels
from minik8s.dns.views import NamespaceView, ServiceKey, View


def origins(names: Names, labels: Labels) -> tuple[str, ...]:
    """`resource/namespace/name@revision` of each object; empty for what no object says."""
    zone = names.zone(labels)
    if zone is None:
        return ()
    below = labels[: -len(zone)]
    if zone != names.domain:
        said = prefix(below, zone)
        return _of_address(names, said[0]) if said else ()
    match below:
        case (*deeper, service, namespace, "svc"):
            return of_service(names, (namespace, service), deeper)
        case (namespace, "svc" | "pod"):
            return _shown([names.index.namespace(namespace)])
        case (label, namespace, "pod"):
            return _of_pod(names, label, namespace)
        case ("ns", "dns"):
            return of_service(names, DNS_SERVICE)
    return ()


def of_service(names: Names, key: ServiceKey, below: Sequence[str] = ()) -> tuple[str, ...]:
    """A Service; and its slices, where endpoints are what the name stands for: headless, or an endpoint's own name."""
    service = names.index.service(key)
    of_endpoints = service is None or service.headless or bool(below and not below[-1].startswith("_"))
    return _shown([service, *(names.index.slices(key) if of_endpoints else ())])


def _of_address(names: Names, address: bytes) -> tuple[str, ...]:
    """The Services whose own address it is; else all that it is an endpoint of."""
    owners = [service for service in map(names.index.service, names.index.owners(address)) if service is not None]
    own = [service for service in owners if address in service.addresses]
    below = () if own else ("endpoint",)
    return tuple(dict.fromkeys(origin for each in own or owners for origin in of_service(names, each.key, below)))


def _of_pod(names: Names, label: str, namespace: str) -> tuple[str, ...]:
    address = undashed(label)
    pods = [pod for pod in names.index.pods(namespace) if address in pod.addresses]
    return _shown([names.index.namespace(namespace), *pods])


def _shown(views: list[View | None]) -> tuple[str, ...]:
    return tuple(_one(view) for view in views if view is not None)


def _one(view: View) -> str:
    place = "" if isinstance(view, NamespaceView) else f"{view.namespace}/"
    return f"{view.kind.lower()}s/{place}{view.name}@{view.revision}"
