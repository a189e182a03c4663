"""The facts about this machine that `preflight.py` judges. Looks and tries, changes nothing.

What only a trial can tell (namespaces, bridges, packet filter) is tried in a namespace without a name, gone a moment
later with all that was in it. This is a door: a trial that fails is a fact.
"""

import contextlib
import os
import platform
import re
import resource
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from minik8s.apiserver import etcd_process
from minik8s.cluster import engine, preflight, state
from minik8s.cluster.preflight import EngineFacts, Facts, Verdict
from minik8s.host import namespaces, netlink, processes, sysctl
from minik8s.nft import kernel
from minik8s.proxy import ipvs

# What the proxy's and the agent's rules are made of; the kernel says at once what it does not have.
RULES = """\
table ip minik8s-preflight {
    set clients { type ipv4_addr; flags dynamic, timeout; timeout 10s; }
    map services { type ipv4_addr . inet_proto . inet_service : verdict; }
    chain backend { meta l4proto tcp update @clients { ip saddr } dnat to 192.0.2.1:80; }
    chain service { numgen random mod 2 vmap { 0 : goto backend, 1 : goto backend }; }
    chain prerouting {
        type nat hook prerouting priority dstnat;
        ip daddr . meta l4proto . th dport vmap @services
        fib daddr type local goto service
    }
    chain postrouting {
        type nat hook postrouting priority srcnat;
        meta mark & 0x4000 != 0 masquerade fully-random
    }
    chain forward {
        type filter hook forward priority filter;
        ct state new reject
    }
}
"""


# The same for the other family.
RULES_V6 = re.sub(r"\bip\b", "ip6", RULES).replace("ipv4_addr", "ipv6_addr").replace("192.0.2.1", "[2001:db8::1]")


def check(proxy_mode: str = "") -> list[Verdict]:
    """Every check on this machine, for a cluster in this proxy mode."""
    return preflight.judge(facts(proxy_mode))


def mode_facts(proxy_mode: str) -> Facts:
    """What `preflight.judge_mode` asks for, and nothing else."""
    return Facts(proxy_mode=proxy_mode, tried={preflight.IPVS: _attempt(ipvs.look)})


def facts(proxy_mode: str = "") -> Facts:
    basics = Facts(
        system=platform.system(),
        root=os.geteuid() == 0,
        kernel=platform.release(),
        python=tuple(sys.version_info[:3]),
    )
    if preflight.problems(preflight.judge_basics(basics)):
        return basics
    place = _existing(state.home())
    return Facts(
        **{name: getattr(basics, name) for name in ("system", "root", "kernel", "python")},
        tried=_tried(),
        programs=frozenset(name for name in ("dockerd", "nft", "haproxy", *preflight.PROGRAMS) if shutil.which(name)),
        libnftables=_attempt(kernel.open_nftables) == "",
        engine=_engine(),
        etcd_trouble=etcd_process.trouble(),
        inotify_instances=int(sysctl.read("fs.inotify.max_user_instances")),
        open_files=_unlimited(resource.getrlimit(resource.RLIMIT_NOFILE)[1]),
        disk_path=str(state.home()),
        disk_free=shutil.disk_usage(place).free,
        memory_available=_memory_available(),
        forward_dropped=_forward_dropped(),
        ip_families=sysctl.ip_families(),
        proxy_mode=proxy_mode,
    )


def _tried() -> dict[str, str]:
    inside: dict[str, str] = {}

    def work() -> None:
        inside["bridge and veth"] = _attempt(_links)
        inside["packet filter"] = _attempt(_rules)
        if not sysctl.exists("net.bridge.bridge-nf-call-iptables"):
            inside["bridge filter"] = _loadable("br_netfilter")

    outcome = _attempt(lambda: namespaces.in_fresh_ns(work))
    if "overlay" not in Path("/proc/filesystems").read_text().split():
        inside["overlay"] = _loadable("overlay")
    return {"namespaces": outcome, **inside, **mode_facts("").tried}


def _links() -> None:
    netlink.add_bridge("mk8s-probe")
    netlink.add_veth("mk8s-a", "mk8s-b", bridge="mk8s-probe")
    netlink.set_hairpin("mk8s-a")


def _rules() -> None:
    nft = kernel.open_nftables()
    try:
        nft.run(RULES + (RULES_V6 if "IPv6" in sysctl.ip_families() else ""))
    finally:
        nft.close()


def _loadable(module: str) -> str:
    """ "" when `modprobe` would find the module: who needs it loads it later."""
    if not shutil.which("modprobe"):
        return "not there, and no modprobe to load it"
    return _attempt(lambda: processes.run(["modprobe", "--dry-run", module]))


def _engine() -> EngineFacts:
    host = engine.running_host()
    if not host:
        return EngineFacts()
    try:
        theirs = engine.Engine(host)
    except engine.EngineError:
        return EngineFacts(host=host, answers=False)
    with contextlib.closing(theirs):
        info = theirs.info
    options = info.get("SecurityOptions") or []
    return EngineFacts(
        host=host,
        system=info.get("OperatingSystem", ""),
        kernel=info.get("KernelVersion", ""),
        rootless=any("rootless" in option for option in options),
    )


def _forward_dropped() -> bool:
    if not shutil.which("iptables"):
        return False
    return "-P FORWARD DROP" in processes.run(["iptables", "-S", "FORWARD"], check=False).stdout


def _memory_available() -> int:
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) << 10
    return 0


def _existing(path: Path) -> Path:
    return next(each for each in (path, *path.parents) if each.exists())


def _unlimited(limit: int) -> int:
    return sys.maxsize if limit == resource.RLIM_INFINITY else limit


def _attempt(fn: Callable[[], object]) -> str:
    """ "" when it works, else in a few words why not."""
    try:
        fn()
    except Exception as error:
        return (str(error).splitlines() or [type(error).__name__])[0]
    return ""
