"""How the cluster's own etcd is started: the program, its arguments, its environment.

The store belongs to the API server alone, so whoever brings up a cluster on one machine asks here instead of looking
into `store/`.
Invariant: data written by a newer etcd is refused with a sentence that says what to do; the version that wrote it
stands beside it.

Read next: `store/find.py`, which etcd is taken and why.
"""

from dataclasses import dataclass
from pathlib import Path

from minik8s import params
from minik8s.store import find

VERSION_FILE = "minik8s-etcd-version"


class DataTooNew(Exception):
    """This etcd cannot read what a newer one wrote."""


@dataclass(frozen=True)
class Command:
    """What to run, and what to tell the user beforehand ("" is nothing)."""

    argv: tuple[str, ...]
    environment: dict[str, str]
    warning: str


def trouble() -> str:
    """Why this machine has no etcd that can be run; "" when it has one."""
    try:
        find.find()
    except find.NoEtcd as error:
        return str(error)
    return ""


def command(data_dir: Path, pki: Path, *, fsync: bool = True) -> Command:
    """The command for a single member with its data under `data_dir`, listening on 127.0.0.1 of its namespace.

    It takes only who shows a certificate of the authority in `pki`, which is etcd's alone: the API server.
    """
    candidate, warning = find.find()
    note = data_dir / VERSION_FILE
    refusal = find.too_new(note.read_text().strip() if note.exists() else "", candidate.version)
    if refusal:
        raise DataTooNew(refusal)
    note.write_text(".".join(str(part) for part in candidate.version[:2]) + "\n")
    data, ports = str(data_dir / "data"), (params.ETCD_CLIENT_PORT, params.ETCD_PEER_PORT)
    files = find.Pair(*(str(pki / name) for name in ("etcd.crt", "etcd.key", "etcd-ca.crt")))
    member = find.Member(data, *ports, fsync=fsync, tls=files)
    return Command(tuple(find.arguments(candidate.path, member)), find.environment_here(), warning)
