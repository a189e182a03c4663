"""The scheduler and the controllers in threads of the test, against a real API server and etcd.

There is no agent: `Agents` plays one for each node, by writing what an agent would write.
"""

import collections
import contextlib
import itertools
import threading

from support.apiserver import Certificates, Etcd, Server, free_port

from minik8s import params
from minik8s.api import codec, times
from minik8s.api.coordination import Lease
from minik8s.api.core import Node, Pod
from minik8s.api.meta import DeleteOptions
from minik8s.client.component import Component, Options
from minik8s.client.errors import ApiError, Unreachable
from minik8s.client.events import Recorder
from minik8s.client.rest import Client
from minik8s.host import clock
from minik8s.host.journal import Journal
from minik8s.host.metrics import Registry


class Cluster:
    """etcd, one API server, and whatever components a test starts."""

    at_once = DeleteOptions(gracePeriodSeconds=0)

    def __init__(self, folder) -> None:
        self.folder = folder
        self.etcd = Etcd(folder)
        self.server = Server(folder, self.etcd, Certificates(folder))
        self.client = self.client_of("kubernetes-admin", "system:masters")
        self._running: list[tuple[Component, threading.Thread]] = []

    def client_of(self, user: str, *groups: str) -> Client:
        path = self.server.kubeconfig(self.folder / f"{user.replace(':', '-')}.conf", user, *groups)
        return Client.from_kubeconfig(str(path), user_agent=user)

    def run(self, name: str, user: str, main, **options) -> Component:
        client = self.client_of(user)
        component = Component(
            options=Options(name=name, kubeconfig="", health_port=free_port(), identity=name, **options),
            client=client,
            journal=Journal(None, node="", component=name),
            metrics=Registry(),
            events=Recorder(client, name),
        )
        thread = threading.Thread(target=main, args=(component,), name=name, daemon=True)
        thread.start()
        self._running.append((component, thread))
        return component

    def stop(self, component: Component) -> None:
        component.stop.set()
        for each, thread in self._running:
            if each is component:
                thread.join(10)

    def close(self) -> None:
        for component, _ in self._running:
            component.stop.set()
        for component, _ in self._running:
            self.stop(component)
        self.server.close()
        self.etcd.close()


class Agents:
    """Nodes that report, and Pods that start at once on them."""

    def __init__(self, client: Client, names: list[str]) -> None:
        self._client = client
        self._stop = threading.Event()
        self.silent: set[str] = set()
        self.ready = True  # whether Pods that start become ready
        # Its number on its node by a Pod's uid: no two that live at once have the same.
        self._hosts = collections.defaultdict(itertools.cycle(range(2, 255)).__next__)
        for number, name in enumerate(names, 1):
            self._register(name, number)
        self._names = names
        self._threads = [threading.Thread(target=each, daemon=True) for each in (self._beat, self._work)]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(5)

    def _register(self, name: str, number: int) -> None:
        room = {"cpu": "4", "memory": "8Gi", "pods": "110"}
        self._client.create(codec.from_dict(Node, {"metadata": {"name": name}}))
        status = {"capacity": room, "allocatable": room, "conditions": [_ready(True)]}
        status["addresses"] = [{"type": "InternalIP", "address": f"192.168.56.{10 + number}"}]
        self._client.patch(Node, name, "", {"status": status}, subresource="status")
        place = {"name": name, "namespace": "kube-node-lease"}
        self._client.create(codec.from_dict(Lease, {"metadata": place, "spec": {"holderIdentity": name}}))

    def _beat(self) -> None:
        while not self._stop.wait(params.PROFILES["fast"].node_lease_renew_interval):
            moment = times.rfc3339(clock.wall(), micro=True)
            for name in self._names:
                if name not in self.silent:
                    # Without an API server, or with one that is just too busy, an agent goes on, and tries again.
                    with contextlib.suppress(Unreachable, ApiError):
                        self._client.patch(Lease, name, "kube-node-lease", {"spec": {"renewTime": moment}})
                        self.report(name)

    def report(self, name: str) -> None:
        """An agent that finds its node not ready in the API says that it is."""
        node = self._client.get(Node, name)
        if any(each.type == "Ready" and each.status != "True" for each in node.status.conditions):
            self._client.patch(Node, name, "", {"status": {"conditions": [_ready(True)]}}, subresource="status")

    def _work(self) -> None:
        while not self._stop.wait(0.02):
            with contextlib.suppress(Unreachable, ApiError):
                for pod in self._client.list(Pod).items:
                    if pod.spec.nodeName and pod.spec.nodeName not in self.silent:
                        with contextlib.suppress(ApiError):  # it changed meanwhile; next round
                            self._treat(pod)

    def _treat(self, pod: Pod) -> None:
        meta = pod.metadata
        if meta.deletionTimestamp is not None:
            self._client.delete(Pod, meta.name, meta.namespace, options=DeleteOptions(gracePeriodSeconds=0))
        elif not pod.status.podIP or (self.ready and _status(pod) != "True"):
            self.set_ready(pod, self.ready)

    def set_ready(self, pod: Pod, ready: bool) -> None:
        node = int(pod.spec.nodeName.rpartition("-")[2] or 0)
        ip = pod.status.podIP or f"10.244.{node}.{self._hosts[pod.metadata.uid]}"
        status = {"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}], "conditions": [_ready(ready)]}
        meta = pod.metadata
        self._client.patch(Pod, meta.name, meta.namespace, {"status": status}, subresource="status")


def _ready(ready: bool) -> dict:
    moment = times.rfc3339(clock.wall())
    return {"type": "Ready", "status": str(ready), "lastTransitionTime": moment, "lastHeartbeatTime": moment}


def _status(pod: Pod) -> str:
    return next((each.status for each in pod.status.conditions if each.type == "Ready"), "")
