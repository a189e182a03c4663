"""What minik8s keeps on disk for a cluster: where each file is, and the record `cluster.json`.

The record is what `up` needs to resume a cluster after a reboot. It is replaced in one step, so a crash leaves the old
one or the new one. Only one `up` or `down` works on a cluster at a time (`lock`).

Read next: `up.py`, which writes the record.
"""

import contextlib
import fcntl
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

from minik8s import params

FORMAT = 1  # of the data in a state directory; raised when an older minik8s could not read it
DEFAULT_HOME = "/var/lib/minik8s"
DEFAULT_NODES = 3
# The name stands in namespaces' names, labels and paths.
NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,18}[a-z0-9])?")

RUN = Path(params.RUN_DIRECTORY)  # gone after a reboot, like the namespaces whose names it guards


class StateError(Exception):
    """The state directory and what was asked do not fit together; the message says how to go on."""


@dataclass(frozen=True)
class Record:
    """What `up` was told, and what it chose."""

    name: str
    nodes: tuple[str, ...] = ()
    port: int = 0
    profile: str = params.DEFAULT_PROFILE
    without: tuple[str, ...] = ()
    proxy_mode: str = params.DEFAULT_PROXY_MODE
    upstream: str = ""  # DNS servers for names outside of the cluster
    dns_ttl: int = params.DNS_TTL_S
    dns_pods: str = params.DNS_DEFAULT_POD_MODE
    docker_host: str = ""
    ingress: bool = False  # whether nodes serve Ingresses
    format: int = FORMAT


@dataclass(frozen=True)
class Paths:
    """Every file of one cluster."""

    root: Path

    @property
    def name(self) -> str:
        return self.root.name

    @property
    def home(self) -> Path:
        return self.root.parent

    @property
    def pki(self) -> Path:
        return self.root / "pki"

    @property
    def kubeconfig(self) -> Path:
        return self.root / "kubeconfig"

    @property
    def kubeconfigs(self) -> Path:
        return self.root / "kubeconfigs"

    @property
    def etcd(self) -> Path:
        return self.root / "etcd"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def journal(self) -> Path:
        return self.root / "journal"

    @property
    def audit(self) -> Path:
        return self.root / "audit.jsonl"

    @property
    def record(self) -> Path:
        return self.root / "cluster.json"

    @property
    def processes(self) -> Path:
        """Which component runs as which process: written by the zygote."""
        return self.root / "processes.json"

    @property
    def control(self) -> Path:
        """The zygote's socket."""
        return self.root / "zygote.sock"

    @property
    def run(self) -> Path:
        """What means nothing after a reboot."""
        return RUN / self.name

    def make(self) -> None:
        """Create the directories; only root may look into them, because keys lie there."""
        self.home.mkdir(parents=True, exist_ok=True)
        self.root.mkdir(mode=0o700, exist_ok=True)
        for directory in (self.pki, self.kubeconfigs, self.etcd, self.logs, self.journal):
            directory.mkdir(mode=0o700, exist_ok=True)

    def log(self, process: str) -> Path:
        return self.logs / f"{process}.log"


def home(environ: Mapping[str, str] | None = None) -> Path:
    environ = os.environ if environ is None else environ
    return Path(environ.get("MINIK8S_HOME") or DEFAULT_HOME)


def paths(name: str) -> Paths:
    """The files of the cluster with this name."""
    if not NAME.fullmatch(name):
        raise StateError(f"{name!r} is no name for a cluster: up to 20 lower-case letters, digits and inner dashes")
    return Paths(home() / name)


def default_name(environ: Mapping[str, str] | None = None) -> str:
    """$MINIK8S_CLUSTER, else the user who called sudo, else the user: clusters of several people do not meet."""
    environ = os.environ if environ is None else environ
    if environ.get("MINIK8S_CLUSTER"):
        return environ["MINIK8S_CLUSTER"]
    user = environ.get("SUDO_USER") or environ.get("USER") or "root"
    return re.sub(r"[^a-z0-9]+", "-", user.lower()).strip("-")[:20].strip("-") or "root"


def read(where: Paths) -> Record | None:
    """The record, or None where no cluster of this name is."""
    try:
        fields = json.loads(where.record.read_text())
    except FileNotFoundError:
        return None
    if fields.get("format") != FORMAT:
        raise StateError(
            f"{where.root} was made by another version of minik8s (data format {fields.get('format')}, "
            f"this one has {FORMAT}): `minik8s up --fresh` begins anew"
        )
    fields["nodes"], fields["without"] = tuple(fields["nodes"]), tuple(fields["without"])
    return Record(**fields)


def write(where: Paths, record: Record) -> None:
    replace(where.record, json.dumps(asdict(record), indent=1) + "\n")


def replace(path: Path, text: str, mode: int = 0o600) -> None:
    """Write a file so that a reader sees the old text or the new one, never half of it."""
    new = path.with_name(f".{path.name}.{os.getpid()}")
    new.touch(mode=mode)
    new.write_text(text)
    new.replace(path)


def remove(where: Paths) -> None:
    """All of it."""
    for place in (where.root, where.run):
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(place)


def clusters() -> list[str]:
    """Clusters that have a record, by name."""
    if not home().is_dir():
        return []
    return sorted(entry.name for entry in home().iterdir() if (entry / "cluster.json").is_file())


@contextlib.contextmanager
def lock(name: str) -> Iterator[None]:
    """Hold the cluster's lock, which is the machine's: names of namespaces and containers are the same for all homes.

    StateError when somebody else holds it, or when a cluster of this name stands in another MINIK8S_HOME. Its file goes
    with the cluster.
    """
    path = RUN / f"{name}.lock"
    with _held(path, name) as file:
        file.seek(0)
        owner = Path(file.read().strip() or home())
        if owner != home() and (owner / name / "cluster.json").exists():
            raise StateError(
                f"a cluster {name} stands on this machine already, with MINIK8S_HOME={owner}: choose another name"
            )
        file.truncate(0)
        file.write(str(home()))
        file.flush()
        try:
            yield
        finally:
            if not paths(name).record.exists():
                path.unlink(missing_ok=True)


def _held(path: Path, name: str) -> TextIO:
    """The file, open and locked. One that its last holder took away while we opened it keeps nobody out: once more."""
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        file = path.open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise StateError(
                f"another minik8s is just bringing cluster {name} up or down: try again when it is done"
            ) from None
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                return file
        file.close()
