"""The doctor's findings as text of 80 columns, and as values for programs. Pure.

Read next: ../README.md, where each code has its page.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from minik8s.explain.doctor.facts import Facts
from minik8s.explain.doctor.ladder import RUNGS, Finding
from minik8s.explain.doctor.verdict import OK, RED, SKIPPED, UNASKED

WIDTH = 79
TITLE = 26
SIGNS = {OK: "ok", RED: "NO", SKIPPED: "-", UNASKED: "?"}
PAGE = "minik8s/explain/README.md"


def head(facts: Facts) -> str:
    if facts.source is None:
        return f"Service {facts.name} in namespace {facts.namespace}; {facts.source_why or 'no Pod to ask from'}"
    meta = facts.source.metadata
    name = meta.name if meta.namespace == facts.namespace else f"{meta.namespace}/{meta.name}"
    where = f"Pod {name} on {facts.source.spec.nodeName}"
    return f"Service {facts.name} in namespace {facts.namespace}, asked from {where}"


def line(finding: Finding) -> list[str]:
    """One rung."""
    number = RUNGS.index(finding.rung) + 1
    first = f"{SIGNS[finding.verdict.state]:>3} {number:>2}  {finding.rung.title:<{TITLE}}"
    return fill(finding.verdict.said, first, " " * len(first))


def end(findings: Sequence[Finding]) -> list[str]:
    """What follows the last rung: the evidence, the cause, the mend; or that all is well."""
    last = findings[-1].verdict
    if last.state != RED:
        silent = [each for each in findings if each.verdict.state == UNASKED]
        if not silent:
            return ["", "All is well."]
        names = ", ".join(each.rung.title.lower() for each in silent)
        return ["", *fill(f"Nothing wrong was found. Could not be asked: {names}.")]
    shown = [""]
    for each in last.evidence:
        shown += command(each.command, "see    $ ", "       ")
        shown += fill(each.shows, "         ", "         ") if each.shows not in ("", last.cause) else []
    shown += fill(last.cause, "cause  ", "       ")
    shown += (
        command(last.mend, "mend   $ ", "       ") if is_command(last.mend) else fill(last.mend, "mend   ", " " * 7)
    )
    return [*shown, f"read   {last.code} in {PAGE}"]


def is_command(text: str) -> bool:
    return text.startswith("minik8s ")


def command(text: str, first: str, later: str) -> list[str]:
    """A command over several lines can still be copied: a line ends with a pipe or a backslash."""
    if len(first + text) <= WIDTH:
        return [first + text]
    if " | " in text:
        parts = text.split(" | ")
        ended = [f"{part} |" for part in parts[:-1]] + parts[-1:]
        return [first + ended[0], *(f"{later}  {part}" for part in ended[1:])]
    lines = textwrap.wrap(
        text,
        WIDTH - 2,
        initial_indent=first,
        subsequent_indent=f"{later}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [f"{each} \\" for each in lines[:-1]] + lines[-1:]


def fill(text: str, first: str = "", later: str = "") -> list[str]:
    lines = textwrap.wrap(
        text, WIDTH, initial_indent=first, subsequent_indent=later, break_long_words=False, break_on_hyphens=False
    )
    return lines or [first.rstrip()]


def values(facts: Facts, findings: Sequence[Finding]) -> dict[str, Any]:
    """For programs."""
    last = findings[-1].verdict
    return {
        "service": f"{facts.namespace}/{facts.name}",
        "from": f"{facts.source.metadata.namespace}/{facts.source.metadata.name}" if facts.source else "",
        "well": last.state != RED,
        "code": last.code,
        "rungs": [{"rung": each.rung.name, "title": each.rung.title, **asdict(each.verdict)} for each in findings],
    }
