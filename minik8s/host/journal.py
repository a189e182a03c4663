"""The journal: what a component did that is no API write, each entry with its cause.

A rule set committed, a name answered differently, a container that died: such things leave no trace in the API
server's audit, yet `history` wants them in the chain. The journal is a bounded ring in memory, with a file of JSON
lines beside it that lets a restarted component carry on. The file is never longer than twice the ring, and a line
torn by SIGKILL is dropped when it is read again.
"""

import json
import threading
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from minik8s.host import clock

Entry = dict[str, Any]
DEFAULT_SIZE = 2000


class Journal:
    """Entries have the keys wall, monotonic, node, component, stage, because, objects, revisions, data."""

    def __init__(
        self, path: str | Path | None = None, node: str = "", component: str = "", size: int = DEFAULT_SIZE
    ) -> None:
        self.node, self.component, self.size = node, component, size
        self._path = Path(path) if path else None
        self._lock = threading.Lock()  # guards the ring, the file and its count of lines
        self._ring: deque[Entry] = deque(maxlen=size)
        self._lines = 0
        if self._path:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._ring.extend(_read(self._path))
            self._rewrite(self._path)

    def record(
        self,
        stage: str,
        because: str,
        objects: Sequence[str] = (),
        revisions: Sequence[str] = (),
        **data: Any,
    ) -> Entry:
        """Keep what just happened. `objects` and `revisions` are those it was done for, in the same order."""
        entry: Entry = {
            "wall": clock.wall(),
            "monotonic": clock.monotonic(),
            "node": self.node,
            "component": self.component,
            "stage": stage,
            "because": because,
            "objects": list(objects),
            "revisions": [str(revision) for revision in revisions],
            "data": data,
        }
        with self._lock:
            self._ring.append(entry)
            if self._path:
                self._append(self._path, entry)
        return entry

    def entries(self, since: float = 0.0) -> list[Entry]:
        """What was recorded after this wall time, oldest first."""
        with self._lock:
            return [entry for entry in self._ring if entry["wall"] > since]

    def text(self, since: float = 0.0) -> str:
        """The same as JSON lines: how the health page serves it."""
        return "".join(_line(entry) for entry in self.entries(since))

    def _append(self, path: Path, entry: Entry) -> None:
        if self._lines >= 2 * self.size:
            self._rewrite(path)
            return
        with path.open("a", encoding="utf-8") as file:
            file.write(_line(entry))
        self._lines += 1

    def _rewrite(self, path: Path) -> None:
        # Beside, then renamed: whoever is killed half-way leaves the old file whole.
        beside = path.with_name(path.name + ".new")
        beside.write_text("".join(_line(entry) for entry in self._ring), encoding="utf-8")
        beside.replace(path)
        self._lines = len(self._ring)


def _line(entry: Entry) -> str:
    return json.dumps(entry, separators=(",", ":"), ensure_ascii=False, default=str) + "\n"


def _read(path: Path) -> list[Entry]:
    if not path.exists():
        return []
    found: list[Entry] = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:  # the line that was being written when the process was killed
            continue
        if isinstance(entry, dict) and "wall" in entry:
            found.append(entry)
    return found
