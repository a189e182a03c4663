"""Who goes first when there are more requests than threads: Kubernetes' API priority and fairness in miniature. Pure.

Each level has seats of its own, so no level can take another's; who finds no seat waits in the level's queue, and who
finds the queue full, or waits too long, is told 429. Levels: `exempt` is health, `system` the cluster's own components,
by their certificates, and `workload` everybody else. Invariant: a request is running, waiting or refused, and a seat
that is left goes to whoever has waited longest. Read next: worker.py.
"""

from collections import deque
from typing import Generic, TypeVar

from minik8s import params
from minik8s.apiserver.auth.authn import User

T = TypeVar("T")
HEALTH = (b"/healthz", b"/livez", b"/readyz")
EXEMPT, SYSTEM, WORKLOAD = "exempt", "system", "workload"


def level_of(request: bytes, user: User) -> str:
    """The level of a request, from its first line and the certificate of its connection."""
    parts = request.split(b" ", 2)
    if len(parts) > 1 and parts[1].partition(b"?")[0] in HEALTH:
        return EXEMPT
    return SYSTEM if user.name.startswith("system:") and not user.anonymous else WORKLOAD


class Lanes(Generic[T]):
    """Seats and queues. One thread owns it."""

    def __init__(self, levels: dict[str, tuple[int, int]] = params.PRIORITY_LEVELS) -> None:
        self._levels = levels
        self.running = dict.fromkeys(levels, 0)
        self.waiting: dict[str, deque[tuple[float, T]]] = {name: deque() for name in levels}

    def arrive(self, level: str, item: T, now: float) -> str:
        """What becomes of a request: `run`, `wait` or `refuse`."""
        seats, places = self._levels[level]
        if self.running[level] < seats:
            self.running[level] += 1
            return "run"
        if len(self.waiting[level]) >= places:
            return "refuse"
        self.waiting[level].append((now, item))
        return "wait"

    def leave(self, level: str) -> T | None:
        """A seat is free: who takes it."""
        if self.waiting[level]:
            return self.waiting[level].popleft()[1]
        self.running[level] -= 1
        return None

    def impatient(self, now: float) -> list[T]:
        """Those who have waited too long; they wait no more."""
        gone = []
        for queue in self.waiting.values():
            while queue and now - queue[0][0] > params.QUEUE_WAIT_S:
                gone.append(queue.popleft()[1])
        return gone
