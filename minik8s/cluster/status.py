"""What a cluster's processes look like now: a line each, with memory and restarts.

Memory is PSS: each shared page divided among its users, so the lines add up. Workers that a component forked itself
stand below it.
Read only; works when the zygote is dead too.

Read next: `registry.py`.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from minik8s.cluster import fabric, launch, registry, state, supervise, topology
from minik8s.host import processes


@dataclass(frozen=True)
class Line:
    """One process. `restarts` is -1 where the word means nothing."""

    name: str
    pid: int
    state: str
    pss: int
    restarts: int = -1


def look(where: state.Paths) -> list[Line]:
    """All processes of a cluster, the zygote first."""
    record = state.read(where)
    pid = registry.zygote(where)[0]
    first = Line("zygote", pid, "running" if pid else "dead: `minik8s up` brings it back", _pss(pid))
    children = _children()
    lines = [first]
    for process in sorted(registry.read(where), key=supervise.order):
        lines.append(Line(process.name, process.pid, describe(process), _pss(process.pid), process.restarts))
        lines += [
            Line(f"  {process.name} worker", child, "running", _pss(child)) for child in children.get(process.pid, ())
        ]
    there = {line.name for line in lines}
    absent = [name for name in launch.expected(record) if name not in there] if record else []
    return [*lines, *(Line(name, 0, "not started", 0) for name in absent)]


@dataclass(frozen=True)
class NodeLine:
    """One node: its address, whether its cable is in, how many processes stand in its own network."""

    name: str
    address: str
    state: str
    processes: int


def nodes(where: state.Paths) -> list[NodeLine]:
    """The machines of the cluster's network as they are now."""
    record = state.read(where)
    inside = fabric.inhabitants(where.name)
    return [_node(where.name, name, inside) for name in (record.nodes if record else ())]


def _node(cluster: str, name: str, inside: dict[str, list[int]]) -> NodeLine:
    address = topology.node_address(name)
    if name not in inside or topology.LAN not in inside:
        return NodeLine(name, address, "not there: `minik8s up`", 0)
    cut = fabric.is_cut(cluster, name)
    return NodeLine(name, address, f"cut off: `minik8s node heal {name}`" if cut else "plugged in", len(inside[name]))


def describe(process: supervise.Process) -> str:
    """The state in words."""
    if process.pid:
        return "running" if process.wanted else "ending, as asked"
    if not process.wanted:
        return "stopped, as asked"
    return f"crashed ({process.ended})" if process.ended else "waiting"


def family(pid: int) -> list[int]:
    """A process and the workers it forked; nobody when it does not run."""
    return [pid, *_children().get(pid, ())] if pid else []


def _pss(pid: int) -> int:
    try:
        return processes.pss(pid) if pid else 0
    except OSError:  # it ended while we looked
        return 0


def _children() -> dict[int, list[int]]:
    """Children by parent, for processes of ours only in the sense that somebody asks for them."""
    found: dict[int, list[int]] = {}
    for pid, parent in _parents(processes.pids()):
        found.setdefault(parent, []).append(pid)
    return found


def _parents(pids: Iterable[int]) -> Iterable[tuple[int, int]]:
    for pid in pids:
        parent = processes.parent(pid)
        if parent > 1:
            yield pid, parent
