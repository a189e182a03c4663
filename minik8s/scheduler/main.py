"""The wiring: every Pod without a node is looked at when it appears, and again whenever room may have appeared.

A Pod that was just bound counts as placed at once (`_assumed`), before the watch tells of it: so a burst of Pods
spreads, and two Pods never get the same last place. Read `plan.py` for what is decided.
"""

import os
import socket

import msgspec

from minik8s.api import codec, times
from minik8s.api.core import Node, Pod, Service
from minik8s.api.meta import Condition, key
from minik8s.api.pods import condition, is_terminal, is_terminating
from minik8s.client.component import Component
from minik8s.client.informer import Informer
from minik8s.client.lease import LeaderElector
from minik8s.client.loop import Controller
from minik8s.client.queue import WorkQueue
from minik8s.client.rest import Why
from minik8s.host import clock
from minik8s.scheduler.plan import Decision, plan

LEASE = "kube-scheduler"
NAME = "default-scheduler"


def waits(pod: Pod) -> bool:
    """Is it for us to find this Pod a node?"""
    mine = pod.spec.schedulerName in ("", NAME) and not pod.spec.schedulingGates
    return mine and not pod.spec.nodeName and not is_terminal(pod) and not is_terminating(pod)


class Scheduler:
    """Looks, decides, binds. One worker calls `sync`, so nothing guards `_assumed`."""

    def __init__(self, component: Component) -> None:
        self._component = component
        self.queue = WorkQueue()
        self.pods: Informer[Pod] = Informer(component.client, Pod)
        self.nodes: Informer[Node] = Informer(component.client, Node)
        self.services: Informer[Service] = Informer(component.client, Service)
        self._assumed: dict[str, Pod] = {}
        self._bound = component.metrics.counter("scheduler_schedule_attempts_total", "Attempts by result", ["result"])
        self.pods.on_change(self._pod_changed)
        self.nodes.on_change(self._node_changed)

    # --- What wakes it ---------------------------------------------------------------------------------------

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        if new is not None and waits(new):
            self.queue.add(key(new))
        elif old is not None and old.spec.nodeName and (new is None or is_terminal(new)):
            self._all_waiting()  # it made room

    def _node_changed(self, old: Node | None, new: Node | None) -> None:
        if new is not None and (old is None or _offer(old) != _offer(new)):
            self._all_waiting()

    def _all_waiting(self) -> None:
        for pod in sorted(self.pods.values(), key=lambda pod: pod.metadata.creationTimestamp or ""):
            if waits(pod):
                self.queue.add(key(pod))

    # --- What it does ----------------------------------------------------------------------------------------

    def sync(self, name: str) -> None:
        pod = self.pods.get(name)
        if pod is None or not waits(pod) or pod.metadata.uid in self._assumed:
            return
        nodes = self.nodes.values()
        decision = plan(pod, nodes, self._placed(), self.services.values())
        if decision.node:
            self._bind(pod, decision, next(node for node in nodes if node.metadata.name == decision.node))
        else:
            self._refuse(pod, decision)

    def _placed(self) -> list[Pod]:
        """Pods with a node, including those whose binding the watch has not told of yet."""
        seen = self.pods.values()
        known = {pod.metadata.uid: pod for pod in seen}
        # A binding that succeeded is seen sooner or later, or the Pod is gone: either way it need not be assumed any
        # more.
        self._assumed = {
            uid: pod for uid, pod in self._assumed.items() if uid in known and not known[uid].spec.nodeName
        }
        return [pod for pod in seen if pod.spec.nodeName] + list(self._assumed.values())

    def _bind(self, pod: Pod, decision: Decision, node: Node) -> None:
        meta = pod.metadata
        body = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": meta.name, "namespace": meta.namespace, "uid": meta.uid},
            "target": {"apiVersion": "v1", "kind": "Node", "name": decision.node},
        }
        client = self._component.client
        client.post(Pod, meta.name, meta.namespace, "binding", body, why=Why(decision.because, [pod, node]))
        self._assumed[meta.uid] = msgspec.structs.replace(
            pod, spec=msgspec.structs.replace(pod.spec, nodeName=decision.node)
        )
        self._bound.inc(result="scheduled")
        self._component.log.info("%s to %s: %s", key(pod), decision.node, decision.because)
        text = f"Successfully assigned {key(pod)} to {decision.node}"
        self._component.events.normal(pod, "Scheduled", text)

    def _refuse(self, pod: Pod, decision: Decision) -> None:
        """Say why, once: the same answer is not written again."""
        old = condition(pod.status.conditions, "PodScheduled")
        if old is not None and old.status == "False" and old.message == decision.because:
            return
        fresh = Condition(type="PodScheduled", status="False", reason="Unschedulable", message=decision.because)
        same = old is not None and old.status == "False"
        fresh.lastTransitionTime = old.lastTransitionTime if old and same else times.rfc3339(clock.wall())
        conditions = [each for each in pod.status.conditions if each.type != "PodScheduled"] + [fresh]
        status = {"phase": "Pending", "conditions": [codec.to_dict(each) for each in conditions]}
        guard = {"resourceVersion": pod.metadata.resourceVersion}
        made = self._component.client.patch(
            Pod,
            pod.metadata.name,
            pod.metadata.namespace,
            {"metadata": guard, "status": status},
            subresource="status",
            why=Why(decision.because, [pod, *self.nodes.values()]),
        )
        self.pods.wrote(made)
        self._bound.inc(result="unschedulable")
        self._component.events.warning(pod, "FailedScheduling", decision.because)


def _offer(node: Node) -> tuple[object, ...]:
    """What of a Node makes a difference to a Pod that waits."""
    ready = condition(node.status.conditions, "Ready")
    status = ready.status if ready else ""
    return (status, node.spec.unschedulable, node.spec.taints, node.metadata.labels, node.status.allocatable)


def main(component: Component) -> None:
    """Wait for leadership, then schedule until told to stop."""
    scheduler = Scheduler(component)
    informers: list[Informer] = [scheduler.pods, scheduler.nodes, scheduler.services]
    controller = Controller("scheduler", scheduler.sync, scheduler.queue, informers, stop=component.stop)
    component.metrics.gauge("scheduler_pending_pods", "Pods without a node").follow(
        lambda: sum(1 for pod in scheduler.pods.values() if waits(pod))
    )
    server = component.serve_health()
    identity = component.options.identity or f"{socket.gethostname()}_{os.getpid()}"
    LeaderElector(component.client, LEASE, identity).run(controller.run, component.stop)
    for informer in informers:
        informer.stop()
    server.stop()
