"""How labs, steps and hints are told: lines of text, 80 columns wide. Pure.

Read next: lab.py, which prints them.
"""

import os
import textwrap
from collections.abc import Sequence
from pathlib import Path

from minik8s.cli.labfolder import Lab
from minik8s.cli.labprogress import Progress
from minik8s.cli.labsteps import Verdict

WIDTH = 79


def table(labs: Sequence[Lab], progress: Progress) -> list[str]:
    """`lab list`."""
    lines = [f"{'LAB':<30}{'MINUTES':>7}  {'STATE':<12}TITLE"]
    for lab in labs:
        standing = progress.of(lab.name)
        here = "begun" if standing.began else ""
        state = "done" if standing.done else here
        mark = " <-" if lab.name == progress.current else ""
        lines.append(f"{lab.name:<30}{lab.minutes:>7}  {state + mark:<12}{lab.title}")
    return lines


def opening(lab: Lab, work: Path) -> list[str]:
    """What `lab start` says when all stands."""
    return [
        "",
        f"Lab {int(lab.number)}: {lab.title} (about {lab.minutes} minutes)",
        "",
        *fill(lab.goal, ""),
        "",
        f"  the text      {shown(lab.text)}",
        "                (中文: README.zh.md)",
        *place(lab, work),
        f"  namespace     {lab.namespace}",
        "",
        "`minik8s lab check` says what holds. `minik8s lab watch` says it all the time.",
    ]


def place(lab: Lab, work: Path) -> list[str]:
    """The learner's folder; who stands in another lab's is told the way."""
    path = shown(work)
    far = [] if path in (lab.namespace, ".") else [f"                (cd {path})"]
    return [f"  your files    {path}/", *far]


def report(lab: Lab, verdicts: Sequence[Verdict], known: Sequence[str]) -> list[str]:
    """`lab check`: each step; of what does not hold yet: expected, seen, and the command that shows it.

    `known` are steps that held before: their why was told then.
    """
    held = [each for each in verdicts if each.holds]
    lines = [f"Lab {int(lab.number)}: {lab.title}: {len(held)} of {len(verdicts)} steps hold", ""]
    for number, each in enumerate(verdicts, 1):
        lines.append(f"  {'ok     ' if each.holds else 'not yet'} {number} {each.step.name}")
        if not each.holds:
            lines += fill(f"expected  {each.step.expected}", " " * 12, " " * 22)
            lines += fill(f"seen      {each.seen.text}", " " * 12, " " * 22)
            lines += look(each.step.show)
    for number, each in enumerate(verdicts, 1):
        if each.holds and each.step.name not in known:
            lines += ["", f"{number} {each.step.name}.", *fill(each.step.why, "  ")]
            lines += [f"  read {path}" for path in each.step.read]
    return [*lines, "", *closing(lab, len(held) == len(verdicts))]


def look(command: str) -> list[str]:
    """A command is never broken: one that is too long for its column stands further left."""
    line = " " * 12 + f"look      {command}"
    return [line] if len(line) <= WIDTH else [" " * 12 + "look", "    " + command]


def closing(lab: Lab, done: bool) -> list[str]:
    if not done:
        return ["`minik8s lab hint` gives a hint."]
    return [
        "All steps hold. This is the source that did it:",
        *(f"  {path}" for path in lab.read),
        "`minik8s lab next` goes on.",
    ]


def short(verdicts: Sequence[Verdict]) -> str:
    """One line for `lab watch`: which steps hold."""
    return " ".join(f"{number}{'+' if each.holds else '-'}" for number, each in enumerate(verdicts, 1))


def fill(text: str, indent: str, further: str | None = None) -> list[str]:
    further = indent if further is None else further
    return textwrap.wrap(
        text, WIDTH, initial_indent=indent, subsequent_indent=further, break_on_hyphens=False, break_long_words=False
    )


def shown(path: Path) -> str:
    """As short as it can be from where we stand."""
    return min(str(path), os.path.relpath(path), key=len)
