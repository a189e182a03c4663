"""An API server that does not answer is told in plain words: what was asked of whom, and what came of it."""

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import urllib3
from urllib3.exceptions import ProtocolError

from minik8s import params
from minik8s.client.kubeconfig import Access
from minik8s.client.rest import Client, Unreachable


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def said(port: int) -> str:
    client = Client(Access((f"http://127.0.0.1:{port}",)))
    with pytest.raises(Unreachable) as raised:
        client.request("GET", "/api/v1/nodes")
    before, _, words = str(raised.value).partition(": ")
    assert before == f"GET http://127.0.0.1:{port}/api/v1/nodes"
    return words


def test_nobody_listens(listening):
    port = listening.getsockname()[1]
    listening.close()
    assert said(port) == "connection refused"


def test_it_takes_the_connection_and_says_nothing(listening, monkeypatch):
    monkeypatch.setattr(params, "CLIENT_READ_TIMEOUT_S", 0.2)
    assert said(listening.getsockname()[1]) == "no answer in time"


def test_it_ends_the_connection(listening):
    def end() -> None:
        connection, _ = listening.accept()
        connection.recv(1, socket.MSG_PEEK)  # to close what has come and is not read resets the connection
        connection.close()

    threading.Thread(target=end, daemon=True).start()
    assert said(listening.getsockname()[1]) == "connection reset by peer"


def test_two_threads_that_lose_a_server_at_once_both_go_on_to_the_next(monkeypatch):
    client = Client(Access(("http://gone", "http://there")))
    both = threading.Barrier(2)

    def ask(method: str, url: str, **_: object) -> urllib3.HTTPResponse:
        if url.startswith("http://gone"):
            both.wait(5)
            raise ProtocolError("closed")
        return urllib3.HTTPResponse(b"{}", status=200)

    monkeypatch.setattr(client._pool, "request", ask)
    with ThreadPoolExecutor(2) as pool:
        answers = [pool.submit(client.request, "GET", "/api/v1/nodes") for _ in range(2)]
        assert [one.result(10).status for one in answers] == [200, 200]
    assert client._servers == ("http://there", "http://gone")
