"""The wiring of the sidecar: what the API says of Services and of this node's Pods, into the relay and the Pods' rules.

One round of work looks at all Pods of the node that ask for a sidecar, and at the Services that changed: new listeners
are there before the rules that lead to them, and the relay knows a Service before any rule leads to its address.

Next: `world.py` and `relay.py`, which do it.
"""

import resource
from dataclasses import dataclass, field

from minik8s.api.pods import Pod
from minik8s.client.component import Component
from minik8s.client.events import Recorder
from minik8s.client.informer import Informer
from minik8s.client.loop import Controller
from minik8s.host.journal import Journal
from minik8s.nft.kernel import NftError
from minik8s.proxy.cache import RULES, Cache, of_node
from minik8s.proxy.plan import ServicePlan
from minik8s.proxy.sidecar import world
from minik8s.proxy.sidecar.demand import informer
from minik8s.proxy.sidecar.metrics import Metrics
from minik8s.proxy.sidecar.pages import pages
from minik8s.proxy.sidecar.plan import Address, Client, Inject, Release, Served, asks, clients, plan, served
from minik8s.proxy.sidecar.relay import Relay
from minik8s.proxy.sidecar.world import FAMILIES, Place

LOOK_AGAIN_S = 0.5  # for a Pod whose namespace was not found


@dataclass
class Sidecar:
    """Everything that one worker keeps in step. The thread of the relay only adds to `ended`."""

    mode: str
    cache: Cache
    pods: Informer[Pod]
    journal: Journal
    events: Recorder
    relay: Relay = field(init=False)
    places: dict[str, Place] = field(default_factory=dict)  # by the Pod's uid
    plans: dict[tuple[str, str], ServicePlan] = field(default_factory=dict)  # by family and Service
    services: dict[Address, Served] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)  # uids of Pods whose sandbox has ended
    missing: set[str] = field(default_factory=set)  # uids of Pods that the last round did not find

    def sync(self, _key: str) -> float | None:
        """One round. Returns when to look again for Pods that were not found; None: when something changes."""
        keys, _ = self.cache.take()
        self.plans.update({(each.name, key): self.cache.plan(each, key) for each in FAMILIES for key in keys})
        self.services = served(self.plans.values())
        self.relay.serve(self.services)
        wanted = clients(self.pods.values(), self.mode)
        actions = plan(wanted, {uid: place.client for uid, place in self.places.items()}, self.ended)
        for action in actions:
            if isinstance(action, Release):
                self._release(action)
        missing = self._inject([each for each in actions if isinstance(each, Inject)])
        for uid, error in world.redirect(self.places.values(), self.services).items():
            self._failed(self.places[uid].client, f"the kernel refuses its rules: {_first_line(error)}")
        self.ended.intersection_update(self.places)
        again = LOOK_AGAIN_S if missing - self.missing else None
        self.missing = missing
        return again

    def sandbox_ended(self, uid: str) -> None:
        """Told by the relay."""
        self.ended.add(uid)
        self.cache.queue.add(RULES)

    def _release(self, action: Release) -> None:
        uid = action.client.uid
        self.relay.remove(uid)
        self.places.pop(uid).close()
        self.ended.discard(uid)
        self._tell(action.client, f"no sidecar for Pod {action.client.key} any more: {action.because}")

    def _inject(self, actions: list[Inject]) -> set[str]:
        """The uids of those that were not found, or could not be entered."""
        found = world.find([each.client for each in actions]) if actions else {}
        for action in actions:
            uid = action.client.uid
            if uid not in found:
                if uid in self.missing:  # for the second time: it is not on its way any more
                    self._failed(action.client, f"no network namespace of this node has {action.client.addresses[0]}")
                continue
            try:
                place = self.places[uid] = world.enter(action.client, found[uid])
            except (OSError, NftError) as error:
                self._failed(action.client, str(error))
                continue
            self.relay.add(place)
            self._tell(action.client, f"Pod {action.client.key} has a sidecar: {action.because}")
        return {each.client.uid for each in actions} - self.places.keys()

    def _tell(self, client: Client, because: str) -> None:
        pod = self.pods.get(client.key)
        self.journal.record("sidecar", because, [f"pods/{client.key}"], [pod.metadata.resourceVersion if pod else ""])

    def _failed(self, client: Client, why: str) -> None:
        pod = self.pods.get(client.key)
        if pod and not pod.metadata.deletionTimestamp:
            self.events.warning(pod, "SidecarFailed", f"no sidecar, connections go the node's way: {why}")


def main(component: Component) -> None:
    """Run until `component.stop`."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    options = component.options
    cache = of_node(component.client, options.node)
    pods = informer(component)
    sidecar = Sidecar(options.proxy_mode, cache, pods, component.journal, component.events)

    def changed(old: Pod | None, new: Pod | None) -> None:
        if any(asks(each, options.proxy_mode) for each in (old, new) if each):
            cache.queue.add(RULES)

    def ended(uid: str) -> None:
        sidecar.sandbox_ended(uid)
        if relay.failure:
            component.stop.set()

    pods.on_change(changed)
    metrics = Metrics(component.metrics)
    relay = sidecar.relay = Relay(component.journal, metrics, ended)
    metrics.follow(lambda: relay.open, lambda: len(sidecar.places))
    relay.start()
    health = component.serve_health(
        {"relay": lambda: str(relay.failure or "")},
        pages(relay, lambda: list(sidecar.places.values()), lambda: sidecar.services),
    )
    informers = [*cache.informers, pods]
    Controller("sidecar", sidecar.sync, cache.queue, informers, stop=component.stop).run()
    for each in informers:
        each.stop()
    health.stop()
    relay.stop()
    if relay.failure:
        raise relay.failure


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
