"""Informers to transactions: which Services are planned anew when something changes; and `main` from end to end."""

import threading
from collections.abc import Callable
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
from proxy_worlds import service, slice_of

from minik8s.api import core, discovery
from minik8s.api.codec import from_dict
from minik8s.api.meta import key as key_of
from minik8s.client.queue import WorkQueue
from minik8s.host.journal import Journal
from minik8s.host.metrics import Registry
from minik8s.nft.fake import Fake
from minik8s.proxy import cache as caches
from minik8s.proxy import main as proxy
from minik8s.proxy.cache import Cache
from minik8s.proxy.layout import IPV4, Family
from minik8s.proxy.world import World


class Memory:
    """An informer that is told what to hold."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self.objects: dict[str, Any] = {}
        self.handlers: list[Callable[[Any, Any], None]] = []

    def on_change(self, handler: Callable[[Any, Any], None]) -> None:
        self.handlers.append(handler)

    def get(self, key: str) -> Any:
        return self.objects.get(key)

    def values(self) -> list[Any]:
        return list(self.objects.values())

    def put(self, obj: Any) -> None:
        old, self.objects[key_of(obj)] = self.objects.get(key_of(obj)), obj
        for handler in self.handlers:
            handler(old, obj)

    def remove(self, key: str) -> None:
        old = self.objects.pop(key)
        for handler in self.handlers:
            handler(old, None)

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def wait_synced(self, timeout: float) -> bool:
        return True


def node(**labels: str) -> core.Node:
    meta = {"name": "node-1", "labels": labels}
    return from_dict(core.Node, {"metadata": meta, "spec": {"podCIDR": "10.244.1.0/24"}})


@pytest.fixture
def cache() -> Cache:
    found = Cache(Memory(), Memory(), Memory(), "node-1", WorkQueue())  # type: ignore[arg-type]
    found.watch()
    return found


def waiting(cache: Cache) -> set[str]:
    return cache.take()[0]


def test_a_slice_wakes_the_service_it_belongs_to(cache: Cache) -> None:
    cache.services.put(service("web", "10.96.0.5"))  # type: ignore[attr-defined]
    assert waiting(cache) == {"default/web"} and len(cache.queue) == 1
    cache.slices.put(slice_of("web", "a"))  # type: ignore[attr-defined]
    assert waiting(cache) == {"default/web"}
    assert [one.target for one in cache.plan(IPV4, "default/web").ports[0].in_use] == ["10.244.1.2:8080"]


def test_a_slice_that_changes_its_service_wakes_both(cache: Cache) -> None:
    one = slice_of("web", "a")
    cache.slices.put(one)  # type: ignore[attr-defined]
    cache.take()
    moved = slice_of("cart", "a")
    moved.metadata.name = one.metadata.name
    cache.slices.put(moved)  # type: ignore[attr-defined]
    assert waiting(cache) == {"default/web", "default/cart"}
    cache.slices.remove(key_of(one))  # type: ignore[attr-defined]
    assert waiting(cache) == {"default/cart"}


def test_a_slice_without_service_wakes_nobody(cache: Cache) -> None:
    one = slice_of("web", "a")
    one.metadata.labels = {}
    cache.slices.put(one)  # type: ignore[attr-defined]
    assert waiting(cache) == set()


def test_the_nodes_heartbeat_wakes_nobody_and_its_zone_everybody(cache: Cache) -> None:
    cache.services.put(service("web", "10.96.0.5"))  # type: ignore[attr-defined]
    cache.nodes.put(node())  # type: ignore[attr-defined]
    cache.take()
    cache.nodes.put(node())  # type: ignore[attr-defined]
    assert waiting(cache) == set()
    cache.nodes.put(node(**{caches.ZONE: "z1"}))  # type: ignore[attr-defined]
    assert waiting(cache) == {"default/web"}


def test_only_a_new_trigger_time_is_measured(cache: Cache) -> None:
    def stamped(stamp: str) -> discovery.EndpointSlice:
        one = slice_of("web", "a")
        one.metadata.annotations = {caches.LAST_CHANGE: stamp}
        return one

    for stamp in ("2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z", "2026-01-01T00:00:01Z"):
        cache.slices.put(stamped(stamp))  # type: ignore[attr-defined]
    assert len(cache.take()[1]) == 1


class Unwatched:
    """A guard that finds what it is told to."""

    def __init__(self, tables: list[str], tell: Callable[[], None]) -> None:
        self.tables, self.found = tables, dict[str, str]()

    writing = staticmethod(nullcontext)

    def take(self) -> dict[str, str]:
        found, self.found = self.found, {}
        return found

    def put_back(self, found: dict[str, str]) -> None:
        self.found |= found

    def trouble(self) -> str:
        return ""

    def start(self) -> None: ...

    def close(self) -> None: ...


def test_main_follows_the_api_until_it_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Memory] = []
    fake = Fake()
    committed = threading.Event()

    def informer(*args: Any, **kwargs: Any) -> Memory:
        made.append(Memory())
        return made[-1]

    class World_(World):
        def __init__(self) -> None:
            super().__init__(fake)

        def families(self) -> list[Family]:
            return [IPV4]  # one commit for each change, whatever this machine has

        def apply(self, commands: str) -> None:
            super().apply(commands)
            committed.set()

        def forget(self, flows: object) -> None: ...

    monkeypatch.setattr(caches, "Informer", informer)
    monkeypatch.setattr(proxy.demand, "main", lambda component: None)
    monkeypatch.setattr(proxy.balancing, "start", lambda *_: lambda: None)
    monkeypatch.setattr(proxy, "World", World_)
    monkeypatch.setattr(proxy, "Guard", Unwatched)
    checks: dict[str, Callable[[], str]] = {}

    def serve_health(given: dict[str, Callable[[], str]], extra: object) -> SimpleNamespace:
        checks.update(given)
        return SimpleNamespace(stop=lambda: None)

    component = SimpleNamespace(
        options=SimpleNamespace(node="node-1", proxy_mode="nftables"),
        client=None,
        journal=Journal(),
        metrics=Registry(),
        stop=threading.Event(),
        serve_health=serve_health,
    )
    thread = threading.Thread(target=proxy.main, args=(component,))
    thread.start()
    assert committed.wait(5)
    services, slices, _ = made
    for change in (
        lambda: services.put(service("web", "10.96.0.5")),
        lambda: slices.put(slice_of("web", "a")),
    ):
        committed.clear()
        change()
        assert committed.wait(5)
    component.stop.set()
    thread.join(5)
    assert not thread.is_alive()
    assert fake.table and "svc/default/web/http" in fake.table.chains
    assert checks["rules"]() == ""
    assert (
        component.journal.entries()[-1]["because"]
        == "endpoint 10.244.1.2:8080 joined default/web:http: pod default/web-a"
    )
