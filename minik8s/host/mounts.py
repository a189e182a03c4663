"""Mounts below a directory: found in the kernel's own list, taken away innermost first.

Read next: `namespaces.py`, whose names are mounts too.
"""

import ctypes
import os
import re
from pathlib import Path

MNT_DETACH = 2
_libc = ctypes.CDLL(None, use_errno=True)


def under(directory: str, listing: str | None = None) -> list[str]:
    """Mount points at or below a directory, the last mounted first. `listing`: /proc/self/mountinfo."""
    text = Path("/proc/self/mountinfo").read_text() if listing is None else listing
    points = [_plain(line.split()[4]) for line in text.splitlines() if line]
    return [point for point in reversed(points) if point == directory or point.startswith(f"{directory}/")]


def unmount(point: str) -> None:
    """Take a mount away, now for everybody new and for the rest once they let go of it."""
    if _libc.umount2(os.fsencode(point), MNT_DETACH):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), point)


def _plain(field: str) -> str:
    """The kernel writes blanks and the like as octal numbers."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), field)
