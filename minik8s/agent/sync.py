"""The loop of one Pod: look, tell, decide, act; again until there is nothing left to do.

The status is told before anything is mended, so that the rest of the cluster learns of a death at once. A key names a
Pod's name, not the Pod: an old one of that name may be ending here while its successor starts, so each uid is treated
by itself. Read next: plan.py (decide), doing.py (act), status.py (tell).
"""

import logging
from collections.abc import Mapping
from dataclasses import replace

from minik8s.agent import doing, plan
from minik8s.agent.actions import FinishPod, Plan
from minik8s.agent.hands import Hands
from minik8s.agent.memory import Memory, newer
from minik8s.agent.observed import Container, Facts, Seen
from minik8s.agent.status import status_of
from minik8s.api import codec, patch
from minik8s.api.pods import Container as ContainerSpec
from minik8s.api.pods import ContainerStatus, Pod, PodStatus
from minik8s.client.informer import Informer
from minik8s.client.rest import Client, NotFound, Unreachable, Why
from minik8s.host import clock

log = logging.getLogger("agent")
_ROUNDS = 12  # a Pod with many init containers takes a few; one that takes more lets the others go first
_NOTHING = Seen()


class PodSync:
    """What the controller loop calls with a Pod's `namespace/name`."""

    def __init__(self, hands: Hands, client: Client, pods: Informer[Pod], memory: Memory) -> None:
        self._hands, self._client, self._pods = hands, client, pods
        self._memory = memory
        self._away = False  # the API server did not answer last time; any worker may set it

    def sync(self, key: str) -> float | None:
        """Bring the Pods of this name one step nearer to what is wanted; seconds until the next look."""
        cached = self._pods.get(key)
        seen = self._hands.engine.observe(key)
        uids = sorted({*seen, *([cached.metadata.uid] if cached else [])})
        waits = [self._settle(key, uid, seen.get(uid, _NOTHING)) for uid in uids]
        return min((wait for wait in waits if wait is not None), default=None)

    def _settle(self, key: str, uid: str, seen: Seen) -> float | None:
        for turn in range(_ROUNDS):
            pod = self._pod(key, uid)
            facts = self._facts(uid, pod, seen)
            decided = plan.plan(pod, facts)
            # What stands half-way is nobody's business: the status is told as things were found, and as they were left.
            if pod is not None and (turn == 0 or not decided.actions):
                pod = self._report_or_go_on(pod, facts, bool(decided.actions))
            if not decided.actions:
                self._rest(uid, pod, seen)
                return decided.look_again
            self._act(doing.Scene(key=key, uid=uid, pod=pod, seen=seen, memory=self._memory.of(uid)), decided)
            if all(isinstance(action, FinishPod) for action in decided.actions):
                return None
            seen = self._hands.engine.observe(key).get(uid, _NOTHING)
        return 0.0

    def _pod(self, key: str, uid: str) -> Pod | None:
        cached = self._pods.get(key)
        if cached is None or cached.metadata.uid != uid:
            return None
        return newer(cached, self._memory.of(uid).written)

    def _facts(self, uid: str, pod: Pod | None, seen: Seen) -> Facts:
        memory, hands = self._memory.of(uid), self._hands
        memory.forget_ended(seen.containers)
        connected = hands.network.connected
        on_host = pod is not None and pod.spec.hostNetwork
        sandboxes = tuple(replace(s, connected=on_host or s.id in connected) for s in seen.sandboxes)
        seen = replace(seen, sandboxes=sandboxes)
        if pod is not None:
            address = seen.sandbox.address if seen.sandbox and seen.sandbox.address else hands.node_address
            hands.prober.track(pod, address, _running(pod, seen))
        return Facts(
            now=clock.wall(),
            seen=seen,
            node_addresses=hands.node_addresses,
            network_ready=hands.network.ready,
            verdicts=hands.prober.verdicts([c.id for c in seen.containers if c.running]),
            refusals=dict(memory.refusals),
            stopping=dict(memory.stopping),
        )

    def _act(self, scene: doing.Scene, decided: Plan) -> None:
        for action in decided.actions:
            log.info("%s: %s, because %s", scene.key, action, action.because)
            doing.do(self._hands, scene, action)

    def _rest(self, uid: str, pod: Pod | None, seen: Seen) -> None:
        """Nothing is left to do; of a Pod that is gone nothing is remembered either."""
        if pod is None and seen.empty:
            self._hands.prober.forget(uid)
            self._hands.volumes.remove(uid)
            self._memory.forget(uid)

    # --- Telling ---

    def _report_or_go_on(self, pod: Pod, facts: Facts, busy: bool) -> Pod:
        """A node goes on without the API server: what is to be done is done first, and told when somebody listens."""
        if busy and self._away:
            return pod
        try:
            told = self._report(pod, facts)
        except Unreachable:
            self._away = True
            if busy:
                return pod
            raise
        self._away = False
        return told

    def _report(self, pod: Pod, facts: Facts) -> Pod:
        """Patch the status, if it differs; the Pod as it is afterwards."""
        if pod.metadata.deletionTimestamp and not facts.seen.containers:
            return pod  # nothing of it is left to be told
        wanted = status_of(pod, facts)
        difference = patch.diff(codec.to_dict(pod.status), codec.to_dict(wanted))
        if not difference:
            return pod
        self._tell_back_offs(pod, wanted)
        meta, why = pod.metadata, Why(summary(wanted), [pod])
        body = {"metadata": {"uid": meta.uid}, "status": difference}
        try:
            written = self._client.patch(Pod, meta.name, meta.namespace, body, subresource="status", why=why)
        except NotFound:
            return pod  # the informer will say so
        self._memory.of(meta.uid).written = written
        return written

    def _tell_back_offs(self, pod: Pod, wanted: PodStatus) -> None:
        before = {s.name: s for s in [*pod.status.initContainerStatuses, *pod.status.containerStatuses]}
        for status in [*wanted.initContainerStatuses, *wanted.containerStatuses]:
            reason = _waits(status)
            if reason == _waits(before.get(status.name)) or not reason.endswith("BackOff"):
                continue
            meta = pod.metadata
            message = f'Back-off pulling image "{status.image}"'
            if reason == "CrashLoopBackOff":
                where = f"{meta.name}_{meta.namespace}({meta.uid})"
                message = f"Back-off restarting failed container {status.name} in pod {where}"
            self._hands.tell.warning(pod, "BackOff", message)


def _running(pod: Pod, seen: Seen) -> list[tuple[ContainerSpec, Container]]:
    specs: Mapping[str, ContainerSpec] = {spec.name: spec for spec in pod.spec.containers}
    return [(specs[c.name], c) for c in seen.containers if c.running and c.name in specs]


def _waits(status: ContainerStatus | None) -> str:
    return status.state.waiting.reason if status and status.state.waiting else ""


def summary(status: PodStatus) -> str:
    """The status in one line: `Running; web running, ready, 2 restarts`."""
    parts = []
    for each in [*status.initContainerStatuses, *status.containerStatuses, *status.ephemeralContainerStatuses]:
        state = each.state
        word = "running" if state.running else ""
        if state.waiting:
            word = f"waiting ({state.waiting.reason})"
        if state.terminated:
            word = f"ended with exit code {state.terminated.exitCode} ({state.terminated.reason})"
        ready = ", ready" if each.ready else ", not ready" if state.running else ""
        parts.append(f"{each.name} {word}{ready}, {each.restartCount} restarts")
    return "; ".join([status.phase, *parts])
