"""minik8s' own Docker Engine, for machines where none runs: started with the first cluster, stopped with the last.

It has its own data, sockets and pid file under `$MINIK8S_HOME/engine`, and is told to leave the machine's network
alone: no bridge, no iptables, no forwarding. Its images are kept when it stops. Which clusters use it stands in
`clusters.json`; a file lock guards the list and every start and stop. Invariant: after `release` by the last cluster no
process, mount or socket of it is left, however it ended.

Read next: `engine.py`, how containers are made in it.
"""

import contextlib
import fcntl
import json
import os
import select
import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from minik8s import params
from minik8s.cluster import engine, state
from minik8s.host import clock, mounts, processes

SOCKET_PATH_MAX = 107  # Linux' limit (unix(7)), and containerd's sockets lie deep
POLL_S = 0.02  # dockerd tells nobody when its socket is ready


@dataclass(frozen=True)
class Place:
    """Where everything of our Engine is."""

    root: Path

    @property
    def socket(self) -> Path:
        return self.root / "docker.sock"

    @property
    def host(self) -> str:
        return f"unix://{self.socket}"

    @property
    def pidfile(self) -> Path:
        return self.root / "docker.pid"

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def exec(self) -> Path:
        return self.root / "exec"

    @property
    def log(self) -> Path:
        return self.root / "dockerd.log"

    @property
    def users(self) -> Path:
        return self.root / "clusters.json"


def place() -> Place:
    return Place(state.home() / "engine")


def acquire(cluster: str) -> str:
    """The address of an Engine this cluster may use: the user's, or else ours, started if need be."""
    theirs = engine.running_host()
    if theirs:
        return theirs
    where = place()
    _check_length(where)
    with _locked(where):
        _note(where, _users(where) | {cluster})
        if not engine.answers(where.socket):
            _forget_crash(where)
            _start(where)
    return where.host


def _check_length(where: Place) -> None:
    """EngineError when sockets could not be named: dockerd itself would only say that containerd did not start."""
    room = SOCKET_PATH_MAX - len(os.fsencode(where.exec / "containerd/containerd.sock.ttrpc"))
    if room < 0:
        raise engine.EngineError(
            f"MINIK8S_HOME={where.root.parent} is {-room} bytes too long: sockets lie below it, and Linux allows their "
            f"paths {SOCKET_PATH_MAX} bytes; choose a shorter one"
        )


def release(cluster: str) -> bool:
    """This cluster needs our Engine no more; True if it was the last and the Engine is gone."""
    where = place()
    if not where.root.is_dir():
        return False
    with _locked(where):
        rest = _users(where) - {cluster}
        _note(where, rest)
        if rest:
            return False
        _stop(where)
        return True


def uses(cluster: str) -> bool:
    """Does this cluster use our Engine?"""
    return cluster in _users(place())


def arguments(where: Place) -> list[str]:
    """dockerd's command line."""
    switches = ("--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false", "--bridge=none")
    places = ("--data-root", str(where.data), "--exec-root", str(where.exec), "--pidfile", str(where.pidfile))
    # live-restore: containers outlive a crash of dockerd.
    return ["dockerd", *switches, "--live-restore", *places, "--host", where.host, "--log-level", "warn"]


def _start(where: Place) -> None:
    if shutil.which("dockerd") is None:
        raise engine.EngineError("no Docker Engine runs and none is installed: apt install docker.io")
    child = processes.spawn(arguments(where), log=where.log)
    descriptor = os.pidfd_open(child.pid)
    deadline = clock.monotonic() + params.ENGINE_START_TIMEOUT_S
    try:
        while not engine.answers(where.socket):
            ended = select.select([descriptor], [], [], POLL_S)[0]
            if ended or clock.monotonic() > deadline:
                last = where.log.read_text(errors="replace").strip().splitlines()[-1:]
                raise engine.EngineError(f"our Docker Engine did not start ({where.log}): {''.join(last)}")
    finally:
        os.close(descriptor)


def _stop(where: Place) -> None:
    pid = _dockerd(where)
    if pid and engine.answers(where.socket):
        engine.Engine(where.host).remove_all()  # with live-restore they would outlive it
    if pid:
        processes.kill(pid, signal.SIGTERM)
        processes.wait_gone(pid, params.ENGINE_START_TIMEOUT_S)
    _clean(where)


def _forget_crash(where: Place) -> None:
    """Take away the pid files of a dockerd that crashed, so that the next one neither refuses to start nor waits.

    Containers and their shims are left alone: the next dockerd adopts them.
    """
    containerd = where.exec / "containerd" / "containerd.pid"
    for file in (where.pidfile, containerd):
        with contextlib.suppress(FileNotFoundError, ValueError):
            if int(file.read_text()) not in _leftovers(where):
                file.unlink()


def _clean(where: Place) -> None:
    """End what a dead dockerd left: its containerd, shims, mounts and files. Only processes that name our exec-root."""
    for pid in _leftovers(where):
        processes.kill(pid, signal.SIGTERM)
    for pid in _leftovers(where):
        if not processes.wait_gone(pid, params.STOP_GRACE_S):
            processes.kill(pid, signal.SIGKILL)
            processes.wait_gone(pid, params.STOP_GRACE_S)
    for point in mounts.under(str(where.root)):
        mounts.unmount(point)
    for file in (where.pidfile, where.socket):
        file.unlink(missing_ok=True)
    shutil.rmtree(where.exec, ignore_errors=True)


def _leftovers(where: Place) -> list[int]:
    mark = f"{where.exec}/"
    programs = ("containerd", "containerd-shim", "containerd-shim-runc-v2", "dockerd")
    found = []
    for pid in processes.pids():
        words = processes.command_line(pid).split() if processes.alive(pid) else []
        if words and Path(words[0]).name in programs and any(mark in f"{word}/" for word in words[1:]):
            found.append(pid)
    return found


def _dockerd(where: Place) -> int:
    """The pid of our dockerd; 0 when it does not run. The pid file may be stale, and the pid another's by now."""
    with contextlib.suppress(FileNotFoundError, ValueError):
        pid = int(where.pidfile.read_text())
        if pid in _leftovers(where):
            return pid
    return 0


def _users(where: Place) -> set[str]:
    """Clusters that use it; those whose state was removed by hand do not count."""
    try:
        names = json.loads(where.users.read_text())
    except FileNotFoundError:
        return set()
    return {name for name in names if (where.root.parent / name).is_dir()}


def _note(where: Place, users: set[str]) -> None:
    state.replace(where.users, json.dumps(sorted(users)))


@contextlib.contextmanager
def _locked(where: Place) -> Iterator[None]:
    where.root.mkdir(parents=True, exist_ok=True)
    with open(where.root / "lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
