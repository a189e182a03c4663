"""Volumes: directories on the node that containers see under a path of theirs. emptyDir, configMap and secret.

`<state>/volumes/<node>/<pod uid>/<volume>`: the uid makes them the Pod's own, so they go when it goes. Files of
ConfigMaps and Secrets are written when a container starts; one that runs keeps what it started with. An emptyDir of
medium Memory is a directory like any other. Read next: ../starting.py.
"""

import base64
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from minik8s.agent.environment import ConfigError, Sources, decoded
from minik8s.api.pods import Container, KeyToPath, Pod, Volume

_MODE = 0o644


class Volumes:
    def __init__(self, root: Path) -> None:
        self._root = root

    def uids(self) -> set[str]:
        return {entry.name for entry in self._root.iterdir()} if self._root.is_dir() else set()

    def remove(self, uid: str) -> None:
        """All that was kept for a Pod."""
        shutil.rmtree(self._root / uid, ignore_errors=True)

    def write_file(self, uid: str, name: str, text: str) -> Path:
        path = self._root / uid / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def binds(self, pod: Pod, spec: Container, sources: Sources) -> list[str]:
        """Make what a container mounts, and say it as Docker wants it. Raises ConfigError."""
        volumes = {volume.name: volume for volume in pod.spec.volumes}
        result = []
        for mount in spec.volumeMounts:
            if mount.name not in volumes:
                raise ConfigError(f'volumeMount "{mount.name}": the Pod has no such volume')
            path = self._prepare(pod.metadata.uid, volumes[mount.name], sources)
            if mount.subPath:
                path = path / _inside(mount.subPath)
                if not path.exists():
                    path.mkdir(parents=True)
            result.append(f"{path}:{mount.mountPath}:{'ro' if mount.readOnly else 'rw'}")
        return result

    def _prepare(self, uid: str, volume: Volume, sources: Sources) -> Path:
        path = self._root / uid / f"volume-{volume.name}"
        path.mkdir(parents=True, exist_ok=True)
        if volume.emptyDir:
            path.chmod(0o777)  # whoever a container runs as may write, as upstream has it
        elif volume.configMap:
            source = volume.configMap
            found = sources.configmaps.get(source.name)
            data = None
            if found is not None:
                data = {k: v.encode() for k, v in found.data.items()}
                data |= {k: base64.b64decode(v) for k, v in found.binaryData.items()}
            _files(path, f'configmap "{source.name}"', data, source.items, (source.defaultMode, source.optional))
        elif volume.secret:
            kept = volume.secret
            secret = sources.secrets.get(kept.secretName)
            content = decoded(secret) if secret else None
            _files(path, f'secret "{kept.secretName}"', content, kept.items, (kept.defaultMode, kept.optional))
        else:
            raise ConfigError(f'volume "{volume.name}": minik8s has emptyDir, configMap and secret only')
        return path


def _files(
    path: Path,
    what: str,
    data: Mapping[str, bytes] | None,
    items: Iterable[KeyToPath],
    settings: tuple[int | None, bool | None],
) -> None:
    """Write the keys as files: all, or those that `items` names. `settings`: the mode, and "optional"."""
    mode, optional = settings
    if data is None:
        if optional:
            return
        raise ConfigError(f"{what} not found")
    chosen = list(items) or [KeyToPath(key=key, path=key) for key in sorted(data)]
    for item in chosen:
        if item.key not in data:
            if optional:
                continue
            raise ConfigError(f"references non-existent key {item.key} in {what}")
        file = path / _inside(item.path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data[item.key])
        file.chmod(item.mode or mode or _MODE)


def _inside(path: str) -> PurePosixPath:
    """A path that stays in its volume. Raises ConfigError for one that does not."""
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts:
        raise ConfigError(f"path {path!r} leads out of the volume")
    return pure
