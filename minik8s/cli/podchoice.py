"""Which Pod is meant: `web-1`, `pod/web-1`, or one behind `deployment/web`, `svc/web`; and which of its containers."""

from collections.abc import Sequence

from minik8s.api.core import Pod, Service
from minik8s.api.meta import Object
from minik8s.api.pods import is_ready, is_terminating
from minik8s.api.selectors import format_labels
from minik8s.cli import objects
from minik8s.cli.session import Failed, Session

DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"


def pods(session: Session, word: str) -> list[Pod]:
    """The Pods that a word stands for: one, or those that a Deployment, ReplicaSet or Service selects."""
    cls, name = objects.one([word], default="pods")
    if cls is Pod:
        return [session.client.get(Pod, name, session.namespace)]
    found = session.client.list(Pod, session.namespace, labels=_selector(session, cls, name)).items
    if not found:
        raise Failed(f"error: no Pod belongs to {objects.title(cls, name)}")
    return hopeful(found)


def hopeful(found: Sequence[Pod]) -> list[Pod]:
    """The one that most probably answers first: not about to go, running, ready, older. A rollout leaves both kinds."""
    return sorted(
        found,
        key=lambda pod: (
            is_terminating(pod),
            pod.status.phase != "Running",
            not is_ready(pod),
            pod.metadata.creationTimestamp or "",
        ),
    )


def _selector(session: Session, cls: type[Object], name: str) -> str:
    obj = session.client.get(cls, name, session.namespace)
    selector = getattr(getattr(obj, "spec", None), "selector", None)
    if not selector:
        raise Failed(f"error: {objects.title(cls, name)} selects no Pods")
    return format_labels(selector if cls is not Service else dict(selector))


def container(pod: Pod, asked: str, tell: bool = True) -> tuple[str, str]:
    """(container, what to say about the choice). Raises when the Pod has no such container."""
    names = [each.name for each in [*pod.spec.containers, *pod.spec.initContainers]]
    if asked and asked not in names:
        raise Failed(f"error: container {asked} is not valid for pod {pod.metadata.name}: it has {_listed(names)}")
    if asked or len(names) == 1:
        return asked or names[0], ""
    chosen = pod.metadata.annotations.get(DEFAULT_CONTAINER, names[0])
    return chosen, f'Defaulted container "{chosen}" out of: {_listed(names)}' if tell else ""


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
