"""The toolbox image: a shell, curl and Python, taken from the machine that builds it.

The labs must work without an image registry, so the image is made of what is installed here: Debian's dynamic busybox
(its tools look names up the way every program does, through the C library), curl, and Python with just the modules that
the programs in `cluster/toolbox/` use, each with the shared libraries it needs. About 30 MB, built in a second. The
archive is kept in a cache; it is built again only when one of the files it was made of changed.
Invariant: the same files on this machine give the same archive, so its hash says whether an Engine already has the
image.

Read next: `cluster/toolbox/backend.py`, the program most labs talk to.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

from minik8s.cluster.images.tar import Entry, pack
from minik8s.host import processes

PROGRAMS = Path(__file__).parent.parent / "toolbox"
BUILDER = 3  # raise it when what goes into the image changes
# Imported by Python only once they are needed, so that looking at what is loaded does not show them.
LATE_MODULES = ("encodings.idna", "encodings.latin_1", "encodings.ascii", "_strptime", "unicodedata", "runpy")
IDENTITY = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n",
    "etc/group": "root:x:0:\nnogroup:x:65534:\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}


class MissingProgram(Exception):
    """A program that the image is made of is not installed."""


def archive(cache: Path) -> tuple[Path, str]:
    """(the archive's path, the hash of its content), from the cache or freshly built."""
    cache.mkdir(parents=True, exist_ok=True)
    note, tar = cache / "toolbox.json", cache / "toolbox.tar"
    with open(cache / "toolbox.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two clusters may come up at once
        known = _read(note)
        if known and tar.exists() and known["sources"] == fingerprint(known["sources"]) and known["own"] == _own():
            return tar, known["hash"]
        files = closure()
        data = pack([*_entries(files), *_fixed()])
        tar.write_bytes(data)
        digest = hashlib.sha256(data).hexdigest()[:16]
        note.write_text(json.dumps({"sources": fingerprint(files.values()), "own": _own(), "hash": digest}))
        return tar, digest


def closure() -> dict[str, str]:
    """Name in the image → file on this machine, for everything the three programs need to run."""
    busybox, curl, python = _binary("busybox"), _binary("curl"), _python()
    modules = _modules(python)
    resolvers = [str(p) for p in Path("/").glob("lib/*/libnss_[df][ni][sl]*.so.2")]
    binaries = [busybox, curl, python, *(m for m in modules if m.endswith(".so")), *resolvers]
    libraries = _libraries(binaries)
    named = {"usr/bin/busybox": busybox, "usr/bin/curl": curl, "usr/bin/python3": python}
    return named | {_place(path): path for path in (*modules, *resolvers, *libraries)}


def fingerprint(paths: Iterable[str]) -> dict[str, list[int] | None]:
    """What tells cheaply that a file is still the one it was."""
    found: dict[str, list[int] | None] = {}
    for path in paths:
        try:
            status = Path(path).stat()
            found[path] = [status.st_size, status.st_mtime_ns]
        except FileNotFoundError:
            found[path] = None
    return found


def _read(note: Path) -> dict | None:
    with contextlib.suppress(FileNotFoundError, ValueError):
        return json.loads(note.read_text())
    return None


def _own() -> str:
    digest = hashlib.sha256(str(BUILDER).encode())
    for path in sorted(PROGRAMS.glob("*.py")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def _binary(name: str) -> str:
    path = shutil.which(name, path=f"/usr/bin:/bin:{os.environ.get('PATH', '')}")
    if path is None:
        raise MissingProgram(
            f"the toolbox image is made of this machine's {name}, which is missing: apt install {name}"
        )
    return os.path.realpath(path)


def _python() -> str:
    """The distribution's Python: unlike one in a virtual environment it finds its modules where the image has them."""
    system = Path("/usr/bin/python3")
    return os.path.realpath(system if system.exists() else Path(sys.base_exec_prefix, "bin", "python3"))


def _modules(python: str) -> list[str]:
    """The files of all modules that are loaded once our programs, and what they load late, are imported."""
    names = [path.stem for path in sorted(PROGRAMS.glob("*.py")) if path.stem != "__init__"]
    script = (
        f"import sys; sys.path.insert(0, {str(PROGRAMS)!r}); import {', '.join([*names, *LATE_MODULES])}\n"
        "for m in list(sys.modules.values()):\n"
        "    for f in (getattr(m, '__file__', None), getattr(m, '__cached__', None)):\n"
        "        if f: print(f)\n"
    )
    loaded = processes.run([python, "-IBc", script]).stdout.split("\n")
    wanted = {path for path in loaded if path and not path.startswith(str(PROGRAMS)) and Path(path).is_file()}
    # `__file__` and the compiled file beside it; without the latter every container start would compile anew.
    return sorted(path for path in wanted if "dist-packages" not in path and "site-packages" not in path)


def _libraries(binaries: list[str]) -> set[str]:
    """Shared libraries, as the dynamic linker itself finds them, and the linker."""
    listing = processes.run(["ldd", *binaries]).stdout
    return set(re.findall(r"(?:=> |^\s+)(/\S+) \(0x", listing, re.MULTILINE))


def _place(path: str) -> str:
    """The name in the image: directories resolved (`/lib` is a link to `/usr/lib`), the file's own name kept."""
    return f"{os.path.realpath(Path(path).parent)}/{Path(path).name}".lstrip("/")


def _entries(files: dict[str, str]) -> Iterable[Entry]:
    for name, path in files.items():
        status = Path(path).stat()
        # Python's compiled files are valid for a source of the same time only: times are kept.
        yield Entry(name, status.st_mode & 0o777, Path(path).read_bytes(), mtime=int(status.st_mtime))


def _fixed() -> Iterable[Entry]:
    for name in ("bin", "sbin", "lib", "lib64", "lib32", "libx32"):
        link = Path("/", name)
        if link.is_symlink():
            yield Entry(name, target=str(link.readlink()))
    for applet in processes.run([_binary("busybox"), "--list"]).stdout.split():
        yield Entry(f"usr/bin/{applet}", target="busybox")
    for name, text in IDENTITY.items():
        yield Entry(name, data=text.encode())
    for path in PROGRAMS.glob("*.py"):
        yield Entry(f"app/{path.name}", mode=0o755, data=path.read_bytes())
    yield Entry("tmp", mode=0o1777, directory=True)
    yield Entry("root", mode=0o700, directory=True)
    for name in ("dev", "proc", "sys", "run", "var/tmp"):
        yield Entry(name, mode=0o755, directory=True)
