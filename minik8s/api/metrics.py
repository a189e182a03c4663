"""The group metrics.k8s.io/v1beta1: what nodes and Pods use just now. Measured when asked, never stored.

Source: the published API of metrics.k8s.io. `apiserver/measures.py` makes them.
"""

from minik8s.api.meta import Object, Quantity, Struct, resource, says


class ContainerMetrics(Struct):
    name: str
    usage: dict[str, Quantity] = {}


@resource("nodes", namespaced=False, verbs=("get", "list"))
class NodeMetrics(Object):
    apiVersion: str = says("metrics.k8s.io/v1beta1")
    kind: str = says("NodeMetrics")
    timestamp: str = says("")
    window: str = says("")
    usage: dict[str, Quantity] = {}


@resource("pods", verbs=("get", "list"))
class PodMetrics(Object):
    apiVersion: str = says("metrics.k8s.io/v1beta1")
    kind: str = says("PodMetrics")
    timestamp: str = says("")
    window: str = says("")
    containers: list[ContainerMetrics] = []
