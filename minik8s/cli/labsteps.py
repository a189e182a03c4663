"""The vocabulary of a lab's `check.py`: steps, what is expected of each, what was seen, and the next hint. Pure.

A step's `look` is given the world (labworld.py) and returns `yes("3 addresses")` or `no("no Service back")`. The rest
is words: what is expected, the command that shows it, hints from gentle to plain, and what to understand once it
holds. What must hold: a step is judged by what is there, or by what happened since the lab was begun, never by what was
typed; and each step can fail.

    STEPS = [
        Step(
            name="There is a Service `back`",
            expected="a Service of this name",
            look=lambda world: yes("it is there") if world.get(Service, "back") else no("no such Service"),
            show="minik8s get service back -n lab-01",
            hints=("Look at service.yaml.", "minik8s apply -f service.yaml"),
            why="A Service is a name and an address that stay.",
        ),
    ]

Read next: labworld.py (what `look` may ask), labprogress.py (what is remembered), lab.py (the verbs).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Seen:
    """What was seen, in words, and whether it is what was expected."""

    holds: bool
    text: str


def yes(text: str) -> Seen:
    return Seen(True, text)


def no(text: str) -> Seen:
    return Seen(False, text)


def either(holds: bool, text: str) -> Seen:
    """The same words whether it holds or not: a number, a list of names."""
    return Seen(holds, text)


Look = Callable[[Any], Seen]


@dataclass(frozen=True)
class Step:
    """One thing that a lab asks for."""

    name: str
    expected: str
    look: Look
    show: str  # the command with which the learner sees the same
    hints: tuple[str, ...]  # one at a time
    why: str  # said once it holds
    read: tuple[str, ...] = ()  # files of the source that do this
    once: bool = False  # about something that happened: once seen, it is remembered until the lab begins anew


@dataclass(frozen=True)
class Verdict:
    """A step and what was seen of it."""

    step: Step
    seen: Seen

    @property
    def holds(self) -> bool:
        return self.seen.holds


def judge(steps: Sequence[Step], look: Callable[[Step], Seen]) -> list[Verdict]:
    """Every step by itself, in the lab's order; `look` asks the world, and knows what to do when it does not answer."""
    return [Verdict(step, look(step)) for step in steps]


def first_failing(verdicts: Sequence[Verdict]) -> Verdict | None:
    return next((each for each in verdicts if not each.holds), None)


def hint(step: Step, given: int) -> tuple[str, int]:
    """The next hint when so many were given, and how many are given then. The last one is said again and again."""
    now = min(given + 1, len(step.hints))
    return step.hints[now - 1], now


# --- Files with answers -------------------------------------------------------------------------------------------


def answers(text: str) -> dict[str, str]:
    """`word: answer` line by line; # opens a comment."""
    found = {}
    for line in text.splitlines():
        key, colon, value = line.partition("#")[0].partition(":")
        if colon and key.strip():
            found[key.strip()] = plain(value)
    return found


def plain(answer: str) -> str:
    """`The rules.` is `rules`, and `$HOME` is `home`: it is the answer that counts, not how it is written."""
    word = answer.strip().strip("`'\"").strip().rstrip(".").lower()
    return word.removeprefix("the ").removeprefix("$")


def compare(given: Mapping[str, str], right: Mapping[str, Sequence[str]]) -> Seen:
    """Which answers are missing or not yet right; never which would be. `right` has all spellings of each."""
    missing = [key for key in right if not given.get(key)]
    wrong = [key for key, allowed in right.items() if given.get(key) and given[key] not in allowed]
    if not missing and not wrong:
        return yes(f"all {len(right)} are right")
    parts = [f"no answer yet: {', '.join(missing)}"] if missing else []
    parts += [f"not right yet: {', '.join(wrong)}"] if wrong else []
    return no("; ".join(parts))
