"""Asks containers: HTTP, TCP or a command. One thread knows when which probe is due; a few workers ask.

An answer goes into the probe's history; when the verdict on a container changes, its Pod is looked at again. This
process stands in the node's namespace, so Pod addresses are reached over the bridge. `_lock` guards `_watched`. Read
next: ../probing.py.
"""

import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from minik8s import params
from minik8s.agent import probing
from minik8s.agent.observed import HEALTHY, Container, Verdict
from minik8s.agent.world import exec
from minik8s.agent.world.docker import Engine, EngineError
from minik8s.api.meta import IntOrString
from minik8s.api.pods import Container as ContainerSpec
from minik8s.api.pods import ContainerStatus, HTTPGetAction, Pod, Probe
from minik8s.host import clock

_PAGE_TIMEOUT_S = 5.0
_SHOWN = 500  # characters of an answer that are told


@dataclass
class Watched:
    """One running container and what its probes have said."""

    pod: Pod
    spec: ContainerSpec
    container: Container
    address: str
    histories: dict[str, probing.History]
    asked: dict[str, float] = field(default_factory=dict)
    asking: set[str] = field(default_factory=set)

    def due(self) -> list[tuple[float, str]]:
        mine = probing.probes(self.spec)
        return [
            (probing.due(mine[kind], self.container.started_at, self.asked.get(kind)), kind)
            for kind in probing.wanted(self.spec, self.histories)
            if kind not in self.asking
        ]


OnAnswer = Callable[[Watched, str, bool, str], None]  # which, kind of probe, passed, message
OnVerdict = Callable[[Watched, Verdict], None]


class Prober:
    def __init__(self, engine: Engine, on_answer: OnAnswer, on_verdict: OnVerdict) -> None:
        self._engine = engine
        self._on_answer, self._on_verdict = on_answer, on_verdict
        self._lock = threading.Condition()
        self._watched: dict[str, Watched] = {}
        self._pool = ThreadPoolExecutor(params.PROBE_WORKERS, thread_name_prefix="probe")
        self._stopped = False

    def start(self) -> None:
        threading.Thread(target=self._run, name="prober", daemon=True).start()

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
            self._lock.notify()
        self._pool.shutdown(wait=False, cancel_futures=True)

    # --- What to ask ---

    def track(self, pod: Pod, address: str, running: Iterable[tuple[ContainerSpec, Container]]) -> None:
        """Ask these containers of the Pod from now on, and no others of it."""
        probed = [(spec, c) for spec, c in running if probing.probes(spec)]
        with self._lock:
            for id in [i for i, w in self._watched.items() if w.pod.metadata.uid == pod.metadata.uid]:
                if id not in {c.id for _, c in probed}:
                    del self._watched[id]
            for spec, container in probed:
                if container.id not in self._watched:
                    self._watched[container.id] = _watch(pod, spec, container, address)
            self._lock.notify()

    def forget(self, uid: str) -> None:
        with self._lock:
            for id in [i for i, w in self._watched.items() if w.pod.metadata.uid == uid]:
                del self._watched[id]

    def verdicts(self, ids: Iterable[str]) -> dict[str, Verdict]:
        with self._lock:
            found = {id: self._watched.get(id) for id in ids}
            return {id: probing.verdict(w.spec, w.histories) if w else HEALTHY for id, w in found.items()}

    # --- Asking ---

    def _run(self) -> None:
        while True:
            with self._lock:
                if self._stopped:
                    return
                now = clock.wall()
                ready, next_due = self._due(now)
                for watched, kind in ready:
                    watched.asking.add(kind)
                    watched.asked[kind] = now
                    self._pool.submit(self._ask, watched, kind)
                self._lock.wait(None if next_due is None else max(0.0, min(next_due - now, 60.0)))

    def _due(self, now: float) -> tuple[list[tuple[Watched, str]], float | None]:
        every = [(at, watched, kind) for watched in self._watched.values() for at, kind in watched.due()]
        later = [at for at, _, _ in every if at > now]
        return [(watched, kind) for at, watched, kind in every if at <= now], min(later, default=None)

    def _ask(self, watched: Watched, kind: str) -> None:
        probe = probing.probes(watched.spec)[kind]
        passed, message = answer(self._engine, watched, probe)
        with self._lock:
            watched.asking.discard(kind)
            self._lock.notify()
            if watched.container.id not in self._watched:
                return  # it ended meanwhile: what it would have said is of no interest
            before = probing.verdict(watched.spec, watched.histories)
            watched.histories[kind] = probing.advance(watched.histories[kind], passed, message, probe)
            after = probing.verdict(watched.spec, watched.histories)
        self._on_answer(watched, kind, passed, message)
        if after != before:
            self._on_verdict(watched, after)


def _watch(pod: Pod, spec: ContainerSpec, container: Container, address: str) -> Watched:
    told = _told(pod, container)
    return Watched(pod, spec, container, address, {kind: probing.begin(kind, told) for kind in probing.probes(spec)})


def _told(pod: Pod, container: Container) -> ContainerStatus | None:
    mine = f"docker://{container.id}"
    return next((s for s in pod.status.containerStatuses if s.containerID == mine), None)


# --- The three ways of asking -----------------------------------------------------------------------------------------


def answer(engine: Engine, watched: Watched, probe: Probe) -> tuple[bool, str]:
    """Ask once: passed or not, and what was said. Whatever goes wrong is a failed probe, told as such."""
    timeout = float(probe.timeoutSeconds or 1)
    try:
        if probe.httpGet:
            return _http(watched, probe.httpGet, timeout)
        if probe.tcpSocket:
            port = port_number(watched.spec, probe.tcpSocket.port)
            return _connect(probe.tcpSocket.host or watched.address, port, timeout)
        if probe.grpc:  # no more than this is asked of it; whoever wrote it was told
            return _connect(watched.address, probe.grpc.port, timeout)
        if probe.exec:
            code, output = exec.ask(engine, watched.container.id, probe.exec.command, timeout)
            return code == 0, output[:_SHOWN] or f"command exited with code {code}"
    except TimeoutError:
        return False, f"no answer within {timeout:g} s"
    except OSError as error:
        return False, (error.strerror or str(error)).lower()
    except (EngineError, http.client.HTTPException, ValueError) as error:
        return False, str(error)
    return False, "the probe has none of httpGet, tcpSocket, exec, grpc"


def _connect(host: str, port: int, timeout: float) -> tuple[bool, str]:
    socket.create_connection((host, port), timeout).close()
    return True, "connected"


def _http(watched: Watched, get: HTTPGetAction, timeout: float) -> tuple[bool, str]:
    status, body = http_get(watched.spec, get, watched.address, timeout)
    if 200 <= status < 400:
        return True, f"HTTP {status}"
    return False, f"HTTP probe failed with statuscode: {status} {body}".strip()


def http_get(spec: ContainerSpec, get: HTTPGetAction, address: str, timeout: float) -> tuple[int, str]:
    """GET without following redirects, as upstream asks; certificates are not checked. Raises OSError and friends."""
    host, port = get.host or address, port_number(spec, get.port)
    connection: http.client.HTTPConnection
    if get.scheme.upper() == "HTTPS":
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection(host, port, timeout=timeout, context=context)
    else:
        connection = http.client.HTTPConnection(host, port, timeout=timeout)
    headers = {"User-Agent": "kube-probe/1.33", "Accept": "*/*", "Connection": "close"}
    headers |= {header.name: header.value for header in get.httpHeaders}
    try:
        connection.request("GET", get.path or "/", headers=headers)
        response = connection.getresponse()
        return response.status, response.read(_SHOWN).decode(errors="replace")
    finally:
        connection.close()


def local_page(port: int, target: str) -> tuple[int, str, bytes]:
    """A page that a component of this node serves on 127.0.0.1: status, content type, body. Raises OSError."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PAGE_TIMEOUT_S)
    try:
        connection.request("GET", target)
        response = connection.getresponse()
        return response.status, response.getheader("Content-Type") or "text/plain", response.read()
    except http.client.HTTPException as error:
        raise OSError(f"no HTTP: {error}") from error
    finally:
        connection.close()


def port_number(spec: ContainerSpec, port: IntOrString) -> int:
    """A port's number, given as such or by the name it has in the container's spec. Raises ValueError."""
    if isinstance(port, int):
        return port
    found = next((p.containerPort for p in spec.ports if p.name == port), None)
    if found is None:
        raise ValueError(f"container {spec.name} has no port named {port!r}")
    return found
