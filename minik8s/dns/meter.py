"""Turns the loop's plain numbers into metrics, once a second, under the names that CoreDNS gives them.

Dashboards and alerts made for CoreDNS read these. The loop itself only counts (`Statistics`), because it counts on the
path of every lookup.
"""

from minik8s.dns import foreign
from minik8s.dns.responder import BOUNDS, Responder
from minik8s.dns.server import Server
from minik8s.host.metrics import Registry


class Meter:
    def __init__(self, responder: Responder, server: Server, registry: Registry) -> None:
        self._responder, self._server = responder, server
        self._read: dict[str, float] = {}
        self._requests = registry.counter("coredns_dns_requests_total", "Questions asked.", ("proto", "type"))
        self._responses = registry.counter("coredns_dns_responses_total", "Answers given.", ("rcode",))
        self._durations = registry.histogram(
            "coredns_dns_request_duration_seconds", "From reading a question to its answer.", buckets=BOUNDS
        )
        self._hits = registry.counter("coredns_cache_hits_total", "Answers given from the memo.")
        self._misses = registry.counter("coredns_cache_misses_total", "Answers that had to be made.")
        self._entries = registry.gauge("coredns_cache_entries", "Answers in the memo.")
        self._dropped = registry.counter("minik8s_dns_dropped_total", "Datagrams that deserved no answer.")
        self._asked = registry.counter("coredns_forward_requests_total", "Questions put to other servers.", ("to",))
        self._told = registry.counter("coredns_forward_responses_total", "Their answers.", ("to", "rcode"))
        self._panics = registry.counter("coredns_panics_total", "Questions that made the server itself fail.")

    def read(self) -> None:
        """Called by the loop."""
        statistics = self._responder.statistics
        total = 0.0
        for tally in statistics.tallies.values():
            fresh = self._grown(f"{tally.proto} {tally.qtype} {tally.rcode}", tally.count)
            total += fresh
            if fresh:
                self._requests.inc(fresh, proto=tally.proto, type=foreign.TYPES.get(tally.qtype, "other"))
                self._responses.inc(fresh, rcode=foreign.rcode_name(tally.rcode))
        misses = self._grown("misses", statistics.misses)
        self._misses.inc(misses)
        self._hits.inc(max(0.0, total - misses))
        self._entries.set(self._responder.remembered)
        self._dropped.inc(self._grown("dropped", statistics.dropped))
        self._panics.inc(self._grown("failures", self._server.failures))
        self._read_forwarder()
        counts = [int(self._grown(f"bucket {at}", count)) for at, count in enumerate(statistics.durations)]
        self._durations.add(counts, self._grown("seconds", statistics.seconds))

    def _read_forwarder(self) -> None:
        forwarder = self._server.forwarder
        if forwarder is None:
            return
        for to, count in forwarder.asked.items():
            self._asked.inc(self._grown(f"asked {to}", count), to=to)
        for (to, rcode), count in forwarder.answered.items():
            self._told.inc(self._grown(f"answered {to} {rcode}", count), to=to, rcode=foreign.rcode_name(rcode))

    def _grown(self, name: str, now: float) -> float:
        before, self._read[name] = self._read.get(name, 0), now
        return now - before
