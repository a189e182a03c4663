"""Decides what is done to the containers of one Pod: wanted Pod and observed facts in, sorted actions out. Pure.

Invariants: an empty plan means that Docker holds what the Pod asks for; nothing is started for a Pod that is over,
terminating or gone; a process ends before its network is taken away; at most one attempt of a container runs. Read
next: status.py.
"""

from collections.abc import Iterator

from minik8s import params
from minik8s.agent import life, restarts
from minik8s.agent.actions import (
    Action,
    ConnectSandbox,
    CreateSandbox,
    FinishPod,
    KillContainer,
    Plan,
    RemoveContainer,
    RemoveSandbox,
    StartContainer,
    StopContainer,
    make_plan,
)
from minik8s.agent.observed import Container, Facts
from minik8s.agent.recipe import spec_hash
from minik8s.api import times
from minik8s.api.containers import EphemeralContainer
from minik8s.api.pods import Container as ContainerSpec
from minik8s.api.pods import Pod, is_terminating

KEPT_ATTEMPTS = 2  # the one that counts, and the one before it: status.lastState and `logs --previous`


def plan(pod: Pod | None, facts: Facts) -> Plan:
    """The next steps for a Pod; `pod` is None when the API no longer has it."""
    if pod is None:
        return _end(facts, facts.now + params.MINIMUM_GRACE_S, "the Pod is gone from the API", finish=False)
    if is_terminating(pod):
        deadline = times.parse(pod.metadata.deletionTimestamp or "")
        return _end(facts, deadline, "the Pod is being deleted", finish=True)
    if life.finished(pod, facts):
        return _rest(pod, facts)
    return _run(pod, facts)


# --- Ending -----------------------------------------------------------------------------------------------------------


def _end(facts: Facts, deadline: float, because: str, finish: bool) -> Plan:
    """Processes first, then containers, then the sandbox, and the object last."""
    running = [c for c in facts.seen.containers if c.running]
    if running:
        return _stop_all(running, facts, deadline, because)
    if facts.seen.empty:
        return make_plan([FinishPod(because=f"{because} and nothing of it is left")] if finish else [])
    actions: list[Action] = [RemoveContainer(container=c.name, id=c.id, because=because) for c in facts.seen.containers]
    actions += [RemoveSandbox(sandbox=s.id, because=because) for s in facts.seen.sandboxes]
    return make_plan(actions)


def _rest(pod: Pod, facts: Facts) -> Plan:
    """A Pod that is over gives its address back; its ended containers stay for the sake of their logs."""
    because = "it ran longer than activeDeadlineSeconds" if life.overdue(pod, facts.now) else "the Pod is over"
    running = [c for c in facts.seen.containers if c.running]
    if running:
        return _stop_all(running, facts, facts.now + life.grace(pod), because)
    return make_plan([RemoveSandbox(sandbox=s.id, because=because) for s in facts.seen.sandboxes])


def _stop_all(running: list[Container], facts: Facts, deadline: float, because: str) -> Plan:
    steps = [_stop(c, facts, deadline, because) for c in running]
    return make_plan((a for a, _ in steps if a), (wait for _, wait in steps if wait is not None))


def _stop(container: Container, facts: Facts, deadline: float, because: str) -> tuple[Action | None, float | None]:
    """Ask once, then wait, then insist. An earlier deadline given meanwhile counts."""
    patience = min(facts.stopping.get(container.id, deadline), deadline)
    left = patience - facts.now
    if left <= 0:
        return KillContainer(container=container.name, id=container.id, because=f"{because}; its time is up"), None
    if container.id in facts.stopping:
        return None, left
    ask = StopContainer(
        container=container.name, id=container.id, signal=container.stop_signal, grace=left, because=because
    )
    return ask, left


# --- Running ----------------------------------------------------------------------------------------------------------


def _run(pod: Pod, facts: Facts) -> Plan:
    sandbox = facts.seen.sandbox
    strays = [c for c in facts.seen.containers if c.running and (sandbox is None or c.sandbox != sandbox.id)]
    if strays:
        return _stop_all(strays, facts, facts.now + life.grace(pod), "its sandbox is dead, and its network with it")
    older = [c for c in facts.seen.containers if c.running and c is not facts.seen.latest(c.name)]
    if older:
        return _stop_all(older, facts, facts.now + life.grace(pod), "a later attempt took its place")
    actions: list[Action] = [
        RemoveSandbox(sandbox=s.id, because="it is not the sandbox in use")
        for s in facts.seen.sandboxes
        if s is not sandbox
    ]
    waits: list[float] = []
    if not facts.network_ready and not pod.spec.hostNetwork and (sandbox is None or not sandbox.connected):
        waits.append(params.NETWORK_WAIT_S)
    elif sandbox is None:
        actions += _retry(facts, "", CreateSandbox(because=_why_sandbox(facts)), waits)
    elif not sandbox.connected:
        actions.append(ConnectSandbox(sandbox=sandbox.id, because="its end of the wire was not yet seen in place"))
    else:
        actions += _containers(pod, facts, waits)
    left = life.deadline_left(pod, facts.now)
    return make_plan(actions, waits if left is None else [*waits, max(left, 0.0)])


def _why_sandbox(facts: Facts) -> str:
    return "the sandbox died: a new one, with a new address" if facts.seen.containers else "the Pod has no sandbox yet"


def _containers(pod: Pod, facts: Facts, waits: list[float]) -> list[Action]:
    inits = life.pending_inits(pod, facts.seen)
    specs = inits[:1] or pod.spec.containers
    actions: list[Action] = []
    for position, spec in enumerate(specs):
        actions += _container(pod, spec, position, facts, waits)
    for spec in [*pod.spec.initContainers, *pod.spec.containers]:
        actions += _prune(facts, spec.name)
    if not inits:
        for position, guest in enumerate(pod.spec.ephemeralContainers, len(pod.spec.containers)):
            actions += _guest(pod, guest, position, facts, waits)
    return actions


def _guest(pod: Pod, spec: EphemeralContainer, position: int, facts: Facts, waits: list[float]) -> Iterator[Action]:
    """What is added to a running Pod is started once, beside the container whose processes it is to see."""
    latest, sandbox = facts.seen.latest(spec.name), facts.seen.sandbox
    target = facts.seen.latest(spec.targetContainerName)
    told = any(s.name == spec.name and s.containerID for s in pod.status.ephemeralContainerStatuses)
    if latest is not None and latest.state == "created":
        yield RemoveContainer(container=latest.name, id=latest.id, because="it was made but never started")
    welcome = not spec.targetContainerName or (target is not None and target.running)
    if latest is None and not told and sandbox is not None and welcome:
        start = StartContainer(
            container=spec.name, sandbox=sandbox.id, position=position, because="it was added to the running Pod"
        )
        yield from _retry(facts, spec.name, start, waits)


def _container(pod: Pod, spec: ContainerSpec, position: int, facts: Facts, waits: list[float]) -> Iterator[Action]:
    """What one container needs now."""
    latest = facts.seen.latest(spec.name)
    if latest is not None and latest.running:
        yield from _keep(pod, spec, latest, facts, waits)
        return
    if latest is not None and latest.state == "created":
        yield RemoveContainer(container=latest.name, id=latest.id, because="it was made but never started")
        return
    if latest is not None and _rests(pod, spec, latest):
        return
    start = _start(pod, spec, position, facts)
    if latest is not None and start.streak > 1 and latest.sandbox == start.sandbox:
        left = restarts.restart_at(latest) - facts.now
        if left > 0:
            waits.append(left)
            return
    yield from _retry(facts, spec.name, start, waits)


def _rests(pod: Pod, spec: ContainerSpec, ended: Container) -> bool:
    """May it stay ended? Init containers are asked for again by a new sandbox, whatever the policy."""
    app = any(spec is each for each in pod.spec.containers)
    return app and not restarts.wants_restart(pod.spec.restartPolicy or "Always", ended.exit_code)


def _start(pod: Pod, spec: ContainerSpec, position: int, facts: Facts) -> StartContainer:
    latest, sandbox = facts.seen.latest(spec.name), facts.seen.sandbox
    assert sandbox is not None
    attempt, streak, because = 0, 0, "the container was never started"
    if latest is not None:
        attempt, streak = latest.attempt + 1, restarts.next_streak(latest)
        because = (
            f"it ended with exit code {latest.exit_code} and restartPolicy is {pod.spec.restartPolicy or 'Always'}"
        )
        if latest.sandbox != sandbox.id:
            because = "the Pod has a new sandbox"
    else:
        told = next((s for s in pod.status.containerStatuses if s.name == spec.name and s.containerID), None)
        if told is not None:
            attempt, because = told.restartCount + 1, "the container that was reported is gone"
    return StartContainer(
        container=spec.name, sandbox=sandbox.id, attempt=attempt, streak=streak, position=position, because=because
    )


def _keep(pod: Pod, spec: ContainerSpec, running: Container, facts: Facts, waits: list[float]) -> Iterator[Action]:
    """A running container goes on, unless its probes condemn it or its image was changed."""
    reason = facts.verdict(running).condemned
    if running.spec_hash != spec_hash(spec):
        reason = "its definition in the Pod changed"
    if running.id in facts.stopping and not reason:
        reason = "it was asked to end"
    if not reason:
        return
    patience = life.grace(pod)
    for probe in (spec.livenessProbe, spec.startupProbe):
        if facts.verdict(running).condemned and probe and probe.terminationGracePeriodSeconds is not None:
            patience = float(probe.terminationGracePeriodSeconds)
    action, wait = _stop(running, facts, facts.now + patience, reason)
    if wait is not None:
        waits.append(wait)
    if action is not None:
        yield action


def _prune(facts: Facts, name: str) -> list[Action]:
    return [
        RemoveContainer(container=c.name, id=c.id, because="newer attempts tell enough")
        for c in facts.seen.attempts(name)[:-KEPT_ATTEMPTS]
        if not c.running
    ]


def _retry(facts: Facts, name: str, action: Action, waits: list[float]) -> list[Action]:
    """The action, unless it was refused a moment ago."""
    refusal = facts.refusals.get(name)
    if refusal is None or refusal.retry_at <= facts.now:
        return [action]
    waits.append(refusal.retry_at - facts.now)
    shown_until = refusal.at + params.IMAGE_ERROR_SHOWN_S
    if facts.now < shown_until:
        waits.append(shown_until - facts.now)  # the status has another word for it from then on
    return []
