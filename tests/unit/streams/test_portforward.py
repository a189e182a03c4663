"""Many connections over one: both dialects of port-forward, played by clients of their own on a pair of sockets."""

import socket
import struct

import pytest
from support.spdyclient import Client, control, data

from minik8s.streams import portforward, websocket
from minik8s.streams.link import Link
from minik8s.streams.portforward import Bytes, Done, Gone, Ports, Streams, Wanted
from minik8s.streams.session import BadFrame


@pytest.fixture
def ends():
    ours, theirs = socket.socketpair()
    theirs.settimeout(5)
    with ours, theirs:
        yield ours, theirs


@pytest.mark.parametrize("text, port", [("80", 80), ("65535", 65535), ("65536", 0), ("", 0), ("-1", 0), ("²", 0)])
def test_a_port_is_a_number_that_fits(text, port):
    assert portforward.port_of(text) == port


def opened(client, key, port="80"):
    """The two streams of a connection, and the frames that begin them."""
    error, first = client.open(streamtype="error", port=port, requestid=key)
    stream, second = client.open(streamtype="data", port=port, requestid=key)
    return error, stream, first + second


def test_a_connection_is_wanted_when_both_of_its_streams_are_there(ends):
    client, forward = Client(), Streams(Link(ends[0]))
    (_, one, begin), (_, two, again) = opened(client, "0"), opened(client, "1", "81")
    ends[1].sendall(begin[:-1])
    assert forward.receive() == []
    ends[1].sendall(begin[-1:] + again + data(two, b"for the second") + data(one, b"x", fin=True))
    assert forward.receive() == [
        Wanted("0", 80),
        Wanted("1", 81),
        Bytes("1", b"for the second"),
        Bytes("0", b"x"),
        Done("0"),
    ]


def test_what_the_pod_says_goes_out_on_data_and_what_fails_on_error_and_both_streams_end(ends):
    client, forward = Client(), Streams(Link(ends[0]))
    (fine, one, begin), (error, two, again) = opened(client, "0"), opened(client, "1")
    ends[1].sendall(begin + again)
    forward.receive()
    forward.send("0", b"answer")
    forward.end("0")
    forward.fail("1", "refused")
    forward.send("0", b"nobody hears this")
    read = [frame for frame in client.read(ends[1].recv(65536)) if frame[0] != "SYN_REPLY"]
    assert read == [
        ("DATA", one, b"answer"),
        ("FIN", one, b""),
        ("FIN", fine, b""),
        ("DATA", error, b"refused"),
        ("FIN", two, b""),
        ("FIN", error, b""),
    ]


def test_a_client_that_resets_its_data_has_given_the_connection_up(ends):
    client, forward = Client(), Streams(Link(ends[0]))
    _, stream, begin = opened(client, "0")
    ends[1].sendall(begin + control(3, struct.pack(">II", stream, 5)))
    assert forward.receive() == [Wanted("0", 80), Gone("0")]


def test_a_second_stream_of_one_kind_or_of_another_port_is_refused(ends):
    client, forward = Client(), Streams(Link(ends[0]))
    _, begin = client.open(streamtype="data", port="80", requestid="0")
    again, second = client.open(streamtype="data", port="80", requestid="0")
    other, third = client.open(streamtype="error", port="81", requestid="0")
    ends[1].sendall(begin + second + third)
    assert forward.receive() == []
    assert [n for kind, n, _ in client.read(ends[1].recv(65536)) if kind == "RST_STREAM"] == [again, other]


def test_spdy_travels_in_messages_of_a_websocket(ends):
    client, outer, forward = Client(), websocket.Messages(server=False), Streams(websocket.Tunnel(ends[0]))
    _, stream, begin = opened(client, "0")
    wire = b"".join(outer.message(begin[at : at + 7]) for at in range(0, len(begin), 7))
    ends[1].sendall(wire + outer.message(data(stream, b"question")))
    assert forward.receive() == [Wanted("0", 80), Bytes("0", b"question")]
    forward.send("0", b"answer")
    pieces, _ = outer.feed(ends[1].recv(65536))
    read = client.read(b"".join(piece for piece, _ in pieces))
    assert read[-1] == ("DATA", stream, b"answer")
    ends[1].sendall(outer.close())
    forward.receive()
    assert forward.ended


def test_a_tunnel_with_noise_in_it_is_cut_off(ends):
    outer, forward = websocket.Messages(server=False), Streams(websocket.Tunnel(ends[0]))
    ends[1].sendall(outer.message(b"\x80\x02 this is SPDY/2"))
    with pytest.raises(BadFrame):
        forward.receive()


def test_ports_of_a_query_are_connections_from_the_beginning_and_their_channels_say_which(ends):
    client, forward = websocket.Channels(server=False, whole=()), Ports.on(ends[0], [80, 443])
    assert forward.receive() == [Wanted("0", 80), Wanted("1", 443)]
    messages, _ = client.feed(ends[1].recv(65536))
    assert messages == [(0, b"\x50\0"), (1, b"\x50\0"), (2, b"\xbb\x01"), (3, b"\xbb\x01")]
    ends[1].sendall(client.message(2, b"question") + client.message(3, b"means nothing"))
    assert forward.receive() == [Bytes("1", b"question")]
    forward.send("1", b"answer")
    forward.fail("0", "refused")
    assert client.feed(ends[1].recv(65536))[0] == [(2, b"answer"), (1, b"refused")]
    assert not client.closed
    forward.end("1")
    client.feed(ends[1].recv(65536))
    assert client.closed
