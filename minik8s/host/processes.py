"""Processes: run one to its end, start a daemon, recognise it later, end it. The only file that imports subprocess.

A pid alone proves nothing, because the kernel hands it out again. Whoever remembers a process remembers its start
time too, and `alive` and `kill` touch only the process for which both are true. Nothing here searches for processes
by name.

Next: `namespaces.py`, for the `ns` that a command may be run in.
"""

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, NoReturn, TypeVar

from setproctitle import setproctitle

from minik8s.host import namespaces

T = TypeVar("T")

PR_SET_PDEATHSIG = 1
TITLE = "minik8s: "
RUN_TIMEOUT_S = 60.0
_libc = ctypes.CDLL(None, use_errno=True)
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")

Popen = subprocess.Popen  # for type hints elsewhere
DEVNULL = subprocess.DEVNULL
Timeout = subprocess.TimeoutExpired


class CommandError(RuntimeError):
    """A command that did not end well: its words, its exit code, and what it said on stderr."""

    def __init__(self, completed: "Completed") -> None:
        self.completed = completed
        said = completed.stderr.strip() or completed.stdout.strip() or "it said nothing"
        super().__init__(f"{' '.join(completed.argv)} ended with {completed.code}: {said}")


@dataclass(frozen=True)
class Completed:
    argv: tuple[str, ...]
    code: int
    stdout: str
    stderr: str


# --- Start ------------------------------------------------------------------------------------------------------------


def run(
    argv: Sequence[str], *, ns: str = "", input: str = "", check: bool = True, timeout: float = RUN_TIMEOUT_S
) -> Completed:
    """Run a command to its end and keep what it wrote; `ns` names a network namespace to run it in."""

    def work() -> Completed:
        done = subprocess.run(
            list(argv), input=input, capture_output=True, text=True, errors="replace", timeout=timeout, check=False
        )
        return Completed(tuple(argv), done.returncode, done.stdout, done.stderr)

    completed = _maybe_in(ns, work)
    if check and completed.code:
        raise CommandError(completed)
    return completed


def call(argv: Sequence[str], *, ns: str = "", env: Mapping[str, str] | None = None) -> int:
    """Run a command on our own terminal and return its exit code, as a shell would."""
    start = partial(subprocess.Popen, list(argv), env=None if env is None else dict(env))
    try:
        process = _maybe_in(ns, start)
    except OSError as error:
        print(f"{argv[0]}: {error.strerror}", file=sys.stderr)
        return 127 if isinstance(error, FileNotFoundError) else 126
    while True:
        # The terminal sends Ctrl-C to both of us; the command decides what it means, and we report how it ended.
        with contextlib.suppress(KeyboardInterrupt):
            code = process.wait()
            return code if code >= 0 else 128 - code


def pipe(argv: Sequence[str], *, ns: str = "", env: Mapping[str, str] | None = None) -> "subprocess.Popen[bytes]":
    """Start a command whose output is read from here while it runs (`.stdout`). Whoever starts it ends it."""

    def start() -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=None if env is None else dict(env),
        )

    return _maybe_in(ns, start)


def spawn(
    argv: Sequence[str],
    *,
    log: str | os.PathLike[str] = os.devnull,
    ns: str = "",
    env: Mapping[str, str] | None = None,
    pass_fds: Sequence[int] = (),
) -> "subprocess.Popen[bytes]":
    """Start a daemon: a session of its own, nothing on stdin, all it says appended to a log file.

    It outlives us. (The death signal of `die_with_parent` would come too early here: the kernel sends it when the
    *thread* that started the child ends.)
    """

    def start(sink: IO[bytes]) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=None if env is None else dict(env),
            pass_fds=tuple(pass_fds),
        )

    with open(log, "ab") as sink:
        return _maybe_in(ns, lambda: start(sink))


def fork(work: Callable[[], None], title: str) -> int:
    """Do `work` in a child process, which ends when it is done, or with us; returns the child's pid.

    Only while this process has a single thread: locks that others hold would stay held in the child.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return pid

    def life() -> None:
        die_with_parent()
        set_title(title)
        work()

    end_after(life)


def end_after(work: Callable[[], None]) -> NoReturn:
    """In a forked child: do `work`, then end, without the clean-up that is the parent's."""
    code = 1
    try:
        work()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:  # the last line of a process: say why
        sys.excepthook(*sys.exc_info())
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def die_with_parent(number: int = signal.SIGKILL) -> None:
    """Let the kernel send us this signal when the thread that forked us ends. Checks that it has not ended already."""
    parent = os.getppid()
    if _libc.prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")
    if os.getppid() != parent:
        os.kill(os.getpid(), number)


def set_title(name: str) -> None:
    """What `ps` shows: `minik8s: proxy@node-2`."""
    setproctitle(TITLE + name)


# --- Recognise and end ------------------------------------------------------------------------------------------------


def start_time(pid: int) -> int | None:
    """When a process started, in ticks since boot; None when there is none."""
    fields = _stat(pid)
    return int(fields[19]) if fields else None


def boot_id() -> str:
    """Changes with each boot: pids and start times of another boot mean nothing."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def alive(pid: int, started: int | None = None) -> bool:
    """Does this very process still run? One that has ended and waits for its parent to notice does not."""
    fields = _stat(pid)
    return fields is not None and fields[0] not in "ZX" and started in (None, int(fields[19]))


def kill(pid: int, number: int = signal.SIGTERM, started: int | None = None) -> bool:
    """Send a signal to this very process; False when it is gone already. The descriptor pins it: nobody else is hit."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    try:
        if not alive(pid, started):
            return False
        signal.pidfd_send_signal(descriptor, number)
        return True
    except ProcessLookupError:
        return False
    finally:
        os.close(descriptor)


def wait_gone(pid: int, timeout: float, started: int | None = None) -> bool:
    """Wait until a process (ours or not) has ended; False when it still runs after `timeout` seconds."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        if not alive(pid, started):
            return True
        poller = select.poll()
        poller.register(descriptor, select.POLLIN)
        return bool(poller.poll(timeout * 1000))
    finally:
        os.close(descriptor)


# --- Look -------------------------------------------------------------------------------------------------------------


def pids() -> list[int]:
    return sorted(int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())


def pids_in_ns(name_or_path: str) -> list[int]:
    """The processes whose main thread is in this network namespace."""
    wanted = namespaces.identity(name_or_path)

    def inside(pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/ns/net").stat().st_ino == wanted
        except OSError:  # it ended while we looked
            return False

    return [pid for pid in pids() if inside(pid)]


def eldest_in_each_ns() -> dict[int, int]:
    """Of each network namespace that some process is in (by its number, see `namespaces.identity`) the oldest one."""
    found: dict[int, tuple[int, int]] = {}
    for pid in pids():
        try:
            where = Path(f"/proc/{pid}/ns/net").stat().st_ino
        except OSError:  # it ended while we looked
            continue
        started = start_time(pid)
        if started is not None and (where not in found or (started, pid) < found[where]):
            found[where] = started, pid
    return {where: pid for where, (_, pid) in found.items()}


def parent(pid: int) -> int:
    """The parent's pid; 0 when there is none."""
    fields = _stat(pid)
    return int(fields[1]) if fields else 0


def command_line(pid: int) -> str:
    """The words of a process, or the title it gave itself; "" when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def pss(pid: int) -> int:
    """Bytes of memory, each shared page divided among its users: adding them up over processes gives the true sum."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def cpu_seconds(pid: int) -> float:
    """Processor time used so far, user and system, without children."""
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND if fields else 0.0


def _stat(pid: int) -> list[str] | None:
    """Fields of /proc/PID/stat from the third (state) on: the second, the name, may itself hold blanks and brackets."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    return text[text.rindex(")") + 2 :].split()


def _maybe_in(ns: str, fn: Callable[[], T]) -> T:
    return namespaces.in_ns(ns, fn) if ns else fn()
