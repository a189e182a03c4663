"""Compaction by one of several servers, and never of what is younger than a turn."""

from memory_store import MemoryStore

from minik8s.apiserver.housekeeping import Compactor
from minik8s.store.model import Put, Txn


def write(store, times):
    for number in range(times):
        store.commit(Txn((), (Put("/registry/core/pods/a/x", str(number).encode()),)))


def test_the_first_turn_only_notes_where_the_store_stands():
    store = MemoryStore()
    assert Compactor(store).turn() is False
    assert store.compacted == []


def test_a_turn_forgets_what_is_older_than_the_turn_before():
    store = MemoryStore()
    compactor = Compactor(store)
    write(store, 5)
    compactor.turn()
    noted = store.now
    write(store, 5)
    assert compactor.turn() is True
    assert store.compacted == [noted]


def test_of_several_servers_one_compacts_in_each_turn():
    store = MemoryStore()
    servers = [Compactor(store) for _ in range(3)]
    for _ in range(2):  # a server that has just come learns from the key that others are there
        for server in servers:
            server.turn()
    for _ in range(4):
        before = len(store.compacted)
        write(store, 3)
        for server in servers:
            server.turn()
        assert len(store.compacted) == before + 1


def test_when_the_server_that_compacts_dies_another_goes_on():
    store = MemoryStore()
    first, second = Compactor(store), Compactor(store)
    for _ in range(3):
        first.turn()
        second.turn()
    before = len(store.compacted)
    for _ in range(2):
        write(store, 3)
        second.turn()
    assert len(store.compacted) > before
