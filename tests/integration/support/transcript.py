"""Transcripts: what somebody typed and what was answered, played again and compared.

A transcript is a text file that reads like a terminal:

    # what this is about
    $ kubectl apply -f web.yaml
    deployment.apps/web created
    service/web created

    $1.32+ kubectl create configmap settings --from-literal=colour=green     only these versions of kubectl
    configmap/settings created

    $ kubectl get pod nobody
    Error from server (NotFound): pods "nobody" not found
    (exit 1)

The lines below a command must be printed in this order, on standard output or standard error; others may stand between
them. `…` stands for anything, a run of spaces for any number of them, `! text` says that no line has this text. A
command ends with 0 unless a line says `(exit N)`. `# core` in the first line: also Debian 12's kubectl 1.20 can do it.
`# alone`: it changes what all share, such as a node, so that no other may run beside it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_COMMAND = re.compile(r"^\$(?:1\.(?P<minor>\d+)(?P<end>[+-]))? (?P<command>.*)$")
_EXIT = re.compile(r"^\(exit (\d+)\)$")


@dataclass
class Step:
    """One command and what it should say."""

    line: int
    command: str
    minors: range  # which versions of kubectl type it
    expected: list[str] = field(default_factory=list)
    forbidden: list[str] = field(default_factory=list)
    code: int = 0

    def verdict(self, code: int, printed: str) -> str:
        """Empty if it went as the transcript says, else what differs."""
        if code != self.code:
            return f"exit {code} instead of {self.code}"
        lines = iter(printed.splitlines())
        for wanted in self.expected:
            pattern = _pattern(wanted)
            if not any(pattern.fullmatch(line.strip()) for line in lines):
                return f"does not say, in its place: {wanted}"
        said = next((each for each in self.forbidden if each in printed), None)
        return f"should not say: {said}" if said else ""


@dataclass
class Transcript:
    """One file."""

    name: str
    core: bool
    alone: bool
    steps: list[Step]

    def for_minor(self, minor: int) -> list[Step]:
        return [step for step in self.steps if minor in step.minors]


def read(path: Path) -> Transcript:
    """Read a transcript; a line that is none of the above fails, with its number."""
    lines = path.read_text().splitlines()
    flags = re.findall(r"\w+", lines[0].partition(":")[0]) if lines else []
    return Transcript(path.stem, "core" in flags, "alone" in flags, list(_steps(lines)))


def _steps(lines: list[str]) -> Iterator[Step]:
    step: Step | None = None
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if text.startswith("$"):
            if step:
                yield step
            found = _COMMAND.match(text)
            assert found, f"line {number}: {text}"
            step = Step(number, found["command"], _minors(found["minor"], found["end"]))
        elif text and not text.startswith("#"):
            assert step, f"line {number}: nothing has been typed yet"
            _expect(step, text)
    if step:
        yield step


def _expect(step: Step, text: str) -> None:
    ended = _EXIT.match(text)
    if ended:
        step.code = int(ended[1])
    elif text.startswith("! "):
        step.forbidden.append(text[2:])
    else:
        step.expected.append(text)


def _minors(minor: str | None, end: str | None) -> range:
    if minor is None:
        return range(1000)
    return range(int(minor), 1000) if end == "+" else range(int(minor) + 1)


def _pattern(wanted: str) -> re.Pattern[str]:
    words = [".*".join(re.escape(part) for part in word.split("…")) for word in wanted.split()]
    return re.compile(r"\s+".join(words))
