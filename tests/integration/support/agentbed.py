"""A node's agent on real Docker and real links, with an API in memory: the loop of a Pod without an API server.

The node is a pause container of a cluster of its own; everything that is made carries its labels and goes with `close`.
"""

import os
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from minik8s import params
from minik8s.agent.environment import Sources
from minik8s.agent.hands import Hands
from minik8s.agent.memory import Memory
from minik8s.agent.observed import Verdict
from minik8s.agent.recipe import Home
from minik8s.agent.sync import PodSync
from minik8s.agent.telling import Teller
from minik8s.agent.world.docker import Engine, EngineError
from minik8s.agent.world.network import PodNetwork
from minik8s.agent.world.probes import Prober, Watched
from minik8s.agent.world.volumes import Volumes
from minik8s.api import codec, patch
from minik8s.api.meta import key
from minik8s.api.pods import Pod, is_ready
from minik8s.client.rest import Unreachable
from minik8s.cluster import engine, engine_process, images
from minik8s.host import clock
from minik8s.host.journal import Journal

NODE, ADDRESS = "node-1", "192.168.56.11"
ADDRESSES, CIDRS = (ADDRESS, "fd00:56::11"), ("10.244.1.0/24", "fd00:244:0:1::/64")


@dataclass
class Api:
    """Pods in memory, as the informer and the client would show them."""

    pods: dict[str, Pod] = field(default_factory=dict)
    events: list[tuple[str, str]] = field(default_factory=list)
    revision: int = 1
    away: bool = False  # the API server does not answer

    def get(self, name: str) -> Pod | None:
        return self.pods.get(name)

    def values(self) -> list[Pod]:
        return list(self.pods.values())

    def patch(self, cls: type[Pod], name: str, namespace: str, body: dict[str, Any], **_: Any) -> Pod:
        if self.away:
            raise Unreachable("the API server is away")
        before = self.pods[f"{namespace}/{name}"]
        self.revision += 1
        after = codec.from_dict(Pod, patch.merge(codec.to_dict(before), body))
        after.metadata.resourceVersion = str(self.revision)
        self.pods[f"{namespace}/{name}"] = after
        return after

    def normal(self, obj: Pod, reason: str, message: str) -> None:
        self.events.append((reason, message))

    warning = normal


class Bed:
    """One agent. `restart` forgets everything that is only in memory."""

    def __init__(self, folder: Path) -> None:
        self.cluster = f"mk8s-test-agent-{os.getpid()}"
        self._own = "MINIK8S_TEST_DOCKER" not in os.environ
        host = engine_process.acquire(self.cluster) if self._own else os.environ["MINIK8S_TEST_DOCKER"]
        self.host, self.docker = host, engine.connect(host)
        images.load(self.docker, folder / "cache")
        node = self.docker.ensure_sandbox(self.cluster, NODE)
        self.namespace = f"/proc/{node.pid}/ns/net"
        self.folder, self.api, self.journal = folder, Api(), Journal()
        self.sources = Sources(host_ips=ADDRESSES)
        self.restart()

    def restart(self) -> None:
        self.engine = Engine(self.host, Home(cluster=self.cluster, node=NODE))
        self.network = PodNetwork(self.namespace)
        self.network.configure(CIDRS, self.engine.addresses())
        self.woken = threading.Event()
        self.prober = Prober(self.engine, self._answered, self._judged)
        self.memory = Memory()
        hands = Hands(
            home=self.engine.home,
            node_addresses=ADDRESSES,
            engine=self.engine,
            network=self.network,
            prober=self.prober,
            volumes=Volumes(self.folder / "volumes"),
            tell=_Direct(self.api, self.journal),
            sources=lambda pod, addresses: self.sources,
            project=lambda pod, addresses: None,
            finish=lambda pod, because: self.api.pods.pop(key(pod), None) and None,
            own_machine=lambda: False,
        )
        self.pods = PodSync(hands, self.api, self.api, self.memory)  # type: ignore[arg-type]
        self.prober.start()

    def _answered(self, watched: Watched, kind: str, passed: bool, message: str) -> None:
        if not passed:
            self.api.events.append(("Unhealthy", f"{kind}: {message}"))

    def _judged(self, watched: Watched, verdict: Verdict) -> None:
        self.woken.set()

    # --- What a test does ---

    def add(self, pod: Pod) -> Pod:
        pod.metadata.uid = pod.metadata.uid or clock.uid()
        pod.metadata.namespace = pod.metadata.namespace or "default"
        pod.spec.nodeName, pod.spec.restartPolicy = NODE, pod.spec.restartPolicy or "Always"
        self.api.pods[key(pod)] = pod
        return pod

    def settle(self, name: str, until: Any = None, seconds: float = 15.0) -> Pod | None:
        """Let the loop work until the Pod satisfies `until` (None: until it has nothing to do)."""
        deadline = clock.monotonic() + seconds
        while True:
            again = self.pods.sync(name)
            pod = self.api.get(name)
            if until is None or until(pod):
                return pod
            assert clock.monotonic() < deadline, f"not within {seconds} s: {pod and codec.to_dict(pod.status)}"
            self.woken.wait(min(0.1 if again is None else again, 0.1))
            self.woken.clear()

    def running(self, name: str) -> Pod:
        pod = self.settle(name, lambda p: p is not None and is_ready(p))
        assert pod is not None
        return pod

    def close(self) -> None:
        self.prober.stop()
        for container in self.docker.containers(self.cluster):
            self.docker.remove(container["Id"])
        self.docker.close()
        if self._own:
            engine_process.release(self.cluster)


class _Direct(Teller):
    """Tells at once, in the teller's own thread."""

    def __init__(self, api: Api, journal: Journal) -> None:
        super().__init__(api, journal)
        self._api = api

    def _put(self, warning: bool, pod: Pod | None, reason: str, message: str) -> None:
        self._api.events.append((reason, message))


def toolbox(script: str = "", **more: Any) -> dict[str, Any]:
    """A container of the toolbox image that runs a shell script; without one it waits."""
    command = ["sh", "-c", script or "trap 'exit 0' TERM; while :; do sleep 0.1; done"]
    return {"name": "main", "image": params.TOOLBOX_IMAGE, "command": command, **more}


def pod(name: str, *containers: dict[str, Any], **spec: Any) -> Pod:
    body = {"metadata": {"name": name}, "spec": {"containers": list(containers) or [toolbox()], **spec}}
    return codec.from_dict(Pod, body)


__all__ = ["ADDRESS", "ADDRESSES", "Api", "Bed", "EngineError", "pod", "toolbox"]
