"""The wiring: every change of any object goes into the graph, which says what to look at again. Read `plan.py`."""

from minik8s.api import kinds
from minik8s.api.core import Event, Node, Pod
from minik8s.api.meta import Object, OwnerReference
from minik8s.client.loop import Controller
from minik8s.client.queue import WorkQueue
from minik8s.controllers.context import Context
from minik8s.controllers.garbage.graph import Graph, identifier
from minik8s.controllers.garbage.plan import plan, plan_pods

# Events belong to nobody and there are many.
KINDS = tuple(cls for cls in kinds.KINDS if cls is not Event)
PODS = "pods"


def build(context: Context) -> Controller:
    """The garbage collector: owners and dependents."""
    graph, queue = Graph(), WorkQueue()
    informers = [context.metadata_informer(cls) for cls in KINDS]

    def changed(old: Object | None, new: Object | None) -> None:
        for each in graph.update(old, new):
            if each.metadata.ownerReferences or each.metadata.deletionTimestamp is not None:
                queue.add(identifier(each))

    def sync(name: str) -> None:
        obj = graph.get(name.rpartition("/")[2])
        if obj is None:
            return
        absent = [owner.uid for owner in obj.metadata.ownerReferences if _is_absent(context, graph, obj, owner)]
        context.apply(plan(obj, graph.dependents(obj.metadata.uid), absent), seen=[obj])

    for informer in informers:
        informer.on_change(changed)
    return context.controller("garbage", sync, queue, informers)


def _is_absent(context: Context, graph: Graph, obj: Object, owner: OwnerReference) -> bool:
    """Does the owner certainly not exist? The graph may be behind, so the API server has the last word."""
    if graph.get(owner.uid) is not None:
        return False
    try:
        cls = kinds.by_kind(owner.apiVersion, owner.kind)
    except KeyError:
        return False  # a kind that minik8s does not know; whoever knows it may be its owner
    namespace = obj.metadata.namespace if cls.resource.namespaced else ""
    return not _exists(context, cls, namespace, owner)


def _exists(context: Context, cls: type[Object], namespace: str, owner: OwnerReference) -> bool:
    found = context.component.client.list(cls, namespace, fields=f"metadata.name={owner.name}")
    return any(each.metadata.uid == owner.uid for each in found.items)


def build_pods(context: Context) -> Controller:
    """The Pod garbage collector: Pods of Nodes that are gone."""
    pods, nodes = context.informer(Pod), context.informer(Node)
    queue = WorkQueue()

    def sync(_: str) -> None:
        known = {node.metadata.name for node in nodes.values()}
        here = pods.values()
        doubtful = sorted({pod.spec.nodeName for pod in here if pod.spec.nodeName} - known)
        absent = {name for name in doubtful if not _node_exists(context, name)}
        context.apply(plan_pods(here, absent))

    def pod_changed(old: Pod | None, new: Pod | None) -> None:
        if new is not None and (new.spec.nodeName or new.metadata.deletionTimestamp) and _stray(new):
            queue.add(PODS)

    def _stray(pod: Pod) -> bool:
        return nodes.get(pod.spec.nodeName) is None

    nodes.on_change(lambda old, new: queue.add(PODS) if new is None else None)
    pods.on_change(pod_changed)
    return context.controller("podgc", sync, queue, [pods, nodes])


def _node_exists(context: Context, name: str) -> bool:
    return bool(context.component.client.list(Node, fields=f"metadata.name={name}").items)
