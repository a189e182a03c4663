"""The wiring: watches to the server's loop, the server's numbers to the metrics.

The server answers from the first moment; until the first full list is in, a miss is SERVFAIL. When the API server is
away the informers go on trying and the loop goes on answering what it knows. Read next: server.py.
"""

import sys
import threading
from functools import partial

from minik8s import params
from minik8s.api.core import Namespace, Service
from minik8s.api.discovery import EndpointSlice
from minik8s.api.meta import Object
from minik8s.client.component import Component
from minik8s.client.informer import Informer
from minik8s.dns.changes import Changes
from minik8s.dns.index import Index
from minik8s.dns.plan import Names
from minik8s.dns.records import AAAA, CNAME, NS, PTR, SOA, SRV, TXT, A
from minik8s.dns.responder import Responder, Statistics
from minik8s.dns.server import Server
from minik8s.host.metrics import Registry

# Watches decode in threads of this interpreter. Their turns must be short, or each answer waits 5 ms behind them.
SWITCH_INTERVAL_S = 0.0005

TYPES = {A: "A", NS: "NS", CNAME: "CNAME", SOA: "SOA", PTR: "PTR", TXT: "TXT", AAAA: "AAAA", SRV: "SRV"}
RCODES = {0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED", 16: "BADVERS"}


def main(component: Component) -> None:
    """Serve until the component is told to stop."""
    if not component.options.node_ip:
        raise ValueError("dns needs --node-ip: the address to answer on")
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    names = Names(Index(), params.CLUSTER_DOMAIN, params.DNS_TTL_S)
    responder = Responder(names)
    server = Server(responder, component.options.node_ip, params.DNS_PORT)
    changes = Changes(names, responder, component.journal)
    server.on_tick = Meter(responder, server, component.metrics).read
    informers: list[Informer] = [Informer(component.client, cls) for cls in (Namespace, Service, EndpointSlice)]
    for informer in informers:
        informer.on_change(partial(_hand_over, server, changes))
        informer.start()
    component.serve_health(checks={"synced": lambda: "" if responder.synced else "the first list is not in yet"})
    threading.Thread(target=_sync, args=(informers, server, changes), name="sync", daemon=True).start()
    threading.Thread(target=_stop, args=(component, server), name="stop", daemon=True).start()
    component.log.info("answering on %s:%d", component.options.node_ip, server.port)
    server.run()
    for informer in informers:
        informer.stop()
    server.close()


def _hand_over(server: Server, changes: Changes, old: Object | None, new: Object | None) -> None:
    server.post(lambda: changes.apply(old, new))


def _sync(informers: list[Informer], server: Server, changes: Changes) -> None:
    """Say so when every kind was listed; behind the lists themselves, because posts keep their order."""
    for informer in informers:
        informer.wait_synced()
    server.post(changes.synced)


def _stop(component: Component, server: Server) -> None:
    component.stop.wait()
    server.stop()


class Meter:
    """Turns the loop's plain numbers into metrics once a tick, under the names that CoreDNS gives them."""

    def __init__(self, responder: Responder, server: Server, registry: Registry) -> None:
        self._responder, self._server = responder, server
        self._read: dict[str, int] = {}
        self._requests = registry.counter("coredns_dns_requests_total", "Questions asked.", ("proto", "type"))
        self._responses = registry.counter("coredns_dns_responses_total", "Answers given.", ("rcode",))
        self._hits = registry.counter("coredns_cache_hits_total", "Answers given from the memo.")
        self._misses = registry.counter("coredns_cache_misses_total", "Answers that had to be made.")
        self._entries = registry.gauge("coredns_cache_entries", "Answers in the memo.")
        self._panics = registry.counter("coredns_panics_total", "Questions that made the server itself fail.")

    def read(self) -> None:
        """Called by the loop."""
        statistics: Statistics = self._responder.statistics
        total = 0
        for tally in list(statistics.tallies.values()):
            fresh = self._grown(f"{tally.proto} {tally.qtype} {tally.rcode}", tally.count)
            total += fresh
            if fresh:
                self._requests.inc(fresh, proto=tally.proto, type=TYPES.get(tally.qtype, "other"))
                self._responses.inc(fresh, rcode=RCODES.get(tally.rcode, str(tally.rcode)))
        misses = self._grown("misses", statistics.misses)
        self._misses.inc(misses)
        self._hits.inc(max(0, total - misses))
        self._entries.set(self._responder.remembered)
        self._panics.inc(self._grown("failures", self._server.failures))

    def _grown(self, name: str, now: int) -> int:
        before, self._read[name] = self._read.get(name, 0), now
        return now - before
