"""Network namespaces: make, name, enter and remove them.

A namespace belongs to a thread, not to a process. `in_ns` therefore does its work in a fresh thread that dies there
and never goes back to a pool; whoever calls it stays where they are. A name is a file in /run/netns on which the
namespace is mounted, as `ip netns` has it, so `ip netns exec NAME …` works on ours. Sockets keep the namespace they
were created in, whoever uses them.

Next: `netlink.py`, for what is put into a namespace.
"""

import ctypes
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

DIRECTORY = Path("/run/netns")
CLONE_NEWNET = 0x40000000
MS_BIND = 0x1000
MNT_DETACH = 2

_libc = ctypes.CDLL(None, use_errno=True)


def path(name_or_path: str) -> str:
    """Where a namespace is found: a name stands for /run/netns/NAME, anything with a slash for itself."""
    return name_or_path if "/" in name_or_path else str(DIRECTORY / name_or_path)


def in_ns(name_or_path: str, fn: Callable[[], T]) -> T:
    """Call `fn` inside a namespace and hand back what it returns or raises."""

    def work() -> T:
        _setns(path(name_or_path))
        return fn()

    return _in_fresh_thread(work)


class Visitor:
    """Lets one thread do something in other namespaces and come home again, at two system calls each time.

    For a thread that makes a socket for every connection, where `in_ns` would start as many threads. It belongs to the
    thread that made it.
    """

    def __init__(self) -> None:
        self._home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)

    def call(self, namespace: int, fn: Callable[[], T]) -> T:
        """`namespace` is an open descriptor of one. OSError: it cannot be entered; RuntimeError: nor left again."""
        _check(_libc.setns(namespace, CLONE_NEWNET), "setns")
        try:
            return fn()
        finally:
            if _libc.setns(self._home, CLONE_NEWNET):
                raise RuntimeError("this thread is in a foreign network namespace and finds no way home")

    def close(self) -> None:
        os.close(self._home)


def enter(name_or_path: str) -> None:
    """Move this whole process into a namespace, for good. Only while it has a single thread, or others stay behind."""
    threads = len(list(Path("/proc/self/task").iterdir()))
    if threads != 1:
        raise RuntimeError(f"{threads} threads are running: a process enters a namespace before it starts a second one")
    _setns(path(name_or_path))


def exists(name: str) -> bool:
    """Is there a namespace under this name? A file that nothing is mounted on (its maker died half-way) is none."""
    try:
        return Path(path(name)).stat().st_dev == Path("/proc/self/ns/net").stat().st_dev
    except FileNotFoundError:
        return False


def names(prefix: str = "") -> list[str]:
    """The named namespaces, and half-made ones too, so that whoever cleans up sees them."""
    if not DIRECTORY.is_dir():
        return []
    return sorted(entry.name for entry in DIRECTORY.iterdir() if entry.name.startswith(prefix))


def identity(name_or_path: str) -> int:
    """The kernel's number of a namespace: equal for two names of the same one."""
    return Path(path(name_or_path)).stat().st_ino


def create(name: str) -> None:
    """Make an empty namespace (only `lo`, down). One that is there already is kept as it is."""
    if exists(name):
        return

    def work() -> None:
        _check(_libc.unshare(CLONE_NEWNET), "unshare")
        _mount("/proc/thread-self/ns/net", name)

    _in_fresh_thread(work)


def in_fresh_ns(fn: Callable[[], T]) -> T:
    """Call `fn` in an empty namespace without a name, which is gone with all that was put into it once `fn` is done."""

    def work() -> T:
        _check(_libc.unshare(CLONE_NEWNET), "unshare")
        return fn()

    return _in_fresh_thread(work)


def bind(pid: int, name: str) -> None:
    """Give the namespace of a running process a name, which also keeps it alive when the process ends."""
    source = f"/proc/{pid}/ns/net"
    if identity(source) == identity("/proc/self/ns/net"):
        raise ValueError(f"process {pid} is in our own namespace: nothing of a cluster may be put there")
    if exists(name):
        if identity(name) == identity(source):
            return
        delete(name)
    _mount(source, name)


def delete(name: str) -> None:
    """Take the name away. The kernel ends a namespace, with all its links, when no process is left in it."""
    target = path(name)
    while exists(name):  # mounted twice over, if two makers raced
        _check(_libc.umount2(os.fsencode(target), MNT_DETACH), target)
    Path(target).unlink(missing_ok=True)


def _mount(source: str, name: str) -> None:
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    target = path(name)
    Path(target).touch(mode=0o444)
    _check(_libc.mount(os.fsencode(source), os.fsencode(target), None, MS_BIND, None), target)


def _setns(file: str) -> None:
    descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _check(_libc.setns(descriptor, CLONE_NEWNET), file)
    finally:
        os.close(descriptor)


def _check(result: int, what: str) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)


def _in_fresh_thread(fn: Callable[[], T]) -> T:
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(fn())
        except BaseException as error:  # carried over to the caller's thread, whatever it is
            errors.append(error)

    thread = threading.Thread(target=run, name="in_ns")
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]
