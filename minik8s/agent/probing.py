"""What the answers to probes mean: is a container started, ready, or condemned? Pure, from a history of answers.

Until a startup probe has passed the other two are not asked. Readiness begins as no, liveness as yes; either changes
after so many equal answers in a row as its threshold says. Source: upstream's pkg/kubelet/prober. Read next:
world/probes.py, which asks.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from minik8s.agent.observed import Verdict
from minik8s.api.pods import Container, ContainerStatus, Probe

STARTUP, LIVENESS, READINESS = "Startup", "Liveness", "Readiness"


@dataclass(frozen=True)
class History:
    """What one probe has answered so far: equal answers in a row, and what holds at the moment."""

    passed: bool | None = None
    successes: int = 0
    failures: int = 0
    message: str = ""


def probes(spec: Container) -> dict[str, Probe]:
    """The probes that a container has, by kind."""
    every = {STARTUP: spec.startupProbe, LIVENESS: spec.livenessProbe, READINESS: spec.readinessProbe}
    return {kind: probe for kind, probe in every.items() if probe is not None}


def begin(kind: str, told: ContainerStatus | None) -> History:
    """How a probe's history begins; `told` is what was reported of this very container before this process knew it."""
    if kind == STARTUP:
        return History(passed=True if told is not None and told.started else None)
    if kind == READINESS:
        return History(passed=told is not None and told.ready)
    return History(passed=True)


def advance(history: History, passed: bool, message: str, probe: Probe) -> History:
    """The history with one answer more."""
    successes = history.successes + 1 if passed else 0
    failures = 0 if passed else history.failures + 1
    holds = history.passed
    if successes >= (probe.successThreshold or 1):
        holds = True
    if failures >= (probe.failureThreshold or 3):
        holds = False
    return History(holds, successes, failures, message)


def wanted(spec: Container, histories: Mapping[str, History]) -> tuple[str, ...]:
    """The probes to ask at this stage of a container's life."""
    mine = probes(spec)
    if STARTUP in mine and histories[STARTUP].passed is not True:
        return (STARTUP,)
    return tuple(kind for kind in (LIVENESS, READINESS) if kind in mine)


def due(probe: Probe, started_at: float, asked_at: float | None) -> float:
    """When to ask next."""
    if asked_at is None:
        return started_at + probe.initialDelaySeconds
    return asked_at + (probe.periodSeconds or 10)


def verdict(spec: Container, histories: Mapping[str, History]) -> Verdict:
    """What the histories say together."""
    startup, liveness, readiness = (histories.get(kind) for kind in (STARTUP, LIVENESS, READINESS))
    started = startup is None or startup.passed is True
    condemned = ""
    for kind, history in ((STARTUP, startup), (LIVENESS, liveness)):
        if history is not None and history.passed is False:
            condemned = f"Container {spec.name} failed {kind.lower()} probe, will be restarted"
    return Verdict(
        started=started, ready=started and (readiness is None or bool(readiness.passed)), condemned=condemned
    )
