"""Brings a cluster up: all steps, in order. What is there already is kept, so the same steps resume a cluster after a
reboot.

    record and lock → LAN and control plane → listening sockets → certificates
    → zygote (starts etcd, imports the rest meanwhile)   beside it: Engine → images → sandbox of each node
    → control plane → components of each node → every node Ready

The long steps run side by side: what takes time is the zygote's imports and the sandboxes' start.
Invariant: at every moment `down` can take away all there is, because everything carries the cluster's name or stands in
its directory.

Read next: `fabric.py` (network), `zygote.py` (processes), `ready.py` (when it is done), `down.py`.
"""

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from minik8s import params
from minik8s.cluster import (
    down,
    engine,
    engine_process,
    fabric,
    images,
    launch,
    listeners,
    pki,
    ready,
    registry,
    state,
    topology,
)
from minik8s.host import clock, processes

SANDBOX_WORKERS = 3  # the Engine starts sandboxes no faster with more

# glibc keeps a heap for every thread otherwise, which costs each component megabytes. Children inherit it.
ENVIRONMENT = {"MALLOC_ARENA_MAX": "1"}

Say = Callable[[str], None]


@dataclass(frozen=True)
class Wish:
    """What was asked for; None means: as it was, or the default."""

    name: str
    nodes: int | None = None
    without: tuple[str, ...] | None = None
    profile: str | None = None
    proxy_mode: str | None = None
    fresh: bool = False
    ingress: bool = False
    upstream: str | None = None
    dns_ttl: int | None = None
    dns_pods: str | None = None


class Steps:
    """Says when each step was done, in seconds since the beginning."""

    def __init__(self, say: Say) -> None:
        self.say = say
        self.began, self.began_wall = clock.monotonic(), clock.wall()

    def done(self, what: str) -> None:
        self.say(f"{clock.monotonic() - self.began:6.2f} s  {what}")


def up(wish: Wish, say: Say) -> state.Record:
    """Bring the cluster up, or resume it; returns when every node is Ready."""
    steps = Steps(say)
    where = state.paths(wish.name)
    with state.lock(wish.name):
        if wish.fresh and where.root.exists():
            down.down_locked(where)
            steps.done("the cluster of this name is gone")
        where.make()
        before = state.read(where)
        record = merge(before, wish)
        state.write(where, record)
        if before is not None and registry.zygote(where)[0]:
            settle(where, before, record)
        fabric.build(record.name, {})
        record = start_zygote(where, record)
        started = furnish(where, record, steps)
        ready.wait(where, record, started, steps.began_wall)
    steps.done(f"{len(record.nodes)} nodes Ready" if "agent" not in record.without else "started, without agents")
    return record


def merge(known: state.Record | None, wish: Wish) -> state.Record:
    """The cluster to be: what it was, changed by what was asked for."""
    base = known or state.Record(wish.name, tuple(topology.node_names(wish.nodes or state.DEFAULT_NODES)))
    if wish.nodes is not None and wish.nodes < len(base.nodes):
        raise state.StateError(
            f"cluster {base.name} has {len(base.nodes)} nodes; with --fresh it begins anew with {wish.nodes}"
        )
    nodes = tuple(topology.node_names(max(len(base.nodes), wish.nodes or 0)))
    without = base.without if wish.without is None else wish.without
    # What runs only where it is asked for is not left out, but asked for no longer.
    ingress = wish.ingress or (base.ingress and "ingress" not in without)
    return replace(
        base,
        nodes=nodes,
        without=tuple(name for name in without if name not in launch.OPTIONAL),
        profile=wish.profile or base.profile,
        proxy_mode=wish.proxy_mode or base.proxy_mode,
        upstream=base.upstream if wish.upstream is None else wish.upstream,
        dns_ttl=base.dns_ttl if wish.dns_ttl is None else wish.dns_ttl,
        dns_pods=wish.dns_pods or base.dns_pods,
        ingress=ingress,
    )


def settle(where: state.Paths, before: state.Record, record: state.Record) -> None:
    """Let what runs already follow a changed wish: other timers, another proxy mode, a controller more."""
    table = {process.name: process for process in registry.read(where)}
    change = launch.differing(before, record, [name for name, process in table.items() if process.pid])
    ended = [*change["stop"], *change["again"]]
    if ended:
        registry.ask(where, {"do": "kill", "names": ended, "signal": signal.SIGTERM})
        for name in ended:
            if not processes.wait_gone(table[name].pid, params.STOP_GRACE_S, table[name].started):
                processes.kill(table[name].pid, signal.SIGKILL, table[name].started)
    known = [name for name in (*change["start"], *change["again"]) if name in table]
    if known:
        registry.ask(where, {"do": "start", "names": known})


def start_zygote(where: state.Paths, record: state.Record) -> state.Record:
    """A living zygote, and the record with the port it listens on."""
    if registry.zygote(where)[0]:
        certify(where, record)
        return record
    held = held_sockets(where, record)
    loopback = held.pop(listeners.LOOPBACK, None) or listeners.loopback(record.port)
    lan = held.pop(params.CONTROL_PLANE_ADDRESS, None) or listeners.inside(record.name)
    control = listeners.control(where.control)
    record = replace(record, port=loopback.getsockname()[1])
    state.write(where, record)
    certify(where, record)
    sockets = (control, loopback, lan)
    spawn_zygote(where, sockets)
    for sock in (*sockets, *held.values()):
        sock.close()
    return record


def certify(where: state.Paths, record: state.Record) -> None:
    """Certificates for all components; for the optional ones only where they are wanted."""
    pki.ensure(where, record.port, {node: topology.node_address(node) for node in record.nodes}, ingress=record.ingress)


def held_sockets(where: state.Paths, record: state.Record) -> dict[str, socket.socket]:
    """The API's sockets, if an API server outlived its zygote and holds them."""
    for process in registry.read(where):
        if process.name == "apiserver" and process.pid:
            found = listeners.inherited(process.pid, process.started, record.port, params.API_PORT)
            return {sock.getsockname()[0]: sock for sock in found}
    return {}


def spawn_zygote(where: state.Paths, sockets: tuple[socket.socket, ...]) -> None:
    numbers = [sock.fileno() for sock in sockets]
    argv = [sys.executable, "-m", "minik8s.cluster.zygote", str(where.root), *map(str, numbers)]
    child = processes.spawn(argv, log=where.log("zygote"), env={**os.environ, **ENVIRONMENT}, pass_fds=numbers)
    # At once: should we be killed now, `down` knows whom to end.
    registry.write(where, child.pid, registry.read(where))


def furnish(where: state.Paths, record: state.Record, steps: Steps) -> set[str]:
    """Certificates, Engine, images, sandboxes, processes; the names of the processes that were started for this."""
    before = {process.name for process in registry.read(where) if process.pid}
    with ThreadPoolExecutor(max_workers=SANDBOX_WORKERS + 1) as pool:
        control = pool.submit(start_control_plane, where, record, steps)
        docker = engine.connect(engine_process.acquire(record.name))
        try:
            state.write(where, replace(record, docker_host=docker.host))
            images.load_pause(docker)
            steps.done(f"Docker Engine at {docker.host}")
            toolbox = pool.submit(images.load_toolbox, docker, where.home / "cache")
            laying = threading.Lock()  # one cable at a time: steps on the same bridge
            jobs = [pool.submit(start_node, (where, record, laying), docker, node) for node in record.nodes]
            for job in jobs:
                job.result()
            control.result()
            steps.done(f"{len(jobs)} node sandboxes, plugged in")
            ensure(where, [name for name in launch.expected(record) if "@" in name])
            if toolbox.result():
                steps.done("toolbox image built")
        finally:
            docker.close()
    return {process.name for process in registry.read(where) if process.pid} - before


def start_control_plane(where: state.Paths, record: state.Record, steps: Steps) -> None:
    """The processes that run on no node."""
    ensure(where, [name for name in launch.expected(record) if "@" not in name])
    steps.done("control plane started")


def start_node(at: tuple[state.Paths, state.Record, threading.Lock], docker: engine.Engine, node: str) -> None:
    """One node: its sandbox, plugged into the LAN. A dead sandbox took the namespace: what is left in it ends."""
    where, record, laying = at
    old = docker.sandbox(record.name, node)
    if not (old and old.pid):
        down.end_processes(where, [f"{name}@{node}" for name in (*launch.PER_NODE, *launch.ON_DEMAND)])
    sandbox = docker.ensure_sandbox(record.name, node)
    with laying:
        fabric.build(record.name, {node: sandbox.pid})


def ensure(where: state.Paths, names: list[str]) -> None:
    """Let the zygote run these, unless the user stopped them."""
    if names:
        registry.ask(where, {"do": "ensure", "names": names}, timeout=params.READY_TIMEOUT_S)
