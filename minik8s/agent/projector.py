"""Keeps what is in projected volumes: fetches it when a Pod starts, and again before a token in it ends.

The files on the disk are all that is remembered: who finds them complete, with tokens that are good for a while, needs
nobody. So containers of a Pod start again while the API server is away. Invariant: a container starts only with all of
its files; what was written once is replaced as a whole (`world/volumes.py`). Read `projection.py` for what is in it.
"""

import logging
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from minik8s.agent import projection
from minik8s.agent.environment import ConfigError, Sources
from minik8s.agent.world.volumes import Volumes
from minik8s.api.authentication import BoundObjectReference, TokenRequest, TokenRequestSpec
from minik8s.api.core import ServiceAccount
from minik8s.api.pods import Pod
from minik8s.api.volumes import ProjectedVolumeSource, ServiceAccountTokenProjection
from minik8s.client.rest import ApiError, Client, NotFound, Unreachable, Why
from minik8s.host import clock

log = logging.getLogger("agent")
# What the volumes of a Pod are made from: the Pod, its addresses, names of ConfigMaps and of Secrets.
Fetch = Callable[[Pod, tuple[str, ...], tuple[set[str], set[str]]], Sources]


class Projector:
    """One for a node. Thread-safe; the files are all the state there is."""

    def __init__(self, client: Client, volumes: Volumes, fetch: Fetch) -> None:
        self._client, self._volumes, self._fetch = client, volumes, fetch
        self._writing = threading.Lock()  # a Pod that starts may meet the one who renews

    def ensure(self, pod: Pod, addresses: tuple[str, ...]) -> None:
        """Write what is not there or is due. Raises ConfigError for what is missing."""
        due = {name: source for name, source in _wanted(pod).items() if self._is_due(pod, name, source)}
        try:
            self._write(pod, addresses, due)
        except Unreachable:
            if any(self._place(pod, name) is None for name in due):
                raise
            log.warning("tokens of %s/%s have to wait", pod.metadata.namespace, pod.metadata.name)

    def refresh(self, pods: Iterable[Pod]) -> None:
        """Renew what is there and due, for containers that run."""
        for pod in pods:
            written = {name: source for name, source in _wanted(pod).items() if self._place(pod, name) is not None}
            due = {name: source for name, source in written.items() if self._is_due(pod, name, source)}
            try:
                self._write(pod, tuple(each.ip for each in pod.status.podIPs), due)
            except (ConfigError, ApiError, Unreachable) as error:
                log.warning("files of %s/%s are not renewed: %s", pod.metadata.namespace, pod.metadata.name, error)

    def _write(self, pod: Pod, addresses: tuple[str, ...], due: dict[str, ProjectedVolumeSource]) -> None:
        if not due:
            return
        sources = self._fetch(pod, addresses, projection.named_in(due.values()))
        for name, source in due.items():
            tokens = {each.path: self._token(pod, each) for each in projection.tokens_of(source)}
            found = projection.files(pod, source, sources, tokens)
            with self._writing:
                self._volumes.write_projected(pod.metadata.uid, name, found)

    def _place(self, pod: Pod, name: str) -> Path | None:
        return self._volumes.projected(pod.metadata.uid, name)

    def _is_due(self, pod: Pod, name: str, source: ProjectedVolumeSource) -> bool:
        place = self._place(pod, name)
        if place is None:
            return True
        files = [place / projection.inside(each.path) for each in projection.tokens_of(source)]
        return any(not file.exists() or projection.is_due(file.read_bytes(), clock.wall()) for file in files)

    def _token(self, pod: Pod, wanted: ServiceAccountTokenProjection) -> str:
        meta = pod.metadata
        bound = BoundObjectReference(kind="Pod", apiVersion="v1", name=meta.name, uid=meta.uid)
        spec = TokenRequestSpec(
            audiences=[wanted.audience] if wanted.audience else [],
            expirationSeconds=wanted.expirationSeconds or 3600,
            boundObjectRef=bound,
        )
        account, why = pod.spec.serviceAccountName or "default", Why("the Pod mounts a token", [pod])
        try:
            answer = self._client.post(
                ServiceAccount, account, meta.namespace, "token", TokenRequest(spec=spec), why=why
            )
        except NotFound:
            raise ConfigError(f'serviceaccount "{account}" not found') from None
        except ApiError as error:
            raise ConfigError(f"no token for the Pod: {error}") from None
        return str(answer["status"]["token"])


def _wanted(pod: Pod) -> dict[str, ProjectedVolumeSource]:
    """The Pod's volumes whose files are written together, by name."""
    return {volume.name: source for volume in pod.spec.volumes if (source := projection.source_of(volume))}
