"""A text that is a test: its commands are run, in one shell, and what they say is compared with what the text shows.

    ```console
    $ minik8s get pods -n lab-01          a command; a line that begins with `> ` goes on with it
    NAME    READY   STATUS …              what it says; … stands for anything
    …                                     by itself: any number of lines
    ```
    <!-- do: cp solution/service.yaml . -->     what the reader does in an editor

Blanks do not count beyond the first, because columns are as wide as the names in them. Nothing shown means that the
command says nothing, or that what it says is of no interest: it must only succeed.
"""

import os
import re
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ANY = "…"
PATIENCE_S = 100


@dataclass
class Command:
    """One command of a text, and the lines shown below it."""

    line: int
    words: str
    shown: list[str] = field(default_factory=list)


def commands(text: str) -> list[Command]:
    """What a reader types, and does in an editor, in order."""
    found: list[Command] = []
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("```"):
            inside = line == "```console"
        elif (hidden := re.fullmatch(r"<!-- do: (.*) -->", line)) is not None:
            found.append(Command(number, hidden[1]))
        elif inside and line.startswith("$ "):
            found.append(Command(number, line[2:]))
        elif inside and line.startswith("> "):
            found[-1].words += "\n" + line[2:]
        elif inside:
            found[-1].shown.append(line)
    return found


def matches(shown: list[str], said: list[str]) -> bool:
    """Is what was said what is shown?"""
    pattern = ""
    for line in shown:
        if line.strip() == ANY:
            pattern += r"(?:.*\n)*?"
        else:
            pattern += r".*".join(re.escape(part.strip()) for part in squeeze(line).split(ANY)) + r"\n"
    return re.fullmatch(pattern, "".join(f"{squeeze(line)}\n" for line in said)) is not None


def squeeze(line: str) -> str:
    return " ".join(line.split())


class Shell:
    """One shell for a whole text, so that variables and jobs last."""

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        self.process = subprocess.Popen(
            ["bash", "--norc"],
            cwd=folder,
            env={**os.environ, **env},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, words: str) -> tuple[int, list[str]]:
        """A command's exit code and lines."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(f"{{\n{words}\n}} </dev/null\nprintf '\\n==end %s==\\n' $?\n")
        self.process.stdin.flush()
        lines: list[str] = []
        for line in self.process.stdout:
            if (end := re.fullmatch(r"==end (\d+)==\n", line)) is not None:
                return int(end[1]), "\n".join(lines).rstrip("\n").splitlines()
            lines.append(line.rstrip("\n"))
        raise AssertionError(f"the shell ended with {words!r}: {lines}")

    def close(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def walk(text: Path, shell: Shell) -> None:
    """Follow a text from its first command to its last."""
    for command in commands(text.read_text()):
        code, said = shell.run(command.words)
        where = f"{text.parent.name}/{text.name}:{command.line}: $ {command.words}"
        told = "\n".join(said)
        if command.shown:
            expected = "\n".join(command.shown)
            assert matches(command.shown, said), f"{where}\n--- shown\n{expected}\n--- said\n{told}"
        else:
            assert code == 0, f"{where} ended with {code}:\n{told}"
