"""A DNS server of the test's own on 127.0.0.1, for names of the rest of the world: it does what its table says.

name, type → records as a zone file has them; "drop": silence; "lie": a forged reply before the right one;
             "cut": a truncated reply over UDP, the whole one over TCP; "relay": asks whom it is told;
             "old": understands no EDNS, and says so by a bare header
"""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

SOA = "example.com. 600 IN SOA ns.example.com. host.example.com. 1 7200 900 86400 60"
ZONE: dict[str, list[str] | str] = {
    "www.example.com. A": ["www.example.com. 300 IN A 192.0.2.53"],
    "www.example.com. AAAA": ["www.example.com. 300 IN AAAA 2001:db8::53"],
    "v4only.example.com. A": ["v4only.example.com. 60 IN A 192.0.2.54"],
    "alias.example.com. A": [
        "alias.example.com. 120 IN CNAME www.example.com.",
        "www.example.com. 300 IN A 192.0.2.53",
    ],
    "mail.example.com. MX": ["mail.example.com. 50 IN MX 10 mx.mail.example.com."],
    "short.example.com. A": ["short.example.com. 1 IN A 192.0.2.55"],
    "big.example.com. A": "cut",
    "forged.example.com. A": "lie",
    "slow.example.com. A": "drop",
    "old.example.com. A": "old",
    "8.8.8.8.in-addr.arpa. PTR": ["8.8.8.8.in-addr.arpa. 300 IN PTR dns.example.com."],
}
NAMES = {key.split()[0] for key in ZONE}


class Upstream:
    """UDP and TCP on one free port. `asked` has each question: name, type, protocol, id and source port."""

    def __init__(self) -> None:
        self.zone, self.silent, self.relay = dict(ZONE), False, None
        self.asked: list[tuple[str, str, str, int, int]] = []
        self.udp, self.tcp = free_for_both()
        self.address = f"127.0.0.1:{self.udp.getsockname()[1]}"
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._datagrams, self._connections)]
        for thread in self._threads:
            thread.start()

    def count(self, name: str) -> int:
        return sum(asked[0] == name for asked in self.asked)

    def _datagrams(self) -> None:
        while True:
            data, peer = self.udp.recvfrom(4096)
            if not data:
                return
            for reply in self._replies(data, "udp", peer[1]):
                self.udp.sendto(reply, peer)

    def _connections(self) -> None:
        while True:
            try:
                sock, peer = self.tcp.accept()
            except OSError:
                return
            with sock:
                size = struct.unpack("!H", sock.recv(2))[0]
                for reply in self._replies(sock.recv(size), "tcp", peer[1]):
                    sock.sendall(struct.pack("!H", len(reply)) + reply)

    def _replies(self, data: bytes, protocol: str, port: int) -> Iterator[bytes]:
        query = dns.message.from_wire(data)
        question = query.question[0]
        name, kind = str(question.name), dns.rdatatype.to_text(question.rdtype)
        self.asked.append((name, kind, protocol, query.id, port))
        if self.relay is not None:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                sock.sendto(data, self.relay)
            return
        found = self.zone.get(f"{name} {kind}", [])
        if self.silent or found == "drop":
            return
        reply = dns.message.make_response(query)
        if found == "lie":
            reply.answer = [dns.rrset.from_text(name, 300, "IN", "A", "192.0.2.66")]
            reply.id ^= 1
            yield reply.to_wire(max_size=65535)
            reply.id ^= 1
            found = [f"{name} 300 IN A 192.0.2.56"]
        elif found == "old" and query.edns >= 0:
            yield struct.pack("!6H", query.id, 0x8081, 0, 0, 0, 0)
            return
        elif found == "old":
            found = [f"{name} 300 IN A 192.0.2.57"]
        elif found == "cut":
            reply.flags |= dns.flags.TC if protocol == "udp" else 0
            found = [] if protocol == "udp" else [f"{name} 300 IN A 192.0.2.{n}" for n in range(100, 200)]
        reply.answer = [dns.rrset.from_text(*record.split(None, 4)) for record in found]
        if not found:
            reply.authority = [dns.rrset.from_text(*SOA.split(None, 4))]
            reply.set_rcode(dns.rcode.NOERROR if name in NAMES else dns.rcode.NXDOMAIN)
        yield reply.to_wire(max_size=65535)

    def close(self) -> None:
        self.udp.sendto(b"", self.udp.getsockname())
        self.tcp.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
        self.udp.close()
        self.tcp.close()


def free_for_both() -> tuple[socket.socket, socket.socket]:
    """UDP and TCP at one port: what is free for one may be taken for the other."""
    while True:
        tcp = socket.create_server(("127.0.0.1", 0))
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            udp.bind(tcp.getsockname())
            return udp, tcp
        except OSError:
            udp.close()
            tcp.close()


@contextmanager
def upstream() -> Iterator[Upstream]:
    made = Upstream()
    try:
        yield made
    finally:
        made.close()
