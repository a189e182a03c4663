"""The sockets on which the cluster listens: made once, handed down from process to process, so that none is ever
refused.

The API server restarts, even the zygote may die: a client that connects meanwhile waits in the kernel's queue. So the
sockets are made by `up`, inherited by the zygote and from it by the API server. When only the API server is left, a new
zygote gets them from it (pidfd_getfd: the kernel copies a descriptor out of a running process). A socket belongs to the
namespace it was made in, whoever uses it.

Read next: `zygote.py`.
"""

import ctypes
import os
import socket
from pathlib import Path

from minik8s import params
from minik8s.cluster import state, topology
from minik8s.host import namespaces, processes

BACKLOG = 1024
SYS_PIDFD_GETFD = 438  # the same number on every architecture
LOOPBACK = "127.0.0.1"
PORTS_TRIED = 100
_libc = ctypes.CDLL(None, use_errno=True)


def loopback(wanted: int) -> socket.socket:
    """The API's socket on the host: the wanted port, or the next free one (`wanted` is 0 the first time)."""
    first = wanted or params.API_PORT
    for port in range(first, first + (1 if wanted else PORTS_TRIED)):
        try:
            return _listen(LOOPBACK, port)
        except OSError as error:
            last = error
    raise state.StateError(
        f"{LOOPBACK}:{first} is taken by another program ({last}); `minik8s up --fresh` takes a free port"
    )


def inside(cluster: str) -> socket.socket:
    """The API's socket at the control plane's own address."""
    where = topology.namespace(cluster, topology.CONTROL)
    return namespaces.in_ns(where, lambda: _listen(params.CONTROL_PLANE_ADDRESS, params.API_PORT))


def control(path: Path) -> socket.socket:
    """The zygote's own socket, in the file system."""
    path.unlink(missing_ok=True)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.bind(str(path))
    path.chmod(0o600)
    sock.listen(16)
    return sock


def inherited(pid: int, started: int, *ports: int) -> list[socket.socket]:
    """The sockets that others reach a running process by, at one of these ports, copied to us."""
    found: dict[tuple[int, str], socket.socket] = {}
    pidfd = os.pidfd_open(pid)
    try:
        if processes.alive(pid, started):
            for entry in Path(f"/proc/{pid}/fd").iterdir():
                if str(_link(entry)).startswith("socket:"):
                    _keep(found, _copy(pidfd, int(entry.name)), ports)
    finally:
        os.close(pidfd)
    return list(found.values())


def _listen(address: str, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((address, port))
        sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock


def _link(entry: Path) -> str:
    try:
        return str(entry.readlink())
    except FileNotFoundError:
        return ""


def _copy(pidfd: int, number: int) -> int:
    descriptor = _libc.syscall(SYS_PIDFD_GETFD, pidfd, number, 0)
    if descriptor < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"pidfd_getfd: {os.strerror(code)}")
    return descriptor


def _keep(found: dict[tuple[int, str], socket.socket], descriptor: int, ports: tuple[int, ...]) -> None:
    """Keep a copied descriptor if it is such a socket, and one that we do not have yet."""
    sock = socket.socket(fileno=descriptor)
    if sock.family in (socket.AF_INET, socket.AF_INET6) and sock.getsockname()[1] in ports and _open_to_all(sock):
        place = (sock.type, sock.getsockname()[0])
        if place not in found:
            found[place] = sock
            return
    sock.close()


def _open_to_all(sock: socket.socket) -> bool:
    """TCP that listens, or UDP: not the connection to one peer."""
    return sock.type == socket.SOCK_DGRAM or bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
