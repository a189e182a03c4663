"""Processes: what a command says and how it ends, and that a pid is never trusted alone."""

import os
import signal
import sys

import pytest

from minik8s.host import clock, processes


def test_a_failing_command_says_what_it_wrote_to_stderr():
    with pytest.raises(processes.CommandError, match=r"ended with 3: out of luck"):
        processes.run([sys.executable, "-c", "import sys; print('out of luck', file=sys.stderr); sys.exit(3)"])


def test_a_command_may_be_allowed_to_fail():
    assert processes.run(["false"], check=False).code == 1


def test_input_is_handed_in_and_output_handed_back():
    assert processes.run(["cat"], input="hello").stdout == "hello"


def test_a_command_that_does_not_exist_ends_like_in_a_shell(capsys):
    assert processes.call(["no-such-command"]) == 127
    assert "no-such-command" in capsys.readouterr().err


def test_a_daemon_writes_to_its_log_in_a_session_of_its_own(tmp_path):
    log = tmp_path / "daemon.log"
    daemon = processes.spawn([sys.executable, "-c", "import os; print(os.getsid(0))"], log=log)
    assert daemon.wait(10) == 0
    assert log.read_text() == f"{daemon.pid}\n"


def test_only_the_process_that_was_meant_is_killed():
    daemon = processes.spawn(["sleep", "60"])
    try:
        started = processes.start_time(daemon.pid)
        assert processes.alive(daemon.pid, started)
        assert not processes.alive(daemon.pid, started + 1)
        assert not processes.kill(daemon.pid, signal.SIGKILL, started + 1)
        assert processes.alive(daemon.pid, started)
        assert processes.kill(daemon.pid, signal.SIGKILL, started)
        assert processes.wait_gone(daemon.pid, 10, started)
        assert not processes.alive(daemon.pid, started)  # although nobody has asked for its exit code yet
    finally:
        daemon.kill()
        daemon.wait()
    assert processes.start_time(daemon.pid) is None
    assert not processes.kill(daemon.pid, signal.SIGKILL)


def test_a_child_dies_with_its_parent():
    child = "from minik8s.host import processes; processes.die_with_parent(); print(1, flush=True); input()"
    parent = (
        "import os, subprocess, sys; r, w = os.pipe();"
        f"p = subprocess.Popen([sys.executable, '-c', {child!r}], stdin=r, stdout=subprocess.PIPE);"
        "p.stdout.read(1); print(p.pid)"
    )
    pid = int(processes.run([sys.executable, "-c", parent]).stdout)
    assert processes.wait_gone(pid, 10)


def test_memory_and_processor_time_of_a_process_can_be_read():
    assert processes.pss(os.getpid()) > 1_000_000
    assert processes.cpu_seconds(os.getpid()) > 0


def test_a_title_is_what_ps_shows():
    code = "import os; from minik8s.host import processes as p; p.set_title('proxy@node-2'); "
    code += "print(p.command_line(os.getpid()))"
    assert processes.run([sys.executable, "-c", code]).stdout.strip() == "minik8s: proxy@node-2"


def test_generated_suffixes_use_kubernetes_alphabet():
    assert set(clock.suffix(200)) <= set("bcdfghjklmnpqrstvwxz2456789")
    assert len(clock.suffix()) == 5
    assert 0 <= clock.fraction() < 1
