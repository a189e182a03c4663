"""A batch takes in what waits and sends the replies to whom they belong, over the loopback."""

import socket
from collections.abc import Iterator

import pytest

from minik8s.dns.datagrams import PLACE, Datagrams
from minik8s.host import sysctl

MOST = 4


@pytest.fixture(params=sysctl.ip_families())
def server(request: pytest.FixtureRequest) -> Iterator[socket.socket]:
    family, address = {"IPv4": (socket.AF_INET, "127.0.0.1"), "IPv6": (socket.AF_INET6, "::1")}[request.param]
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.bind((address, 0))
        yield sock


@pytest.fixture
def clients(server: socket.socket) -> Iterator[list[socket.socket]]:
    made = [socket.socket(server.family, socket.SOCK_DGRAM) for _ in range(MOST + 2)]
    for sock in made:
        sock.settimeout(5)
        sock.connect(server.getsockname())
    yield made
    for sock in made:
        sock.close()


def fill(batch: Datagrams, n: int, reply: bytes) -> None:
    batch.memory[n * PLACE : n * PLACE + len(reply)] = reply
    batch.lengths[n] = len(reply)


def taken(batch: Datagrams) -> list[bytes]:
    return [batch.memory[n * PLACE : n * PLACE + size] for n, size in enumerate(batch.sizes)]


def test_each_reply_goes_back_to_whoever_asked(server, clients) -> None:
    batch = Datagrams(server, MOST)
    for n, client in enumerate(clients):
        client.send(b"question %d" % n * (n + 1))
    answered = 0
    for expected in (MOST, 2, 0):
        assert batch.receive() == expected
        assert taken(batch) == [b"question %d" % n * (n + 1) for n in range(answered, answered + expected)]
        for n in range(expected):
            assert batch.peer(n) == clients[answered + n].getsockname()
            fill(batch, n, b"reply %d" % (answered + n))
        assert batch.send(0, expected) == 0
        answered += expected
    assert [client.recv(100) for client in clients] == [b"reply %d" % n for n in range(len(clients))]


def test_who_is_left_out_gets_nothing_and_the_others_their_own(server, clients) -> None:
    batch = Datagrams(server, MOST)
    for client in clients[:3]:
        client.send(b"question")
    assert batch.receive() == 3
    for n in (0, 2):
        fill(batch, n, b"reply %d" % n)
    batch.send(0, 1)
    batch.send(2, 3)
    assert (clients[0].recv(100), clients[2].recv(100)) == (b"reply 0", b"reply 2")
    clients[1].setblocking(False)
    with pytest.raises(BlockingIOError):
        clients[1].recv(100)


def test_a_reply_that_the_network_does_not_take_holds_up_no_other(server, clients) -> None:
    batch = Datagrams(server, MOST)
    for client in clients[:3]:
        client.send(b"question")
    batch.receive()
    for n in range(3):
        fill(batch, n, b"reply %d" % n)
    batch.lengths[1] = 70_000  # longer than any datagram
    assert batch.send(0, 3) == 1
    assert (clients[0].recv(100), clients[2].recv(100)) == (b"reply 0", b"reply 2")


def test_what_is_longer_than_its_place_is_cut_and_the_next_batch_has_all_its_room(server, clients) -> None:
    batch = Datagrams(server, MOST)
    clients[0].send(b"x" * (PLACE + 100))
    assert (batch.receive(), batch.sizes) == (1, [PLACE])
    fill(batch, 0, b"short")
    batch.send(0, 1)
    clients[0].send(b"y" * 1000)
    assert (batch.receive(), taken(batch)) == (1, [b"y" * 1000])
