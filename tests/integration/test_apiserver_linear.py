"""Thirty-two clients at once, while the API server and etcd are killed: what each was told is what happened.

Counters are raised by read and conditional write, objects are made, relabelled and deleted, Services take addresses and
ports, watchers with different selectors follow all of it over every interruption. Then etcd is asked for its own
history, and `support/history.py` judges.
"""

import itertools
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
import urllib3
from support.apiserver import Certificates, Etcd, Http, Server, config, service, wait_until
from support.history import OK, REFUSED, UNKNOWN, Event, Run, Told, Watched, Write, expected, what_is_wrong

from minik8s.host import clock

pytestmark = pytest.mark.system

CONFIGS, SERVICES = "/api/v1/namespaces/default/configmaps", "/api/v1/namespaces/default/services"
KEYS = {CONFIGS: "/registry/core/configmaps/default/", SERVICES: "/registry/core/services/default/"}
COUNTERS, COUNTING, OWNING, SERVING, WATCHING = 3, 9, 7, 6, 10
TURNS = 12
LOST = (urllib3.exceptions.HTTPError, ConnectionError, OSError)


@dataclass
class Bed:
    """The server, and what the clients wrote down."""

    server: Server
    etcd: Etcd
    http: Http
    stop: threading.Event = field(default_factory=threading.Event)
    writes: list[Write] = field(default_factory=list)
    steps: Iterator[int] = field(default_factory=itertools.count)
    step: int = 0
    failures: list[BaseException] = field(default_factory=list)

    def ask(self, method: str, path: str, body=None) -> tuple[str, dict]:
        """A write's outcome, and what was answered."""
        self.step = next(self.steps)
        try:
            answer = self.http.ask(method, path, body)
        except LOST:
            return UNKNOWN, {}
        if answer.status >= 500:
            return UNKNOWN, {}
        return (OK if answer.status < 300 else REFUSED), json.loads(answer.data)

    def read(self, path: str) -> dict | None:
        """What is there now, however long the server is away; None: nothing."""
        for _ in range(1000):
            try:
                answer = self.http.ask("GET", path)
                if answer.status in (200, 404):
                    return json.loads(answer.data) if answer.status == 200 else None
            except LOST:
                pass
            self.stop.wait(0.02)
        raise AssertionError(f"{path} cannot be read")

    def note(self, path: str, token: str, found: tuple[str, dict]) -> str:
        collection, _, name = path.rpartition("/")
        revision = int(found[1]["metadata"]["resourceVersion"]) if found[0] == OK else 0
        self.writes.append(Write(KEYS[collection] + name, token, found[0], revision))
        return found[0]

    def guarded(self, work, *args) -> threading.Thread:
        def run() -> None:
            try:
                work(self, *args)
            except BaseException as error:
                self.failures.append(error)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        return thread


# --- the writers ------------------------------------------------------------------------------------------------


def count(bed: Bed, me: int) -> None:
    """Raise a counter, again and again; somebody else's turn in between makes it a conflict."""
    for turn in range(TURNS):
        path = f"{CONFIGS}/counter-{(me + turn) % COUNTERS}"
        outcome = ""
        for attempt in range(200):
            found, token = bed.read(path), f"count-{me}-{turn}-{attempt}"
            assert found is not None
            found["data"] = {"count": str(int(found["data"]["count"]) + 1), "token": token}
            outcome = bed.note(path, token, bed.ask("PUT", path, found))
            if outcome == OK:
                break
        assert outcome == OK


def own(bed: Bed, me: int) -> None:
    """Make an object, change its label, delete it; whoever gets no answer looks what became of it."""
    for turn in range(TURNS):
        name = f"own-{me}-{turn}"
        path = f"{CONFIGS}/{name}"
        while bed.read(path) is None:
            token = f"{name}-made-{next(bed.steps)}"
            made = config(name, token=token)
            made["metadata"]["labels"] = {"phase": "a"}
            bed.note(path, token, bed.ask("POST", CONFIGS, made))
        for phase in "bab":
            found, token = bed.read(path), f"{name}-{phase}-{turn}-{next(bed.steps)}"
            found["metadata"]["labels"]["phase"] = phase
            found["data"]["token"] = token
            bed.note(path, token, bed.ask("PUT", path, found))
        while bed.read(path) is not None:
            bed.ask("DELETE", path)


def serve(bed: Bed, me: int) -> None:
    """Take an address and a port, and give them back."""
    for turn in range(TURNS):
        path = f"{SERVICES}/service-{me}-{turn}"
        while bed.read(path) is None:
            bed.ask("POST", SERVICES, service(path.rpartition("/")[2], type="NodePort"))
        while turn % 3 and bed.read(path) is not None:
            bed.ask("DELETE", path)


# --- the watchers -----------------------------------------------------------------------------------------------


def labelled(phase: str):
    return lambda obj: (obj["metadata"].get("labels") or {}).get("phase") == phase


def named(name: str):
    return lambda obj: obj["metadata"]["name"] == name


SELECTIONS = [
    (CONFIGS, "", lambda obj: True),
    (CONFIGS, "labelSelector=phase%3Da", labelled("a")),
    (CONFIGS, "labelSelector=phase%3Db", labelled("b")),
    (CONFIGS, "fieldSelector=metadata.name%3Dcounter-0", named("counter-0")),
    (SERVICES, "", lambda obj: True),
]


class Follower:
    """Follows a selection, resuming where it was whenever it is interrupted."""

    def __init__(self, bed: Bed, number: int, since: int) -> None:
        self.path, self.query, self.matches = SELECTIONS[number % len(SELECTIONS)]
        self.name, self.since, self.seen = f"watcher {number} ({self.query or self.path})", since, since
        self.told: list[Told] = []
        self.thread = bed.guarded(self.follow)

    def follow(self, bed: Bed) -> None:
        while not bed.stop.is_set():
            url = f"{self.path}?watch=true&allowWatchBookmarks=true&resourceVersion={self.seen}&{self.query}"
            try:
                watch = bed.http.watch(url, timeout=5)
                while watch.response.status == 200 and (event := watch.next()) is not None:
                    self._hear(event)
                    if bed.stop.is_set():
                        break
                watch.close()
            except LOST:
                bed.stop.wait(0.02)

    def _hear(self, event: dict) -> None:
        meta = event["object"].get("metadata") or {}
        assert event["type"] != "ERROR", event["object"]
        self.seen = int(meta["resourceVersion"])
        if event["type"] != "BOOKMARK":
            self.told.append(Told(event["type"], meta["name"], self.seen))

    def watched(self) -> Watched:
        return Watched(self.name, KEYS[self.path], self.matches, self.since, list(self.told))


# --- the run ----------------------------------------------------------------------------------------------------


@pytest.fixture
def bed(tmp_path):
    etcd, certificates = Etcd(tmp_path), Certificates(tmp_path)
    server = Server(tmp_path, etcd, certificates)
    made = Bed(server, etcd, Http(server, "kubernetes-admin", "system:masters"))
    yield made
    made.stop.set()
    server.close()
    etcd.close()


def truth(etcd: Etcd, since: int) -> list[Event]:
    """What etcd itself says that happened."""
    store = etcd.store()
    newest, found = store.revision(), []
    for revision, events in store.watch("/registry/core/", since):
        found += [
            Event(e.kv.mod_revision, e.kv.key, _decoded(e.prev_kv), _decoded(e.kv) if e.type == "PUT" else None)
            for e in events
        ]
        if revision >= newest:
            break
    store.close()
    return found


def _decoded(kv) -> dict | None:
    return json.loads(kv.value) if kv is not None and kv.value else None


def test_what_clients_are_told_is_what_happened_through_kills_of_the_server_and_of_etcd(bed):
    for number in range(COUNTERS):
        bed.http.post(CONFIGS, config(f"counter-{number}", count="0", token=""))
    since = int(bed.http.get(CONFIGS)["metadata"]["resourceVersion"])
    followers = [Follower(bed, number, since) for number in range(WATCHING)]
    writers = [
        bed.guarded(work, me)
        for work, many in ((count, COUNTING), (own, OWNING), (serve, SERVING))
        for me in range(many)
    ]
    assert len(followers) + len(writers) == 32
    steps = (COUNTING + 5 * OWNING + 2 * SERVING) * TURNS  # at least so many writes
    for share, kill in ((0.2, bed.server.kill_worker), (0.45, _restart(bed.etcd)), (0.7, bed.server.kill_worker)):
        wait_until(lambda share=share: bed.step > steps * share or bed.failures, 60, "the clients get on")
        kill()
    for writer in writers:
        writer.join(60)
    assert not bed.failures and not any(writer.is_alive() for writer in writers)
    history = truth(bed.etcd, since)
    for follower in followers:
        wanted = expected(history, follower.watched())
        wait_until(
            lambda f=follower, w=wanted: bed.failures or f.seen >= w[-1].revision, 20, f"{follower.name} is done"
        )
    assert not bed.failures
    outcomes = {write.outcome for write in bed.writes}
    assert {OK, REFUSED} <= outcomes, "there were conflicts"
    assert what_is_wrong(Run(history, bed.writes, [follower.watched() for follower in followers])) == []


def _restart(etcd: Etcd):
    def kill() -> None:
        began = clock.monotonic()
        etcd.kill()
        etcd.start()
        assert clock.monotonic() - began < 20

    return kill
