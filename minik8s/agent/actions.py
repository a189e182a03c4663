"""What the agent can do to one Pod, as values. Each says why; sorted, they stand in the order to act in.

Read next: plan.py, which makes them; sync.py, which carries them out.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, kw_only=True)
class Action:
    rank: ClassVar[int] = 0
    because: str

    @property
    def subject(self) -> str:
        """What it is done to, for sorting and for logs."""
        return ""

    def __str__(self) -> str:
        return f"{type(self).__name__} {self.subject}".rstrip()


@dataclass(frozen=True, kw_only=True)
class OnContainer(Action):
    container: str  # name in the Pod's spec
    id: str

    @property
    def subject(self) -> str:
        return f"{self.container} {self.id[:12]}"


@dataclass(frozen=True, kw_only=True)
class StopContainer(OnContainer):
    """Ask the process to end, and remember until when to be patient."""

    rank = 1
    signal: str = "SIGTERM"
    grace: float = 0.0


@dataclass(frozen=True, kw_only=True)
class KillContainer(OnContainer):
    """SIGKILL: its time is up."""

    rank = 2


@dataclass(frozen=True, kw_only=True)
class RemoveContainer(OnContainer):
    rank = 3


@dataclass(frozen=True, kw_only=True)
class RemoveSandbox(Action):
    """Its network namespace goes, and with it the wire: only after the processes in it."""

    rank = 4
    sandbox: str

    @property
    def subject(self) -> str:
        return self.sandbox[:12]


@dataclass(frozen=True, kw_only=True)
class CreateSandbox(Action):
    rank = 5


@dataclass(frozen=True, kw_only=True)
class ConnectSandbox(Action):
    """Make sure that the wire between sandbox and Pod bridge is whole."""

    rank = 6
    sandbox: str

    @property
    def subject(self) -> str:
        return self.sandbox[:12]


@dataclass(frozen=True, kw_only=True)
class StartContainer(Action):
    rank = 7
    container: str
    sandbox: str
    attempt: int = 0
    streak: int = 0
    position: int = 0  # in the Pod's spec: containers start in that order

    @property
    def subject(self) -> str:
        return f"{self.position:03d} {self.container}"


@dataclass(frozen=True, kw_only=True)
class FinishPod(Action):
    """Nothing of the Pod is left here: the object may go."""

    rank = 8


@dataclass(frozen=True)
class Plan:
    """What to do now, and in how many seconds to look again (None: when something happens)."""

    actions: tuple[Action, ...] = ()
    look_again: float | None = None


def make_plan(actions: Iterable[Action], waits: Iterable[float] = ()) -> Plan:
    """Sorted actions and the shortest of the waits."""
    ordered = sorted(actions, key=lambda a: (a.rank, a.subject))
    return Plan(tuple(ordered), min(waits, default=None))
