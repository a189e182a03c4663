"""Volumes: directories on the node that containers see under a path of theirs.

`<state>/volumes/<node>/<pod uid>/<volume>`: the uid makes them the Pod's own, so they go when it goes. Files of
ConfigMaps and Secrets are written when a container starts; one that runs keeps what it started with. Those of projected
volumes are written by ../projector.py, also while containers run. An emptyDir of medium Memory is a directory like any
other. Read next: ../starting.py.
"""

import shutil
from collections.abc import Iterable
from pathlib import Path

from minik8s.agent.environment import ConfigError, Sources, decoded
from minik8s.agent.projection import MODE, Files, chosen, content_of, inside, source_of
from minik8s.api.pods import MOUNTED, Container, HostPathVolumeSource, Pod, Volume
from minik8s.host import clock

DATA = "..data"


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
                path = path / inside(mount.subPath)
                if not path.exists():
                    path.mkdir(parents=True)
            result.append(f"{path}:{mount.mountPath}:{'ro' if mount.readOnly else 'rw'}")
        return result

    def projected(self, uid: str, name: str) -> Path | None:
        """Where the files of a projected volume are now; None when they were never written."""
        place = self._root / uid / f"volume-{name}" / DATA
        return place if place.is_dir() else None

    def write_projected(self, uid: str, name: str, files: Files) -> None:
        """Replace all files of a volume in one step: whoever reads them sees the old ones or the new ones.

        As the kubelet does: the files are in a directory of their own, `..data` leads to it, and each file's name
        leads through `..data`; so one rename changes them all.
        """
        root = self._root / uid / f"volume-{name}"
        root.mkdir(parents=True, exist_ok=True)
        old = root / DATA
        before = root / old.readlink() if old.is_symlink() else None
        fresh = root / f"..{clock.suffix(10)}"
        for path, (content, mode) in files.items():
            file = fresh / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
            file.chmod(mode)
        fresh.mkdir(exist_ok=True)
        link = root / "..data_tmp"
        link.unlink(missing_ok=True)
        link.symlink_to(fresh.name)
        link.replace(old)
        for first in {Path(path).parts[0] for path in files}:
            if not (root / first).is_symlink():
                (root / first).symlink_to(f"{DATA}/{first}")
        if before is not None:
            shutil.rmtree(before, ignore_errors=True)

    def _prepare(self, uid: str, volume: Volume, sources: Sources) -> Path:
        path = self._root / uid / f"volume-{volume.name}"
        path.mkdir(parents=True, exist_ok=True)
        if volume.emptyDir:
            path.chmod(0o777)  # whoever a container runs as may write, as upstream has it
        elif volume.configMap:
            source = volume.configMap
            found = sources.configmaps.get(source.name)
            data = content_of(found) if found else None
            kept = chosen(f'configmap "{source.name}"', data, source.items, source.optional)
            _files(path, kept, source.defaultMode)
        elif volume.secret:
            what, secret = f'secret "{volume.secret.secretName}"', sources.secrets.get(volume.secret.secretName)
            kept = chosen(what, decoded(secret) if secret else None, volume.secret.items, volume.secret.optional)
            _files(path, kept, volume.secret.defaultMode)
        elif volume.hostPath:
            return _of_host(volume.hostPath)
        elif source_of(volume) is None:
            raise ConfigError(f'volume "{volume.name}": minik8s has {", ".join(MOUNTED)} only')
        return path


def _of_host(source: HostPathVolumeSource) -> Path:
    """A path of the node itself; what is to be there is checked, or made, as its type says."""
    path, kind = Path(source.path), source.type or ""
    if kind == "DirectoryOrCreate":
        path.mkdir(parents=True, exist_ok=True)
    elif kind == "FileOrCreate":
        path.touch()
    if (kind.startswith("Directory") and not path.is_dir()) or (kind.startswith("File") and not path.is_file()):
        raise ConfigError(f"hostPath type check failed: {source.path} is not a {kind.lower()}")
    return path


def _files(path: Path, found: Iterable[tuple[str, bytes, int | None]], usual: int | None) -> None:
    """Write entries as files."""
    for name, content, mode in found:
        file = path / inside(name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        file.chmod(mode or usual or MODE)
