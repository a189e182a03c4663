"""Small worlds for the agent's tests: a Pod, what Docker holds of it, and a Docker that obeys."""

from dataclasses import replace
from typing import Any

from minik8s import params
from minik8s.agent import actions, recipe
from minik8s.agent.observed import Container, Facts, Sandbox, Seen
from minik8s.api import codec, times
from minik8s.api.pods import Pod

NOW = 1_000_000.0
NODE = "192.168.56.11"


def a_pod(*containers: dict[str, Any], status: dict[str, Any] | None = None, deleted: float = 0.0, **spec: Any) -> Pod:
    """The Pod `web-1` with one container `web`, unless others are given. `deleted`: its deletionTimestamp."""
    meta: dict[str, Any] = {"name": "web-1", "namespace": "default", "uid": "u1", "resourceVersion": "7"}
    if deleted:
        meta["deletionTimestamp"] = times.rfc3339(deleted)
    listed = [{"name": "web", "image": "app:1", **each} for each in containers or ({},)]
    body = {"metadata": meta, "spec": {"containers": listed, "restartPolicy": "Always", **spec}, "status": status or {}}
    return codec.from_dict(Pod, body)


def a_sandbox(id: str = "s1", **more: Any) -> Sandbox:
    return Sandbox(
        **{"id": id, "running": True, "addresses": ("10.244.1.5",), "created_at": NOW - 100, "pid": 10, **more}
    )


def a_container(state: str = "running", **more: Any) -> Container:
    """`web` in sandbox s1, started a minute ago."""
    name, image = more.get("name", "web"), more.pop("spec_image", "app:1")
    spec = a_pod({"name": name, "image": image}).spec.containers[0]
    attempt = more.get("attempt", 0)
    defaults: dict[str, Any] = {
        "id": f"{name}-{attempt}",
        "name": name,
        "attempt": attempt,
        "streak": attempt,
        "sandbox": "s1",
        "spec_hash": recipe.spec_hash(spec),
        "state": state,
        "image": image,
        "image_id": "sha256:abc",
        "started_at": NOW - 60,
        "finished_at": NOW - 1 if state == "exited" else 0.0,
    }
    return Container(**{**defaults, **more})


def facts(*things: Sandbox | Container, now: float = NOW, **more: Any) -> Facts:
    seen = Seen(
        sandboxes=tuple(t for t in things if isinstance(t, Sandbox)),
        containers=tuple(t for t in things if isinstance(t, Container)),
    )
    return Facts(now=now, seen=seen, node_addresses=(NODE,), **more)


def lines(plan: actions.Plan) -> list[str]:
    """A plan as short lines, for tables."""
    return [_line(action) for action in plan.actions]


def _line(action: actions.Action) -> str:
    match action:
        case actions.StartContainer():
            return f"start {action.container}#{action.attempt}"
        case actions.StopContainer():
            return f"stop {action.id} {action.signal} {action.grace:g}"
        case actions.KillContainer() | actions.RemoveContainer():
            return f"{type(action).__name__.removesuffix('Container').lower()} {action.id}"
        case actions.RemoveSandbox() | actions.ConnectSandbox():
            return f"{type(action).__name__.removesuffix('Sandbox').lower()} {action.sandbox}"
    return {"CreateSandbox": "create sandbox", "FinishPod": "finish"}[type(action).__name__]


def obey(pod: Pod | None, facts: Facts, action: actions.Action) -> tuple[Pod | None, Facts]:
    """The world after Docker did what it was told; containers end when they are asked to."""
    seen = facts.seen
    match action:
        case actions.CreateSandbox():
            number = len(seen.sandboxes) + sum(c.attempt + 1 for c in seen.containers)
            made = a_sandbox(f"new{number}", created_at=facts.now)
            seen = replace(seen, sandboxes=(*seen.sandboxes, made))
        case actions.ConnectSandbox():
            seen = replace(seen, sandboxes=tuple(replace(s, connected=True) for s in seen.sandboxes))
        case actions.RemoveSandbox():
            seen = replace(seen, sandboxes=tuple(s for s in seen.sandboxes if s.id != action.sandbox))
        case actions.RemoveContainer():
            seen = replace(seen, containers=tuple(c for c in seen.containers if c.id != action.id))
        case actions.StopContainer() | actions.KillContainer():
            seen = replace(seen, containers=tuple(_ended(c, facts.now, action.id) for c in seen.containers))
        case actions.StartContainer():
            seen = replace(seen, containers=(*seen.containers, _started(pod, action, facts.now)))
        case actions.FinishPod():
            pod = None
    return pod, replace(facts, seen=seen)


def _ended(container: Container, now: float, id: str) -> Container:
    if container.id != id or not container.running:
        return container
    return replace(container, state="exited", exit_code=143, finished_at=now)


def _started(pod: Pod | None, action: actions.StartContainer, now: float) -> Container:
    """Init containers do their work at once; others run."""
    assert pod is not None
    specs = [*pod.spec.initContainers, *pod.spec.containers]
    spec = next(c for c in specs if c.name == action.container)
    init = spec in pod.spec.initContainers
    return Container(
        id=f"{action.container}-{action.attempt}-{action.sandbox}",
        name=action.container,
        attempt=action.attempt,
        streak=action.streak,
        sandbox=action.sandbox,
        spec_hash=recipe.spec_hash(spec),
        state="exited" if init else "running",
        image=spec.image,
        started_at=now,
        finished_at=now if init else 0.0,
    )


GRACE = float(params.TERMINATION_GRACE_PERIOD_S)
