"""Which processes are started when: what crashed at once, then with pauses; what was stopped not at all."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minik8s import params
from minik8s.cluster import supervise
from minik8s.cluster.supervise import Process, Start

NOW = 1000.0


@pytest.mark.parametrize(
    ("world", "starts"),
    [
        ([], ()),
        ([Process("dns@node-1")], (Start("dns@node-1", "wanted, does not run"),)),
        ([Process("dns@node-1", pid=7)], ()),
        ([Process("dns@node-1", wanted=False)], ()),
        ([Process("dns@node-1", wanted=False, pid=7)], ()),
        ([Process("dns@node-1", ended="signal 9", not_before=NOW)], (Start("dns@node-1", "signal 9"),)),
        ([Process("dns@node-1", ended="signal 9", not_before=NOW + 0.1)], ()),
    ],
)
def test_what_is_wanted_and_does_not_run_is_started(world: list[Process], starts: tuple[Start, ...]) -> None:
    assert supervise.plan(world, NOW) == starts


def test_etcd_and_the_api_server_come_before_those_who_need_them() -> None:
    table = [Process(name) for name in ("dns@node-1", "agent@node-1", "scheduler", "apiserver", "etcd", "controllers")]
    names = [start.name for start in supervise.plan(table, NOW)]
    assert names == ["etcd", "apiserver", "controllers", "scheduler", "agent@node-1", "dns@node-1"]


def test_the_first_restart_is_immediate_and_later_ones_wait_longer_and_longer() -> None:
    process, pauses = Process("apiserver"), []
    now = NOW
    for pid in range(1, 12):
        process = supervise.exited(supervise.running(process, pid, pid, now), "exit code 1", now)
        pauses.append(process.not_before - now)
        now = process.not_before
    assert pauses[0] == 0 and pauses[1] == params.RESTART_BACKOFF_S[0]
    assert pauses == sorted(pauses) and pauses[-1] == params.RESTART_BACKOFF_S[1]
    assert process.restarts == 10


def test_a_process_that_ran_a_while_is_restarted_at_once() -> None:
    process = supervise.running(Process("proxy@node-1", failures=5, ended="signal 11"), 7, 7, NOW)
    later = NOW + params.RESTART_RESET_S
    assert supervise.plan([supervise.exited(process, "signal 9", later)], later)


def test_a_process_the_user_stopped_stays_down_until_it_is_wanted_again() -> None:
    running = supervise.running(Process("proxy@node-1", failures=9), 7, 7, NOW)
    down = supervise.exited(supervise.stopped(running), "signal 9", NOW + 1)
    assert supervise.plan([down], NOW + 10_000) == ()
    assert supervise.next_look([down], NOW) is None
    assert supervise.plan([supervise.wanted(down)], NOW + 1)


def test_the_first_start_of_all_is_no_restart() -> None:
    assert supervise.running(Process("dns@node-1"), 7, 7, NOW).restarts == 0


def test_how_a_child_ended_is_said_in_words() -> None:
    assert supervise.describe(9) == "signal 9"
    assert supervise.describe(3 << 8) == "exit code 3"


processes = st.builds(
    Process,
    name=st.sampled_from(["etcd", "apiserver", "dns@node-1", "proxy@node-2"]),
    wanted=st.booleans(),
    pid=st.sampled_from([0, 7]),
    not_before=st.floats(0, 2000),
)


@given(st.lists(processes, unique_by=lambda p: p.name), st.floats(0, 2000))
def test_carrying_out_the_plan_leaves_nothing_to_do_now(table: list[Process], now: float) -> None:
    names = {start.name for start in supervise.plan(table, now)}
    after = [replace(p, pid=9) if p.name in names else p for p in table]
    assert supervise.plan(after, now) == ()
    assert all(p.wanted and not p.pid for p in table if p.name in names)


@given(st.lists(processes, unique_by=lambda p: p.name), st.floats(0, 2000))
def test_at_the_next_look_there_is_something_to_start(table: list[Process], now: float) -> None:
    wait = supervise.next_look(table, now)
    if wait is not None:
        assert supervise.plan(table, now + wait + 1e-6)
