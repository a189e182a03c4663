"""How far a learner is: which lab, since when, in which folder, which steps held, how many hints were given.

One file for each learner, $MINIK8S_HOME/.labs/<cluster>.json: outside of the cluster's own directory, so that it
survives `down`, a reboot and a lost cluster. It is replaced in one step. Changes are pure functions, from one Progress
to the next. What must hold: a lab that was done stays done, whatever happens to it later.

Read next: lab.py.
"""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from minik8s.api import codec
from minik8s.cluster import state


class Standing(msgspec.Struct, frozen=True):
    """One lab."""

    began: float = 0.0  # by the clock on the wall: what happened before does not count
    folder: str = ""
    passed: tuple[str, ...] = ()  # names of steps that have held since
    hints: dict[str, int] = {}  # how many were given, by step
    done: float = 0.0  # when all steps held for the first time


class Progress(msgspec.Struct, frozen=True):
    current: str = ""
    labs: dict[str, Standing] = {}

    def of(self, lab: str) -> Standing:
        return self.labs.get(lab, Standing())


def folder(progress: Progress, lab: str, here: Path, name: str) -> Path:
    """Where the learner's files are, or shall be: here, but never inside of another lab's folder."""
    given = progress.of(lab).folder
    if given and Path(given).is_dir():
        return Path(given)
    inside = any(each.folder == str(here) for each in progress.labs.values())
    return (here.parent if inside else here) / name


def file(cluster: str) -> Path:
    return state.home() / ".labs" / f"{cluster}.json"


def load(cluster: str) -> Progress:
    try:
        return codec.decode(Progress, file(cluster).read_bytes())
    except FileNotFoundError:
        return Progress()


def save(cluster: str, progress: Progress) -> None:
    path = file(cluster)
    path.parent.mkdir(parents=True, exist_ok=True)
    state.replace(path, msgspec.json.format(msgspec.json.encode(progress)).decode() + "\n")


# --- From one to the next -----------------------------------------------------------------------------------------


def with_standing(progress: Progress, lab: str, standing: Standing) -> Progress:
    return Progress(lab, {**progress.labs, lab: standing})


def begun(progress: Progress, lab: str, folder: str, now: float) -> Progress:
    """Begun, or begun anew."""
    return with_standing(progress, lab, Standing(began=now, folder=folder, done=progress.of(lab).done))


def checked(progress: Progress, lab: str, held: Sequence[str], of: int, now: float) -> Progress:
    """Checked: these steps held, of so many."""
    old = progress.of(lab)
    passed = (*old.passed, *(name for name in held if name not in old.passed))
    done = old.done or (now if len(held) == of else 0.0)
    return with_standing(progress, lab, msgspec.structs.replace(old, passed=passed, done=done))


def hinted(progress: Progress, lab: str, step: str, given: int) -> Progress:
    old = progress.of(lab)
    return with_standing(progress, lab, msgspec.structs.replace(old, hints={**old.hints, step: given}))


def next_lab(progress: Progress, labs: Sequence[str]) -> str:
    """The first lab after the current one that is not done; then the first of all; "" when all are done."""
    at = labs.index(progress.current) + 1 if progress.current in labs else 0
    return next((lab for lab in (*labs[at:], *labs[:at]) if not progress.of(lab).done), "")
