"""Where an answer comes from: the objects that a name stands on, each with the revision that was read.

    origins(names, ("web", "shop", "svc", "cluster", "local")) → ("services/shop/web@1234",)

Pure, and beside the path of answers: the same labels are read once more, from the right, as plan.py does. A name that
does not exist stands on what would have to be there.
"""

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
        case (*_, service, namespace, "svc"):
            return of_service(names, (namespace, service))
        case (namespace, "svc" | "pod"):
            return _shown([names.index.namespace(namespace)])
        case (label, namespace, "pod"):
            return _of_pod(names, label, namespace)
        case ("ns", "dns"):
            return of_service(names, DNS_SERVICE)
    return ()


def of_service(names: Names, key: ServiceKey) -> tuple[str, ...]:
    """A Service, and its slices where their endpoints are names."""
    index = names.index
    return _shown([index.service(key), *index.slices(key)])


def _of_address(names: Names, address: bytes) -> tuple[str, ...]:
    owners = names.index.owners(address)
    return tuple(dict.fromkeys(origin for key in owners for origin in of_service(names, key)))


def _of_pod(names: Names, label: str, namespace: str) -> tuple[str, ...]:
    address = undashed(label)
    pods = [pod for pod in names.index.pods(namespace) if address in pod.addresses]
    return _shown([names.index.namespace(namespace), *pods])


def _shown(views: list[View | None]) -> tuple[str, ...]:
    return tuple(_one(view) for view in views if view is not None)


def _one(view: View) -> str:
    place = "" if isinstance(view, NamespaceView) else f"{view.namespace}/"
    return f"{view.kind.lower()}s/{place}{view.name}@{view.revision}"
