"""The pause image: a program of some 250 bytes that does nothing, well.

Every Pod, and every node of a cluster on one machine, is built around a *sandbox*: a container whose only task is to be
there, so that its network namespace stays there while the Pod's own containers come and go. The program in it must wait
without using CPU, end at once when told to (PID 1 ignores signals it has no handler for, so it needs one), and reap
orphans when the Pod's containers share its process namespace. No compiler is assumed on a learner's machine, so the ELF
file is written by hand here: a header, one segment, a dozen instructions. Invariant: the same bytes each time, for each
architecture.

Read next: `tar.py`, how files become an image.
"""

import struct
from collections.abc import Callable

from minik8s.cluster.images.tar import Entry, pack

LOAD_ADDRESS = 0x400000  # where the kernel maps the file; any page that is free does, this one is customary
ELF_HEADER, PROGRAM_HEADER = 64, 56  # sizes fixed by the 64-bit ELF format
CODE = ELF_HEADER + PROGRAM_HEADER  # the first instruction follows the headers
SIGINT, SIGTERM, SIGCHLD = 2, 15, 17
SIG_IGN = 1
SA_RESTORER = 0x04000000  # x86-64 refuses a handler without it; our handler never returns, so any address serves
EM_X86_64, EM_AARCH64 = 62, 183  # the machine's number in the ELF header


def program(architecture: str) -> bytes:
    """The whole file, for the architecture as the Engine names it."""
    machines = {"x86_64": (EM_X86_64, _x86_64), "amd64": (EM_X86_64, _x86_64)}
    machines |= {"aarch64": (EM_AARCH64, _aarch64), "arm64": (EM_AARCH64, _aarch64)}
    if architecture not in machines:
        raise ValueError(f"no pause program for architecture {architecture!r}: only x86_64 and aarch64 are written")
    machine, assemble = machines[architecture]
    # Assembled twice: the code holds the addresses of what follows it, and these depend on the code's own length.
    code, handler = assemble(0, 0)
    actions = LOAD_ADDRESS + CODE + len(code)
    code, handler = assemble(actions, actions + 32)
    data = _sigaction(LOAD_ADDRESS + CODE + handler) + _sigaction(SIG_IGN)
    return _headers(machine, CODE + len(code) + len(data)) + code + data


def layer(architecture: str) -> bytes:
    """The image's file system as a tar archive: the program, and directories a runtime mounts things on."""
    directories = [Entry(name, mode=0o755, directory=True) for name in ("dev", "etc", "proc", "sys", "tmp")]
    return pack([*directories, Entry("pause", mode=0o755, data=program(architecture))])


def _headers(machine: int, size: int) -> bytes:
    identity = b"\x7fELF" + bytes([2, 1, 1]) + bytes(9)  # 64-bit, little-endian, version 1
    entry = LOAD_ADDRESS + CODE
    elf = struct.pack("<HHIQQQIHHHHHH", 2, machine, 1, entry, ELF_HEADER, 0, 0, ELF_HEADER, PROGRAM_HEADER, 1, 0, 0, 0)
    # One segment: load the whole file (type 1), readable and executable (4 | 1), aligned for pages of up to 64 KiB.
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, LOAD_ADDRESS, LOAD_ADDRESS, size, size, 0x10000)
    return identity + elf + segment


def _sigaction(handler: int) -> bytes:
    """The kernel's `struct sigaction`: handler, flags, restorer, mask."""
    return struct.pack("<QQQQ", handler, SA_RESTORER, handler, 0)


def _steps(call: Callable[..., bytes], act: tuple[int, int], numbers: tuple[int, int]) -> tuple[bytes, bytes]:
    """What both machines do, in system calls: on TERM and INT end; of ended children want to know nothing."""
    leave, ignore = act
    sigaction, exit_group = numbers
    setup = b"".join(
        call(sigaction, signal, action, 0, 8)  # 8: the size of the signal mask
        for signal, action in ((SIGTERM, leave), (SIGINT, leave), (SIGCHLD, ignore))
    )
    return setup, call(exit_group, 0)


def _x86_64(leave: int, ignore: int) -> tuple[bytes, int]:
    """(code, offset of the signal handler in it). Arguments go in rdi, rsi, rdx, r10, the call's number in rax."""

    def call(number: int, *args: int) -> bytes:
        moves = (b"\xbf", b"\xbe", b"\xba", b"\x41\xba")  # mov edi / esi / edx / r10d, imm32
        loads = b"".join(move + struct.pack("<I", arg) for move, arg in zip(moves, args, strict=False))
        return loads + b"\xb8" + struct.pack("<I", number) + b"\x0f\x05"  # mov eax, number; syscall

    setup, handler = _steps(call, (leave, ignore), (13, 231))
    pause = call(34)
    wait = pause + b"\xeb" + struct.pack("<b", -len(pause) - 2)  # pause(), then jump back to it
    return setup + wait + handler, len(setup + wait)


def _aarch64(leave: int, ignore: int) -> tuple[bytes, int]:
    """(code, offset of the signal handler in it). Arguments go in x0…x4, the call's number in x8."""

    def load(register: int, value: int) -> bytes:
        low = 0xD2800000 | (value & 0xFFFF) << 5 | register  # movz: the low 16 bits, the rest becomes zero
        high = 0xF2A00000 | (value >> 16 & 0xFFFF) << 5 | register  # movk: the next 16 bits, the rest stays
        return struct.pack("<II", low, high)

    def call(number: int, *args: int) -> bytes:
        loads = b"".join(load(register, arg) for register, arg in enumerate(args))
        return loads + load(8, number) + struct.pack("<I", 0xD4000001)  # svc #0

    setup, handler = _steps(call, (leave, ignore), (134, 94))
    wait = call(73, 0, 0, 0, 0, 0)  # this machine has no pause(): ppoll() on nothing, for ever
    back = struct.pack("<I", 0x14000000 | (-len(wait) // 4 & 0x3FFFFFF))  # b: jump back, counted in instructions
    return setup + wait + back + handler, len(setup + wait + back)
