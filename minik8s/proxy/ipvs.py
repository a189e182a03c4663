"""The kernel's IPVS, in the namespace of the thread that asks. The proxy's only file that imports pyroute2.

IPVS is a load balancer inside the kernel, older than nftables: a table of virtual services, each with its real
servers. Not every kernel has it (the module `ip_vs`); where it is absent, that is said before anything is changed.
"""

import shutil

from minik8s.host import processes, sysctl

MODULE = "ip_vs"
# Comes with the module, in every namespace, and only if IPVS was built with connection tracking, which we need.
SETTING = "net.ipv4.vs.conntrack"


class NoIpvs(Exception):
    """This kernel cannot do it; the message says what to do."""


def look() -> None:
    """Is IPVS here, or could it be loaded? Changes nothing; an error says why not."""
    _modprobe("--dry-run")


def load() -> None:
    """Have IPVS ready. NoIpvs: this kernel has none."""
    try:
        _modprobe()
        sysctl.read(SETTING)
    except (OSError, processes.CommandError) as error:
        raise NoIpvs(
            f"--proxy-mode ipvs: this kernel has no IPVS (module {MODULE}: {error}). Nothing was changed. "
            "Use --proxy-mode nftables, or a kernel with it (Debian's and Ubuntu's have it)"
        ) from error


def _modprobe(*options: str) -> None:
    if sysctl.exists(SETTING):
        return
    if not shutil.which("modprobe"):
        raise OSError("not there, and no modprobe to load it")
    processes.run(["modprobe", *options, MODULE])
