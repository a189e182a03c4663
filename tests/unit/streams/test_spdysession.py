"""The channels of a remote command over SPDY, played by a client of its own on a pair of sockets."""

import socket

import pytest
from support.spdyclient import Client, control, data

from minik8s.streams.link import Link
from minik8s.streams.session import CLOSE, ERROR, RESIZE, STDERR, STDIN, STDOUT, BadFrame
from minik8s.streams.spdysession import SpdySession


@pytest.fixture
def ends():
    ours, theirs = socket.socketpair()
    theirs.settimeout(5)
    with ours, theirs:
        yield ours, theirs


def begun(ends, *names):
    """A session, and its client with these streams open."""
    session, client = SpdySession(Link(ends[0]), (STDIN, STDOUT, ERROR, RESIZE)), Client()
    streams = {}
    for name in names:
        streams[name], begin = client.open(streamtype=name)
        ends[1].sendall(begin)
    assert session.receive() == []
    return session, client, streams


def test_it_is_complete_when_every_channel_was_opened(ends):
    session, client, _ = begun(ends, "error", "stdin", "stdout")
    assert not session.complete
    ends[1].sendall(client.open(streamtype="resize")[1])
    session.receive()
    assert session.complete


def test_input_sizes_and_the_end_of_input_come_by_channel(ends):
    session, _, streams = begun(ends, "error", "stdin", "stdout", "resize")
    ends[1].sendall(data(streams["stdin"], b"some") + data(streams["resize"], b'{"Width":80,'))
    assert session.receive() == [(STDIN, b"some")]
    ends[1].sendall(data(streams["resize"], b'"Height":24}\n') + data(streams["stdin"], b"", fin=True))
    assert session.receive() == [(RESIZE, b'{"Width":80,"Height":24}'), (CLOSE, bytes([STDIN]))]


def test_output_and_status_arrive_each_on_its_stream_and_each_is_ended(ends):
    session, client, streams = begun(ends, "error", "stdin", "stdout", "resize")
    session.send(STDOUT, b"out")
    session.send(STDERR, b"nobody asked for it")
    session.send(ERROR, b"{}")
    session.close()
    read = [frame for frame in client.read(ends[1].recv(65536)) if frame[0] != "SYN_REPLY"]
    assert read[:2] == [("DATA", streams["stdout"], b"out"), ("DATA", streams["error"], b"{}")]
    assert sorted(read[2:]) == sorted(("FIN", number, b"") for number in streams.values())
    assert not session.ended
    ends[1].sendall(control(7, bytes(8)))
    session.receive()
    assert session.ended


def test_a_channel_that_was_not_asked_for_or_is_there_already_is_refused(ends):
    session, client, _ = begun(ends, "stdout")
    (again, second), (odd, third) = client.open(streamtype="stdout"), client.open(streamtype="nonsense")
    ends[1].sendall(second + third)
    session.receive()
    resets = [number for kind, number, _ in client.read(ends[1].recv(65536)) if kind == "RST_STREAM"]
    assert resets == [again, odd] and not session.complete


def test_a_size_without_end_is_cut_off(ends):
    session, _, streams = begun(ends, "resize")
    ends[1].sendall(data(streams["resize"], b"{" * 2000))
    with pytest.raises(BadFrame):
        session.receive()
