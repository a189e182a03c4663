"""What a cluster could leave behind on a machine: looked at before and after, and compared.

    before = residue.snapshot()
    …
    assert not residue.left(before, [name of the cluster])

Only what minik8s might touch is looked at, and of it what is the cluster's own, so that other things that happen on the
machine, another cluster among them, do not disturb the comparison.
"""

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from minik8s import params
from minik8s.host import namespaces, netlink, processes

# Settings of the host's own namespace that a careless node would change for everybody.
SYSCTLS = (
    "net/ipv4/ip_forward",
    "net/ipv4/conf/all/forwarding",
    "net/ipv4/conf/all/rp_filter",
    "net/ipv4/conf/all/route_localnet",
    "net/ipv4/conf/all/send_redirects",
    "net/ipv6/conf/all/forwarding",
    "net/bridge/bridge-nf-call-iptables",
    "net/bridge/bridge-nf-call-ip6tables",
    "net/netfilter/nf_conntrack_max",
    "fs/inotify/max_user_instances",
    "vm/overcommit_memory",
    "kernel/panic",
)

# These belong to the whole machine, and are nobody's to change. The rest is told apart by names.
MACHINE = ("links", "addresses", "routes", "rules", "sysctls")


@dataclass(frozen=True)
class Snapshot:
    links: frozenset[str]
    addresses: frozenset[str]
    routes: frozenset[str]
    rules: frozenset[str]
    mounts: frozenset[str]
    namespaces: frozenset[str]
    processes: frozenset[str]
    containers: frozenset[str]
    sysctls: frozenset[str]


def snapshot(docker_host: str = "") -> Snapshot:
    """The machine as it is now; `docker_host` is the Engine whose containers count, if there is one that stays."""
    return Snapshot(
        links=frozenset(f"{link.name} up={link.up} master={link.master}" for link in netlink.links()),
        addresses=frozenset(netlink.addresses()),
        routes=frozenset(map(str, netlink.routes())),
        rules=frozenset(_rules()),
        mounts=frozenset(_mounts()),
        namespaces=frozenset(namespaces.names()),
        processes=frozenset(_processes()),
        containers=frozenset(_containers(docker_host)),
        sysctls=frozenset(_sysctls(SYSCTLS)),
    )


def diff(before: Snapshot, after: Snapshot) -> list[str]:
    """One line for each thing that came ("+") or went ("-"); an empty list when nothing was left behind."""
    lines = []
    for field in fields(Snapshot):
        old, new = getattr(before, field.name), getattr(after, field.name)
        lines += [f"- {field.name}: {each}" for each in sorted(old - new)]
        lines += [f"+ {field.name}: {each}" for each in sorted(new - old)]
    return lines


def left(before: Snapshot, names: Sequence[str], pids: Collection[int] = ()) -> list[str]:
    """What differs now and is the machine's, bears one of these names, or is one of these processes, still running."""

    def counts(line: str) -> bool:
        kind, _, words = line[2:].partition(": ")
        lives = kind == "processes" and line.startswith("+") and int(words.split()[0]) in pids
        return kind in MACHINE or lives or any(name in words for name in names)

    return [line for line in diff(before, snapshot()) if counts(line)]


def _rules() -> list[str]:
    # Without counters (-s), each line with its table, so that two equal lines of two tables stay two.
    table, lines = "", []
    for line in processes.run(["nft", "-s", "list", "ruleset"]).stdout.splitlines():
        table = line if line.startswith("table") else table
        lines.append(f"{table} | {line.strip()}")
    return lines


def _mounts() -> list[str]:
    """Mount points and what is mounted there; the numbers before them change with every mount and say nothing."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return [
        " ".join([words[4], *words[words.index("-") + 1 : words.index("-") + 3]]) for words in map(str.split, lines)
    ]


def _processes() -> list[str]:
    """Ours by title, the Engine's shims, and whatever stands in a network namespace that is not this one."""
    here = namespaces.identity("/proc/self/ns/net")
    found = ((pid, processes.command_line(pid)) for pid in processes.pids() if pid != os.getpid())
    return [f"{pid} {line}" for pid, line in found if line and (_titled(line) or _network(pid) not in (here, 0))]


def _titled(line: str) -> bool:
    return line.startswith(processes.TITLE) or "containerd-shim" in line or " -m minik8s." in line


def _network(pid: int) -> int:
    try:
        return namespaces.identity(f"/proc/{pid}/ns/net")
    except OSError:  # it ended meanwhile
        return 0


def _containers(docker_host: str) -> list[str]:
    if not docker_host:
        return []
    listing = ["docker", "-H", docker_host, "ps", "-a", "--filter", f"label={params.LABEL_CLUSTER}"]
    return processes.run([*listing, "--format", "{{.ID}} {{.Names}}"]).stdout.splitlines()


def _sysctls(names: tuple[str, ...]) -> list[str]:
    files: Mapping[str, Path] = {name: Path("/proc/sys") / name for name in names}
    return [f"{name}={file.read_text().strip()}" for name, file in files.items() if file.exists()]
