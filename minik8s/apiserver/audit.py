"""The audit log: which write made which revision, by whom, and why.

`history` follows a Service through the cluster by these lines, so they must survive a restart of the API server and
must not grow for ever. The newest are in memory, all of those in a file of JSON lines; when the file has become twice
as long it is written anew. Of a Lease's renewals only the last is kept: they come every second, and would push out all
that happened. One that a write was decided by is kept as well: the last before a silence, where the story of a lost
node begins. Invariant: what `since` answers is the same before and after a restart, save for a last line cut short by
the crash. `_lock` guards everything here. Read next: http.py, which records.
"""

import os
import threading
from collections.abc import Hashable, Iterator, Mapping
from pathlib import Path

import msgspec

from minik8s.apiserver.request import Request, Written
from minik8s.params import AUDIT_ENTRIES


class Entry(msgspec.Struct, kw_only=True, rename={"from_": "from"}):
    """One write. `revision` is what it made, 0 if it was refused."""

    revision: int
    wall: float
    verb: str
    user: str
    impersonated: str = ""  # as whom the user asked, if not as itself
    agent: str = ""  # the User-Agent
    resource: str = ""
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    because: str = ""  # X-Minik8s-Because
    from_: list[str] = []  # X-Minik8s-From: the objects and revisions looked at
    code: int = 200


_entries = msgspec.json.Decoder(Entry)


class Audit:
    """A bounded log of writes. Thread-safe."""

    def __init__(self, path: str | Path | None = None, size: int = AUDIT_ENTRIES) -> None:
        self._lock = threading.Lock()
        self._size = size
        self._ring: dict[Hashable, tuple[int, bytes]] = {}  # in the order in which they came
        self._path = Path(path) if path else None
        self._file: int | None = None
        self._lines = 0
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            for entry, line in _lines(self._path):
                self._keep(entry, line)
            self._rewrite(self._path)

    def record(self, request: Request, written: Written, code: int, headers: Mapping[str, str]) -> None:
        """Note what a request did to one object."""
        self.add(entry(request, written, code, headers))

    def add(self, entry: Entry) -> None:
        """Add a line."""
        line = msgspec.json.encode(entry)
        with self._lock:
            self._keep(entry, line)
            if self._file is None or self._path is None:
                return
            os.write(self._file, line + b"\n")  # one write: a crash leaves a whole line or the last one torn
            self._lines += 1
            if self._lines >= 2 * self._size:
                self._rewrite(self._path)

    def _keep(self, entry: Entry, line: bytes) -> None:
        key: Hashable = object()
        if entry.resource == "leases" and entry.verb != "create":
            key = _name(entry)
        for seen in entry.from_:
            name, _, revision = seen.partition("@")
            if name in self._ring and str(self._ring[name][0]) == revision:
                self._ring[object()] = self._ring.pop(name)  # the next renewal does not take its place
        self._ring.pop(key, None)
        self._ring[key] = (entry.revision, line)
        if len(self._ring) > self._size:
            del self._ring[next(iter(self._ring))]

    def since(self, revision: int) -> Iterator[bytes]:
        """The lines of later revisions, oldest first, each with its line feed; 0 is all, refused writes too."""
        with self._lock:
            found = [(number, line) for number, line in self._ring.values() if number > revision or not revision]
        found.sort(key=lambda item: item[0])  # two requests may finish in the other order
        for _, line in found:
            yield line + b"\n"

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._file is not None:
                os.close(self._file)
                self._file = None

    def _rewrite(self, path: Path) -> None:
        fresh = path.with_suffix(".new")
        fresh.write_bytes(b"".join(line + b"\n" for _, line in self._ring.values()))
        fresh.replace(path)
        if self._file is not None:
            os.close(self._file)
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        self._lines = len(self._ring)


def entry(request: Request, written: Written, code: int, headers: Mapping[str, str]) -> Entry:
    """The line for what a request did to one object."""
    seen = [each.strip() for each in headers.get("X-Minik8s-From", "").split(",")]
    return Entry(
        revision=written.revision,
        wall=written.wall,
        verb=request.verb,
        user=request.user.by or request.user.name,
        impersonated=request.user.name if request.user.by else "",
        agent=headers.get("User-Agent", ""),
        resource=request.cls.resource.plural,
        namespace=written.namespace,
        name=written.name,
        subresource=request.target.subresource,
        because=headers.get("X-Minik8s-Because", ""),
        from_=[each for each in seen if each],
        code=code,
    )


def _name(entry: Entry) -> str:
    """As others refer to it: `leases/kube-node-lease/node-1`."""
    return "/".join(each for each in (entry.resource, entry.namespace, entry.name) if each)


def _lines(path: Path) -> Iterator[tuple[Entry, bytes]]:
    if not path.exists():
        return
    for line in path.read_bytes().split(b"\n"):
        try:
            entry = _entries.decode(line)
        except msgspec.MsgspecError:
            continue  # torn by a crash, or the empty rest after the last line feed
        yield entry, line
