"""What DNS is told at its start is judged before anything is begun, and refused by the name of the flag."""

import socket
from types import SimpleNamespace

import pytest

from minik8s.client.component import Options
from minik8s.dns.main import handed, main


@pytest.mark.parametrize(
    ("told", "flag"),
    [
        ({"node_ip": ""}, "--node-ip"),
        ({"dns_ttl": -1}, "--dns-ttl -1"),
        ({"dns_ttl": 3601}, "--dns-ttl 3601"),
        ({"upstream": "127.0.0.53"}, "--upstream 127.0.0.53"),
        ({"listen": ("fd://3",)}, "--listen fd://3"),
        ({"listen": ("127.0.0.1:53", "fd://4")}, "--listen 127.0.0.1:53"),
    ],
)
def test_what_cannot_be_is_refused_by_its_flag(told: dict, flag: str) -> None:
    options = Options("dns", "", **{"node_ip": "127.0.0.1", **told})
    with pytest.raises(ValueError, match=flag):
        main(SimpleNamespace(options=options))


def test_sockets_that_are_handed_down_are_taken_as_they_are() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.socket() as tcp:
        taken = handed((f"fd://{udp.detach()}", f"fd://{tcp.detach()}"))
    assert [sock.type for sock in taken] == [socket.SOCK_DGRAM, socket.SOCK_STREAM]
    for sock in taken:
        sock.close()
