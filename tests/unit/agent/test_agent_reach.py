"""What the agent tries out for the doctor: who listens, and what a resolver would ask."""

import struct

import pytest

from minik8s.agent import dnsreading
from minik8s.agent.dnsprobe import question
from minik8s.agent.dnsreading import Answer, Resolver
from minik8s.agent.listeners import Listener, parse

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue\n"


def test_only_sockets_that_wait_for_clients_listen():
    tcp = HEAD + "\n".join(
        [
            "   0: 00000000:1F90 00000000:0000 0A 00000000:00000000",
            "   1: 0100007F:0050 00000000:0000 0A 00000000:00000000",
            "   2: 0201F40A:1F90 0301F40A:A001 01 00000000:00000000",
        ]
    )
    tcp6 = HEAD + "   0: 00000000000000000000000000000000:0035 00000000000000000000000000000000:0000 0A 0"
    udp = HEAD + "   0: 00000000:0035 00000000:0000 07 0\n   1: 0201F40A:9C40 0A00600A:0035 01 0"
    assert parse({"tcp": tcp, "tcp6": tcp6, "udp": udp}) == [
        Listener(53, "tcp", "::"),
        Listener(53, "udp", "0.0.0.0"),
        Listener(80, "tcp", "127.0.0.1"),
        Listener(8080, "tcp", "0.0.0.0"),
    ]


CLUSTER = Resolver(("10.96.0.10",), ("default.svc.cluster.local", "svc.cluster.local"), 5)


def test_resolv_conf_is_read_as_a_resolver_does():
    text = "nameserver 10.96.0.10\nsearch default.svc.cluster.local svc.cluster.local\noptions ndots:5\n"
    assert dnsreading.parse_resolv_conf(text) == CLUSTER


@pytest.mark.parametrize(
    ("name", "conf", "asked"),
    [
        ("web", CLUSTER, ["web.default.svc.cluster.local", "web.svc.cluster.local", "web"]),
        ("web.default.svc.cluster.local.", CLUSTER, ["web.default.svc.cluster.local"]),
        ("example.org", Resolver(("1.2.3.4",), ("lan",), 1), ["example.org", "example.org.lan"]),
    ],
)
def test_a_short_name_is_tried_with_each_search_domain(name, conf, asked):
    assert dnsreading.candidates(name, conf) == asked


def packet(code: int, *addresses: bytes) -> bytes:
    asked = question(7, "web.default.svc.cluster.local")
    head = struct.pack("!6H", 7, 0x8400 | code, 1, len(addresses), 0, 0)
    kinds = {4: 1, 16: 28}  # A and AAAA, by the length of the address
    fixed = [struct.pack("!HHIH", kinds[len(each)], 1, 5, len(each)) for each in addresses]
    return head + asked[12:] + b"".join(b"\xc0\x0c" + one + each for one, each in zip(fixed, addresses, strict=True))


@pytest.mark.parametrize(
    ("data", "answer"),
    [
        (packet(0, b"\x0a\x60\x05\x06"), Answer("NOERROR", ("10.96.5.6",))),
        (packet(0, bytes.fromhex("fd000096" + "0" * 23 + "7")), Answer("NOERROR", ("fd00:96::7",))),
        (packet(3), Answer("NXDOMAIN")),
        (packet(0, b"\x0a\x60\x05\x06")[:-3], Answer("an answer that breaks off")),
        (b"", Answer("an answer that breaks off")),
        (struct.pack("!6H", 8, 0x8400, 0, 0, 0, 0), Answer("an answer to another question")),
    ],
)
def test_an_answer_is_read_whatever_comes(data, answer):
    assert dnsreading.read(7, data) == answer
