"""A DNS server's sockets outlive it, unless the user stopped it; they are never those of a namespace that is gone."""

import os
import socket
from collections.abc import Iterator

import pytest

from minik8s.cluster import handed
from minik8s.host import processes

NAME = "dns@node-1"


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of the node's namespace; what is made in it is made here, at an address of the loopback."""
    number = [1]
    monkeypatch.setattr(handed.namespaces, "identity", lambda name: number[0])
    monkeypatch.setattr(handed.namespaces, "in_ns", lambda name, fn: fn())
    monkeypatch.setattr(handed.topology, "node_address", lambda node: f"127.53.{os.getpid() % 256}.1")
    return number


@pytest.fixture
def held(place: list[int]) -> Iterator[handed.Handed]:
    made = handed.Handed("c")
    yield made
    made.release(NAME)


def where(numbers: tuple[int, ...]) -> list[tuple[int, str]]:
    """What kind of socket each is, and its address."""
    copies = [socket.socket(fileno=os.dup(number)) for number in numbers]
    found = [(sock.type, sock.getsockname()[0]) for sock in copies]
    for sock in copies:
        sock.close()
    return found


def test_a_server_that_starts_anew_is_handed_the_sockets_of_the_one_before(held: handed.Handed) -> None:
    first = held.prepare(NAME)
    assert [kind for kind, _ in where(first)] == [socket.SOCK_DGRAM, socket.SOCK_STREAM]
    assert held.prepare(NAME) == first == tuple(held.all())


def test_what_the_user_stopped_leaves_its_address_to_others(held: handed.Handed) -> None:
    (_, address), _ = where(held.prepare(NAME))
    held.release(NAME)
    assert held.all() == []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as another:
        another.bind((address, handed.params.DNS_PORT))
        with pytest.raises(OSError, match="in use"):
            held.prepare(NAME)


def test_a_node_that_was_built_anew_has_new_sockets(held: handed.Handed, place: list[int]) -> None:
    held.prepare(NAME)
    old = held._held[NAME][1]
    place[0] = 2
    assert len(where(held.prepare(NAME))) == 2
    assert [sock.fileno() for sock in old] == [-1, -1], "the old ones are closed"


def test_only_dns_is_handed_any(held: handed.Handed) -> None:
    assert held.prepare("proxy@node-1") == () == held.prepare("scheduler")


def test_a_new_zygote_takes_them_over_from_a_running_server(held: handed.Handed) -> None:
    if os.geteuid():
        pytest.skip("only root may copy descriptors out of other processes")
    mine = held.prepare(NAME)
    another = handed.Handed("c")
    another.adopt(NAME, os.getpid(), processes.start_time(os.getpid()) or 0)
    assert where(another.prepare(NAME)) == where(mine) and not {*another.all()} & {*mine}
    another.release(NAME)
