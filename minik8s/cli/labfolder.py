"""A lab is a folder: what it is called, what it asks for, which files a learner gets, which steps it checks.

    labs/01-why-a-service/
        README.md, README.zh.md   the text, in English and in Chinese
        lab.toml                  goal, minutes, components, files of the source to read
        start/                    what the learner begins with; copied to ./lab-01/
        solution/                 the files as they may end, and solve.sh: the commands
        check.py                  STEPS, and if need be clean(world), for reset, and again(world), for a second start

What must hold: a learner's file is never overwritten, except by `reset` and `solve`, which keep it beside as NAME.mine.

Read next: labsteps.py, what check.py says.
"""

import importlib.util
import os
import shutil
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import minik8s

SCRIPT = "solve.sh"
MINE = ".mine"


class NoLab(LookupError):
    """There is no such lab, or it is not begun."""


@dataclass(frozen=True)
class Lab:
    """What lab.toml says."""

    folder: Path
    title: str
    goal: str
    minutes: int
    components: tuple[str, ...]
    read: tuple[str, ...]  # files of the source
    apply: tuple[str, ...] = ()  # files of start/ that `lab start` applies
    without: tuple[str, ...] = ()  # what the learner runs in minik8s' place
    program: str = ""  # the learner's own component, a file of start/
    look_every: int = 0  # seconds; for `watch`, when steps look at what tells nobody that it changed

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def number(self) -> str:
        return self.name.partition("-")[0]

    @property
    def namespace(self) -> str:
        """Each lab has one of its own, and a folder of the same name."""
        return f"lab-{self.number}"

    @property
    def text(self) -> Path:
        return self.folder / "README.md"


def root(environ: Mapping[str, str] | None = None) -> Path:
    """Where the labs are: beside the source, or where $MINIK8S_LABS says."""
    environ = os.environ if environ is None else environ
    return Path(environ.get("MINIK8S_LABS") or Path(minik8s.__file__).resolve().parents[1] / "labs")


def every(where: Path | None = None) -> list[Lab]:
    """All labs, in the order of their numbers."""
    return [read(file.parent) for file in sorted((where or root()).glob("[0-9]*/lab.toml"))]


def read(folder: Path) -> Lab:
    values = tomllib.loads((folder / "lab.toml").read_text())
    known = set(Lab.__dataclass_fields__) - {"folder"}
    if unknown := sorted(values.keys() - known):
        raise ValueError(f"{folder / 'lab.toml'}: {', '.join(unknown)}: known are {', '.join(sorted(known))}")
    lists = {key: tuple(value) for key, value in values.items() if isinstance(value, list)}
    return Lab(folder, **{**values, **lists})


def find(word: str, labs: list[Lab]) -> Lab:
    """`1`, `01`, `why` or the whole name."""
    found = [lab for lab in labs if word == lab.name or (word.isdigit() and int(word) == int(lab.number))]
    found = found or [lab for lab in labs if word in lab.name]
    if len(found) != 1:
        names = ", ".join(lab.name for lab in found or labs)
        raise NoLab(f"{'several labs are' if found else 'no lab is'} called {word}: {names}")
    return found[0]


def checks(lab: Lab) -> ModuleType:
    """The lab's check.py."""
    spec = importlib.util.spec_from_file_location(f"lab_{lab.number}", lab.folder / "check.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# --- The learner's files ------------------------------------------------------------------------------------------


def hand_out(lab: Lab, work: Path) -> list[str]:
    """Copy what the learner does not have yet."""
    work.mkdir(parents=True, exist_ok=True)
    fresh = [file for file in files(lab, "start") if not (work / file.name).exists()]
    for file in fresh:
        shutil.copy(file, work / file.name)
    return [file.name for file in fresh]


def replace(lab: Lab, part: str, work: Path) -> list[str]:
    """Put the files of start/ or solution/ in place; returns which of the learner's own were kept beside."""
    work.mkdir(parents=True, exist_ok=True)
    kept = []
    for file in files(lab, part):
        mine = work / file.name
        if mine.exists() and not is_handed_out(lab, mine):
            mine.replace(mine.with_name(mine.name + MINE))
            kept.append(mine.name + MINE)
        shutil.copy(file, mine)
    return kept


def is_handed_out(lab: Lab, mine: Path) -> bool:
    """Is it as we gave it? Then nothing of the learner's is lost with it."""
    ours = [lab.folder / part / mine.name for part in ("start", "solution")]
    return any(each.exists() and each.read_bytes() == mine.read_bytes() for each in ours)


def files(lab: Lab, part: str) -> list[Path]:
    folder = lab.folder / part
    return sorted(each for each in folder.iterdir() if each.is_file() and each.name != SCRIPT)
