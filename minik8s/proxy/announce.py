"""Announcing load balancer addresses: holds the Leases that `election.py` says, and answers on the LAN for those alone.

The Lease is renewed first; then the kernel is lent the address for what is left of it, less the kernel's own lag. So
the address is gone from here before anybody else may take it, whatever becomes of this process, of the API server or of
the cable. Invariant: two nodes never answer for one address at a time, as long as clocks run equally fast.

A proxy that stops gives its addresses back at once; one that was killed and comes back in time carries on.

Read next: `lan.py`.
"""

import logging
import threading
from collections.abc import Callable, Container, Iterable
from typing import Any

from minik8s.api.coordination import Lease, LeaseSpec
from minik8s.api.core import Node
from minik8s.api.meta import DeleteOptions, ObjectMeta, Preconditions, ref
from minik8s.api.meta import key as key_of
from minik8s.api.times import rfc3339
from minik8s.client.component import Component
from minik8s.client.informer import Informer
from minik8s.client.loop import Controller
from minik8s.client.rest import AlreadyExists, ApiError, Conflict, NotFound, Unreachable, Why
from minik8s.host import clock
from minik8s.proxy.election import NEW, RELEASE, TAKE, Act, Me, Seen, Wanted, able, plan, wanted
from minik8s.proxy.followed import KEY, Followed, Sources
from minik8s.proxy.lan import Lan

log = logging.getLogger(__name__)
NAMESPACE = "kube-system"
PREFIX = "loadbalancer-"
LABEL = "minik8s.io/announces"  # on each such Lease, so that nobody need read the others
LAG_S = 0.5  # how much later than told the kernel may take an address away; measured: 0.35
RETRY_S = 0.25  # how soon what the API server did not take is tried again
SHOUTS = 3


def lease_name(address: str) -> str:
    """`loadbalancer-192.168.56.200`; names have no colon, so IPv6 addresses are written with dashes."""
    return PREFIX + address.replace(":", "-")


def _address(lease: Lease) -> str:
    text = lease.metadata.name.removeprefix(PREFIX)
    return text if "." in text else text.replace("-", ":")


class Announcer:
    """This node's part. Informers tell which Services, endpoints and nodes there are; one thread calls `sync`."""

    def __init__(self, component: Component, sources: Sources, loading: Callable[[], str]) -> None:
        self._component, self._node, self._sources = component, component.options.node, sources
        self._loading = loading  # why the rules are not there yet; "" when they are
        self._balanced = Followed(sources, lambda each: each.spec.type == "LoadBalancer")
        self._leases = Informer(component.client, Lease, namespace=NAMESPACE, labels=LABEL)
        self._changed: dict[str, tuple[float, str]] = {}  # a Lease: since when as it is, and who held it before
        self._absent: dict[str, float] = {}  # an address without a Lease: since when
        self._renewed: dict[str, float] = {}  # by address, when we began to renew it last
        self._shouts: dict[str, int] = {}
        sources.nodes.on_change(self._on_node)
        self._leases.on_change(self._on_lease)

    def start(self) -> threading.Thread:
        """Announce until the component stops, then give back what is held."""
        thread = threading.Thread(target=self._run, name="announce", daemon=True)
        thread.start()
        return thread

    def _run(self) -> None:
        informers: list[Informer[Any]] = [*self._sources.informers, self._leases]
        Controller("announce", self.sync, self._balanced.queue, informers, stop=self._component.stop).run()
        self._leases.stop()
        self._leave()

    # --- Handlers, in the informers' threads ------------------------------------------------------------------------

    def _on_node(self, old: Node | None, new: Node | None) -> None:
        if (old is not None and able(old)) != (new is not None and able(new)):
            self._balanced.queue.add(KEY)

    def _on_lease(self, old: Lease | None, new: Lease | None) -> None:
        """A renewal starts its time anew, and wakes nobody."""
        before, after = ((each.spec.holderIdentity or "") if each else "" for each in (old, new))
        if new is not None:
            gave = before if before != after else self._changed.get(_address(new), (0.0, ""))[1]
            self._changed[_address(new)] = (clock.monotonic(), gave)
        elif old is not None:
            self._changed.pop(_address(old), None)
        if before != after or new is None:
            self._balanced.queue.add(KEY)

    # --- Look, decide, act -------------------------------------------------------------------------------------------

    def sync(self, _key: str) -> float | None:
        now = clock.monotonic()
        want = self._wanted()
        leases = self._seen(want, now)
        me = Me(self._node, self._renewed, now, self._component.timers.node_lease_renew_interval)
        acts, again = plan(me, want, leases)
        if self._loading():
            acts = [act for act in acts if act.verb != TAKE]  # nobody is to send packets here yet
        done = self._do(acts, {each.address for each in want})
        self._answer(done, {each.address: each for each in want})
        if len(done) < len(acts):
            return RETRY_S
        return None if again is None else max(0.0, again - clock.monotonic())

    def _wanted(self) -> list[Wanted]:
        nodes, found = self._sources.nodes.values(), []
        for service in self._balanced.services():
            local = service.spec.externalTrafficPolicy == "Local"
            found += wanted(service, self._balanced.slices(service) if local else (), nodes)
        return found

    def _seen(self, want: Iterable[Wanted], now: float) -> dict[str, Seen]:
        leases = {_address(each): each for each in self._leases.values()}
        absent = {each.address for each in want} - leases.keys()
        self._absent = {each: self._absent.get(each, now) for each in absent}
        return {each: Seen(since=since) for each, since in self._absent.items()} | {
            address: self._view(address, lease, now) for address, lease in leases.items()
        }

    def _view(self, address: str, lease: Lease, now: float) -> Seen:
        since, before = self._changed.get(address, (now, ""))
        return Seen(lease.spec.holderIdentity or "", since, float(lease.spec.leaseDurationSeconds or 0), before)

    def _do(self, acts: Iterable[Act], want: Container[str]) -> dict[str, Act]:
        """What the API server took of these, by address. For the rest one has to look again."""
        done = {}
        for act in acts:
            started = clock.monotonic()
            try:
                if act.verb == RELEASE:
                    self._withdraw(act.address, act.because)
                    self._release(act, gone=act.address not in want)
                else:
                    self._hold(act)
                    self._renewed[act.address] = started
                done[act.address] = act
            except (Conflict, AlreadyExists, NotFound):
                self._withdraw(act.address, "its Lease was written by somebody else")  # the informer is about to tell
            except ApiError as error:
                log.warning("%s %s: %s", act.verb, act.address, error)
            except Unreachable as error:
                log.warning("%s %s: %s", act.verb, act.address, error)
                break  # the others would wait as long, each
        return done

    # --- Leases ------------------------------------------------------------------------------------------------------

    def _hold(self, act: Act) -> None:
        """Take or renew, on condition that the Lease is what we looked at."""
        now = rfc3339(clock.wall(), micro=True)
        known = self._leases.get(f"{NAMESPACE}/{lease_name(act.address)}")
        # The duration each time: a proxy restarted in another profile carries on with other patience.
        duration = self._component.timers.node_lease_duration_seconds
        spec: dict[str, Any] = {"renewTime": now, "leaseDurationSeconds": duration}
        if act.verb == TAKE:
            turns = (known.spec.leaseTransitions or 0) + 1 if known else 0
            spec |= {"holderIdentity": self._node, "acquireTime": now, "leaseTransitions": turns}
        self._write(act.address, known, spec, act.because)

    def _release(self, act: Act, gone: bool) -> None:
        known = self._leases.get(f"{NAMESPACE}/{lease_name(act.address)}")
        if known is None or known.spec.holderIdentity != self._node:
            return
        if not gone:
            self._write(act.address, known, {"holderIdentity": ""}, act.because)
            return
        options = DeleteOptions(preconditions=Preconditions(uid=known.metadata.uid))
        why = Why(act.because, [known])
        self._component.client.delete(Lease, known.metadata.name, NAMESPACE, options=options, why=why)
        self._leases.removed(known)

    def _write(self, address: str, known: Lease | None, spec: dict[str, Any], because: str) -> None:
        client = self._component.client
        if known is None:
            meta = ObjectMeta(name=lease_name(address), namespace=NAMESPACE, labels={LABEL: "address"})
            made = client.create(Lease(metadata=meta, spec=LeaseSpec(**spec)), why=Why(because))
        else:
            body = {"spec": spec, "metadata": {"resourceVersion": known.metadata.resourceVersion}}
            made = client.patch(Lease, known.metadata.name, NAMESPACE, body, why=Why(because, [known]))
        self._leases.wrote(made)

    # --- The LAN -----------------------------------------------------------------------------------------------------

    def _lan(self) -> Lan:
        return Lan(self._sources.addresses(self._node))

    def _answer(self, done: dict[str, Act], want: dict[str, Wanted]) -> None:
        """Lend the kernel what was renewed, and take back what is not ours: a former proxy may have left it."""
        lan = self._lan()
        lent = lan.lent()
        mine = {_address(each) for each in self._leases.values() if each.spec.holderIdentity == self._node}
        for address in sorted((lent | self._renewed.keys()) - mine):
            self._withdraw(address, "another node holds its Lease, or none")
        fresh = [each for each in done if each in self._renewed]
        for address in fresh:
            lan.lend(address, self._renewed[address] + self._component.timers.node_lease_duration_seconds - LAG_S)
        for address in fresh:
            if address not in lent:
                self._shouts[address] = SHOUTS
            if self._shouts.get(address):
                self._shouts[address] -= 1
                lan.shout(address)
            if address not in lent:
                self._tell(done[address], want.get(address))

    def _withdraw(self, address: str, because: str) -> None:
        self._lan().take_back(address)
        if self._renewed.pop(address, None) is not None:
            log.info("%s is announced here no more: %s", address, because)
            self._component.journal.record("withdrawn", because, address=address, services=[])

    def _tell(self, act: Act, want: Wanted | None) -> None:
        service = self._sources.services.get(want.service) if want else None
        if service is None:
            return
        because = act.because if act.verb == TAKE else "its Lease could be renewed again"
        log.info("%s announces %s for %s: %s", self._node, act.address, key_of(service), because)
        # Only what is new was set off by the Service; else it was another node that let go.
        seen = [service] if because == NEW else []
        self._component.journal.record(
            "announced",
            because,
            [ref(each).partition("@")[0] for each in seen],
            [each.metadata.resourceVersion for each in seen],
            address=act.address,
            services=[key_of(service)],
        )
        if act.verb == TAKE:
            message = f"{self._node} announces {act.address} for {key_of(service)}: {because}"
            self._component.events.normal(service, "NodeAssigned", message)

    def _leave(self) -> None:
        """Stop answering for all of them first, so that nobody waits; then say so to the others."""
        held = sorted(self._renewed)
        for address in held:
            self._withdraw(address, "the proxy stops")
        for address in held:
            try:
                self._release(Act(RELEASE, address, "the proxy stops"), gone=False)
            except (ApiError, Unreachable) as error:
                log.warning("%s is not given back, the others wait until its Lease has run out: %s", address, error)
                return
