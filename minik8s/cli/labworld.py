"""What a lab's steps may look at: objects, commands in Pods and on nodes, the audit, processes, the learner's files.

Everything here only looks; the two exceptions are the namespace of a lab, which is made and emptied here. What must
hold: whatever does not answer is a finding in words (`examine`), never a stack trace.

Read next: labsteps.py.
"""

import json
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

from minik8s.api.addresses import host_port
from minik8s.api.core import Namespace, Pod, Service
from minik8s.api.discovery import SERVICE_NAME, EndpointSlice
from minik8s.api.meta import DeleteOptions, Object, ObjectMeta
from minik8s.api.pods import is_ready
from minik8s.cli import labsteps
from minik8s.cli.labfolder import Lab
from minik8s.cli.labprogram import Program
from minik8s.cli.labsteps import Seen, Step
from minik8s.client.errors import AlreadyExists, ApiError, NotFound, Unreachable, from_body
from minik8s.client.rest import Client, Response, Why, read_watch
from minik8s.cluster import fabric, registry, state
from minik8s.cluster.supervise import Process
from minik8s.host import clock, processes
from minik8s.streams import client as streams

T = TypeVar("T", bound=Object)
READY_S = 40.0
COMMAND_S = 15.0
AWAY_S = 2.0
AT_ONCE = DeleteOptions(gracePeriodSeconds=0)
WHY = Why("minik8s lab")


class Impatient(Client):
    """Waits once for an API server that does not answer, not once for each step that asks it."""

    _away: tuple[float, Unreachable] | None = None  # until when it need not be asked again, and why

    def request(self, *given: Any, **rest: Any) -> Response:
        if self._away and clock.monotonic() < self._away[0]:
            raise self._away[1]
        try:
            return super().request(*given, **rest)
        except Unreachable as error:
            self._away = clock.monotonic() + AWAY_S, error
            raise


class NotSo(LookupError):
    """Something a step needs in order to look is not there; the message is what was seen."""


@dataclass(frozen=True)
class Said:
    """What a command wrote, and its exit code."""

    code: int
    out: str

    @property
    def json(self) -> dict[str, Any]:
        """What it wrote, if that is a JSON object; else {}."""
        try:
            value = json.loads(self.out)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}


@dataclass
class World:
    """The cluster and the work folder, as the steps of one lab see them."""

    lab: Lab
    cluster: str
    folder: Path
    began: float  # when the lab was begun: what happened before does not count
    client: Client
    program: Program | None = None  # the learner's own component, while it runs

    @property
    def namespace(self) -> str:
        return self.lab.namespace

    # --- Objects ------------------------------------------------------------------------------------------------------

    def find(self, cls: type[T], name: str) -> T | None:
        """The object of the lab's namespace, or None."""
        try:
            return self.client.get(cls, name, self.namespace if cls.resource.namespaced else "")
        except NotFound:
            return None

    def get(self, cls: type[T], name: str) -> T:
        """The object; without it the step does not hold."""
        found = self.find(cls, name)
        if found is None:
            raise NotSo(f"there is no {cls.resource.kind} {name}")
        return found

    def all(self, cls: type[T], labels: str = "") -> list[T]:
        namespace = self.namespace if cls.resource.namespaced else ""
        return sorted(self.client.list(cls, namespace, labels=labels).items, key=lambda each: each.metadata.name)

    def pods(self, labels: str) -> list[Pod]:
        """The Pods that stay: those that are going away do not count."""
        return [pod for pod in self.all(Pod, labels) if not pod.metadata.deletionTimestamp]

    def pod(self, labels: str) -> Pod:
        """One ready Pod with these labels."""
        found = [pod for pod in self.pods(labels) if is_ready(pod)]
        if not found:
            raise NotSo(f"no Pod with {labels} is ready")
        return found[0]

    def endpoints(self, service: str) -> dict[str, list[str]]:
        """The addresses of the Service's slices: {"ready": [...], "other": [...]} as address:port."""
        found: dict[str, list[str]] = {"ready": [], "other": []}
        for each in self.all(EndpointSlice, f"{SERVICE_NAME}={service}"):
            ports = [str(port.port) for port in each.ports] or ["no port (no container port has that name)"]
            for endpoint in each.endpoints:
                kind = "other" if endpoint.conditions.ready is False else "ready"
                found[kind] += [host_port(address, port) for address in endpoint.addresses for port in ports]
        return {kind: sorted(addresses) for kind, addresses in found.items()}

    def cluster_ip(self, service: str) -> str:
        return self.get(Service, service).spec.clusterIP

    # --- Commands -----------------------------------------------------------------------------------------------------

    def exec(self, pod: Pod, *argv: str) -> Said:
        """A command in the Pod's first container."""
        container = pod.spec.containers[0].name
        words = [("container", container), *(("command", word) for word in argv)]
        query = urlencode([*words, ("stdout", "true"), ("stderr", "true")])
        sock, host = self.client.open_socket()
        target = f"{Pod.resource.path(pod.metadata.namespace, pod.metadata.name, 'exec')}?{query}"
        try:
            running = streams.connect(sock, host, target, self.client.headers)
        except streams.Refused as error:
            raise from_body(error.code, error.body) from error
        out = b"".join(data for _, data in running)
        return Said(-1 if running.exit_code is None else running.exit_code, out.decode(errors="replace"))

    def ask(self, pod: Pod, url: str, seconds: int = 2) -> Said:
        """One request from inside a Pod, on a new connection."""
        return self.exec(pod, "curl", "-s", "--max-time", str(seconds), url)

    def on(self, node: str, *argv: str) -> Said:
        """A command in a node's network, or outside (node "lan")."""
        there = fabric.members(self.cluster)
        if node not in there:
            raise NotSo(f"there is no {node}")
        done = processes.run(argv, ns=there[node], check=False, timeout=COMMAND_S)
        return Said(done.code, done.stdout + done.stderr)

    def outside(self, *argv: str) -> Said:
        return self.on(fabric.LAN, *argv)

    def minik8s(self, *words: str) -> Said:
        """A command as the learner types it."""
        argv = [sys.executable, "-m", "minik8s.cli.main", *words, "--name", self.cluster]
        done = processes.run(argv, check=False)
        return Said(done.code, done.stdout + done.stderr)

    # --- What happened ------------------------------------------------------------------------------------------------

    def deeds(self, verb: str, resource: str) -> list[dict[str, Any]]:
        """Writes in the lab's namespace since it was begun: lines of the audit."""
        lines = self.client.request("GET", "/minik8s/audit?since=0").data.splitlines()
        entries = [json.loads(line) for line in lines if line]
        wanted = (verb, resource, self.namespace)
        return [
            each
            for each in entries
            if (each["verb"], each["resource"], each["namespace"]) == wanted
            and each["wall"] > self.began
            and each.get("code", 200) < 400
        ]

    def process(self, name: str) -> Process:
        """The zygote's line about a component."""
        for each in registry.read(state.paths(self.cluster)):
            if each.name == name:
                return each
        raise NotSo(f"{name} does not belong to this cluster")

    def restarted(self, name: str) -> bool:
        """Does it run, and was it started again since the lab was begun?"""
        process = self.process(name)
        return bool(process.pid) and process.since > clock.monotonic() - (clock.wall() - self.began)

    # --- Files --------------------------------------------------------------------------------------------------------

    def file(self, name: str) -> str:
        path = self.folder / name
        if not path.exists():
            raise NotSo(f"there is no file {name} in {self.folder}")
        return path.read_text(errors="replace")

    def answers(self, name: str = "answers.txt") -> dict[str, str]:
        return labsteps.answers(self.file(name))


def examine(world: World, steps: Sequence[Step], before: Sequence[str] = ()) -> list[labsteps.Verdict]:
    """Look at every step. What does not answer is a finding. `before` are the names of those that have held."""

    def look(step: Step) -> Seen:
        if step.once and step.name in before:
            return labsteps.yes("it happened")
        try:
            return step.look(world)
        except Unreachable:
            return labsteps.no("the API server does not answer: `minik8s status` says more")
        except (NotSo, ApiError, OSError, processes.CommandError) as error:
            return labsteps.no(str(error) or type(error).__name__)

    return labsteps.judge(steps, look)


# --- The lab's namespace ------------------------------------------------------------------------------------------


def make(client: Client, name: str) -> bool:
    """Make the namespace; False when it is there already. One that is just going is waited for."""
    while True:
        try:
            client.create(Namespace(metadata=ObjectMeta(name=name)), why=WHY)
            return True
        except AlreadyExists:
            if client.get(Namespace, name).metadata.deletionTimestamp is None:
                return False
            await_change(client, (Namespace, ""), lambda objects: name not in objects)


def remove(client: Client, name: str) -> None:
    """The namespace and all in it, without patience for Pods that take their time."""
    try:
        client.delete(Namespace, name, why=WHY)
    except NotFound:
        return

    def emptied(pods: dict[str, Pod]) -> bool:
        for pod in pods.values():
            try:
                client.delete(Pod, pod.metadata.name, name, options=AT_ONCE, why=WHY)
            except NotFound:
                pass
        return not pods

    await_change(client, (Pod, name), emptied)
    await_change(client, (Namespace, ""), lambda objects: name not in objects)


def wait_ready(client: Client, name: str) -> None:
    """Wait until every Pod of the namespace, and as many as its Deployments want, is ready."""
    from minik8s.api.apps import Deployment

    wanted = sum(each.spec.replicas or 0 for each in client.list(Deployment, name).items)

    def done(pods: dict[str, Pod]) -> bool:
        stays = [pod for pod in pods.values() if not pod.metadata.deletionTimestamp]
        return len(stays) >= wanted and all(is_ready(pod) for pod in stays)

    await_change(client, (Pod, name), done)


def await_change(client: Client, what: tuple[Any, str], done: Callable[[dict[str, Any]], bool]) -> None:
    """Watch the objects of a kind by name until `done`; raises Unreachable after too long."""
    listing = client.list(*what)
    objects = {each.metadata.name: each for each in listing.items}
    if done(objects):
        return
    stream = client.open_watch(*what, resourceVersion=listing.resourceVersion)
    late = threading.Timer(READY_S, stream.shut)
    late.start()
    try:
        for event in read_watch(what[0], stream):
            if event.type == "DELETED":
                objects.pop(event.object.metadata.name, None)
            elif event.type != "BOOKMARK":
                objects[event.object.metadata.name] = event.object
            if done(objects):
                return
    finally:
        late.cancel()
        stream.shut()
    raise Unreachable(f"{what[0].resource.plural} of {what[1] or 'the cluster'} did not settle in {READY_S:.0f} s")
