"""Decides how the cluster's own Services are to look, and puts them back when somebody changed or deleted them. Pure.

Both have a fixed address, because Pods must find them before they can look up any name. Neither has a selector: what
is behind them are no Pods.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from minik8s import params
from minik8s.api import codec, patch
from minik8s.api.core import Endpoints, Service
from minik8s.api.discovery import SERVICE_NAME, EndpointSlice
from minik8s.api.meta import Object, ref
from minik8s.controllers.actions import Action, Create, Patch


def wanted() -> list[Object]:
    """All objects that must be there."""
    return [_kubernetes(), _kubernetes_slice(), _kubernetes_endpoints(), _dns()]


def _kubernetes() -> Service:
    return _service(
        "default/kubernetes",
        {"component": "apiserver", "provider": "kubernetes"},
        clusterIP=params.KUBERNETES_SERVICE_IP,
        clusterIPs=[params.KUBERNETES_SERVICE_IP],
        ports=[_port("https", 443, "TCP", params.API_PORT)],
    )


def _dns() -> Service:
    return _service(
        "kube-system/kube-dns",
        {"k8s-app": "kube-dns", "kubernetes.io/cluster-service": "true"},
        clusterIP=params.DNS_SERVICE_IP,
        clusterIPs=[params.DNS_SERVICE_IP],
        ports=[_port("dns", 53, "UDP", params.DNS_PORT), _port("dns-tcp", 53, "TCP", params.DNS_PORT)],
        # Each node answers its own Pods; the others step in when its DNS is dead.
        trafficDistribution="PreferSameNode",
    )


def _service(place: str, labels: Mapping[str, str], **spec: Any) -> Service:
    namespace, name = place.split("/")
    metadata = {"name": name, "namespace": namespace, "labels": dict(labels)}
    return codec.from_dict(Service, {"metadata": metadata, "spec": {"type": "ClusterIP", **spec}})


def _port(name: str, port: int, protocol: str, target: int) -> dict[str, Any]:
    return {"name": name, "port": port, "protocol": protocol, "targetPort": target}


def _kubernetes_slice() -> EndpointSlice:
    data = {
        "metadata": {"name": "kubernetes", "namespace": "default", "labels": {SERVICE_NAME: "kubernetes"}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": [params.CONTROL_PLANE_ADDRESS], "conditions": {"ready": True}}],
        "ports": [{"name": "https", "port": params.API_PORT, "protocol": "TCP"}],
    }
    return codec.from_dict(EndpointSlice, data)


def _kubernetes_endpoints() -> Endpoints:
    # The label says that nobody need make a slice out of this: there is one already.
    labels = {"endpointslice.kubernetes.io/skip-mirror": "true"}
    subset = {
        "addresses": [{"ip": params.CONTROL_PLANE_ADDRESS}],
        "ports": [{"name": "https", "port": params.API_PORT, "protocol": "TCP"}],
    }
    metadata = {"name": "kubernetes", "namespace": "default", "labels": labels}
    return codec.from_dict(Endpoints, {"metadata": metadata, "subsets": [subset]})


def place(obj: Object) -> str:
    """`services/default/kubernetes`."""
    return ref(obj).partition("@")[0]


def plan(present: Sequence[Object]) -> list[Action]:
    """The writes that make what is there say what it must; what else it says is left alone."""
    found = {place(obj): obj for obj in present}
    actions: list[Action] = []
    for obj in wanted():
        old = found.get(place(obj))
        if old is None:
            actions.append(Create(obj, f"the cluster needs {place(obj)}"))
        elif old.metadata.deletionTimestamp is None:
            change = _missing(codec.to_dict(old), codec.to_dict(obj))
            actions += [Patch(old, change, f"the cluster needs {place(obj)} as it was")] if change else []
    return actions


def _missing(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """The part of a patch that adds or changes; fields that only the old one has stay."""
    return _additions(patch.diff(old, new))


def _additions(change: dict[str, Any]) -> dict[str, Any]:
    result = {}
    for key, value in change.items():
        kept = _additions(value) if isinstance(value, dict) else value
        if kept is not None and kept != {}:
            result[key] = kept
    return result
