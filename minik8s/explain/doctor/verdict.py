"""What a judge says of a rung. Pure values.

Read next: ladder.py.
"""

from dataclasses import dataclass

OK, RED, SKIPPED, UNASKED = "ok", "red", "skipped", "unasked"


@dataclass(frozen=True)
class Evidence:
    """A command that shows it, and the essence of what it prints."""

    command: str
    shows: str = ""


@dataclass(frozen=True)
class Verdict:
    """`said` is one line. The rest belongs to a red one."""

    state: str
    said: str
    code: str = ""
    evidence: tuple[Evidence, ...] = ()
    cause: str = ""
    mend: str = ""  # a command, or words where no command can know what was meant


def ok(said: str) -> Verdict:
    return Verdict(OK, said)


def skipped(said: str) -> Verdict:
    """The question does not arise for this Service."""
    return Verdict(SKIPPED, said)


def unasked(said: str) -> Verdict:
    """It would arise, but nobody could be asked."""
    return Verdict(UNASKED, said)


def red(code: str, said: str, cause: str, mend: str, *evidence: Evidence) -> Verdict:
    return Verdict(RED, said, code, evidence, cause, mend)
