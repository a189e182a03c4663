"""The zygote's table on disk, and its words with others."""

import os
import threading
from pathlib import Path

import pytest

from minik8s.cluster import listeners, registry, state
from minik8s.cluster.supervise import Process
from minik8s.cluster.zygote import Inherited, Zygote
from minik8s.host import processes


@pytest.fixture
def where(tmp_path: Path) -> state.Paths:
    paths = state.Paths(tmp_path / "c")
    paths.make()
    return paths


def me() -> Process:
    return Process("dns@node-1", pid=os.getpid(), started=processes.start_time(os.getpid()) or 0)


def test_the_table_comes_back_as_it_was_written(where: state.Paths) -> None:
    table = [me(), Process("proxy@node-1", wanted=False)]
    registry.write(where, os.getpid(), table)
    assert registry.read(where) == table
    assert registry.zygote(where)[0] == os.getpid()


def test_a_process_that_only_has_the_same_pid_is_not_taken_for_ours(where: state.Paths) -> None:
    registry.write(where, os.getpid(), [Process("dns@node-1", pid=os.getpid(), started=1)])
    assert registry.read(where)[0].pid == 0


def test_processes_of_another_boot_are_nobody(where: state.Paths) -> None:
    registry.write(where, os.getpid(), [me(), Process("proxy@node-1", wanted=False)])
    where.processes.write_text(where.processes.read_text().replace(processes.boot_id(), "another"))
    assert [(p.pid, p.wanted) for p in registry.read(where)] == [(0, True), (0, False)]
    assert registry.zygote(where) == (0, 0)


def test_a_new_zygote_adopts_the_living_and_remembers_the_stopped(where: state.Paths) -> None:
    dead = Process("scheduler", pid=os.getpid(), started=1)
    registry.write(where, os.getpid(), [me(), dead, Process("proxy@node-1", wanted=False)])
    with listeners.control(where.control) as control:
        zygote = Zygote(where, Inherited(control, ()))
        zygote.adopt()
        assert sorted(zygote.table) == ["dns@node-1", "proxy@node-1"]
        zygote.ensure(["proxy@node-1", "scheduler"])
        assert not zygote.table["proxy@node-1"].wanted and zygote.table["scheduler"].wanted
        for descriptor in zygote.pidfds.values():
            os.close(descriptor)


def test_what_the_user_left_out_is_not_run_whoever_asks(where: state.Paths) -> None:
    state.write(where, state.Record("c", ("node-1",), without=("sidecar",)))
    with listeners.control(where.control) as control:
        zygote = Zygote(where, Inherited(control, ()))
        assert [zygote.allows(name) for name in ("sidecar@node-1", "dns@node-1")] == [False, True]


def test_a_request_that_makes_no_sense_is_answered_with_an_error(where: state.Paths) -> None:
    with listeners.control(where.control) as control:
        zygote = Zygote(where, Inherited(control, ()))
        answering = threading.Thread(target=zygote.answer)
        answering.start()
        with pytest.raises(ValueError, match="dance"):
            registry.ask(where, {"do": "dance"})
        answering.join()


def test_nobody_there_is_said_with_the_way_out(where: state.Paths) -> None:
    with pytest.raises(registry.ZygoteAway, match="minik8s up"):
        registry.ask(where, {"do": "status"})


def test_a_listening_socket_can_be_taken_over_from_a_running_process() -> None:
    if os.geteuid():
        pytest.skip("only root may copy descriptors out of other processes")
    with listeners._listen("127.0.0.1", 0) as sock:
        port, beside = sock.getsockname()[1], listeners._listen("127.0.0.1", 0)
        found = listeners.inherited(os.getpid(), processes.start_time(os.getpid()) or 0, port)
        ports = [each.getsockname()[1] for each in found]
        for each in (beside, *found):
            each.close()
        assert ports == [port]
