"""The door to the kernel's packet filter: libnftables in this process, and raw netlink for what it cannot do.

- `Nftables.run(text)` is one transaction: all of it is in force afterwards, or none. A handle belongs for good to the
  network namespace of the thread that made it, so one process may drive many nodes, each with its own handle.
- `open_nftables()` gives the library, or the `nft` program where there is none: the text is the same.
- `forget_flows` drops connection tracking entries whose answer comes from an address that serves no longer.
- `Generations` tells who changed which tables of this namespace, `generation` only the number of the last change.

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
from dataclasses import dataclass, replace
from typing import Protocol

from minik8s.host import processes
from minik8s.nft.flows import ANY, Flows

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
    if flow.address not in ANY:
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
    argv += ["--reply-src", flow.address] if flow.address not in ANY else []
    argv += ["-f", "ipv6"] if ":" in flow.address else []
    done = processes.run(argv, check=False)
    if done.code and "0 flow entries" not in done.stderr:
        raise processes.CommandError(done)


# --- Generations: who changed any rule ----------------------------------------------------------------------

_NFTABLES = 10  # NFNL_SUBSYS_NFTABLES
_NEWGEN, _GETGEN = (_NFTABLES << 8) | 15, (_NFTABLES << 8) | 16
_NFNLGRP_NFTABLES = 7
_NFTA_GEN_ID, _NFTA_GEN_PROC_PID, _NFTA_GEN_PROC_NAME = 1, 2, 3
_FAMILIES = {1: "inet", 2: "ip", 3: "arp", 5: "netdev", 7: "bridge", 10: "ip6"}
# Room for what `nft flush ruleset` says of a thousand Services; the memory is used only while it waits to be read.
_EVENT_BUFFER = 8 << 20
_SO_RCVBUFFORCE, _SOL_NETLINK, _ADD_MEMBERSHIP, _DROP_MEMBERSHIP = 33, 270, 1, 2


@dataclass(frozen=True)
class Generation:
    """One committed transaction of this namespace: its number, who sent it, and what it was about."""

    id: int
    pid: int  # as the machine counts: of the thread, and not as a container counts
    command: str
    tables: frozenset[str] = frozenset()  # it made, changed or deleted something in these: "ip minik8s"


def generation() -> int:
    """The number of the last transaction: unchanged means nobody has touched anything."""
    with contextlib.closing(_netlink()) as sock:
        answer = _request(sock, _GETGEN, socket.AF_UNSPEC, b"", acknowledged=False)
    return next(_generation(payload).id for kind, payload in _messages(answer) if kind == _NEWGEN)


class Generations:
    """A subscription, in the namespace of the thread that makes it. One thread uses it."""

    def __init__(self) -> None:
        self._sock = _netlink()
        self._sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _EVENT_BUFFER)
        self._sock.bind((0, 0))
        self.hear(True)
        self._touched: set[tuple[int, str]] = set()  # family and name: by the transaction that is being told of

    def hear(self, on: bool) -> None:
        """Be told, or not, from now on. Where nobody listens, the kernel saves the words."""
        self._sock.setsockopt(_SOL_NETLINK, _ADD_MEMBERSHIP if on else _DROP_MEMBERSHIP, _NFNLGRP_NFTABLES)

    def wait(self, timeout: float) -> list[Generation] | None:
        """All transactions that have come, perhaps none; None when some were missed: look for yourself."""
        found: list[Generation] = []
        self._sock.settimeout(timeout)
        try:
            while True:
                found += self._committed(self._sock.recv(1 << 16))
                self._sock.settimeout(0)
        except (TimeoutError, BlockingIOError):
            return found
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise
            self._touched.clear()
            return None

    def _committed(self, data: bytes) -> Iterator[Generation]:
        """A transaction tells of each thing it did, and of itself last."""
        for kind, payload in _messages(data):
            if kind == _NEWGEN:
                tables = frozenset(f"{_FAMILIES.get(family, family)} {name}" for family, name in self._touched)
                yield replace(_generation(payload), tables=tables)
                self._touched.clear()
            elif kind >> 8 == _NFTABLES:
                # Whatever it was, its first attribute is the table's name, with a zero at its end.
                (length,) = struct.unpack_from("=H", payload, 4)
                self._touched.add((payload[0], payload[8 : 4 + length - 1].decode(errors="replace")))

    def close(self) -> None:
        self._sock.close()


def _generation(payload: bytes) -> Generation:
    found = dict(_attributes(payload[4:]))
    pid = found.get(_NFTA_GEN_PROC_PID, b"\0\0\0\0")
    name = found.get(_NFTA_GEN_PROC_NAME, b"").rstrip(b"\0").decode(errors="replace")
    return Generation(int.from_bytes(found[_NFTA_GEN_ID], "big"), int.from_bytes(pid, "big"), name)


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
    at = 0
    while at + 16 <= len(data):
        length, kind = struct.unpack_from("=IH", data, at)
        yield kind, data[at + 16 : at + length]
        at += (length + 3) & ~3


def _attribute(kind: int, value: bytes, nested: bool = False) -> bytes:
    header = struct.pack("=HH", 4 + len(value), kind | (_NLA_F_NESTED if nested else 0))
    return header + value + bytes(-len(value) % 4)


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= 4:
        length, kind = struct.unpack_from("=HH", data)
        yield kind & _NLA_TYPE, data[4:length]
        data = data[(length + 3) & ~3 :]
