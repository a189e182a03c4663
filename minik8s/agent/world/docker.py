"""The Docker Engine: the only file that imports docker. Lists, makes, starts, signals and removes containers of this
node.

Everything is found by labels (cluster, node and Pod uid): what carries none of ours is never seen, so never touched.
Removing what is gone and signalling what has ended are no errors. Uses the low-level client, which asks Docker once
per call. Read next: inspect.py for what its answers mean, exec.py for commands in containers.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import docker
from docker.errors import APIError, DockerException, ImageNotFound, NotFound

from minik8s import params
from minik8s.agent.observed import Container, Sandbox, Seen
from minik8s.agent.recipe import ContainerRecipe, Home, SandboxRecipe
from minik8s.agent.usage import Use, measured
from minik8s.agent.world import inspect

_CONNECTIONS = 24  # workers, probes, log readers at a time; more wait for a free one


class EngineError(Exception):
    """Docker said no. `status` is the HTTP status of its answer, 0 when there was none."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class ImageError(EngineError):
    """The image is not there, and could not be fetched."""


@dataclass(frozen=True)
class Change:
    """Docker tells that something happened to a container of this node. An empty key: look at everything."""

    key: str = ""
    action: str = ""
    id: str = ""
    container: str = ""  # empty for the sandbox
    exit_code: int = 0
    at: float = 0.0


class Log:
    """Pieces of a log as they come; `close` from another thread ends it."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._stream
        except (DockerException, OSError, ValueError) as error:  # ValueError: it was closed meanwhile
            raise EngineError(str(error)) from error

    def close(self) -> None:
        try:
            self._stream.close()
        except (OSError, ValueError, AttributeError):
            pass  # it has ended by itself


class Engine:
    """Docker, as far as it is this node's. Safe to use from several threads."""

    def __init__(self, host: str, home: Home) -> None:
        self.home = home
        self.api = docker.APIClient(base_url=host or None, version="auto", max_pool_size=_CONNECTIONS)

    def version(self) -> str:
        return str(self.ask(self.api.version)["Version"])

    # --- Looking ---

    def _list(self, *labels: str) -> list[dict[str, Any]]:
        ours = [f"{k}={v}" for k, v in self.home.labels.items()]
        return self.ask(lambda: self.api.containers(all=True, filters={"label": [*ours, *labels]}))

    def leftovers(self) -> dict[str, str]:
        """The Pods of which anything is here: uid → `namespace/name`."""
        listed = self._list(params.LABEL_POD_UID)
        return {c["Labels"][params.LABEL_POD_UID]: inspect.pod_key(c["Labels"]) for c in listed}

    def observe(self, key: str) -> dict[str, Seen]:
        """All there is of the Pods called `key`, by uid: an old one may be ending while its successor starts."""
        namespace, _, name = key.partition("/")
        listed = self._list(
            params.LABEL_POD_UID, f"{params.LABEL_POD_NAMESPACE}={namespace}", f"{params.LABEL_POD_NAME}={name}"
        )
        parts: dict[str, tuple[list[Sandbox], list[Container]]] = {}
        for entry in listed:
            try:
                answer = self.api.inspect_container(entry["Id"])
            except NotFound:
                continue  # removed since it was listed
            sandboxes, containers = parts.setdefault(entry["Labels"][params.LABEL_POD_UID], ([], []))
            if inspect.is_sandbox(entry["Labels"]):
                sandboxes.append(inspect.sandbox(answer))
            else:
                containers.append(inspect.container(answer))
        return {uid: Seen(sandboxes=tuple(s), containers=tuple(c)) for uid, (s, c) in parts.items()}

    def addresses(self) -> set[str]:
        """Pod addresses in use on this node, read off the sandboxes."""
        return {each for c in self._list(params.LABEL_ADDRESS) for each in inspect.addresses(c["Labels"])}

    def node_sandbox(self) -> str:
        """The container that is this node; empty on a machine that is its own node."""
        nodes = [c for c in self._list() if params.LABEL_POD_UID not in c["Labels"] and c["State"] == "running"]
        return str(nodes[0]["Id"]) if nodes else ""

    def changes(self) -> Iterator[Change]:
        """What happens, as it happens; first a word to look at everything. Ends when Docker goes away."""
        wanted = [f"{k}={v}" for k, v in self.home.labels.items()]
        filters = {"type": "container", "label": wanted, "event": ["die", "oom", "destroy"]}
        try:
            stream = self.api.events(decode=True, filters=filters)
            yield Change()  # the stream stands: whatever came before is in the listing, whatever comes is in the stream
            for event in stream:
                change = _change(event)
                if change is not None:
                    yield change
        except (DockerException, OSError) as error:
            raise EngineError(str(error)) from error

    # --- Sandboxes and containers ---

    def create_sandbox(self, recipe: SandboxRecipe, network: str) -> Sandbox:
        options: dict[str, Any] = {"network_mode": network, "ipc_mode": "shareable"}
        hostname = None
        if network == "none":  # Docker writes the three name files for it, and every container of the Pod mounts them
            resolver = recipe.resolver
            options.update(dns=list(resolver.nameservers), dns_opt=list(resolver.options))
            # A lone dot means "none"; an empty list would mean "as on the machine".
            options.update(dns_search=list(resolver.searches) or (["."] if resolver.nameservers else []))
            options.update(extra_hosts=[f"{name}:{address}" for name, address in recipe.hosts])
            hostname = recipe.hostname
        made = self._create(
            params.PAUSE_IMAGE, options, name=recipe.name, labels=dict(recipe.labels), hostname=hostname
        )
        self.start(made)
        return inspect.sandbox(self.ask(lambda: self.api.inspect_container(made)))

    def create_container(self, recipe: ContainerRecipe, network: str, binds: list[str]) -> str:
        added, dropped = recipe.capabilities
        options: dict[str, Any] = {
            "network_mode": network,
            "ipc_mode": f"container:{recipe.sandbox}",
            "binds": binds,
            "cpu_shares": recipe.cpu_shares,
            "cap_add": list(added),
            "cap_drop": list(dropped),
            "privileged": recipe.privileged,
            "security_opt": [] if recipe.may_gain else ["no-new-privileges"],
            "group_add": [str(each) for each in recipe.groups],
            "read_only": recipe.read_only,
            "log_config": {"Type": "json-file", "Config": {"max-size": params.CONTAINER_LOG_MAX_SIZE}},
        }
        if recipe.beside:
            options["pid_mode"] = f"container:{recipe.beside}"
        if recipe.memory:
            options.update(mem_limit=recipe.memory, memswap_limit=recipe.memory)  # the same: no swap on top
        if recipe.cpu_millis:
            options.update(cpu_period=100_000, cpu_quota=max(1000, recipe.cpu_millis * 100))
        return self._create(
            recipe.image,
            options,
            name=recipe.name,
            labels=dict(recipe.labels),
            entrypoint=list(recipe.entrypoint) or None,
            command=list(recipe.command) or None,
            environment=[f"{k}={v}" for k, v in recipe.environment.items()],
            working_dir=recipe.working_dir or None,
            user=recipe.user or None,
            stdin_open=recipe.stdin,
            stdin_once=recipe.stdin_once,
            tty=recipe.tty,
        )

    def _create(self, image: str, options: dict[str, Any], **config: Any) -> str:
        name, once = config.pop("name"), config.pop("stdin_once", False)
        host_config = self.api.create_host_config(**options)
        wanted = self.api.create_container_config(image, config.pop("command", None), host_config=host_config, **config)
        wanted["StdinOnce"] = once  # docker.py would end the input with its first writer, always
        try:
            return str(self.api.create_container_from_config(wanted, name)["Id"])
        except ImageNotFound as error:
            raise self._missing(image) from error
        except APIError as error:
            raise _translate(error) from error

    def start(self, container: str) -> None:
        self.ask(lambda: self.api.start(container))

    def signal(self, container: str, name: str) -> None:
        """Tell its main process; one that has ended needs no telling."""
        try:
            self.api.kill(container, name)
        except APIError as error:
            if error.status_code not in (404, 409):
                raise _translate(error) from error

    def remove(self, container: str) -> None:
        """Kill and remove it, with the anonymous volumes that came with its image."""
        try:
            self.api.remove_container(container, force=True, v=True)
        except APIError as error:
            if error.status_code not in (404, 409):  # gone, or being removed already
                raise _translate(error) from error

    # --- Images ---

    def images(self) -> list[tuple[list[str], int]]:
        """Names and size of every image that has a name."""
        listed = self.ask(lambda: self.api.images())
        found = [(sorted(i.get("RepoTags") or []), int(i["Size"])) for i in listed]
        return sorted((names, size) for names, size in found if names and names != ["<none>:<none>"])

    def has_image(self, image: str) -> bool:
        try:
            self.api.inspect_image(image)
        except NotFound:
            return False
        except APIError as error:
            raise _translate(error) from error
        return True

    def can_pull(self, image: str) -> bool:
        return inspect.has_registry(image)

    def pull(self, image: str) -> None:
        """Fetch an image whose name says from where. Raises ImageError, which names the images that are here."""
        if not inspect.has_registry(image):
            raise self._missing(image)
        repository, tag = inspect.split_image(image)
        try:
            self.api.pull(repository, tag=tag)
        except APIError as error:
            cause = f'failed to pull image "{image}": {error.explanation}'
            raise ImageError(f"{cause}. {self._offer()}", error.status_code or 0) from error

    def _missing(self, image: str) -> ImageError:
        return ImageError(
            f'image "{image}" is not on this node, and its name says no registry to fetch it from. {self._offer()}', 404
        )

    def _offer(self) -> str:
        names = [name for names, _ in self.images() for name in names if name != params.PAUSE_IMAGE]
        return f"Images on this node: {', '.join(names) or 'none'}"

    # --- Use ---

    def uses(self) -> list[Use]:
        """What each running container of this node uses; one that ends meanwhile is left out."""
        running = [entry for entry in self._list(params.LABEL_POD_UID) if entry["State"] == "running"]
        # Side by side: older Engines take a second for each answer.
        with ThreadPoolExecutor(_CONNECTIONS // 2) as pool:
            return [use for use in pool.map(self._use, running) if use]

    def _use(self, entry: dict[str, Any]) -> Use | None:
        labels = entry["Labels"]
        try:
            stats = self.api.stats(entry["Id"], stream=False, one_shot=True)
        except (DockerException, OSError):
            return None
        where = labels[params.LABEL_POD_NAMESPACE], labels[params.LABEL_POD_NAME]
        return Use(*where, labels.get(params.LABEL_CONTAINER, ""), *measured(stats))

    # --- Logs ---

    def logs(self, container: str, options: dict[str, Any]) -> "Log":
        """What a container wrote, both streams in the order of writing; options as Docker's (follow, tail, since)."""
        return Log(self.ask(lambda: self.api.logs(container, stdout=True, stderr=True, stream=True, **options)))

    def ask(self, call: Any) -> Any:
        """What Docker answers to a call of its client; whatever goes wrong is an EngineError."""
        try:
            return call()
        except (DockerException, OSError) as error:  # OSError: nobody listens on Docker's socket
            raise _translate(error) from error


def _translate(error: Exception) -> EngineError:
    if isinstance(error, APIError):
        return EngineError(error.explanation or str(error), error.status_code or 0)
    return EngineError(str(error))


def _change(event: dict[str, Any]) -> Change | None:
    attributes = event["Actor"]["Attributes"]
    if params.LABEL_POD_UID not in attributes:
        return None  # the node's own sandbox
    return Change(
        key=inspect.pod_key(attributes),
        action=event["Action"],
        id=event["Actor"]["ID"],
        container=attributes.get(params.LABEL_CONTAINER, ""),
        exit_code=int(attributes.get("exitCode") or 0),
        at=event["timeNano"] / 1e9,
    )
