"""A whole cluster as a test sees it: the command line, the API, the journals, and a client that counts every request.

    def test_…(cluster, space):
        space.apply(WEB)                             # in a namespace of the test's own
        space.wait(Pod, lambda pods: …)              # by watching
        with cluster.client_pod(space).traffic("http://10.96.1.2", rate=50) as traffic:
            …
        traffic.lost()

The processes of the cluster stand in the zygote's table; nothing here looks for processes by name. Read next:
`conftest.py` for the fixtures.
"""

import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support import residue

from minik8s import params
from minik8s.api.core import Namespace
from minik8s.api.meta import ObjectMeta
from minik8s.api.networking import IngressClass
from minik8s.api.pods import Pod, is_ready
from minik8s.client.errors import ApiError, NotFound, Unreachable
from minik8s.client.rest import Client, Why, read_watch
from minik8s.cluster import engine, registry, state
from minik8s.host import clock, processes

MINIK8S = str(Path(sys.executable).with_name("minik8s"))
LOOK_S = 0.02  # for what tells nobody that it changed: files and processes
PATIENCE_S = 40.0
WHY = Why("the test wants it")
_pause = threading.Event().wait

CLIENT = """
apiVersion: v1
kind: Pod
metadata: {{name: tester, labels: {{app: tester}}}}
spec:
  nodeName: {node}
  terminationGracePeriodSeconds: 0
  containers:
  - {{name: tester, image: "minik8s/toolbox:1", command: [sleep, infinity]}}
"""


def until(what: Callable[[], Any], why: str, timeout: float = PATIENCE_S) -> Any:
    """Look again and again at something that tells nobody when it changes; the first true answer."""
    deadline = clock.monotonic() + timeout
    while not (found := what()):
        assert clock.monotonic() < deadline, f"not within {timeout:g} s: {why}"
        _pause(LOOK_S)
    return found


class Cluster:
    """A cluster with a state directory of its own."""

    def __init__(self, name: str, home: Path) -> None:
        self.name, self.home = name, home
        self.where = state.Paths(home / name)

    # --- Life --------------------------------------------------------------------------------------------------------

    def up(self, *words: str) -> str:
        """Bring it up, or resume it; what `up` said."""
        return self("up", "--name", self.name, *words, timeout=120).stdout

    @contextlib.contextmanager
    def serving_ingress(self) -> Iterator[None]:
        """Ingresses are served on every node while the block runs, and then no longer; nor is there a class left."""
        self.up("--ingress")
        try:
            yield
        finally:
            self.up("--without", "ingress")
            self.connect().delete(IngressClass, params.INGRESS_CLASS, why=WHY)

    def down(self) -> None:
        self("down", "--name", self.name, timeout=120)

    def __call__(self, *words: str, check: bool = True, say: str = "", timeout: float = 60) -> processes.Completed:
        """`minik8s …` as people type it."""
        argv = ["env", f"MINIK8S_HOME={self.home}", f"MINIK8S_CLUSTER={self.name}", MINIK8S, *words]
        return processes.run(argv, input=say, check=check, timeout=timeout)

    def connect(self) -> Client:
        """A client as administrator, with connections of its own."""
        return Client.from_kubeconfig(str(self.where.kubeconfig), user_agent="test")

    # --- Processes ---------------------------------------------------------------------------------------------------

    @property
    def record(self) -> state.Record:
        found = state.read(self.where)
        assert found is not None, f"there is no cluster {self.name}"
        return found

    def pids(self) -> dict[str, int]:
        """Every process of ours by name: the table, its workers, the zygote."""
        found = {process.name: process.pid for process in registry.read(self.where) if process.pid}
        parents = {found[name]: name for name in found}
        for pid in processes.pids():
            if (above := processes.parent(pid)) in parents and parents[above] == "apiserver":
                found["apiserver worker"] = pid
        found["zygote"] = registry.zygote(self.where)[0]
        return {name: pid for name, pid in found.items() if pid}

    def kill(self, name: str) -> int:
        """SIGKILL as an accident, of which the zygote has not been told; the pid that was."""
        pid = self.pids()[name]
        assert processes.kill(pid, signal.SIGKILL)
        return pid

    def signal(self, names: Sequence[str], number: int) -> None:
        pids = self.pids()
        for name in names:
            processes.kill(pids[name], number)

    # --- What happened ------------------------------------------------------------------------------------------------

    def journal(self, component: str, node: str = "") -> list[dict[str, Any]]:
        """What a component did that is no write, oldest first."""
        title = f"{component}@{node}" if node else component
        return _json_lines(self.where.journal / f"{title}.jsonl")

    def audit(self) -> list[dict[str, Any]]:
        """Every write there was, oldest first."""
        return _json_lines(self.where.audit)

    def rules(self, node: str, since: float, removed: str = "", added: str = "") -> dict[str, Any] | None:
        """The first change of a node's rules after `since` by which this address left, or came."""
        for entry in self.journal("proxy", node):
            gone, came = entry["data"].get("removed", []), entry["data"].get("added", [])
            if entry["wall"] <= since or entry["stage"] != "rules":
                continue
            if (not removed or _names(gone, removed)) and (not added or _names(came, added)):
                return entry
        return None

    def wait_rules(self, since: float, nodes: Sequence[str] = (), **change: str) -> dict[str, float]:
        """When, by node, the rules changed; waits until they have on all of these."""
        nodes = nodes or self.record.nodes

        def look() -> dict[str, float] | None:
            found = {node: self.rules(node, since, **change) for node in nodes}
            return {node: entry["wall"] for node, entry in found.items() if entry} if all(found.values()) else None

        return until(look, f"the rules of {', '.join(nodes)} change: {change}")

    def main_process(self, pod: Pod) -> int:
        docker = engine.connect(self.record.docker_host)
        try:
            return docker.main_process(self.name, pod.metadata.namespace, pod.metadata.name)
        finally:
            docker.close()

    def containers(self) -> list[dict[str, Any]]:
        """The cluster's containers as the Engine lists them."""
        docker = engine.connect(self.record.docker_host)
        try:
            return list(docker.containers(self.name))
        finally:
            docker.close()


class Space:
    """A namespace of one test's own in a cluster, which goes when the test has ended."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self.cluster, self.name = cluster, name
        self.client = cluster.connect()
        self.client.create(Namespace(metadata=ObjectMeta(name=name)), why=WHY)

    def __call__(self, verb: str, *words: str, check: bool = True, say: str = "") -> processes.Completed:
        """`minik8s VERB -n <this namespace> …`."""
        return self.cluster(verb, "-n", self.name, *words, check=check, say=say)

    def apply(self, text: str) -> None:
        self("apply", "-f", "-", say=text)

    def close(self) -> None:
        with contextlib.suppress(NotFound):
            self.client.delete(Namespace, self.name, why=WHY)

    def get(self, cls: Any, name: str) -> Any:
        return self.client.get(cls, name, self.name)

    def wait(self, cls: Any, done: Callable[[dict[str, Any]], Any], timeout: float = PATIENCE_S) -> dict[str, Any]:
        """Watch the objects of a kind, by name, until `done` says so."""
        return wait(self.client, (cls, self.name), done, timeout)

    def wait_ready(self, app: str, count: int) -> list[Pod]:
        """Wait until so many Pods with this label are ready, and no other has it; in the order of names."""

        def chosen(pods: dict[str, Pod]) -> list[Pod]:
            return [pod for _, pod in sorted(pods.items()) if pod.metadata.labels.get("app") == app]

        def done(pods: dict[str, Pod]) -> bool:
            ready = [is_ready(pod) and not pod.metadata.deletionTimestamp for pod in chosen(pods)]
            return len(ready) == count and all(ready)

        return chosen(self.wait(Pod, done))

    def client_pod(self, node: str) -> "ClientPod":
        """A Pod on this node to send requests from."""
        self.apply(CLIENT.format(node=node))
        return ClientPod(self, self.wait_ready("tester", 1)[0])


def wait(client: Client, what: tuple[Any, str], done: Callable[[dict[str, Any]], Any], timeout: float) -> Any:
    """List, then watch, until `done` of the objects by name; again from the start when the API server was away."""
    deadline = clock.monotonic() + timeout
    objects: dict[str, Any] = {}
    while clock.monotonic() < deadline:
        try:
            listing = client.list(*what)
            objects = {obj.metadata.name: obj for obj in listing.items}
            if done(objects) or _watch(client, what, (objects, listing.resourceVersion), done, deadline):
                return objects
        except (Unreachable, ApiError):
            _pause(LOOK_S)
    seen = {name: getattr(obj, "status", None) for name, obj in objects.items()}
    raise AssertionError(f"not within {timeout:g} s; the last of {what[0].__name__} was {seen}")


def _watch(client: Client, what: tuple[Any, str], seen: tuple, done: Callable, deadline: float) -> bool:
    objects, revision = seen
    stream = client.open_watch(*what, resourceVersion=revision)
    timer = threading.Timer(deadline - clock.monotonic(), stream.shut)
    timer.start()
    try:
        for event in read_watch(what[0], stream):
            if event.type == "DELETED":
                objects.pop(event.object.metadata.name, None)
            elif event.type != "BOOKMARK":
                objects[event.object.metadata.name] = event.object
            if done(objects):
                return True
        return False
    finally:
        timer.cancel()
        stream.shut()


# --- Traffic ---------------------------------------------------------------------------------------------------------


@dataclass
class ClientPod:
    """Where requests come from."""

    space: Space
    pod: Pod

    def command(self, *words: str) -> list[str]:
        """A command in the Pod's network and files, started by nobody of the cluster: it works whoever is dead."""
        pid = self.space.cluster.main_process(self.pod)
        return ["nsenter", f"--target={pid}", "--mount", "--net", "--", *words]

    def run(self, *words: str, check: bool = True) -> processes.Completed:
        return processes.run(self.command(*words), check=check, timeout=30)

    def ask(self, url: str) -> dict[str, Any]:
        """One request; what the backend said of itself, {} if nobody did."""
        done = self.run("curl", "-s", "--max-time", "2", url, check=False)
        return json.loads(done.stdout) if done.code == 0 and done.stdout.startswith("{") else {}

    @contextlib.contextmanager
    def traffic(self, url: str, rate: float = 50, patience: float = 1.0) -> Iterator["Traffic"]:
        """A steady client while the block runs; it has ended after it.

        `patience`: seconds for each step of a request.
        """
        folder = Path(tempfile.mkdtemp(prefix="mk8s-traffic-"))
        words = ["python3", "/app/client.py", "--url", url, "--rate", f"{rate:g}", "--timeout", f"{patience:g}"]
        child = processes.spawn(self.command(*words), log=folder / "lines")
        traffic = Traffic(folder / "lines", rate)
        try:
            traffic.wait_more(10)
            yield traffic
            processes.kill(child.pid, signal.SIGTERM)
            child.wait(20)
            traffic.lines = _json_lines(folder / "lines")
        finally:
            processes.kill(child.pid, signal.SIGKILL)
            child.wait()
            shutil.rmtree(folder)


class Traffic:
    """What became of every request."""

    def __init__(self, file: Path, rate: float) -> None:
        self.file, self.rate = file, rate
        self.lines: list[dict[str, Any]] = []  # complete when the traffic has ended

    @property
    def requests(self) -> list[dict[str, Any]]:
        return [line for line in self.lines or _json_lines(self.file) if "outcome" in line]

    def lost(self) -> list[dict[str, Any]]:
        return [line for line in self.requests if line["outcome"] != "ok"]

    def wait_more(self, count: int) -> None:
        """Wait until so many more requests have been answered, or lost."""
        before = len(self.requests)
        until(lambda: len(self.requests) >= before + count, f"{count} more requests come to an end")


# --- Around a test session -------------------------------------------------------------------------------------------


@contextlib.contextmanager
def fresh(name: str, *words: str) -> Iterator[Cluster]:
    """A cluster of its own in a directory of its own; afterwards nothing of it is left on the machine."""
    before = residue.snapshot()
    home = Path(tempfile.mkdtemp(prefix="mk8s-"))  # short: the path of a socket may have 108 characters at most
    cluster = Cluster(name, home)
    try:
        cluster.up(*words)
        yield cluster
    finally:
        mine = set(cluster.pids().values()) if cluster.where.record.exists() else set()
        cluster.down()
        shutil.rmtree(home)
    left = residue.left(before, [name, str(home)], mine)
    assert not left, "\n".join(left)


def default_name() -> str:
    return f"t{os.getpid()}"


def _json_lines(path: Path) -> list[dict[str, Any]]:
    """The whole lines of a file that may just be written to."""
    found = []
    for line in path.read_text(errors="replace").splitlines() if path.exists() else ():
        with contextlib.suppress(ValueError):
            found.append(json.loads(line))
    return found


def _names(targets: Sequence[str], address: str) -> bool:
    """`default/web:http 10.244.1.5:8080` names 10.244.1.5."""
    return any(target.rpartition(" ")[2].rpartition(":")[0].strip("[]") == address for target in targets)
