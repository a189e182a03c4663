"""Kernel settings of the current thread's network namespace, by their names in sysctl(8).

`/proc/sys/net` shows each reader the settings of the namespace it is in, so to set another's, call through
`namespaces.in_ns`. A value that already stands is not written again.
"""

from pathlib import Path

ROOT = Path("/proc/sys")


def ip_families() -> tuple[str, ...]:
    """The address families this kernel speaks, by Kubernetes' names. Without IPv6 it lacks the file."""
    return ("IPv4", "IPv6") if Path("/proc/thread-self/net/if_inet6").exists() else ("IPv4",)


def allow_ipv6(link: str = "all") -> None:
    """Let a link have IPv6 addresses, or all there are and will be: Docker forbids them in the sandboxes it makes.

    A kernel without IPv6 has no such setting, and nothing to allow.
    """
    setting = f"net/ipv6/conf/{link}/disable_ipv6"
    if exists(setting):
        write(setting, 0)


def _file(name: str) -> Path:
    # The form with slashes is for link names that hold a dot: net/ipv4/conf/eth0.5/forwarding.
    return ROOT / (name if "/" in name else name.replace(".", "/"))


def read(name: str) -> str:
    return _file(name).read_text().strip()


def exists(name: str) -> bool:
    return _file(name).exists()


def write(name: str, value: str | int) -> None:
    if read(name) != str(value):
        _file(name).write_text(str(value))
