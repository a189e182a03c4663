"""What the agent's server says: the pages, apart from sockets and TLS. Logs, running Pods, and the pages of the
node's components.

The paths are the kubelet's own, because the API server of any Kubernetes asks for those. Read next: server.py.
"""

import resource
import select
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlencode

from minik8s import params
from minik8s.agent import usage
from minik8s.agent.observed import Container
from minik8s.agent.world import dial
from minik8s.agent.world import exec as commands
from minik8s.agent.world.docker import Engine, EngineError, Log
from minik8s.agent.world.probes import local_page
from minik8s.api import codec, times
from minik8s.api.pods import Pod
from minik8s.client.informer import Informer
from minik8s.host import clock

Query = Mapping[str, list[str]]
# Why a container without a log has none, where upstream says it in other words than the status.
_WAITS = {"ErrImagePull": "image can't be pulled", "ImagePullBackOff": "trying and failing to pull image"}


class Refused(Exception):
    """An answer other than 200."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Page:
    content_type: str
    body: Iterator[bytes] | bytes


def flag(query: Query, name: str) -> bool:
    return query.get(name, [""])[-1].lower() in ("true", "1")


class Pages:
    """The answers. Safe to use from several threads."""

    def __init__(self, engine: Engine, pods: Informer[Pod]) -> None:
        self._engine, self._pods = engine, pods

    def get(self, path: str, query: Query, connection: socket.socket) -> Page:
        """The page at `path`; `connection` is watched while a log is followed."""
        head, *rest = path.strip("/").split("/")
        if head in ("healthz", "livez") and not rest:
            return Page("text/plain", b"ok")
        if head == "pods" and not rest:
            return Page("application/json", self._list())
        if head == "containerLogs" and len(rest) == 3:
            return Page("text/plain", self._logs((rest[0], rest[1]), rest[2], query, connection))
        if [head, *rest] == ["metrics", "resource"]:
            return Page("text/plain; version=0.0.4", self._resources().encode())
        if head == "debug" and rest:
            return relay(rest[0], "/".join(rest[1:]), query)
        raise Refused(404, f"no page {path}")

    def _list(self) -> bytes:
        items = [codec.to_dict(pod) for pod in self._pods.values()]
        return codec.encode({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": items})

    def _resources(self) -> str:
        own = resource.getrusage(resource.RUSAGE_SELF)
        used = own.ru_utime + own.ru_stime, own.ru_maxrss * 1024
        return usage.page(self._engine.uses(), used, int(clock.wall() * 1000))

    # --- Containers ---

    def _known(self, pod: tuple[str, str]) -> Pod:
        found = self._pods.get("/".join(pod))
        if found is None:
            raise Refused(404, f'pod "{pod[1]}" not found on this node')
        return found

    def container(self, pod: tuple[str, str], name: str, previous: bool = False) -> Container:
        """The attempt of a container that is meant. Raises Refused in upstream's words."""
        known = self._known(pod)
        seen = self._engine.observe("/".join(pod)).get(known.metadata.uid)
        attempts = [c for c in seen.attempts(name) if c.state != "created"] if seen else []
        if previous:
            attempts = attempts[:-1]
        if attempts:
            return attempts[-1]
        if previous:
            raise Refused(400, f'previous terminated container "{name}" in pod "{pod[1]}" not found')
        status = known.status
        told = [*status.initContainerStatuses, *status.containerStatuses, *status.ephemeralContainerStatuses]
        reason = next((s.state.waiting.reason for s in told if s.name == name and s.state.waiting), "ContainerCreating")
        because = _WAITS.get(reason, reason)
        raise Refused(400, f'container "{name}" in pod "{pod[1]}" is waiting to start: {because}')

    def exec(self, pod: tuple[str, str], name: str, query: Query) -> commands.Running:
        command = query.get("command", [])
        if not command:
            raise Refused(400, "you must specify at least 1 command for the container")
        stdin, tty = (flag(query, "stdin") or flag(query, "input")), flag(query, "tty")
        found = self._running(pod, name)
        try:
            return commands.start(self._engine, found.id, command, stdin=stdin, tty=tty)
        except EngineError as error:
            raise Refused(500, str(error)) from error

    def attach(self, pod: tuple[str, str], name: str, query: Query) -> commands.Running:
        stdin = flag(query, "stdin") or flag(query, "input")
        found = self._running(pod, name)
        try:
            return commands.attach(self._engine, found.id, stdin=stdin)
        except EngineError as error:
            raise Refused(500, str(error)) from error

    def dialler(self, pod: tuple[str, str]) -> Callable[[int], socket.socket]:
        """How to reach the ports of a Pod from inside."""
        known = self._known(pod)
        seen = self._engine.observe("/".join(pod)).get(known.metadata.uid)
        if seen is None or seen.sandbox is None:
            raise Refused(400, f'pod "{pod[1]}" is not running')
        return partial(dial.loopback, seen.sandbox.pid)

    def _running(self, pod: tuple[str, str], name: str) -> Container:
        found = self.container(pod, name)
        if not found.running:
            raise Refused(400, f'container "{name}" in pod "{pod[1]}" is not running')
        return found

    def _logs(self, pod: tuple[str, str], name: str, query: Query, connection: socket.socket) -> Iterator[bytes]:
        found = self.container(pod, name, flag(query, "previous"))
        options, limit = log_options(query, clock.wall()), number(query, "limitBytes") or 0
        log = self._engine.logs(found.id, options)
        if options["follow"]:
            threading.Thread(target=_close_with, args=(connection, log), name="log-reader", daemon=True).start()
        return _pieces(log, limit)


def _pieces(log: Log, limit: int) -> Iterator[bytes]:
    left = limit
    try:
        for piece in log:
            yield piece[:left] if limit else piece
            left -= len(piece)
            if limit and left <= 0:
                return
    except EngineError:
        return  # the container or Docker went away: what came is all there is
    finally:
        log.close()


def _close_with(connection: socket.socket, log: Log) -> None:
    """End a followed log when its reader hangs up; one that writes nothing would never find out."""
    try:
        select.select([connection], [], [])
    except (OSError, ValueError):
        pass  # closed on our side
    log.close()


def log_options(query: Query, now: float) -> dict[str, Any]:
    """kubectl's options as Docker's. Raises Refused."""
    options: dict[str, Any] = {"follow": flag(query, "follow"), "timestamps": flag(query, "timestamps")}
    tail, seconds = number(query, "tailLines"), number(query, "sinceSeconds")
    if tail is not None:
        options["tail"] = tail
    if seconds is not None:
        options["since"] = now - seconds
    if query.get("sinceTime"):
        try:
            options["since"] = times.parse(query["sinceTime"][-1])
        except ValueError as error:
            raise Refused(400, f"sinceTime: {error}") from error
    return options


def number(query: Query, name: str) -> int | None:
    """A whole number of the query, if it is there. Raises Refused."""
    text = query.get(name, [""])[-1]
    if not text:
        return None
    if not text.isascii() or not text.isdigit():
        raise Refused(400, f"{name}: {text!r} is not a whole number")
    return int(text)


def relay(component: str, path: str, query: Query) -> Page:
    """A page of a component of this node, which listens on 127.0.0.1 of this namespace."""
    if component not in params.HEALTH_PORTS:
        raise Refused(404, f"no component {component}: {', '.join(sorted(params.HEALTH_PORTS))}")
    asked = urlencode([(name, value) for name, values in query.items() for value in values])
    try:
        status, kind, body = local_page(params.HEALTH_PORTS[component], f"/{path}?{asked}" if asked else f"/{path}")
    except OSError as error:
        raise Refused(502, f"{component} does not answer: {error}") from error
    if status >= 400:
        raise Refused(status, body.decode(errors="replace"))
    return Page(kind, body)
