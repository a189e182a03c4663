"""A history as text of 80 columns for people, and as plain values for programs. Pure.

Facts of the same stage with the same reason are told in one line, so that two Pods do not take twice the room; the
plain values (`values`) have each fact by itself, with seconds since the cause (`total`) and since what set it off
(`step`).

Read next: cli/seeing.py, which prints it.
"""

import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

from minik8s.api import times
from minik8s.explain import facts
from minik8s.explain.facts import Fact
from minik8s.explain.plan import TOGETHER_S, Episode, History, Stage, Window, command

WIDTH = 80
_INDENT = " " * 22
_EXAMPLE_RATE = 50  # requests a second, for "how many met it": the real rate is not known here
_KINDS = {
    "pods": "Pod",
    "services": "Service",
    "deployments": "Deployment",
    "replicasets": "ReplicaSet",
    "nodes": "Node",
    "endpointslices": "EndpointSlice",
    "leases": "Lease",
}
# Each Pod takes these for itself; siblings take them within moments of one another.
_OWN_STEPS = (facts.MADE, facts.BOUND, facts.SANDBOX, facts.STARTED, facts.PROBE, facts.READY)
_WORDS = {
    facts.STORED: "{} stored",
    facts.CHANGED: "{} changed",
    facts.SCALED: "{} scaled",
    facts.MADE: "{} made",
    facts.BOUND: "bound: {}",
    facts.SANDBOX: "sandbox: {}",
    facts.HEARTBEAT: "heartbeat of {}",
    facts.STARTED: "started: {}",
    facts.PROBE: "probe: {}",
    facts.READY: "{} is ready",
    facts.UNREADY: "{} is not ready",
    facts.ENDPOINTS: "{} written",
    facts.DIED: "died: {}",
    facts.STOPPED: "ended: {}",
    facts.SIDECAR: "sidecar: {}",
    facts.ANNOUNCED: "announced: {}",
    facts.DELETED: "{} deleted",
    facts.GONE: "{} is gone",
    facts.NODE: "{} changed",
}


def text(history: History) -> str:
    """All of it, ready to print."""
    parts = [episode_text(episode) for episode in history.episodes]
    parts = parts or [f"Nothing is remembered of {history.target} in that time."]
    return "\n\n".join([*parts, *_notes(history)]) + "\n"


def _notes(history: History) -> list[str]:
    notes = []
    if history.silent:
        notes.append(f"No answer from {', '.join(history.silent)}: what they did is missing here.")
    if history.machines > 1:
        notes.append(
            f"The nodes are {history.machines} machines: times of different machines are as exact as their clocks."
        )
    return [textwrap.fill(note, WIDTH) for note in notes]


# --- Episodes ---------------------------------------------------------------------------------------------------------


def episode_text(episode: Episode) -> str:
    """One cause and what followed."""
    clock = times.rfc3339(episode.cause.wall, micro=True)[11:23]
    lines = textwrap.wrap(f"{clock}Z {cause(episode.cause)}", WIDTH, subsequent_indent=" " * 14)
    lines.append(f"{'since cause':>11} {'step':>9} what")
    for group in _grouped(episode.stages):
        lines += _row(group)
    for window in episode.windows:
        lines += _window(window)
    return "\n".join(lines)


def cause(fact: Fact) -> str:
    """What began it, in words."""
    where = f"{_KINDS.get(fact.kind, fact.kind)} {fact.name}"
    if fact.stage == facts.HEARTBEAT:
        return f"the last heartbeat of {fact.name}"
    if fact.is_write and not fact.because:
        return f"{fact.who} wrote {where} and gave no reason: a cause without a cause"
    if fact.is_write and not fact.seen:
        return command(fact)
    if fact.stage == facts.RULES:
        return f"{fact.because} ({fact.who})"  # of the proxy itself: it has started
    return f"{where}: {fact.because} ({fact.who})"


def _grouped(stages: Sequence[Stage]) -> list[list[Stage]]:
    """What is told in one line: a Pod's own steps together with its siblings', other facts by their reason."""
    groups: dict[tuple[str, ...], list[Stage]] = {}
    for stage in stages:
        fact = stage.fact
        if fact.stage == facts.RULES and fact.data and not stage.fact.data.get("removed") and _unchanged(fact):
            continue
        groups.setdefault((fact.stage, fact.kind, fact.component, *_round(stage)), []).append(stage)
    return list(groups.values())


def _round(stage: Stage) -> tuple[str, ...]:
    """What facts of one stage must share to stand in one line: their reason, their time, or both."""
    fact, time = stage.fact, str(int(stage.total // TOGETHER_S))
    if fact.stage in _OWN_STEPS:
        return (time,)
    # The same rules are looked at side by side, however late a node is.
    return (fact.because,) if fact.stage in (facts.RULES, facts.NAMES) else (fact.because, time)


def _unchanged(fact: Fact) -> bool:
    return not fact.data.get("added") and "its endpoints did not" in fact.because


def _row(group: Sequence[Stage]) -> list[str]:
    first = group[0]
    head = f"{_span(group):>11} {_length(first.step) if first.total else '':>9}  "
    lines = textwrap.wrap(_what(group), WIDTH - len(head))
    lines = [head + lines[0], *(_INDENT + "  " + line for line in lines[1:])]
    return lines + textwrap.wrap(_reason(group), WIDTH, initial_indent=_INDENT, subsequent_indent=_INDENT)


def _reason(group: Sequence[Stage]) -> str:
    """Why, unless the line itself or the one before says so already."""
    first, reasons = group[0], {stage.fact.because for stage in group}
    fact = first.fact
    if len(reasons) > 1 or fact.stage in (
        facts.HEARTBEAT,
        facts.SANDBOX,
        facts.PROBE,
        facts.READY,
        facts.DIED,
        facts.STOPPED,
    ):
        return ""
    if fact.is_write and not fact.seen and first.total < TOGETHER_S:
        return ""  # the head line has what was typed
    if first.after and first.after.stage == facts.ENDPOINTS and fact.stage == facts.RULES:
        return ""
    return f"- {fact.because}" if fact.because else ""


def _span(group: Sequence[Stage]) -> str:
    return "+" + _length(min(stage.total for stage in group))


def _length(seconds: float) -> str:
    """41 ms, 1.75 s, 26.7 s."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"


def _what(group: Sequence[Stage]) -> str:
    fact = group[0].fact
    if fact.stage in (facts.RULES, facts.NAMES):
        each = ", ".join(f"{stage.fact.node} +{_length(stage.total)}" for stage in group)
        return f"{'rules' if fact.stage == facts.RULES else 'DNS name'}: {each}"
    words = _WORDS.get(fact.stage, fact.stage + " {}")
    what = (words.replace(" is ", " are ") if len(group) > 1 else words).format(_named([s.fact for s in group]))
    revisions = ", ".join(f"@{stage.fact.revision}" for stage in group if stage.fact.is_write)
    who = ", ".join(dict.fromkeys(stage.fact.who for stage in group))
    return f"{what}{' ' + revisions if revisions else ''} ({who})"


def _named(group: Sequence[Fact]) -> str:
    """`Pods web-b55kg-flnxw on node-1, -kjr6w on node-2`: what names have in common is said once."""
    kind = _KINDS.get(group[0].kind, group[0].kind)
    stem = group[0].name.rpartition("-")[0]
    said: list[str] = []
    for fact in dict.fromkeys(group):
        siblings = bool(said) and bool(stem) and fact.name.rpartition("-")[0] == stem
        name = fact.name.removeprefix(stem) if siblings else fact.name
        said.append(f"{name}{_detail(fact)}")
    said = list(dict.fromkeys(said))
    return f"{kind}{'s' if len(said) > 1 else ''} {', '.join(said)}"


def _detail(fact: Fact) -> str:
    """The one thing worth knowing beside the name."""
    if fact.stage == facts.BOUND:
        nodes = [name.rpartition("/")[2] for name, _ in fact.seen if name.startswith("nodes/")]
        return f" to {nodes[0]}" if nodes else ""
    if fact.stage == facts.SANDBOX:
        return f" ({fact.data.get('address', '')})"
    if fact.stage == facts.ANNOUNCED:
        return f" at {fact.data.get('address', '')}"
    if fact.stage in (facts.DIED, facts.STOPPED):
        return f": {fact.because}"
    if fact.stage == facts.PROBE:
        return f": {fact.because.partition(' (')[0]}"
    return ""


def _window(window: Window) -> list[str]:
    nodes = ", ".join(f"{node} {_length(seconds)}" for node, seconds in window.left)
    said = f"window: {window.endpoint} left the rules after: {nodes}"
    met = (
        f"at {_EXAMPLE_RATE} requests/s about {window.expected(_EXAMPLE_RATE):.1f} would meet it: "
        f"{_EXAMPLE_RATE} x {window.seconds:.3f} s / {window.endpoints} endpoints"
    )
    return [*textwrap.wrap(said, WIDTH, initial_indent="  ", subsequent_indent=" " * 10), " " * 10 + met]


# --- Values -----------------------------------------------------------------------------------------------------------


def values(history: History) -> dict[str, Any]:
    """For `-o json` and for tests."""
    return {
        "object": history.target,
        "sharedClock": history.machines <= 1,
        "silent": list(history.silent),
        "episodes": [_episode(episode) for episode in history.episodes],
    }


def _episode(episode: Episode) -> dict[str, Any]:
    return {
        "cause": {"text": cause(episode.cause), **_fact(episode.cause)},
        "stages": [
            {
                **_fact(stage.fact),
                "total": round(stage.total, 6),
                "step": round(stage.step, 6),
                "after": f"{stage.after.stage} {stage.after.object}" if stage.after else "",
            }
            for stage in episode.stages
        ],
        "windows": [
            {
                "endpoint": window.endpoint,
                "service": window.service,
                "endpoints": window.endpoints,
                "seconds": dict(window.left),
            }
            for window in episode.windows
        ],
    }


def _fact(fact: Fact) -> dict[str, Any]:
    return {
        "wall": fact.wall,
        "stage": fact.stage,
        "who": fact.who,
        "node": fact.node,
        "object": fact.object,
        "revision": fact.revision,
        "because": fact.because,
        "from": _references(fact.seen),
        "data": dict(fact.data),
    }


def _references(seen: Iterable[tuple[str, int]]) -> list[str]:
    return [f"{name}@{revision}" if revision else name for name, revision in seen]
