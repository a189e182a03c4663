"""The agent's end of port-forward, with a Pod of socket pairs and a client that speaks WebSocket's channels."""

import socket
import threading

import pytest

from minik8s.agent import forwarding
from minik8s.agent.pages import Refused
from minik8s.agent.upgrades import wanted
from minik8s.streams.portforward import Ports
from minik8s.streams.session import STDERR, STDIN, STDOUT
from minik8s.streams.websocket import Channels

WAIT = 10.0


class Bed:
    """A forwarder in a thread; `pod` has the inner ends by port, in the order in which they were dialled."""

    def __init__(self, *ports):
        self.client, outer = socket.socketpair()
        self.client.settimeout(WAIT)
        self.pod, self.dialled = {}, threading.Event()
        self.channels = Channels(server=False, whole=())
        self.found = {}
        self.thread = threading.Thread(target=forwarding.carry, args=(Ports.on(outer, ports), self.dial))
        self.thread.start()

    def dial(self, port):
        if port == 9:
            raise OSError("nobody listens on 9")
        outer, inner = socket.socketpair()
        inner.settimeout(WAIT)
        self.pod[port] = inner
        self.dialled.set()
        return outer

    def read(self, channel, size):
        """So many bytes of a channel, after its two that say the port."""
        while len(self.found.get(channel, b"")) < size + 2:
            for number, data in self.channels.feed(self.client.recv(65536))[0]:
                self.found[number] = self.found.get(number, b"") + data
        return self.found[channel][2:]

    def close(self):
        self.client.close()
        self.thread.join(WAIT)
        for sock in self.pod.values():
            sock.close()
        assert not self.thread.is_alive()


@pytest.fixture
def bed():
    beds = []

    def make(*ports):
        beds.append(Bed(*ports))
        return beds[-1]

    yield make
    for each in beds:
        each.close()


def test_bytes_go_both_ways_on_each_connection(bed):
    bed = bed(80)
    bed.client.sendall(bed.channels.message(0, b"question"))
    assert bed.dialled.wait(WAIT)
    assert bed.pod[80].recv(100) == b"question"
    big = bytes(range(256)) * 8000
    sender = threading.Thread(target=bed.pod[80].sendall, args=(big,))
    sender.start()
    assert bed.read(0, len(big)) == big
    sender.join(WAIT)


def test_a_port_where_nobody_listens_is_told_on_its_error_channel_and_the_other_goes_on(bed):
    bed = bed(9, 80)
    assert bed.read(1, 1) == b"nobody listens on 9"
    assert bed.dialled.wait(WAIT)
    bed.pod[80].sendall(b"here")
    assert bed.read(2, 4) == b"here"


def test_when_the_pod_ends_the_last_connection_the_client_is_told_goodbye(bed):
    bed = bed(80)
    assert bed.dialled.wait(WAIT)
    bed.pod[80].sendall(b"last words")
    bed.pod[80].close()
    assert bed.read(0, 10) == b"last words"
    while not bed.channels.closed:
        bed.channels.feed(bed.client.recv(65536))
    assert bed.found == {0: b"\x50\0last words", 1: b"\x50\0"}


def test_the_channels_are_those_asked_for_and_a_terminal_has_no_errors():
    assert wanted({"stdin": ["true"], "stdout": ["true"], "stderr": ["1"]}) == {STDIN, STDOUT, STDERR}
    assert wanted({"input": ["1"], "output": ["1"], "error": ["1"], "tty": ["1"]}) == {STDIN, STDOUT}
    with pytest.raises(Refused, match="at least 1 of stdin, stdout, stderr"):
        wanted({"stdin": ["false"]})
