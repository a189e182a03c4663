"""The toolbox's programs on this machine's loopback: the backend leaves in good order, the client counts honestly."""

import errno
import json
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from minik8s.cluster.toolbox import client
from minik8s.host import processes

PROGRAMS = Path(client.__file__).parent


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Backend:
    def __init__(self, log: Path, **environment: str) -> None:
        self.port, self.log = free_port(), log
        environment |= {"PORT": str(self.port), "POD_NAME": "web-1", "PYTHONUNBUFFERED": "1", "LINGER": "0"}
        self.process = processes.spawn([sys.executable, str(PROGRAMS / "backend.py")], log=log, env=environment)
        while "listens on" not in log.read_text():
            assert self.process.poll() is None, log.read_text()
        self.url = f"http://127.0.0.1:{self.port}/"


@pytest.fixture
def backends(tmp_path: Path) -> Iterator[list[Backend]]:
    started: list[Backend] = []
    yield started
    for backend in started:
        backend.process.kill()
        backend.process.wait()


def ask(url: str, *flags: str) -> list[dict]:
    done = processes.run(
        [sys.executable, str(PROGRAMS / "client.py"), "--url", url, "--rate", "200", *flags], check=False
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_client_says_who_answered_each_request(backends: list[Backend], tmp_path: Path) -> None:
    backends.append(Backend(tmp_path / "log"))
    *lines, last = ask(backends[0].url, "--count", "5")
    assert [(line["outcome"], line["pod"]) for line in lines] == [("ok", "web-1")] * 5
    assert last["summary"]["sent"] == 5 and last["summary"]["lost"] == 0


def test_a_kept_connection_serves_many_requests(backends: list[Backend], tmp_path: Path) -> None:
    backends.append(Backend(tmp_path / "log"))
    assert ask(backends[0].url, "--count", "20", "--keepalive")[-1]["summary"]["outcomes"]["ok"] == 20


def test_the_client_counts_a_refused_connection_and_does_not_try_again() -> None:
    summary = ask(f"http://127.0.0.1:{free_port()}/", "--count", "3")[-1]["summary"]
    assert summary["sent"] == 3 and summary["outcomes"]["refused"] == 3


def test_a_machine_that_its_neighbours_have_forgotten_is_told_by_its_own_word() -> None:
    """The kernel says so when nobody answers its question for a hardware address."""
    assert client.outcome_of(OSError(errno.EHOSTUNREACH, "No route to host")) == "noroute"
    assert client.outcome_of(OSError(errno.EMFILE, "Too many open files")) == "other"


def test_the_client_keeps_its_schedule_while_answers_are_late(backends: list[Backend], tmp_path: Path) -> None:
    backends.append(Backend(tmp_path / "log"))
    lines = ask(f"{backends[0].url}slow?s=5", "--count", "10", "--timeout", "0.3")
    assert lines[-1]["summary"]["outcomes"]["timedout"] == 10
    assert lines[-1]["summary"]["seconds"] < 2


def test_the_backend_finishes_what_it_began_before_it_ends(backends: list[Backend], tmp_path: Path) -> None:
    backends.append(Backend(tmp_path / "log"))
    with socket.create_connection(("127.0.0.1", backends[0].port), timeout=10) as connection:
        connection.sendall(b"GET /slow?s=1 HTTP/1.1\r\nHost: x\r\n\r\n")
        backends[0].process.send_signal(signal.SIGTERM)
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
    assert b"200 OK" in answer and b"Connection: close" in answer and b'"pod": "web-1"' in answer
    assert backends[0].process.wait(10) == 0


def test_an_abrupt_backend_ends_at_once(backends: list[Backend], tmp_path: Path) -> None:
    backends.append(Backend(tmp_path / "log", ABRUPT="1"))
    backends[0].process.send_signal(signal.SIGTERM)
    assert backends[0].process.wait(5) == 143


def test_readiness_can_be_switched(backends: list[Backend], tmp_path: Path) -> None:
    backends.append(Backend(tmp_path / "log"))
    url = backends[0].url
    assert ask(f"{url}ready", "--count", "1")[0]["outcome"] == "ok"
    processes.run(["curl", "-s", "-m", "5", "-X", "POST", f"{url}ready?on=0"])
    assert ask(f"{url}ready", "--count", "1")[0]["error"] == "status 503"


def test_a_datagram_is_answered(backends: list[Backend], tmp_path: Path) -> None:
    backends.append(Backend(tmp_path / "log"))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(5)
        sock.connect(("127.0.0.1", backends[0].port))
        sock.send(b"hello")
        assert json.loads(sock.recv(4096))["said"] == "hello"
