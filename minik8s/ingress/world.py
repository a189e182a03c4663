"""All of the ingress that touches the machine: files, the HAProxy process, its command socket.

The process outlives this component, and is found again by the pid it wrote down itself, the place of its configuration
in its command line, and its network namespace. Configurations stand
in directories named after their generation; `current` points to the one in force, and is moved only after HAProxy has
said that the new one is well. Invariant: a configuration that HAProxy refuses changes nothing; keys are root's alone.

Source: HAProxy's management guide: master-worker mode, its master CLI (`reload`), runtime API (`set server`).
"""

import contextlib
import datetime
import os
import pwd
import shutil
import signal
import socket
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from minik8s import params
from minik8s.host import clock, namespaces, processes
from minik8s.ingress.backends import endpoint_text
from minik8s.ingress.config import FALLBACK, Files, Site
from minik8s.ingress.plan import Running, Slots

PROGRAM, PID_FILE = "haproxy", "haproxy.pid"
MASTER, WORKER = "main.sock", "stats.sock"  # where the master, and the newest worker, take commands
LOOK_S = 0.02  # while HAProxy comes up: it tells nobody
SOCKET_TIMEOUT_S = 3.0
COMMANDS_AT_ONCE = 50  # in one line for HAProxy, which takes 16 KB
MOST_LOG_BYTES = 1 << 20
LAST_WORDS = 3  # lines of HAProxy's log in an error
NAMESPACE = "/proc/thread-self/ns/net"


class Refused(Exception):
    """HAProxy does not take this configuration; the message is its own words."""


class World:
    """HAProxy on one node. One thread calls it, but for `wait_gone` and `text`."""

    def __init__(self, root: Path, addresses: tuple[str, ...]) -> None:
        if not shutil.which(PROGRAM):
            raise RuntimeError(f"there is no {PROGRAM}: `make setup`, or apt install {PROGRAM}")
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.root = root
        self.site = Site(addresses, str(root), *_user())
        self._child: processes.Popen[bytes] | None = None
        self._current = root / "current"
        if not (root / FALLBACK).exists():
            _write(root / FALLBACK, _self_signed())

    # --- Look --------------------------------------------------------------------------------------------------------

    def observe(self) -> Running:
        """How HAProxy runs, as itself says."""
        if not self._pid():
            return Running()
        try:
            said = self._ask("show info")
            generation = next(line for line in said.splitlines() if line.startswith("description: ")).split()[1]
            return Running(generation, _slots(self._ask("show servers state")))
        except (OSError, StopIteration):  # it is just starting, or ending
            return Running()

    def wait_gone(self, seconds: float) -> bool:
        """Wait until HAProxy has died; False when it still runs."""
        pid = self._pid()
        return not pid or processes.wait_gone(pid[0], seconds, pid[1])

    def text(self) -> str:
        """The configuration in force, with its maps; no certificates."""
        files = [self._current / name for name in ("haproxy.cfg", "hosts.map", "exact.map", "prefix.map")]
        return "\n".join(f"# --- {file.name}\n{file.read_text()}" for file in files if file.exists())

    # --- Act ---------------------------------------------------------------------------------------------------------

    def load(self, generation: str, files: Files) -> None:
        """Start HAProxy with this configuration, or let it reload. Raises Refused, or TimeoutError."""
        place = self.root / generation
        if refusal := self._check(place, files):
            raise Refused(refusal)
        before = self._current.resolve() if self._current.exists() else None
        self._point_to(place)
        log = self.root / "haproxy.log"
        if log.exists() and log.stat().st_size > MOST_LOG_BYTES:
            os.truncate(log, 0)  # HAProxy appends, so it goes on at the new end
        if self._pid():
            self._reload(generation)
        else:
            self._start()
        self._wait_for(generation)
        if before and before != place.resolve():
            shutil.rmtree(before, ignore_errors=True)

    def accepts(self, files: Files) -> bool:
        """Would HAProxy take this configuration?"""
        place = self.root / "tried"
        refusal = self._check(place, files)
        shutil.rmtree(place, ignore_errors=True)
        return not refusal

    def fill(self, slots: Slots) -> None:
        """Put endpoints into slots, and take them out. What is under way to them goes on."""
        commands = [
            command
            for name, changes in sorted(slots.items())
            for slot, endpoint in sorted(changes.items())
            for command in _commands(f"{name}/{slot}", endpoint)
        ]
        for at in range(0, len(commands), COMMANDS_AT_ONCE):
            self._ask("; ".join(commands[at : at + COMMANDS_AT_ONCE]))

    def end(self) -> None:
        """Let HAProxy finish what it has begun, and take its files away."""
        pid = self._pid()
        if pid:
            processes.kill(pid[0], signal.SIGUSR1, pid[1])
            if not processes.wait_gone(pid[0], params.STOP_GRACE_S, pid[1]):
                processes.kill(pid[0], signal.SIGKILL, pid[1])
        if self._child:
            self._child.wait()
        shutil.rmtree(self.root, ignore_errors=True)

    # --- Steps -------------------------------------------------------------------------------------------------------

    def _pid(self) -> tuple[int, int] | None:
        """Pid and start time of HAProxy's master, if it lives in this namespace."""
        if self._child and self._child.poll() is None:
            pid = self._child.pid
        else:
            pid = self._adopted()
        started = processes.start_time(pid) if pid else None
        if started is None:
            return None
        with contextlib.suppress(OSError):
            if namespaces.identity(f"/proc/{pid}/ns/net") == namespaces.identity(NAMESPACE):
                return pid, started
            processes.kill(pid, signal.SIGKILL, started)  # the node's sandbox was made anew around us
        return None

    def _adopted(self) -> int:
        """The pid of a HAProxy that a component before us started with this configuration; 0 when there is none."""
        try:
            pid = int((self.root / PID_FILE).read_text())
        except (FileNotFoundError, ValueError):
            return 0
        words = processes.command_line(pid)
        # While it reloads it executes itself anew, and has no words for a moment.
        return pid if str(self._current) in words or (not words and processes.alive(pid)) else 0

    def _start(self) -> None:
        where = ["-p", str(self.root / PID_FILE), "-S", f"{self.root / MASTER},mode,600"]
        argv = [PROGRAM, "-W", *where, "-f", str(self._current / "haproxy.cfg")]
        self._child = processes.spawn(argv, log=self.root / "haproxy.log")

    def _reload(self, generation: str) -> None:
        """Tell the master. Not by SIGUSR2: one that is not done with its last reload, though the worker of that one
        answers already, can lose the signal. Its socket is closed meanwhile, so nothing is lost unnoticed.
        """
        for _ in self._while_not(generation):
            with contextlib.suppress(ConnectionError, FileNotFoundError):
                self._ask("reload", MASTER)
                return

    def _wait_for(self, generation: str) -> None:
        for _ in self._while_not(generation):
            pass

    def _while_not(self, generation: str) -> Iterator[None]:
        """Again and again until HAProxy runs by this configuration; raises TimeoutError when it does not."""
        until = clock.monotonic() + params.INGRESS_RELOAD_TIMEOUT_S
        pause = threading.Event()
        while self.observe().generation != generation:
            if clock.monotonic() > until or not self._pid():
                log = self.root / "haproxy.log"
                raise TimeoutError(f"HAProxy does not run by its new configuration: {_last_words(log.read_text())}")
            yield
            pause.wait(LOOK_S)

    def _check(self, place: Path, files: Files) -> str:
        """Write a configuration, and let HAProxy read it: "" when all is well, else its own words."""
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(mode=0o700)
        for name, text in files.items():
            _write(place / name, text)
        checked = processes.run([PROGRAM, "-c", "-q", "-f", str(place / "haproxy.cfg")], check=False)
        if not checked.code:
            return ""
        shutil.rmtree(place)
        return _last_words(checked.stderr or checked.stdout) or "it said nothing"

    def _point_to(self, place: Path) -> None:
        new = self.root / "current.new"
        new.unlink(missing_ok=True)
        new.symlink_to(place.name)
        new.replace(self._current)

    def _ask(self, command: str, whom: str = WORKER) -> str:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(SOCKET_TIMEOUT_S)
            sock.connect(str(self.root / whom))
            sock.sendall(command.encode() + b"\n")
            with sock.makefile("r") as answer:
                return answer.read()


def _commands(server: str, endpoint: str) -> list[str]:
    if not endpoint:
        return [f"set server {server} state maint"]
    address, _, port = endpoint.rpartition(":")
    address = address.strip("[]")
    return [f"set server {server} addr {address} port {port}", f"set server {server} state ready"]


def _slots(text: str) -> dict[str, dict[str, str]]:
    """What `show servers state` says: a line for each server; the columns are named in a comment."""
    found: dict[str, dict[str, str]] = {}
    columns: list[str] = []
    for line in text.splitlines():
        words = line.split()
        if line.startswith("# "):
            columns = words[1:]
        elif len(words) == len(columns) and columns:
            row: Mapping[str, str] = dict(zip(columns, words, strict=True))
            stopped = int(row["srv_admin_state"]) & 0x1  # forced maintenance, as `disabled` and `maint` set it
            endpoint = "" if stopped else endpoint_text(row["srv_addr"], int(row["srv_port"]))
            found.setdefault(row["be_name"], {})[row["srv_name"]] = endpoint
    return found


def _write(path: Path, text: str) -> None:
    """A file that only root may read, from its first moment."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def _last_words(log: str) -> str:
    lines = [line for line in log.splitlines() if "ALERT" in line] or log.splitlines()
    return " ".join(lines[-LAST_WORDS:])[:500]


def _user() -> tuple[str, str]:
    """Whom HAProxy becomes once its ports are open: the user of Debian's package."""
    with contextlib.suppress(KeyError):
        pwd.getpwnam("haproxy")
        return "haproxy", "haproxy"
    return "nobody", "nogroup"


def _self_signed() -> str:
    """Certificate and key for hosts that have no other."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "minik8s ingress: no certificate for this host")])
    now = datetime.datetime.fromtimestamp(clock.wall(), datetime.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - datetime.timedelta(hours=1))
    builder = builder.not_valid_after(now + datetime.timedelta(days=params.CERTIFICATE_DAYS))
    form = serialization.PrivateFormat.PKCS8
    text = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    return (text + key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())).decode()
