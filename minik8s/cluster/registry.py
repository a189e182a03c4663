"""Which process is which component: the zygote's table on disk, and the words spoken with the zygote.

A pid means something only together with its start time and the boot it belongs to: a table of an earlier boot names
nobody.
Invariant: whoever reads the table never takes another process for a component.

Read next: `zygote.py`, the only writer.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, replace
from typing import Any

from minik8s.cluster import state, topology
from minik8s.cluster.supervise import Process
from minik8s.host import processes, supervisor

CALL_TIMEOUT_S = 10.0


class ZygoteAway(Exception):
    """Nobody answers: the components go on, but nobody starts or stops them."""


def read(where: state.Paths) -> list[Process]:
    """The table; processes that do not live any more have no pid."""
    try:
        data = json.loads(where.processes.read_text())
    except FileNotFoundError:
        return []
    table = [Process(**fields) for fields in data["processes"]]
    if data["boot"] != processes.boot_id():
        return [Process(process.name, wanted=process.wanted) for process in table]
    return [p if p.pid and processes.alive(p.pid, p.started) else replace(p, pid=0, started=0) for p in table]


def zygote(where: state.Paths) -> tuple[int, int]:
    """(pid, start time) of the zygote that wrote the table, if it lives; else (0, 0)."""
    try:
        data = json.loads(where.processes.read_text())
    except FileNotFoundError:
        return 0, 0
    pid, started = data["zygote"]
    same = data["boot"] == processes.boot_id() and processes.alive(pid, started)
    return (pid, started) if same else (0, 0)


def write(where: state.Paths, pid: int, table: Iterable[Process]) -> None:
    """Keep the table, if it changed."""
    entries = [as_dict(process) for process in sorted(table, key=lambda p: p.name)]
    data = {"boot": processes.boot_id(), "zygote": [pid, processes.start_time(pid)], "processes": entries}
    text = json.dumps(data, indent=1) + "\n"
    if not where.processes.exists() or where.processes.read_text() != text:
        state.replace(where.processes, text)


def as_dict(process: Process) -> dict[str, Any]:
    return asdict(process)


def namespace(cluster: str, process: str) -> str:
    """The network namespace a process of a cluster runs in."""
    return topology.namespace(cluster, process.partition("@")[2] or topology.CONTROL)


def ask(where: state.Paths, request: dict[str, Any], timeout: float = CALL_TIMEOUT_S) -> dict[str, Any]:
    """Ask the zygote. Raises ZygoteAway."""
    try:
        return supervisor.ask(where.control, request, timeout)
    except OSError as error:
        raise ZygoteAway(
            f"the zygote of cluster {where.name} does not answer ({error}): `minik8s up`, or see {where.log('zygote')}"
        ) from error
