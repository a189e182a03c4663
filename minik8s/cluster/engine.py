"""The Docker Engine the cluster's containers run in, and the door to it: the only file of this package that imports
`docker`.

An Engine that runs already is used as it is (`$DOCKER_HOST`, else /var/run/docker.sock). Only when none runs does
`engine_process.py` start our own. An Engine in another kernel cannot serve, because nodes are network namespaces of
this one: it is refused by name.
Invariant: only containers with this cluster's label are ever touched.

Read next: `engine_process.py`.
"""

import contextlib
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
from docker.errors import APIError, DockerException, ImageNotFound, NotFound

from minik8s import params

STANDARD_SOCKET = Path("/var/run/docker.sock")
CALL_TIMEOUT_S = 60
PING_TIMEOUT_S = 5
SANDBOX_LABEL = "node-sandbox"  # in LABEL_CONTAINER: a node's own container, of no Pod


class EngineError(Exception):
    """No Engine that can serve; the message says what to do."""


@dataclass(frozen=True)
class Sandbox:
    """A node's container: its namespace is the node's."""

    node: str
    container: str
    pid: int  # 0 when it does not run


class Engine:
    """A connection to one Engine."""

    def __init__(self, host: str) -> None:
        self.host = host
        try:
            self.api: Any = docker.APIClient(host, version="auto", timeout=CALL_TIMEOUT_S, max_pool_size=16)
            self.info: dict[str, Any] = self.api.info()
        except DockerException as error:
            raise EngineError(f"the Docker Engine at {host} does not answer: {error}") from error

    def architecture(self) -> str:
        """The Engine's, not the client's."""
        return self.info["Architecture"]

    # --- Images ---

    def image_label(self, image: str, label: str) -> str:
        """A label of an image; "" when there is no such image or label."""
        try:
            return (self.api.inspect_image(image)["Config"].get("Labels") or {}).get(label, "")
        except ImageNotFound:
            return ""

    def import_image(self, image: str, layer: bytes, changes: list[str]) -> None:
        """Make an image of one tar archive. What had this name before goes, unless a container still uses it."""
        before = self._image_id(image)
        repository, _, tag = image.rpartition(":")
        self.api.import_image_from_data(layer, repository=repository, tag=tag, changes=changes)
        if before and before != self._image_id(image):
            with contextlib.suppress(APIError):
                self.api.remove_image(before)

    def _image_id(self, image: str) -> str:
        try:
            return self.api.inspect_image(image)["Id"]
        except ImageNotFound:
            return ""

    # --- Containers ---

    def containers(self, cluster: str) -> list[dict[str, Any]]:
        """Everything of this cluster, running or not, as the Engine lists it."""
        return self.api.containers(all=True, filters={"label": [f"{params.LABEL_CLUSTER}={cluster}"]})

    def ensure_sandbox(self, cluster: str, node: str) -> Sandbox:
        """The node's sandbox, running. One that died is replaced, because its namespace is gone with it."""
        name = sandbox_name(cluster, node)
        found = self.sandbox(cluster, node)
        if found and found.pid:
            return found
        if found:
            self.remove(found.container)
        labels = {params.LABEL_CLUSTER: cluster, params.LABEL_NODE: node, params.LABEL_CONTAINER: SANDBOX_LABEL}
        created = self.api.create_container(
            params.PAUSE_IMAGE,
            name=name,
            hostname=node,
            labels=labels,
            host_config=self.api.create_host_config(network_mode="none", log_config={"Type": "none"}, init=False),
        )
        self.api.start(created["Id"])
        return self._inspected(node, created["Id"])

    def sandbox(self, cluster: str, node: str) -> Sandbox | None:
        """The node's sandbox as it is now."""
        try:
            found = self.api.inspect_container(sandbox_name(cluster, node))
        except NotFound:
            return None
        if (found["Config"].get("Labels") or {}).get(params.LABEL_CLUSTER) != cluster:
            raise EngineError(f"a container {sandbox_name(cluster, node)} exists that is not ours: remove it")
        return self._inspected(node, found["Id"])

    def _inspected(self, node: str, container: str) -> Sandbox:
        state = self.api.inspect_container(container)["State"]
        return Sandbox(node, container, state["Pid"] if state["Running"] else 0)

    def remove(self, container: str) -> None:
        """End a container and remove it, with the anonymous volumes it had. One that is gone or going is fine."""
        try:
            self.api.remove_container(container, force=True, v=True)
        except NotFound:
            pass
        except APIError as error:
            if error.status_code != 409:  # its removal is already in progress
                raise

    def remove_all(self) -> None:
        """End every container, whoever made it: for our own Engine, before it stops."""
        for listed in self.api.containers(all=True):
            self.remove(listed["Id"])

    def main_process(self, cluster: str, namespace: str, pod: str, container: str = "") -> int:
        """The pid of a Pod's (first, or named) container's main process, by the labels the agent gives."""
        labels = {params.LABEL_CLUSTER: cluster, params.LABEL_POD_NAMESPACE: namespace, params.LABEL_POD_NAME: pod}
        if container:
            labels[params.LABEL_CONTAINER] = container
        listed = self.api.containers(filters={"label": [f"{key}={value}" for key, value in labels.items()]})
        own = [each for each in listed if _is_app(each["Labels"])]
        if not own:
            raise EngineError(f"pod {namespace}/{pod} has no running container{f' {container}' if container else ''}")
        first = min(own, key=lambda each: (each["Created"], each["Labels"][params.LABEL_CONTAINER]))
        return self.api.inspect_container(first["Id"])["State"]["Pid"]

    def close(self) -> None:
        self.api.close()


def _is_app(labels: Mapping[str, str]) -> bool:
    """Is this one of the Pod's own containers, not the sandbox it runs in?"""
    return labels.get(params.LABEL_CONTAINER, "") not in ("", "POD", "pause", "sandbox", SANDBOX_LABEL)


def sandbox_name(cluster: str, node: str) -> str:
    return f"{params.NETNS_PREFIX}-{cluster}-{node}"


def connect(host: str) -> Engine:
    """A connection to an Engine that can serve, or EngineError."""
    engine = Engine(host)
    refuse_foreign(engine.info, os.uname().release)
    return engine


def refuse_foreign(info: Mapping[str, Any], kernel: str) -> None:
    """Raise for an Engine in another kernel: its containers' namespaces are not on this machine."""
    system, theirs = info.get("OperatingSystem", ""), info.get("KernelVersion", "")
    if "Docker Desktop" in system or theirs != kernel:
        raise EngineError(
            f"the Docker Engine is {system or 'unknown'} on kernel {theirs}, this machine has kernel {kernel}: "
            "nodes must be network namespaces of this kernel. Use a Linux virtual machine, or an Engine on this machine"
        )


def running_host(environ: Mapping[str, str] | None = None) -> str:
    """Where an Engine of the user's runs; "" when none does. One named by $DOCKER_HOST must answer."""
    environ = os.environ if environ is None else environ
    if environ.get("DOCKER_HOST"):
        return environ["DOCKER_HOST"]
    return f"unix://{STANDARD_SOCKET}" if answers(STANDARD_SOCKET) else ""


def answers(path: Path) -> bool:
    """Does an Engine answer on this socket? In plain HTTP: quicker than a client, and no error when none does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(PING_TIMEOUT_S)
        try:
            connection.connect(str(path))
            connection.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
            return b" 200 " in connection.recv(100)
        except OSError:
            return False
