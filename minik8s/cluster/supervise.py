"""Decides which processes of a cluster are to be started now. Pure: the table and the time in, starts out.

What crashed is started again: the first time at once, then with growing pauses, so that a component that cannot start
does not eat the machine. What a learner stopped with `minik8s kill` stays down until `minik8s start`. A process that
ran a while before it crashed starts with a clean slate. Invariant: no process is started while it runs, and none that
is not wanted.

Read next: `zygote.py`, which carries it out.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from minik8s import params

# Who is needed by whom: etcd first. Only the order within one round; nobody waits for anybody, because every component
# retries.
RANK = {
    "etcd": 0,
    "apiserver": 1,
    "controllers": 2,
    "scheduler": 3,
    "agent": 4,
    "proxy": 5,
    "dns": 6,
    "ingress": 7,
    "sidecar": 8,
}


@dataclass(frozen=True)
class Process:
    """One line of the table: a component (at a node), whether it is wanted, and what became of it."""

    name: str
    wanted: bool = True
    pid: int = 0  # 0: does not run
    started: int = 0  # the kernel's start time: with the pid it names this very process
    since: float = 0.0  # when it was started last, by the monotonic clock
    restarts: int = 0
    failures: int = 0  # in a row
    not_before: float = 0.0
    ended: str = ""  # how it ended last

    @property
    def component(self) -> str:
        return self.name.partition("@")[0]

    @property
    def node(self) -> str:
        return self.name.partition("@")[2]


@dataclass(frozen=True)
class Start:
    """Start this process."""

    name: str
    because: str


def plan(table: Iterable[Process], now: float) -> tuple[Start, ...]:
    """What to start now, in order."""
    due = [p for p in table if p.wanted and not p.pid and p.not_before <= now]
    return tuple(Start(p.name, p.ended or "wanted, does not run") for p in sorted(due, key=order))


def next_look(table: Iterable[Process], now: float) -> float | None:
    """Seconds until there may be something to start; None when only an event can change anything."""
    waiting = [p.not_before for p in table if p.wanted and not p.pid]
    return max(0.0, min(waiting) - now) if waiting else None


def order(process: Process) -> tuple[int, str]:
    return RANK.get(process.component, len(RANK)), process.name


def running(process: Process, pid: int, started: int, now: float) -> Process:
    """It was started. The first start of all is no restart."""
    again = 1 if process.since or process.ended else 0
    return replace(process, pid=pid, started=started, since=now, restarts=process.restarts + again)


def exited(process: Process, how: str, now: float) -> Process:
    """It ended. If it was wanted this is a crash, and the next start may have to wait."""
    ended = replace(process, pid=0, started=0, ended=how)
    if not process.wanted:
        return replace(ended, failures=0, not_before=0.0)
    failures = 1 if now - process.since >= params.RESTART_RESET_S else process.failures + 1
    return replace(ended, failures=failures, not_before=now + pause(failures))


def pause(failures: int) -> float:
    """Seconds to wait after so many crashes in a row."""
    first, longest = params.RESTART_BACKOFF_S
    return 0.0 if failures <= 1 else min(longest, first * 2.0 ** min(failures - 2, 16))


def stopped(process: Process) -> Process:
    """The user wants it down."""
    return replace(process, wanted=False)


def wanted(process: Process) -> Process:
    """The user wants it up: at once, whatever happened before."""
    return replace(process, wanted=True, failures=0, not_before=0.0)


def describe(status: int) -> str:
    """How a child ended, from what waitpid says, in words."""
    signal = status & 0x7F
    return f"signal {signal}" if signal else f"exit code {status >> 8}"
