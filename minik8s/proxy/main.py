"""The wiring of the proxy: informers tell which Services changed, one worker commits for all of them at once.

While one transaction is being committed the next changes gather (`cache.py`), and go out together with no fixed delay.
A sync that fails puts its keys back and is retried by the shared loop. The guard wakes it when a table is to be mended.

Next: `cache.py`, then `sync.py`.
"""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from minik8s.client.component import Component
from minik8s.client.loop import Controller
from minik8s.proxy import balancing
from minik8s.proxy.book import Book
from minik8s.proxy.cache import RULES, Cache, of_node
from minik8s.proxy.followed import Sources
from minik8s.proxy.guard import Guard
from minik8s.proxy.metrics import Metrics
from minik8s.proxy.modes import MODES, Nftables
from minik8s.proxy.pages import pages
from minik8s.proxy.sidecar import demand
from minik8s.proxy.sync import Syncer
from minik8s.proxy.world import World


@dataclass(frozen=True)
class Sync:
    """What the loop calls: mend what somebody else broke, then bring whatever waits into force."""

    cache: Cache
    guard: Guard
    mode: Nftables
    syncers: Mapping[str, Syncer]  # by family
    metrics: Metrics

    def __call__(self, _key: str) -> float | None:
        foreign = self.guard.take()
        keys, triggers = self.cache.take()
        try:
            for syncer in self.syncers.values():
                syncer.mend(foreign)
                plans = self.mode.before(syncer.family, {key: self.cache.plan(syncer.family, key) for key in keys})
                syncer.sync(plans, plans.__getitem__)
            self.mode.after()
        except BaseException:
            self.cache.put_back(keys)
            self.guard.put_back(foreign)
            raise
        for triggered in triggers:
            self.metrics.programmed(triggered)
        return self.mode.period


def main(component: Component) -> None:
    """Run until `component.stop`. NoIpvs: the mode asks for what this kernel does not have."""
    mode = MODES[component.options.proxy_mode]()
    mode.start()
    node = component.options.node
    cache = of_node(component.client, node)
    world, metrics = World(), Metrics(component.metrics)
    syncers = {
        family.name: Syncer(Book(mode.frame(family, node)), world, component.journal, metrics)
        for family in world.families()
    }
    guard = Guard([one.book.frame.address for one in syncers.values()], tell=lambda: cache.queue.add(RULES))
    world.writing = guard.writing
    cache.queue.add(RULES)  # with no Service at all the table still has to be there
    loading = partial(not_loaded, syncers.values())
    health = component.serve_health({"rules": loading, "guard": guard.trouble}, pages(syncers) | mode.pages)
    guard.start()
    balanced = balancing.start(component, Sources(cache.services, cache.slices, cache.nodes), loading)
    threading.Thread(target=demand.main, args=(component,), name="sidecar-demand", daemon=True).start()
    sync = Sync(cache, guard, mode, syncers, metrics)
    Controller("proxy", sync, cache.queue, cache.informers, stop=component.stop).run()
    balanced()
    cache.stop()
    guard.close()
    health.stop()
    world.close()  # the rules stay: Services work on without a proxy


def not_loaded(syncers: Iterable[Syncer]) -> str:
    """Why the proxy is not ready yet; empty when it is."""
    waiting = [syncer.book.frame.address for syncer in syncers if not syncer.loaded]
    return f"not loaded yet: {', '.join(waiting)}" if waiting else ""
