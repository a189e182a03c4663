"""What the API server counts of itself, under upstream's names: the page `/metrics`.

A request is counted when its answer is ready; a watch, a log or an exec when it begins, and among the long-running
ones for as long as it lasts. Invariant: no label has a value that a client may choose freely. `follow` has what is
looked up when the page is read. Read `host/metrics.py` for the metrics themselves.
"""

import resource
from collections.abc import Callable, Iterable
from functools import cache as remembered
from functools import partial
from pathlib import Path
from typing import Any

from minik8s.api.meta import Object
from minik8s.apiserver.request import Request
from minik8s.apiserver.serving.lanes import Lanes
from minik8s.host import clock
from minik8s.host.metrics import Registry
from minik8s.store.cache import Cache

REGISTRY = Registry()
_KIND = ("group", "version", "resource", "subresource", "scope")
# Upstream's bounds, of which these suffice to see what is slow.
_SECONDS = (0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 2.0, 5.0, 10.0, 30.0)
_CONNECTS = ("exec", "attach", "portforward", "proxy")
_METHODS = {"create": "POST", "update": "PUT"}  # upstream names these two by their method, the others by their verb

REQUESTS = REGISTRY.counter(
    "apiserver_request_total",
    "Requests that were answered.",
    ("verb", *_KIND, "component", "code", "dry_run"),
)
DURATIONS = REGISTRY.histogram(
    "apiserver_request_duration_seconds",
    "How long it took from the whole request to the answer; watches and streams are not among them.",
    ("verb", *_KIND, "component", "dry_run"),
    _SECONDS,
)
INFLIGHT = REGISTRY.gauge("apiserver_current_inflight_requests", "Requests that have a thread now.", ("request_kind",))
LONG_RUNNING = REGISTRY.gauge(
    "apiserver_longrunning_requests",
    "Watches, logs, execs and port-forwards that are open.",
    ("verb", *_KIND, "component"),
)
WATCH_EVENTS = REGISTRY.counter(
    "apiserver_watch_events_total", "Events that were sent to watchers.", ("group", "version", "kind")
)
TERMINATED = REGISTRY.counter(
    "apiserver_terminated_watchers_total", "Watchers that were dropped for being too slow.", ("group", "resource")
)
REJECTED = REGISTRY.counter(
    "apiserver_flowcontrol_rejected_requests_total",
    "Requests that were answered 429 for want of a seat.",
    ("priority_level", "reason"),
)
HANDSHAKE_ERRORS = REGISTRY.counter("apiserver_tls_handshake_errors_total", "TLS handshakes that failed.")
ETCD = REGISTRY.histogram("etcd_request_duration_seconds", "How long etcd took to answer.", ("operation",), _SECONDS)


def answered(request: Request, code: int, seconds: float, stream: bool) -> None:
    """Count a request about objects. Of a stream only its beginning counts."""
    labels = _labels_of(request)
    dry_run = "All" if request.dry_run else ""
    REQUESTS.inc(1.0, code=str(code), dry_run=dry_run, **labels)
    if not stream:
        DURATIONS.observe(seconds, dry_run=dry_run, **labels)


def answered_page(path: str, code: int, seconds: float) -> None:
    """Count a request about no object. The path is told only where there is something: clients invent others."""
    labels = {"verb": "GET", **dict.fromkeys(_KIND, ""), "component": "apiserver"}
    labels["subresource"] = path if code == 200 else ""
    REQUESTS.inc(1.0, code=str(code), dry_run="", **labels)
    DURATIONS.observe(seconds, dry_run="", **labels)


def stream_began(request: Request) -> None:
    LONG_RUNNING.inc(1.0, **_labels_of(request))


def stream_ended(request: Request) -> None:
    LONG_RUNNING.dec(1.0, **_labels_of(request))


def watch_began(cls: type[Object], scope: str) -> None:
    LONG_RUNNING.inc(1.0, **_labels(cls, "WATCH", "", scope))


def watch_ended(cls: type[Object], scope: str) -> None:
    LONG_RUNNING.dec(1.0, **_labels(cls, "WATCH", "", scope))


def events_told(cls: type[Object], count: int) -> None:
    where = cls.resource
    WATCH_EVENTS.inc(count, group=where.group, version=where.version, kind=where.kind)


def dropped(cls: type[Object]) -> None:
    """A watcher was too slow."""
    TERMINATED.inc(group=cls.resource.group, resource=cls.resource.plural)


def _labels_of(request: Request) -> dict[str, str]:
    target = request.target
    verb = "APPLY" if request.content_type.startswith("application/apply-patch") else request.verb
    if target.subresource in _CONNECTS:
        verb = "CONNECT"
    scope = "resource" if target.name else ("namespace" if target.namespace else "cluster")
    return _labels(target.cls, _METHODS.get(verb, verb.upper()), target.subresource, scope)


@remembered
def _labels(cls: type[Object], verb: str, subresource: str, scope: str) -> dict[str, str]:
    where = cls.resource
    return {
        "verb": verb,
        "group": where.group,
        "version": where.version,
        "resource": where.plural,
        "subresource": subresource,
        "scope": scope,
        "component": "apiserver",
    }


# --- what is looked up when the page is read --------------------------------------------------------------------


def follow(cache: Cache, prefixes: Iterable[tuple[str, str]]) -> None:
    """`prefixes`: what a kind is called, and where its objects stand."""
    objects = REGISTRY.gauge("apiserver_storage_objects", "Stored objects.", ("resource",))
    for name, prefix in prefixes:
        objects.follow(partial(cache.count, prefix), resource=name)
    began = clock.wall()
    process: tuple[tuple[str, str, Callable[[], float]], ...] = (
        ("process_cpu_seconds_total", "Processor time of this process.", _cpu_seconds),
        ("process_resident_memory_bytes", "Resident memory of this process.", _resident_bytes),
        ("process_open_fds", "Open files of this process.", lambda: len(list(Path("/proc/self/fd").iterdir()))),
        ("process_start_time_seconds", "When this process began, in seconds since 1970.", lambda: began),
    )
    for name, text, source in process:
        REGISTRY.gauge(name, text).follow(source)


def follow_lanes(lanes: Lanes[Any]) -> None:
    level = ("priority_level",)
    seats = REGISTRY.gauge("apiserver_flowcontrol_current_executing_seats", "Seats that are taken.", level)
    queue = REGISTRY.gauge("apiserver_flowcontrol_current_inqueue_requests", "Requests that wait for a seat.", level)
    for name in lanes.running:
        seats.follow(partial(lanes.running.__getitem__, name), priority_level=name)
        queue.follow(lanes.waiting[name].__len__, priority_level=name)


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _resident_bytes() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
