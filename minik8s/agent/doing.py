"""Carries out one action: the only place where a plan becomes deeds. Each deed may be done twice without harm.

Read next: starting.py for the longer ones; sync.py for who calls.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from minik8s.agent import actions, starting
from minik8s.agent.hands import Hands
from minik8s.agent.memory import PodMemory
from minik8s.agent.observed import Seen
from minik8s.agent.world import exec
from minik8s.agent.world.docker import EngineError
from minik8s.agent.world.probes import http_get
from minik8s.api.pods import Container as ContainerSpec
from minik8s.api.pods import LifecycleHandler, Pod
from minik8s.host import clock


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What an action is about: the Pod (None when the API no longer has it), what was seen, what is remembered."""

    key: str
    uid: str
    pod: Pod | None
    seen: Seen
    memory: PodMemory


def do(hands: Hands, scene: Scene, action: actions.Action) -> None:
    _DEEDS[type(action)](hands, scene, action)


def _stop(hands: Hands, scene: Scene, action: actions.StopContainer) -> None:
    scene.memory.stopping[action.id] = clock.wall() + action.grace
    hands.tell.normal(scene.pod, "Killing", f"Stopping container {action.container}: {action.because}")
    hook = _pre_stop(scene, action.container)
    if hook is None:
        hands.engine.signal(action.id, action.signal)
        return
    # It may take as long as the whole grace period: other Pods must not wait for it.
    threading.Thread(target=_hook_then_stop, args=(hands, scene, action, hook), name="preStop", daemon=True).start()


def _pre_stop(scene: Scene, container: str) -> LifecycleHandler | None:
    spec = _spec(scene, container)
    return spec.lifecycle.preStop if spec and spec.lifecycle else None


def _spec(scene: Scene, container: str) -> ContainerSpec | None:
    return next((c for c in scene.pod.spec.containers if c.name == container), None) if scene.pod else None


def _hook_then_stop(hands: Hands, scene: Scene, action: actions.StopContainer, hook: LifecycleHandler) -> None:
    try:
        _run_hook(hands, scene, action, hook)
    except (EngineError, OSError, ValueError) as error:
        hands.tell.warning(scene.pod, "FailedPreStopHook", f"PreStopHook failed: {error}")
    try:
        hands.engine.signal(action.id, action.signal)
    except EngineError as error:
        hands.tell.warning(scene.pod, "FailedKillPod", str(error))  # when its time is up it is killed anyway


def _run_hook(hands: Hands, scene: Scene, action: actions.StopContainer, hook: LifecycleHandler) -> None:
    if hook.sleep:
        threading.Event().wait(min(hook.sleep.seconds, action.grace))
    if hook.exec:
        exec.ask(hands.engine, action.id, hook.exec.command, max(action.grace, 0.1))
    spec, sandbox = _spec(scene, action.container), scene.seen.sandbox
    if hook.httpGet and spec and sandbox:
        http_get(spec, hook.httpGet, sandbox.address or hands.node_address, max(action.grace, 0.1))


def _kill(hands: Hands, scene: Scene, action: actions.KillContainer) -> None:
    scene.memory.stopping.setdefault(action.id, clock.wall())
    hands.engine.signal(action.id, "SIGKILL")


def _remove(hands: Hands, scene: Scene, action: actions.RemoveContainer) -> None:
    hands.engine.remove(action.id)


def _remove_sandbox(hands: Hands, scene: Scene, action: actions.RemoveSandbox) -> None:
    hands.engine.remove(action.sandbox)
    hands.network.forget(action.sandbox)


def _create_sandbox(hands: Hands, scene: Scene, action: actions.CreateSandbox) -> None:
    if scene.pod is None:
        return
    if scene.seen.containers:
        hands.tell.normal(scene.pod, "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.")
    starting.start_sandbox(hands, scene.pod, action.because)


def _connect(hands: Hands, scene: Scene, action: actions.ConnectSandbox) -> None:
    sandbox = next((s for s in scene.seen.sandboxes if s.id == action.sandbox), None)
    if sandbox is not None and scene.pod is not None:
        starting.connect(hands, scene.pod, sandbox)


def _start(hands: Hands, scene: Scene, action: actions.StartContainer) -> None:
    if scene.pod is not None:
        starting.start_container(hands, scene.memory, scene.pod, scene.seen, action)


def _finish(hands: Hands, scene: Scene, action: actions.FinishPod) -> None:
    hands.volumes.remove(scene.uid)
    if scene.pod is not None:
        hands.finish(scene.pod, action.because)


_DEEDS: dict[type[actions.Action], Callable[[Hands, Scene, Any], None]] = {
    actions.StopContainer: _stop,
    actions.KillContainer: _kill,
    actions.RemoveContainer: _remove,
    actions.RemoveSandbox: _remove_sandbox,
    actions.CreateSandbox: _create_sandbox,
    actions.ConnectSandbox: _connect,
    actions.StartContainer: _start,
    actions.FinishPod: _finish,
}
