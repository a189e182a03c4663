"""Takes a cluster away, whatever state it is in: after `up`, half-way through it, or after everything was killed.

Nothing is asked of the cluster's own processes, because they may be dead. What belongs to it is found by marks: the
pids with start times in the zygote's table, processes inside the cluster's namespaces, containers with its label,
namespaces with its name.
Invariant: only what carries this cluster's mark goes; done twice it finds nothing and succeeds.

Read next: `fabric.py` (`tear_down`), `engine_process.py` (`release`).
"""

import signal
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from minik8s import params
from minik8s.cluster import engine, engine_process, fabric, registry, state
from minik8s.host import processes

REMOVAL_WORKERS = 4


class StillThere(Exception):
    """Something of the cluster could not be ended."""


def down(name: str) -> bool:
    """End and remove a cluster; False if there was nothing of it."""
    where = state.paths(name)
    with state.lock(name):
        return down_locked(where)


def down_locked(where: state.Paths) -> bool:
    """The same, for who holds the lock."""
    existed = where.root.exists() or bool(fabric.members(where.name))
    end_zygote(where)
    end_processes(where, [process.name for process in registry.read(where)])
    containers = remove_containers(where)
    end_inhabitants(where.name)
    fabric.tear_down(where.name)
    state.remove(where)
    engine_process.release(where.name)
    return existed or containers


def end_zygote(where: state.Paths) -> None:
    """First of all, so that nothing is started again."""
    pid, started = registry.zygote(where)
    if pid:
        kill_and_wait([(pid, started)])


def end_processes(where: state.Paths, names: Iterable[str]) -> None:
    """End these components, by pid and start time. With SIGKILL: they hold nothing that a crash could harm."""
    wanted = set(names)
    kill_and_wait([(p.pid, p.started) for p in registry.read(where) if p.pid and p.name in wanted])


def end_inhabitants(cluster: str) -> None:
    """End whoever is inside the cluster's namespaces: workers whose parent was killed, a learner's own commands."""
    found = {pid for pids in fabric.inhabitants(cluster).values() for pid in pids}
    kill_and_wait([(pid, processes.start_time(pid) or 0) for pid in found])


def kill_and_wait(targets: Iterable[tuple[int, int]]) -> None:
    """SIGKILL, then wait until each is gone."""
    targets = list(targets)
    for pid, started in targets:
        processes.kill(pid, signal.SIGKILL, started)
    for pid, started in targets:
        if not processes.wait_gone(pid, params.STOP_GRACE_S, started):
            raise StillThere(f"process {pid} does not end: {processes.command_line(pid)}")


def remove_containers(where: state.Paths) -> bool:
    """Remove the cluster's containers from the Engine it used, started again if it was ours and died."""
    host = engine_of(where)
    if not host:
        return False
    docker = engine.connect(host)
    try:
        ids = [listed["Id"] for listed in docker.containers(where.name)]
        with ThreadPoolExecutor(max_workers=REMOVAL_WORKERS) as pool:
            list(pool.map(docker.remove, ids))
        return bool(ids)
    finally:
        docker.close()


def engine_of(where: state.Paths) -> str:
    """The Engine with the cluster's containers; "" when there is none."""
    own = engine_process.place()
    try:
        record = state.read(where)
    except state.StateError:  # of another version: it goes all the same
        record = None
    if record and record.docker_host and record.docker_host != own.host:
        return record.docker_host
    if engine_process.uses(where.name):
        return engine_process.acquire(where.name)
    return engine.running_host()
