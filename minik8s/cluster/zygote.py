"""The parent of all components of a cluster on one machine.

It imports everything once and then forks each component: they start in milliseconds and share the memory of what was
imported. It has one thread and opens no channel, because a fork copies neither; each child enters its namespace before
anything starts a thread. It watches every process through a pidfd, its own children and those of a zygote that died
before it alike. What `supervise.py` decides is carried out here, and the table is kept in `processes.json`. Others ask
it through a socket: {"do": "ensure" | "start" | "kill" | "status"}.
Invariant: the components outlive the zygote, and a new one adopts them.

Read next: `supervise.py`, then `launch.py`.
"""

import contextlib
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from minik8s.cluster import handed, registry, state, supervise
from minik8s.cluster.supervise import Process
from minik8s.host import clock, namespaces, processes

REQUEST_LIMIT = 65536
REQUEST_TIMEOUT_S = 2.0  # for the words of somebody who has connected; our own commands send them at once


@dataclass
class Inherited:
    """The sockets handed down by whoever started us."""

    control: socket.socket
    api: tuple[int, ...]


class Zygote:
    """The table of processes and the loop around it. One thread, so nothing needs a lock."""

    def __init__(self, where: state.Paths, inherited: Inherited) -> None:
        self.where, self.inherited = where, inherited
        self.handed = handed.Handed(where.name)
        self.table: dict[str, Process] = {}
        self.pidfds: dict[str, int] = {}
        self.outside = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)  # the machine's own network
        self.selector = selectors.DefaultSelector()
        self.selector.register(inherited.control, selectors.EVENT_READ, self.answer)

    # --- The table ---

    def adopt(self) -> None:
        """Take over what an earlier zygote started, and remember what the user stopped."""
        for process in registry.read(self.where):
            if process.pid or not process.wanted:
                self.table[process.name] = process
            if process.pid:
                self.handed.adopt(process.name, process.pid, process.started)
                self.watch(process)

    def ensure(self, names: list[str]) -> None:
        """Keep these processes running from now on, except those that the user stopped."""
        for name in names:
            self.table.setdefault(name, Process(name))

    def allows(self, name: str) -> bool:
        """Others than `up` ask too, and do not know what the user wanted left out."""
        record = state.read(self.where)
        return record is not None and name.partition("@")[0] not in record.without

    def converge(self) -> None:
        """Start what is to be started now. Without a cluster to belong to, end."""
        if not self.where.record.exists():
            raise SystemExit(f"{self.where.root} is gone")
        for action in supervise.plan(self.table.values(), clock.monotonic()):
            say(f"start {action.name}: {action.because}")
            self.start(action.name)
        registry.write(self.where, os.getpid(), self.table.values())

    def start(self, name: str) -> None:
        pid = self.start_etcd() if name == "etcd" else self.fork(name)
        started = processes.start_time(pid) or 0
        self.table[name] = supervise.running(self.table[name], pid, started, clock.monotonic())
        self.watch(self.table[name])

    def watch(self, process: Process) -> None:
        try:
            descriptor = os.pidfd_open(process.pid)
        except ProcessLookupError:  # adopted, and gone since we read of it
            self.table[process.name] = supervise.exited(process, "ended unseen", clock.monotonic())
            return
        self.pidfds[process.name] = descriptor
        self.selector.register(descriptor, selectors.EVENT_READ, lambda: self.reap(process.name))

    def reap(self, name: str) -> None:
        """A process ended: how, and what now."""
        process, how = self.table[name], "ended"
        with contextlib.suppress(ChildProcessError):  # an adopted one is not our child: nobody tells us its status
            how = supervise.describe(os.waitpid(process.pid, 0)[1])
        descriptor = self.pidfds.pop(name)
        self.selector.unregister(descriptor)
        os.close(descriptor)
        say(f"{name} (pid {process.pid}): {how}{'' if process.wanted else ', as asked'}")
        self.table[name] = supervise.exited(process, how, clock.monotonic())

    # --- Children ---

    def start_etcd(self) -> int:
        from minik8s.apiserver import etcd_process  # before everything else is imported: etcd starts meanwhile

        command = etcd_process.command(self.where.etcd, self.where.pki)
        if command.warning:
            say(command.warning)
        space = registry.namespace(self.where.name, "etcd")
        log = self.where.log("etcd")
        return processes.spawn(list(command.argv), log=log, ns=space, env=command.environment).pid

    def fork(self, name: str) -> int:
        sockets = self.sockets(name)
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            self.become(name, sockets)
        return pid

    def sockets(self, name: str) -> tuple[int, ...]:
        """What a process is handed. Without any it tries by itself, and says what is wrong."""
        if name == "apiserver":
            return self.inherited.api
        try:
            return self.handed.prepare(name)
        except OSError as error:
            say(f"{name}: no sockets to hand down: {error}")
            return ()

    def become(self, name: str, sockets: tuple[int, ...]) -> NoReturn:
        """In the child: turn into the component. Never returns into the zygote's loop."""

        def life() -> None:
            self.shed(keep=sockets)
            redirect(self.where.log(name))
            namespaces.enter(registry.namespace(self.where.name, name))
            processes.set_title(name)
            run(self.where, name, sockets, self.outside)

        processes.end_after(life)

    def shed(self, keep: tuple[int, ...]) -> None:
        """In the child: let go of what belongs to the zygote."""
        os.setsid()
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        gc.enable()
        self.selector.close()
        self.inherited.control.close()
        for descriptor in [*self.pidfds.values(), *self.inherited.api, *self.handed.all()]:
            if descriptor not in keep:
                os.close(descriptor)

    # --- Others ask ---

    def answer(self) -> None:
        """One request, one answer, as lines of JSON."""
        connection = self.inherited.control.accept()[0]
        with connection:
            connection.settimeout(REQUEST_TIMEOUT_S)
            try:
                with connection.makefile("rb") as stream:
                    request = json.loads(stream.readline(REQUEST_LIMIT))
                reply = self.do(request)
            except (ValueError, KeyError, TypeError) as error:
                reply = {"error": f"{type(error).__name__}: {error}"}
            except OSError as error:
                say(f"control socket: {error}")
                return
            with contextlib.suppress(OSError):
                connection.sendall(json.dumps(reply).encode() + b"\n")

    def do(self, request: dict[str, Any]) -> dict[str, Any]:
        verb, names = request["do"], request.get("names", [])
        if verb == "ensure":
            self.ensure([name for name in names if self.allows(name)])
            self.converge()
        elif verb == "start":
            for name in names:
                self.table[name] = supervise.wanted(self.table[name])
            self.converge()
        elif verb == "kill":
            for name in names:
                self.kill(name, request.get("signal", signal.SIGKILL))
        elif verb != "status":
            raise ValueError(f"there is no {verb!r}")
        return {"processes": {name: registry.as_dict(process) for name, process in self.table.items()}}

    def kill(self, name: str, number: int) -> None:
        """End a process, and keep it down."""
        process = self.table[name] = supervise.stopped(self.table[name])
        self.handed.release(name)
        if process.pid:
            say(f"kill {name} (pid {process.pid}) with signal {number}, as asked")
            processes.kill(process.pid, number, process.started)
        registry.write(self.where, os.getpid(), self.table.values())

    def loop(self) -> NoReturn:
        """Wait for an exit, a request or the end of a pause; then look at the whole table again."""
        while True:
            self.converge()
            pause = supervise.next_look(self.table.values(), clock.monotonic())
            for key, _ in self.selector.select(pause):
                key.data()


def run(where: state.Paths, name: str, sockets: tuple[int, ...], outside: int) -> None:
    """In the child: the component itself."""
    from minik8s.cluster import launch

    record = state.read(where)
    if record is None:
        raise state.StateError(f"no record in {where.root}")
    if name == "apiserver":
        launch.launch_server(launch.server_options(where, sockets))
    else:
        launch.launch(launch.options_for(where, record, name, outside, sockets))


def redirect(log: Path) -> None:
    """Send what this process says to its own log."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)


def preload(record: state.Record, pki: Path) -> None:
    """Import what the components will need, once for all of them."""
    from minik8s.cluster import launch, warm

    # No collection while importing: it would leave holes in pages that are to be shared, and fill them after the fork.
    gc.disable()
    wanted = {name.partition("@")[0] for name in launch.expected(record)}
    for name in sorted(wanted & set(launch.MODULES)):
        try:
            importlib.import_module(launch.MODULES[name])
        except ImportError as error:
            say(f"{name} cannot be imported and will not start: {error}")
    warm.warm(pki)
    # Everything that is there by now stays: the collector need not look at it, so the pages stay shared.
    gc.freeze()


def say(text: str) -> None:
    """A line of our own log."""
    print(f"{clock.wall():.3f} {text}", file=sys.stderr, flush=True)


def main(argv: list[str]) -> None:
    """`python -m minik8s.cluster.zygote DIRECTORY CONTROL-FD API-FD…`, started by `up`."""
    where = state.Paths(Path(argv[0]))
    processes.set_title(f"zygote of {where.name}")
    zygote = Zygote(where, Inherited(socket.socket(fileno=int(argv[1])), tuple(map(int, argv[2:]))))
    zygote.adopt()
    record = state.read(where)
    if record is None:
        raise state.StateError(f"no record in {where.root}")
    if "etcd" not in record.without:
        zygote.ensure(["etcd"])
        zygote.converge()
    preload(record, where.pki)
    zygote.loop()


if __name__ == "__main__":
    main(sys.argv[1:])
