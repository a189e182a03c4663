"""The table of packets, sent for real: what the kernel does is what the walker foresees, line by line.

Each case is sent often enough that chance has shown every endpoint; what was seen must be exactly the ends that the
table names, in both families. See `support/packets.py`.
"""

import errno
import socket
import struct
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from support import packets
from support.packets import Case, in_family
from support.proxynet import PREFIX, Servers, build, ns

from minik8s.host import namespaces
from minik8s.nft.kernel import Nftables
from minik8s.nft.ruleset import replacement
from minik8s.proxy.layout import IPV4, IPV6, Family

pytestmark = pytest.mark.system
SPACES = {"pod-a": "a", "pod-b": "b", "pod-c": "c", "outside": "lan", "node": "n1", "host": "n1"}
# One of three is missed by so many questions once in ten million times.
QUESTIONS = 14
ANSWER_S = 2.0  # an endpoint that answers does so in a millisecond; on a busy machine, later
SILENCE_S = 0.7
UNREACHABLE = (errno.EHOSTUNREACH, errno.ENETUNREACH)


@pytest.fixture(scope="module")
def network() -> Iterator[None]:
    servers = None
    try:
        build()
        servers = Servers()
        for number in (1, 2):
            namespaces.in_ns(ns(f"n{number}"), lambda number=number: load(f"node-{number}"))
        yield
    finally:
        if servers:
            servers.close()
        for name in namespaces.names(PREFIX):
            namespaces.delete(name)


def load(node: str) -> None:
    nft = Nftables()
    for family in (IPV4, IPV6):
        nft.run(replacement(packets.rules(family, node).table()))
    nft.close()


@pytest.mark.parametrize("family", [IPV4, IPV6], ids=lambda family: family.name)
def test_the_kernel_does_what_the_table_says(network: None, family: Family) -> None:
    cases = packets.cases(family)
    with ThreadPoolExecutor(max_workers=8) as pool:
        seen = list(pool.map(lambda case: seen_of(family, case), cases))
    wrong = [
        f"{case}\n  expected {sorted(wanted(family, case))}\n  seen     {sorted(found)}\n{paths(family, case)}"
        for case, found in zip(cases, seen, strict=True)
        if found != wanted(family, case)
    ]
    assert not wrong, "\n".join(wrong)


def wanted(family: Family, case: Case) -> set[str]:
    """As a client and a server can see it: a closed port is refused too, and a node has several addresses."""
    return {"refused" if end == "closed" else masked(family, case, end) for end in case.ends}


def masked(family: Family, case: Case, end: str) -> str:
    """Which of its own addresses the node put in place of another's is the kernel's choice."""
    number = case.node[-1]
    own = {in_family(family, each) for each in (f"192.168.56.1{number}", f"10.244.{number}.1")}
    target, _, source = end.partition(" from ")
    return f"{target} from NODE" if source in own else end


def paths(family: Family, case: Case) -> str:
    table = packets.rules(family, case.node).table()
    return "\n".join(f"  foreseen: {end}\n{journey}" for end, journey in packets.walked(family, case, table).items())


def seen_of(family: Family, case: Case) -> set[str]:
    answered = any(" from " in end for end in case.ends)
    count = QUESTIONS * len(case.ends) if len(case.ends) > 1 else 2 if answered else 1
    ask = ping if case.proto == "icmp" else talk
    patience = ANSWER_S if answered else SILENCE_S
    return {ask(family, case, patience) for _ in range(count)}


def talk(family: Family, case: Case, patience: float) -> str:
    """A connection, or a datagram, and what came of it."""
    kind = socket.SOCK_DGRAM if case.proto == "udp" else socket.SOCK_STREAM
    with opened(family, case, kind) as sock:
        sock.settimeout(patience)
        try:
            sock.connect((case.address, case.port))
            sock.sendall(b"hello")
            return answer(family, case, sock.recv(100))
        except OSError as error:
            return failed(error)


def ping(family: Family, case: Case, patience: float) -> str:
    """An echo request by hand, because `ping` itself does not tell what came back in one word."""
    six = family is IPV6
    space = ns(SPACES[case.sender])
    proto = socket.IPPROTO_ICMPV6 if six else socket.IPPROTO_ICMP
    kind = socket.AF_INET6 if six else socket.AF_INET
    with namespaces.in_ns(space, lambda: socket.socket(kind, socket.SOCK_RAW, proto)) as sock:
        sock.settimeout(patience)
        body = struct.pack("!BBHHH", 128 if six else 8, 0, 0, 7, 1)
        # The checksum of ICMPv6 is the kernel's work, that of ICMP ours: one's complement of the words' sum.
        total = sum(struct.unpack("!4H", body))
        sock.sendto(body if six else body[:2] + struct.pack("!H", 0xFFFF ^ total) + body[4:], (case.address, 0))
        try:
            while True:
                data = sock.recv(1500)
                found = data[0] if six else data[(data[0] & 15) * 4]
                if found == (1 if six else 3):  # destination unreachable
                    return "refused"
        except OSError as error:
            return failed(error)


def opened(family: Family, case: Case, kind: socket.SocketKind) -> socket.socket:
    af = socket.AF_INET6 if family is IPV6 else socket.AF_INET
    return namespaces.in_ns(ns(SPACES[case.sender]), lambda: socket.socket(af, kind))


def answer(family: Family, case: Case, said: bytes) -> str:
    name, peer, port = said.decode().split()
    return masked(family, case, f"{in_family(family, packets.PLACES[name][0])} {port} from {peer}")


def failed(error: OSError) -> str:
    if error.errno in (errno.ECONNREFUSED, errno.EPERM):  # EPERM: a datagram of the node itself, rejected
        return "refused"
    if isinstance(error, TimeoutError) or error.errno in UNREACHABLE:
        return "silence"
    raise error
