"""What the agent sees of one Pod, as plain values: the only input of its decisions besides the Pod object itself.

Everything here is read back from Docker (labels and state) or is the short memory of this process (probes, refusals,
signals sent). Losing that memory is harmless: the plan asks again. Times are unix seconds. Read next: plan.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Container:
    """One attempt of one container of a Pod, as Docker knows it."""

    id: str
    name: str
    attempt: int  # how many restarts came before it: Kubernetes' restartCount
    streak: int  # how many of those came in quick succession: the exponent of the back-off
    sandbox: str  # the sandbox whose network it joined
    spec_hash: str
    state: str  # "created", "running" or "exited"
    image: str = ""
    image_id: str = ""
    exit_code: int = 0
    oom_killed: bool = False
    error: str = ""  # why Docker could not even start it
    started_at: float = 0.0
    finished_at: float = 0.0
    stop_signal: str = "SIGTERM"

    @property
    def running(self) -> bool:
        return self.state == "running"

    @property
    def ended(self) -> bool:
        return self.state == "exited"


@dataclass(frozen=True, kw_only=True)
class Sandbox:
    """The pause container that owns a Pod's network namespace."""

    id: str
    running: bool
    addresses: tuple[str, ...] = ()  # one of each family; none for a Pod on its node's network
    created_at: float = 0.0
    pid: int = 0
    connected: bool = True  # its end of the wire was seen in place by this process

    @property
    def address(self) -> str:
        return self.addresses[0] if self.addresses else ""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """All that Docker holds of one Pod (one uid)."""

    sandboxes: tuple[Sandbox, ...] = ()
    containers: tuple[Container, ...] = ()

    def attempts(self, name: str) -> list[Container]:
        """The attempts of one container, oldest first."""
        return sorted((c for c in self.containers if c.name == name), key=lambda c: (c.attempt, c.id))

    def latest(self, name: str) -> Container | None:
        attempts = self.attempts(name)
        return attempts[-1] if attempts else None

    @property
    def sandbox(self) -> Sandbox | None:
        """The sandbox in use: the newest one that lives."""
        living = [s for s in self.sandboxes if s.running]
        return max(living, key=lambda s: (s.created_at, s.id)) if living else None

    @property
    def empty(self) -> bool:
        return not self.sandboxes and not self.containers


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the probes say of one running container."""

    started: bool = True
    ready: bool = True
    condemned: str = ""  # why it has to be restarted; empty while it may live


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Why a container could not be made, and when to try again. Kept in memory only."""

    reason: str  # ErrImagePull, ErrImageNeverPull, CreateContainerConfigError, CreateContainerError, …
    message: str
    at: float
    retry_at: float
    count: int = 1


HEALTHY = Verdict()


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Everything a decision about one Pod may depend on, gathered before it is made."""

    now: float
    seen: Seen = field(default_factory=Seen)
    node_addresses: tuple[str, ...] = ()
    network_ready: bool = True  # does the node's Pod network stand?
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)  # by container id
    refusals: Mapping[str, Refusal] = field(default_factory=dict)  # by container name; "" is the sandbox
    stopping: Mapping[str, float] = field(default_factory=dict)  # container id → when patience ends

    def verdict(self, container: Container) -> Verdict:
        return self.verdicts.get(container.id, HEALTHY)
