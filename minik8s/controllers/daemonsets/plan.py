"""Decides the writes of one DaemonSet: a Pod for each node that lacks one, none where none may be, status. Pure.

Invariants: a node gets a second Pod only for the time of a surge; what leaves must be gone before its successor is
made; Pods of other owners are never touched; a DaemonSet that is being deleted makes nothing. Read `main.py` next.
"""

from collections.abc import Callable, Sequence

from minik8s.api import codec, patch
from minik8s.api.apps import ControllerRevision, DaemonSet, DaemonSetStatus
from minik8s.api.core import Node
from minik8s.api.pods import Pod, is_ready, is_terminal, is_terminating
from minik8s.controllers import revisions
from minik8s.controllers.actions import Action, Create, Delete, Patch, Tell
from minik8s.controllers.daemonsets import rolling
from minik8s.controllers.daemonsets.places import daemon_pod, may_stay, node_of, should_run
from minik8s.controllers.daemonsets.rolling import OnNode
from minik8s.controllers.owners import claim
from minik8s.controllers.podcontrol import is_active, is_available

ByNode = dict[str, list[Pod]]


def plan(
    ds: DaemonSet, nodes: Sequence[Node], pods: Sequence[Pod], known: Sequence[ControllerRevision], now: float
) -> list[Action]:
    """The writes for one DaemonSet; `pods` and `known` revisions are those of its namespace."""
    mine, actions = claim(ds, ds.spec.selector, pods)
    if ds.metadata.deletionTimestamp is not None:
        return actions
    update, history, written = revisions.look(ds, known)
    here = _by_node(mine)
    ordered = sorted(nodes, key=lambda node: node.metadata.name)
    actions += written
    steps = [action for node in ordered for action in _node(ds, node, here.get(node.metadata.name, []), update)]
    steps += _homeless(ds, here, {node.metadata.name for node in nodes})
    steps = steps or _roll(ds, ordered, here, update, lambda pod: is_available(pod, ds.spec.minReadySeconds, now))
    actions += [*steps, *_status(ds, ordered, here, update, now)]
    used = {pod.metadata.labels.get(revisions.LABEL, "") for pod in mine}
    live = {each.metadata.name for each in history if each.metadata.labels.get(revisions.LABEL) in used}
    return actions + revisions.forget(ds, history, live | {update.metadata.name})


def _by_node(pods: Sequence[Pod]) -> ByNode:
    """Each node's Pods, the oldest first."""
    found: ByNode = {}
    for pod in sorted(pods, key=lambda pod: (pod.metadata.creationTimestamp or "", pod.metadata.name)):
        found.setdefault(node_of(pod), []).append(pod)
    return found


# --- One node --------------------------------------------------------------------------------------------------------


def _node(ds: DaemonSet, node: Node, here: list[Pod], update: ControllerRevision) -> list[Action]:
    name = node.metadata.name
    if not here:
        return [_create(ds, name, update, f"Node {name} has none")] if should_run(ds, node) else []
    staying = [pod for pod in here if not is_terminating(pod)]
    if not may_stay(ds, node):
        return [_delete(ds, pod, f"Node {name} may not have one") for pod in staying]
    ended = [pod for pod in staying if is_terminal(pod)]
    if ended:
        return [_delete(ds, pod, "it has ended, and its node is to have one") for pod in ended]
    return [_delete(ds, pod, f"Node {name} has one already") for pod in _doubles(ds, staying, update)]


def _doubles(ds: DaemonSet, staying: list[Pod], update: ControllerRevision) -> list[Pod]:
    """The younger ones; during a surge one of each template may stay."""
    place = _on_node("", staying, update)
    return [*place.new[1:], *place.old[1:]] if rolling.surges(ds) else staying[1:]


def _homeless(ds: DaemonSet, here: ByNode, nodes: set[str]) -> list[Action]:
    """Pods that wait for a node that is gone. Those that ran there are the Pod garbage collector's."""
    lost = [pod for name in sorted(here.keys() - nodes) for pod in here[name]]
    waiting = [pod for pod in lost if not pod.spec.nodeName and is_active(pod)]
    return [_delete(ds, pod, f"Node {node_of(pod)} does not exist") for pod in waiting]


def _create(ds: DaemonSet, node: str, update: ControllerRevision, because: str) -> Create:
    return Create(daemon_pod(ds, node, update), because, Tell(ds, "SuccessfulCreate", "Created pod: {name}"))


def _delete(ds: DaemonSet, pod: Pod, because: str) -> Delete:
    return Delete(pod, because, tell=Tell(ds, "SuccessfulDelete", "Deleted pod: {name}"))


# --- A changed template ----------------------------------------------------------------------------------------------


def _is_new(pod: Pod, update: ControllerRevision) -> bool:
    return pod.metadata.labels.get(revisions.LABEL) == update.metadata.labels[revisions.LABEL]


def _on_node(name: str, staying: list[Pod], update: ControllerRevision) -> OnNode:
    new = [pod for pod in staying if _is_new(pod, update)]
    return OnNode(name, new, [pod for pod in staying if not _is_new(pod, update)])


def _roll(
    ds: DaemonSet, nodes: Sequence[Node], here: ByNode, update: ControllerRevision, available: Callable[[Pod], bool]
) -> list[Action]:
    if ds.spec.updateStrategy.type != "RollingUpdate":
        return []
    wanted = [node.metadata.name for node in nodes if should_run(ds, node)]
    places = [_on_node(name, [p for p in here.get(name, ()) if not is_terminating(p)], update) for name in wanted]
    doomed = rolling.to_delete(ds, places, len(wanted), available)
    crowded = rolling.to_surge(ds, places, len(wanted), available)
    actions: list[Action] = [_delete(ds, pod, "it is not of the present template") for pod in doomed]
    return actions + [_create(ds, name, update, "its successor comes before the old one goes") for name in crowded]


# --- Status ----------------------------------------------------------------------------------------------------------


def _status(ds: DaemonSet, nodes: Sequence[Node], here: ByNode, update: ControllerRevision, now: float) -> list[Action]:
    desired = [node.metadata.name for node in nodes if should_run(ds, node)]
    first = {name: here[name][0] for name in desired if here.get(name)}
    available = sum(1 for pod in first.values() if is_available(pod, ds.spec.minReadySeconds, now))
    wanted = DaemonSetStatus(
        observedGeneration=ds.metadata.generation,
        desiredNumberScheduled=len(desired),
        currentNumberScheduled=len(first),
        numberMisscheduled=sum(
            1 for node in nodes if node.metadata.name not in desired and here.get(node.metadata.name)
        ),
        numberReady=sum(1 for pod in first.values() if is_ready(pod)),
        updatedNumberScheduled=sum(1 for pod in first.values() if _is_new(pod, update)),
        numberAvailable=available,
        numberUnavailable=len(desired) - available,
        collisionCount=ds.status.collisionCount,
        conditions=ds.status.conditions,
    )
    change = patch.diff(codec.to_dict(ds.status), codec.to_dict(wanted))
    because = f"{wanted.numberReady} of {wanted.desiredNumberScheduled} nodes have one that is ready"
    return [Patch(ds, {"status": change}, because, "status")] if change else []
