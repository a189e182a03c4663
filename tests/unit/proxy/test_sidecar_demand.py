"""Who wants a sidecar gets one, or is told why not."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from minik8s.proxy.sidecar import demand

Zygote = Callable[[dict[str, Any]], str]


@pytest.fixture
def zygote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Zygote]:
    """Somebody at a socket who gives this answer; gives the socket's path. No sidecar runs."""
    monkeypatch.setattr(demand, "_answers", lambda: False)
    servers = []

    def start(reply: dict[str, Any]) -> str:
        path = str(tmp_path / "sock")
        server = socket.socket(socket.AF_UNIX)
        server.bind(path)
        server.listen()
        servers.append(server)

        def answer() -> None:
            with server.accept()[0] as sock, sock.makefile("rb") as stream:
                asked.append(json.loads(stream.readline()))
                sock.sendall(json.dumps(reply).encode() + b"\n")

        threading.Thread(target=answer, daemon=True).start()
        return path

    yield start
    for server in servers:
        server.close()


asked: list[dict[str, Any]] = []


def component(supervisor: str = "") -> Any:
    return SimpleNamespace(options=SimpleNamespace(node="node-1", kubeconfig="/k", supervisor=supervisor))


def test_a_sidecar_is_asked_for(zygote: Zygote) -> None:
    demand.ensure(component(zygote({"processes": {"sidecar@node-1": {"wanted": True}}})))
    assert asked[-1] == {"do": "ensure", "names": ["sidecar@node-1"]}


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        ({"processes": {}}, "--without sidecar"),
        ({"processes": {"sidecar@node-1": {"wanted": False}}}, "minik8s start sidecar@node-1"),
        ({"error": "ValueError: no"}, "does not answer"),
    ],
)
def test_why_there_is_none(zygote: Zygote, reply: dict[str, Any], why: str) -> None:
    with pytest.raises(demand.NoSidecar, match=why):
        demand.ensure(component(zygote(reply)))


def test_where_nobody_starts_processes_the_command_is_told(zygote: Zygote) -> None:
    with pytest.raises(demand.NoSidecar, match="minik8s run sidecar --kubeconfig /k --node node-1"):
        demand.ensure(component())


def test_one_that_runs_already_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demand, "_answers", lambda: True)
    demand.ensure(component())
