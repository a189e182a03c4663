"""An image's file system as a tar archive, the same bytes for the same content.

Order, owner and (unless given) time are fixed, so that an archive's hash names its content and an image is imported
only when something changed. Pure: the content arrives as values.

Read next: `toolbox.py`, what the larger of the two images holds.
"""

import io
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """One name in the archive: a directory, a symbolic link (`target`) or a file (`data`)."""

    name: str
    mode: int = 0o644
    data: bytes = b""
    target: str = ""
    directory: bool = False
    mtime: int = 0


def pack(entries: Iterable[Entry]) -> bytes:
    """The archive. Directories that only appear inside names are added; a name given twice keeps the first."""
    by_name: dict[str, Entry] = {}
    for entry in entries:
        by_name.setdefault(entry.name.strip("/"), entry)
    for name in list(by_name):
        for parent in _parents(name):
            by_name.setdefault(parent, Entry(parent, mode=0o755, directory=True))
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name in sorted(by_name):
            entry = by_name[name]
            tar.addfile(_info(name, entry), io.BytesIO(entry.data))
    return out.getvalue()


def _parents(name: str) -> list[str]:
    parts = name.split("/")[:-1]
    return ["/".join(parts[: i + 1]) for i in range(len(parts))]


def _info(name: str, entry: Entry) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.mode, info.mtime, info.size = entry.mode, entry.mtime, len(entry.data)
    if entry.directory:
        info.type = tarfile.DIRTYPE
    elif entry.target:
        info.type, info.linkname, info.mode = tarfile.SYMTYPE, entry.target, 0o777
    return info
