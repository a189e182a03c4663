"""What this process remembers of each Pod between two looks. Losing it is harmless: everything in it is learnt again.

One worker at a time works on a Pod, so nothing here needs a lock; single reads and writes by other threads are
atomic. Read next: sync.py.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from minik8s.agent.observed import Container, Refusal
from minik8s.api.pods import Pod


@dataclass
class PodMemory:
    refusals: dict[str, Refusal] = field(default_factory=dict)  # by container name; "" is the sandbox
    stopping: dict[str, float] = field(default_factory=dict)  # container id → when patience ends
    written: Pod | None = None  # the Pod as our last write left it; the informer may be behind
    backed_off: dict[str, tuple[str, int]] = field(default_factory=dict)  # container name → what was told of it

    def refuse(self, name: str, refusal: Refusal) -> None:
        self.refusals[name] = refusal

    def forget_ended(self, containers: Iterable[Container]) -> None:
        living = {c.id for c in containers if c.running}
        for id in [i for i in self.stopping if i not in living]:
            del self.stopping[id]


class Memory:
    def __init__(self) -> None:
        self._pods: dict[str, PodMemory] = {}

    def of(self, uid: str) -> PodMemory:
        return self._pods.setdefault(uid, PodMemory())

    def forget(self, uid: str) -> None:
        self._pods.pop(uid, None)

    def was_asked_to_end(self, container: str) -> bool:
        return any(container in pod.stopping for pod in list(self._pods.values()))


def newer(cached: Pod | None, written: Pod | None) -> Pod | None:
    """The more recent of the informer's Pod and the one our own write returned."""
    if cached is None or written is None or cached.metadata.uid != written.metadata.uid:
        return cached
    return written if _revision(written) > _revision(cached) else cached


def _revision(pod: Pod) -> int:
    text = pod.metadata.resourceVersion
    return int(text) if text.isdigit() else 0
