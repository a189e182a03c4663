"""Decides what a silent node means: its conditions, its taints, its Pods' readiness, and at last their eviction. Pure.

In this order, each as soon as the one before is written: the node is silent for the grace period → Ready is Unknown
and its Pods are not ready (so they leave the endpoints: this is what clients feel) → taints → Pods whose toleration
has run out are deleted (so that they are replaced elsewhere). Invariants: a node that is heard loses its taints, and
none of its Pods is touched; when *all* nodes are silent no Pod is touched at all. Source: Kubernetes' node lifecycle
and taint eviction controllers.
"""

from collections.abc import Iterable, Sequence

from minik8s.api import codec, times
from minik8s.api.core import Node, Taint
from minik8s.api.eligibility import tolerates
from minik8s.api.meta import Condition
from minik8s.api.pods import Pod, condition, is_ready, is_terminal, is_terminating
from minik8s.controllers.actions import Action, Delete, Patch, Tell
from minik8s.controllers.nodes.heartbeats import Heard
from minik8s.params import Timers

UNREACHABLE, NOT_READY = "node.kubernetes.io/unreachable", "node.kubernetes.io/not-ready"
UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
_OURS = {UNREACHABLE, NOT_READY, UNSCHEDULABLE}
_PRESSURES = ("MemoryPressure", "DiskPressure", "PIDPressure")


def plan(nodes: Sequence[Node], pods: Sequence[Pod], heard: Heard, timers: Timers, now: float) -> list[Action]:
    """The writes for all nodes together; `now` is wall time and only written down."""
    actions: list[Action] = []
    for node in sorted(nodes, key=lambda node: node.metadata.name):
        here = sorted((pod for pod in pods if pod.spec.nodeName == node.metadata.name), key=_place)
        silent = heard.silence(node.metadata.name) > timers.node_monitor_grace_period
        nobody = heard.quiet > timers.node_monitor_grace_period
        actions += _node(node, silent, nobody, heard, now)
        if silent or _ready(node) == "False":
            actions += _not_ready(node, here, now)
        actions += _evict(node, here, heard, timers)
    return actions


def _place(pod: Pod) -> tuple[str, str]:
    return (pod.metadata.namespace, pod.metadata.name)


def _ready(node: Node) -> str:
    """True, False, Unknown, or "" when nothing was ever reported."""
    found = condition(node.status.conditions, "Ready")
    return found.status if found else ""


# --- The node --------------------------------------------------------------------------------------------------------


def _node(node: Node, silent: bool, nobody: bool, heard: Heard, now: float) -> list[Action]:
    """Its conditions; once those are written, its taints. One write at a time: each is conditional on the last
    revision."""
    name = node.metadata.name
    if (silent or nobody) and _ready(node) != "Unknown":
        because = f"Node {name} was silent for {heard.silence(name):.1f} s while others were heard"
        if not silent:
            because = (
                f"no node was heard for {heard.quiet:.1f} s: perhaps it is us who are cut off, so no Pod is touched"
            )
        tell = Tell(node, "NodeNotReady", f"Node {name} status is now: NodeNotReady")
        status = {"status": {"conditions": [codec.to_dict(each) for each in _unknown(node, now)]}}
        last = (heard.leases[name],) if name in heard.leases else ()
        return [Patch(node, status | _unchanged(node), because, "status", tell, last)]
    taints = _taints(node, silent, now)
    if taints == node.spec.taints:
        return []
    because = f"Node {name} is {'ready' if _ready(node) == 'True' else 'not ready'}: Ready is {_ready(node) or 'unset'}"
    return [Patch(node, {"spec": {"taints": [codec.to_dict(each) for each in taints]}} | _unchanged(node), because)]


def _unchanged(obj: Node | Pod) -> dict[str, object]:
    """A condition: the object is still what we looked at. Else its own writer is alive, and we look again."""
    return {"metadata": {"resourceVersion": obj.metadata.resourceVersion}}


def _unknown(node: Node, now: float) -> list[Condition]:
    """The node's conditions when it cannot be asked."""
    moment = times.rfc3339(now)
    result = [each for each in node.status.conditions if each.type not in (*_PRESSURES, "Ready")]
    for type in (*_PRESSURES, "Ready"):
        old = condition(node.status.conditions, type)
        fresh = Condition(type=type, status="Unknown", lastTransitionTime=moment)
        if old is None:
            fresh.reason, fresh.message = "NodeStatusNeverUpdated", "Kubelet never posted node status."
            fresh.lastHeartbeatTime = node.metadata.creationTimestamp
        else:
            fresh.reason, fresh.message = "NodeStatusUnknown", "Kubelet stopped posting node status."
            fresh.lastHeartbeatTime = old.lastHeartbeatTime
        result.append(fresh)
    return result


def _taints(node: Node, silent: bool, now: float) -> list[Taint]:
    """Other people's taints as they are, and ours as the condition Ready asks for."""
    present = {(taint.key, taint.effect): taint for taint in node.spec.taints}
    ready = _ready(node)
    wanted: list[tuple[str, str]] = []
    if ready == "Unknown":
        wanted.append((UNREACHABLE, "NoSchedule"))
        # Evicting is only for a node that is silent alone. Once there, the taint stays until the node is ready.
        if silent or (UNREACHABLE, "NoExecute") in present:
            wanted.append((UNREACHABLE, "NoExecute"))
    elif ready != "True":
        wanted.append((NOT_READY, "NoSchedule"))
        wanted += [(NOT_READY, "NoExecute")] if ready == "False" else []
    if node.spec.unschedulable:
        wanted.append((UNSCHEDULABLE, "NoSchedule"))
    kept = [taint for taint in node.spec.taints if taint.key not in _OURS or (taint.key, taint.effect) in wanted]
    missing = [each for each in wanted if each not in present]
    return kept + [Taint(key=key, effect=effect, timeAdded=times.rfc3339(now)) for key, effect in missing]


# --- Its Pods --------------------------------------------------------------------------------------------------------


def _not_ready(node: Node, here: Iterable[Pod], now: float) -> list[Action]:
    """Say of each Pod what its agent cannot say: it serves nobody."""
    actions: list[Action] = []
    for pod in here:
        if not is_ready(pod):
            continue
        conditions = [codec.to_dict(each) for each in pod.status.conditions if each.type != "Ready"]
        fresh = Condition(type="Ready", status="False", reason="NodeNotReady", message="Node is not ready")
        fresh.lastTransitionTime = times.rfc3339(now)
        status = {"status": {"conditions": [*conditions, codec.to_dict(fresh)]}}
        tell = Tell(pod, "NodeNotReady", "Node is not ready", "Warning")
        because = f"Node {node.metadata.name} is not ready"
        actions.append(Patch(pod, status | _unchanged(pod), because, "status", tell))
    return actions


def _evict(node: Node, here: Iterable[Pod], heard: Heard, timers: Timers) -> list[Action]:
    taints = [taint for taint in node.spec.taints if taint.effect == "NoExecute"]
    age = heard.tainted_for(node.metadata.name)
    actions: list[Action] = []
    for pod in here:
        if not taints or is_terminating(pod) or is_terminal(pod):
            continue
        limits = [limit for taint in taints if (limit := patience(pod, taint, timers)) is not None]
        if limits and age >= min(limits):
            because = f"Node {node.metadata.name} has {taints[0].key} for {age:.1f} s, tolerated are {min(limits):g} s"
            tell = Tell(pod, "TaintManagerEviction", f"Marking for deletion Pod {'/'.join(_place(pod))}")
            actions.append(Delete(pod, because, tell=tell))
    return actions


def patience(pod: Pod, taint: Taint, timers: Timers) -> float | None:
    """For how many seconds the Pod tolerates the taint; None is for ever."""
    matching = [each for each in pod.spec.tolerations if tolerates(each, taint)]
    if matching:
        limits = [max(0, each.tolerationSeconds) for each in matching if each.tolerationSeconds is not None]
        return min(limits) if limits else None
    return timers.default_toleration_seconds if taint.key in (UNREACHABLE, NOT_READY) else 0.0
