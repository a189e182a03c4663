"""What is in a projected or downwardAPI volume: path → content and mode, from what its sources say. Pure.

Invariant: a path that two sources name is the later one's, as upstream has it; nothing leads out of the volume. When a
token is to be renewed is read off the token itself, so an agent that was restarted knows it as well as its predecessor.
Read next: projector.py, which fetches what this needs.
"""

import base64
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath

import msgspec

from minik8s.agent.environment import ConfigError, Sources, decoded, field_value, resource_value
from minik8s.api.core import ConfigMap
from minik8s.api.pods import KeyToPath, Pod
from minik8s.api.volumes import (
    DownwardAPIVolumeFile,
    ProjectedVolumeSource,
    ServiceAccountTokenProjection,
    Volume,
    VolumeProjection,
)

Files = dict[str, tuple[bytes, int]]  # path in the volume → content and mode
MODE = 0o644
RENEW_AT = 0.8  # of a token's life, as the kubelet does
RENEW_S = 24 * 3600.0  # and a day at the latest


def source_of(volume: Volume) -> ProjectedVolumeSource | None:
    """A volume whose files are written together; a downwardAPI volume is one with a single source."""
    if volume.projected is not None or volume.downwardAPI is None:
        return volume.projected
    items = VolumeProjection(downwardAPI=volume.downwardAPI)  # type: ignore[arg-type]  # the same items
    return ProjectedVolumeSource(sources=[items], defaultMode=volume.downwardAPI.defaultMode)


def tokens_of(source: ProjectedVolumeSource) -> list[ServiceAccountTokenProjection]:
    return [part.serviceAccountToken for part in source.sources if part.serviceAccountToken]


def named_in(sources: Iterable[ProjectedVolumeSource]) -> tuple[set[str], set[str]]:
    """Names of the ConfigMaps and of the Secrets that they take from."""
    parts = [part for source in sources for part in source.sources]
    return {p.configMap.name for p in parts if p.configMap}, {p.secret.name for p in parts if p.secret}


def files(pod: Pod, source: ProjectedVolumeSource, sources: Sources, tokens: Mapping[str, str]) -> Files:
    """All files of a volume; `tokens`: path → token. Raises ConfigError for what is not there."""
    usual = source.defaultMode if source.defaultMode is not None else MODE
    found: Files = {}
    for part in source.sources:
        for path, content, mode in _part(pod, part, sources, tokens):
            found[str(inside(path))] = (content, usual if mode is None else mode)
    return found


def _part(
    pod: Pod, part: VolumeProjection, sources: Sources, tokens: Mapping[str, str]
) -> Iterator[tuple[str, bytes, int | None]]:
    if part.serviceAccountToken:
        yield part.serviceAccountToken.path, tokens[part.serviceAccountToken.path].encode(), None
    if part.configMap:
        what, found = f'configmap "{part.configMap.name}"', sources.configmaps.get(part.configMap.name)
        data = content_of(found) if found else None
        yield from chosen(what, data, part.configMap.items, part.configMap.optional)
    if part.secret:
        what, secret = f'secret "{part.secret.name}"', sources.secrets.get(part.secret.name)
        yield from chosen(what, decoded(secret) if secret else None, part.secret.items, part.secret.optional)
    for item in part.downwardAPI.items if part.downwardAPI else ():
        yield item.path, _field(pod, item, sources).encode(), item.mode


def _field(pod: Pod, item: DownwardAPIVolumeFile, sources: Sources) -> str:
    if item.resourceFieldRef:
        return resource_value(pod, item.resourceFieldRef)
    if item.fieldRef is None:
        raise ConfigError(f"{item.path}: fieldRef or resourceFieldRef is needed")
    path = item.fieldRef.fieldPath
    if path in ("metadata.labels", "metadata.annotations"):  # as files they are all of them, one in a line
        values = pod.metadata.labels if path == "metadata.labels" else pod.metadata.annotations
        return "\n".join(f"{key}={msgspec.json.encode(value).decode()}" for key, value in sorted(values.items()))
    return field_value(pod, path, sources)


def content_of(configmap: ConfigMap) -> dict[str, bytes]:
    """A ConfigMap's entries."""
    data = {key: value.encode() for key, value in configmap.data.items()}
    return data | {key: base64.b64decode(value) for key, value in configmap.binaryData.items()}


def chosen(
    what: str, data: Mapping[str, bytes] | None, items: Iterable[KeyToPath], optional: bool | None
) -> Iterator[tuple[str, bytes, int | None]]:
    """The entries that become files: all, or those that `items` names."""
    if data is None:
        if optional:
            return
        raise ConfigError(f"{what} not found")
    for item in list(items) or [KeyToPath(key=key, path=key) for key in sorted(data)]:
        if item.key in data:
            yield item.path, data[item.key], item.mode
        elif not optional:
            raise ConfigError(f"references non-existent key {item.key} in {what}")


def inside(path: str) -> PurePosixPath:
    """A path that stays in its volume. Raises ConfigError for one that does not."""
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts:
        raise ConfigError(f"path {path!r} leads out of the volume")
    return pure


class _Life(msgspec.Struct):
    iat: float
    exp: float


_lives = msgspec.json.Decoder(_Life)


def is_due(token: bytes, now: float) -> bool:
    """Is it time for another one? What cannot be read is no token of ours, and due."""
    try:
        part = token.split(b".")[1]
        life = _lives.decode(base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4)))
    except (IndexError, ValueError, msgspec.MsgspecError):
        return True
    return now >= life.iat + min(RENEW_AT * (life.exp - life.iat), RENEW_S)
