"""The door to the kernel's packet filter: libnftables in this process, and raw netlink for what it cannot do.

- `Nftables.run(text)` is one transaction: all of it is in force afterwards, or none. A handle belongs for good to the
  network namespace of the thread that made it, so one process may drive many nodes, each with its own handle.
- `open_nftables()` gives the library, or the `nft` program where there is none: the text is the same.
- `forget_flows` drops connection tracking entries whose answer comes from an address that serves no longer.
- `Generations` tells who changed any rule of this namespace, `generation` only the number of the last change.

Invariant: nothing here decides. An error carries the numbered commands, because the kernel's own line numbers mislead.
"""

import contextlib
import ctypes
import errno
import os
import socket
import struct
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from minik8s.host import processes
from minik8s.nft.flows import Flows

SHOWN_COMMANDS = 40


class NftError(RuntimeError):
    """The kernel (or the parser) refused a transaction; nothing of it is in force."""

    def __init__(self, said: str, commands: str) -> None:
        self.said = said.strip()
        self.commands = commands
        super().__init__(f"{self.said.splitlines()[0] if self.said else 'nft failed'}\n{numbered(commands)}")


def numbered(commands: str) -> str:
    """The commands with line numbers: the end of a long list is cut."""
    lines = commands.splitlines()
    shown = [f"{number:>4}  {line}" for number, line in enumerate(lines[:SHOWN_COMMANDS], 1)]
    return "\n".join(
        [*shown, *([f"      … {len(lines) - SHOWN_COMMANDS} more"] if len(lines) > SHOWN_COMMANDS else [])]
    )


class Nft(Protocol):
    """What both ways of reaching the kernel can do."""

    def run(self, commands: str, dry: bool = False) -> str: ...

    def close(self) -> None: ...


class Nftables:
    """libnftables, bound to the namespace of the thread that made it."""

    def __init__(self) -> None:
        self._lib = _library()
        self._lock = threading.Lock()  # guards the context, which is one conversation
        self._context: int | None = self._lib.nft_ctx_new(0)
        if not self._context:
            raise OSError(errno.ENOMEM, "nft_ctx_new")
        self._lib.nft_ctx_buffer_output(self._context)
        self._lib.nft_ctx_buffer_error(self._context)

    def run(self, commands: str, dry: bool = False) -> str:
        """One transaction; what it printed. `dry` only asks the kernel whether it would take it."""
        with self._lock:
            self._lib.nft_ctx_set_dry_run(self._context, dry)
            failed = self._lib.nft_run_cmd_from_buffer(self._context, commands.encode())
            output = (self._lib.nft_ctx_get_output_buffer(self._context) or b"").decode(errors="replace")
            said = (self._lib.nft_ctx_get_error_buffer(self._context) or b"").decode(errors="replace")
        if failed:
            raise NftError(said, commands)
        return output

    def close(self) -> None:
        with self._lock:
            if self._context:
                self._lib.nft_ctx_free(self._context)
                self._context = None


class NftProgram:
    """The same through `nft -f -`, in the namespace of whoever calls; `ns` names another."""

    def __init__(self, ns: str = "") -> None:
        self._ns = ns

    def run(self, commands: str, dry: bool = False) -> str:
        argv = ["nft", *(["--check"] if dry else []), "-f", "-"]
        done = processes.run(argv, ns=self._ns, input=commands, check=False)
        if done.code:
            raise NftError(done.stderr, commands)
        return done.stdout

    def close(self) -> None:
        """Nothing is held open."""


def open_nftables() -> Nft:
    """The library if it is there, else the program."""
    try:
        return Nftables()
    except OSError:
        return NftProgram()


def listing(nft: Nft, table: str) -> str:
    """The kernel's own text of a table such as `ip minik8s`; empty when there is none."""
    try:
        return nft.run(f"list table {table}")
    except NftError as error:
        if "No such file or directory" in error.said:
            return ""
        raise


def _library() -> ctypes.CDLL:
    """libnftables with the types of what we call. OSError when the machine has none."""
    lib = ctypes.CDLL("libnftables.so.1")
    lib.nft_ctx_new.restype = ctypes.c_void_p
    for name in ("nft_ctx_buffer_output", "nft_ctx_buffer_error", "nft_ctx_free"):
        getattr(lib, name).argtypes = [ctypes.c_void_p]
    for name in ("nft_ctx_get_output_buffer", "nft_ctx_get_error_buffer"):
        getattr(lib, name).argtypes = [ctypes.c_void_p]
        getattr(lib, name).restype = ctypes.c_char_p
    lib.nft_run_cmd_from_buffer.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
    lib.nft_ctx_set_dry_run.argtypes = [ctypes.c_void_p, ctypes.c_bool]
    return lib


# --- Connection tracking ------------------------------------------------------------------------------------

PROTOCOLS = {"tcp": 6, "udp": 17, "sctp": 132}
_CT_GET, _CT_DELETE = (1 << 8) | 1, (1 << 8) | 2  # NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET and _DELETE
_CTA_STATUS, _CTA_STATUS_MASK, _IPS_SEEN_REPLY = 3, 26, 2
_CTA_TUPLE_ORIG, _CTA_TUPLE_REPLY, _CTA_TUPLE_IP, _CTA_TUPLE_PROTO, _CTA_FILTER = 1, 2, 1, 2, 25
_CTA_IP_V4_SRC, _CTA_IP_V6_SRC, _CTA_PROTO_NUM, _CTA_PROTO_SRC_PORT = 1, 3, 1, 2
_CTA_FILTER_ORIG_FLAGS, _CTA_FILTER_REPLY_FLAGS = 1, 2
_FILTER_IP_SRC, _FILTER_PROTO_NUM, _FILTER_SRC_PORT = 1 << 0, 1 << 3, 1 << 4


def forget_flows(flows: Iterable[Flows]) -> None:
    """Delete the tracking entries of these flows, in the namespace of the calling thread.

    Of TCP only unanswered handshakes: what is established goes on for as long as its ends like. An unanswered one
    would hold its source port for two minutes, and lead whoever uses that port next to the same dead address.
    """
    every = list(flows)
    _forget([one for one in every if one.proto == "tcp"], _delete_handshakes, "--state", "SYN_SENT")
    for one in every:
        if one.proto != "tcp":
            _forget([one], _delete_by_filter)


def _forget(flows: list[Flows], delete: Callable[[list[Flows]], None], *words: str) -> None:
    try:
        if flows:
            delete(flows)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP):
            raise
        for one in flows:
            _delete_by_program(one, *words)  # kernels before 6.2 or so do not filter


def _delete_by_filter(flows: list[Flows]) -> None:
    with contextlib.closing(_netlink()) as sock:
        for one in flows:
            _request(sock, _CT_DELETE, _family(one), _filter(one))


def _delete_handshakes(flows: list[Flows]) -> None:
    """What was never answered is listed once for all of them: the kernel walks all it tracks for each question."""
    unanswered = _attribute(_CTA_STATUS, bytes(4)) + _attribute(_CTA_STATUS_MASK, struct.pack("!I", _IPS_SEEN_REPLY))
    wanted = {(socket.inet_pton(_family(one), one.address), one.port) for one in flows}
    with contextlib.closing(_netlink()) as sock:
        for family in {_family(one) for one in flows}:
            for entry in _dump(sock, _CT_GET, family, unanswered):
                if _answering(entry) in wanted:
                    _request(sock, _CT_DELETE, family, _attribute(_CTA_TUPLE_ORIG, entry[_CTA_TUPLE_ORIG], nested=True))


def _answering(entry: Mapping[int, bytes]) -> tuple[bytes, int]:
    """From where the answers of a tracked TCP connection would come; nothing for another protocol."""
    reply = dict(_attributes(entry[_CTA_TUPLE_REPLY]))
    proto, where = dict(_attributes(reply[_CTA_TUPLE_PROTO])), dict(_attributes(reply[_CTA_TUPLE_IP]))
    if proto[_CTA_PROTO_NUM] != bytes([PROTOCOLS["tcp"]]):
        return b"", 0
    source = where.get(_CTA_IP_V4_SRC) or where[_CTA_IP_V6_SRC]
    return source, int.from_bytes(proto[_CTA_PROTO_SRC_PORT], "big")


def _family(flow: Flows) -> int:
    return socket.AF_INET6 if ":" in flow.address else socket.AF_INET


def _filter(flow: Flows) -> bytes:
    """The attributes that choose flows by where their answers come from."""
    v6 = ":" in flow.address
    ports = _attribute(_CTA_PROTO_NUM, bytes([PROTOCOLS[flow.proto]]))
    ports += _attribute(_CTA_PROTO_SRC_PORT, struct.pack("!H", flow.port))
    flags = _FILTER_PROTO_NUM | _FILTER_SRC_PORT
    address = b""
    if flow.address:
        packed = socket.inet_pton(socket.AF_INET6 if v6 else socket.AF_INET, flow.address)
        address = _attribute(_CTA_TUPLE_IP, _attribute(_CTA_IP_V6_SRC if v6 else _CTA_IP_V4_SRC, packed), nested=True)
        flags |= _FILTER_IP_SRC
    wanted = _attribute(_CTA_TUPLE_REPLY, address + _attribute(_CTA_TUPLE_PROTO, ports, nested=True), nested=True)
    wanted += _attribute(
        _CTA_FILTER,
        _attribute(_CTA_FILTER_ORIG_FLAGS, struct.pack("=I", 0))
        + _attribute(_CTA_FILTER_REPLY_FLAGS, struct.pack("=I", flags)),
        nested=True,
    )
    return wanted


def _delete_by_program(flow: Flows, *more: str) -> None:
    argv = ["conntrack", "-D", "-p", flow.proto, *more, "--reply-port-src", str(flow.port)]
    argv += ["--reply-src", flow.address] if flow.address else []
    argv += ["-f", "ipv6"] if ":" in flow.address else []
    done = processes.run(argv, check=False)
    if done.code and "0 flow entries" not in done.stderr:
        raise processes.CommandError(done)


# --- Generations: who changed any rule ----------------------------------------------------------------------

_NEWGEN, _GETGEN = (10 << 8) | 15, (10 << 8) | 16  # NFNL_SUBSYS_NFTABLES
_NFNLGRP_NFTABLES = 7
_NFTA_GEN_ID, _NFTA_GEN_PROC_PID, _NFTA_GEN_PROC_NAME = 1, 2, 3


@dataclass(frozen=True)
class Generation:
    """One committed transaction of this namespace: its number, and who sent it."""

    id: int
    pid: int
    command: str


def generation() -> int:
    """The number of the last transaction: unchanged means nobody has touched anything."""
    with contextlib.closing(_netlink()) as sock:
        answer = _request(sock, _GETGEN, socket.AF_UNSPEC, b"", acknowledged=False)
    return next(found.id for found in _generations(answer))


class Generations:
    """A subscription, in the namespace of the thread that makes it."""

    def __init__(self) -> None:
        self._sock = _netlink()
        self._sock.bind((0, 1 << (_NFNLGRP_NFTABLES - 1)))

    def fileno(self) -> int:
        return self._sock.fileno()

    def wait(self, timeout: float) -> list[Generation] | None:
        """The transactions that just came, perhaps none; None when some were missed: look for yourself."""
        self._sock.settimeout(timeout)
        try:
            return list(_generations(self._sock.recv(1 << 16)))
        except TimeoutError:
            return []
        except OSError as error:
            if error.errno == errno.ENOBUFS:
                return None
            raise

    def close(self) -> None:
        self._sock.close()


def _generations(data: bytes) -> Iterator[Generation]:
    for kind, payload in _messages(data):
        if kind == _NEWGEN:
            found = dict(_attributes(payload[4:]))
            pid = found.get(_NFTA_GEN_PROC_PID, b"\0\0\0\0")
            name = found.get(_NFTA_GEN_PROC_NAME, b"").rstrip(b"\0").decode(errors="replace")
            yield Generation(int.from_bytes(found[_NFTA_GEN_ID], "big"), int.from_bytes(pid, "big"), name)


# --- Netlink, as little as needed ---------------------------------------------------------------------------

_NLM_F_REQUEST, _NLM_F_ACK, _NLM_F_DUMP, _NLA_F_NESTED, _NLA_TYPE = 1, 4, 0x300, 0x8000, 0x3FFF
_NLMSG_ERROR, _NLMSG_DONE = 2, 3
_SEQUENCE = 1


def _netlink() -> socket.socket:
    return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 12)  # NETLINK_NETFILTER


def _request(sock: socket.socket, kind: int, family: int, attributes: bytes, acknowledged: bool = True) -> bytes:
    body = struct.pack("=BBH", family, 0, 0) + attributes
    flags = _NLM_F_REQUEST | (_NLM_F_ACK if acknowledged else 0)
    sock.settimeout(processes.RUN_TIMEOUT_S)
    sock.sendto(struct.pack("=IHHII", 16 + len(body), kind, flags, _SEQUENCE, 0) + body, (0, 0))
    answer = sock.recv(1 << 16)
    for got, payload in _messages(answer):
        code = struct.unpack_from("=i", payload)[0] if got == _NLMSG_ERROR else 0
        if code and -code != errno.ENOENT:  # nothing to delete is what we wanted
            raise OSError(-code, os.strerror(-code))
    return answer


def _dump(sock: socket.socket, kind: int, family: int, attributes: bytes) -> list[dict[int, bytes]]:
    """All entries of a listing, each as its attributes."""
    body = struct.pack("=BBH", family, 0, 0) + attributes
    sock.settimeout(processes.RUN_TIMEOUT_S)
    sock.sendto(struct.pack("=IHHII", 16 + len(body), kind, _NLM_F_REQUEST | _NLM_F_DUMP, _SEQUENCE, 0) + body, (0, 0))
    found: list[dict[int, bytes]] = []
    while True:
        for got, payload in _messages(sock.recv(1 << 16)):
            if got == _NLMSG_DONE:
                return found
            if got == _NLMSG_ERROR:
                code = -struct.unpack_from("=i", payload)[0]
                raise OSError(code, os.strerror(code))
            found.append(dict(_attributes(payload[4:])))


def _messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= 16:
        length, kind = struct.unpack_from("=IH", data)
        yield kind, data[16:length]
        data = data[(length + 3) & ~3 :]


def _attribute(kind: int, value: bytes, nested: bool = False) -> bytes:
    header = struct.pack("=HH", 4 + len(value), kind | (_NLA_F_NESTED if nested else 0))
    return header + value + bytes(-len(value) % 4)


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= 4:
        length, kind = struct.unpack_from("=HH", data)
        yield kind & _NLA_TYPE, data[4:length]
        data = data[(length + 3) & ~3 :]
