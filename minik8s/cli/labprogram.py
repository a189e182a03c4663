"""Runs the component that a learner writes: started, stopped, swapped for a newer text, never twice at once.

The learner's file runs in a process of its own (this module's `main`), which dies with whoever started it and holds a
lock beside the file: so `lab check` and `lab watch` may both ask for it, and one of them has it. What it says stands in
NAME.log beside it.

Read next: labwatch.py, which swaps it at each save.
"""

import fcntl
import os
import runpy
import signal
import sys
import threading
from pathlib import Path

from minik8s.cluster import state
from minik8s.host import processes

TAKEN = 75  # the exit code of the second one
FIRST_WORDS_S = 1.0  # a program with a mistake in it ends within this time
_pause = threading.Event().wait


class Program:
    """The learner's component."""

    def __init__(self, file: Path, cluster: str) -> None:
        self.file, self.cluster = file, cluster
        self.log = file.with_suffix(".log")
        self.child: processes.Popen[bytes] | None = None

    def start(self) -> None:
        """Run the file as it is now."""
        self.stop()
        if not self.file.exists():
            return
        self.log.write_text("")
        config = str(state.paths(self.cluster).kubeconfig)
        argv = [sys.executable, "-m", "minik8s.cli.labprogram", str(self.file)]
        self.child = processes.spawn(argv, log=self.log, env={**os.environ, "KUBECONFIG": config})

    def stop(self) -> None:
        if self.child is not None:
            processes.kill(self.child.pid, signal.SIGKILL)
            self.child.wait()
            self.child = None

    def trouble(self) -> str:
        """Why it does not run; "" when it does, here or elsewhere."""
        if self.child is None:
            return "it was not started" if self.file.exists() else "there is no such file"
        try:
            code = self.child.wait(FIRST_WORDS_S)
        except processes.Timeout:
            return ""
        if code == TAKEN:
            return ""
        words = [line for line in self.log.read_text(errors="replace").splitlines() if line.strip()]
        return f"it ended with {code}: {words[-1] if words else 'it said nothing'}"


def main(argv: list[str]) -> None:
    """`python -m minik8s.cli.labprogram FILE`."""
    processes.die_with_parent()
    with open(f"{argv[0]}.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(TAKEN)
        sys.path.insert(0, str(Path(argv[0]).parent))
        runpy.run_path(argv[0], run_name="__main__")


if __name__ == "__main__":
    main(sys.argv[1:])
