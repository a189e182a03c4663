"""The bytes between two ends: nothing lost, the end passed on, a slow reader waited for."""

import os
import socket
from collections.abc import Iterator

import pytest

from minik8s.proxy.sidecar import connection
from minik8s.proxy.sidecar.connection import READ, WRITE, Pipes, Side, carry, flush, wants

PIPES = Pipes()
Ends = tuple[socket.socket, Side, Side, socket.socket]


@pytest.fixture
def ends() -> Iterator[Ends]:
    """A client, our end towards it, our end towards an endpoint, the endpoint."""
    client, near = socket.socketpair()
    far, endpoint = socket.socketpair()
    for sock in (near, far):
        sock.setblocking(False)
    for sock in (client, endpoint):
        sock.settimeout(5)
    yield client, Side(near), Side(far), endpoint
    for sock in (client, near, far, endpoint):
        sock.close()


def test_bytes_are_passed_on_and_counted(ends: Ends) -> None:
    client, near, far, endpoint = ends
    client.sendall(b"hello")
    carry(near, far, PIPES)
    assert endpoint.recv(100) == b"hello" and (near.carried, far.carried) == (5, 0)
    assert (wants(near, far), wants(far, near)) == (READ, READ)


def test_one_end_may_go_on_talking_when_the_other_has_finished(ends: Ends) -> None:
    client, near, far, endpoint = ends
    client.shutdown(socket.SHUT_WR)
    carry(near, far, PIPES)
    assert endpoint.recv(100) == b"" and (wants(near, far), wants(far, near)) == (0, READ)
    endpoint.sendall(b"answer")
    carry(far, near, PIPES)
    assert client.recv(100) == b"answer" and not near.told
    endpoint.close()
    carry(far, near, PIPES)
    assert client.recv(100) == b"" and near.told and far.told


def test_a_slow_reader_is_waited_for_and_nothing_is_lost(ends: Ends) -> None:
    client, near, far, endpoint = ends
    near.sock.setblocking(True)
    sent, count = 0, 1 << 16
    while not far.waiting:
        chunk = bytes([sent % 251]) * count
        client.sendall(chunk)
        carry(near, far, PIPES)
        sent = near.carried
    assert (wants(near, far), wants(far, near)) == (0, READ | WRITE), "no more is read while something waits"
    client.shutdown(socket.SHUT_WR)
    got = 0
    while got < sent:
        got += len(endpoint.recv(1 << 16))
        if far.waiting:
            flush(near, far, PIPES)
    assert got == sent and not far.waiting and not far.told
    carry(near, far, PIPES)
    assert endpoint.recv(1) == b"" and far.told


def test_the_end_is_passed_on_only_after_what_waits(ends: Ends) -> None:
    _, near, far, endpoint = ends
    near.ended, far.pipe = True, PIPES.take()
    far.waiting = os.write(far.pipe[1], b"last words")
    flush(near, far, PIPES)
    assert endpoint.recv(100) == b"last words" and endpoint.recv(100) == b"" and far.told


def test_a_broken_end_raises(ends: Ends) -> None:
    client, near, far, endpoint = ends
    endpoint.close()
    client.sendall(b"hello")
    with pytest.raises(OSError):
        carry(near, far, PIPES)


def test_breaking_off_is_told_apart_from_ending() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        for reset in (False, True):
            with socket.create_connection(server.getsockname(), 5) as client:
                connection.close(server.accept()[0], reset)
                if reset:
                    with pytest.raises(ConnectionResetError):
                        client.recv(1)
                else:
                    assert client.recv(1) == b""
