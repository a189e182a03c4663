"""Frames and channels, with both ends played against each other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minik8s.streams import websocket
from minik8s.streams.websocket import CLOSE, ERROR, RESIZE, STDIN, STDOUT, BadFrame, Channels


def test_the_accept_key_is_the_one_of_the_rfc():
    assert websocket.accept_key("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


@pytest.mark.parametrize(
    "offered, chosen",
    [
        ("v5.channel.k8s.io", "v5.channel.k8s.io"),
        ("v4.channel.k8s.io", "v4.channel.k8s.io"),
        ("v4.channel.k8s.io, v5.channel.k8s.io", "v5.channel.k8s.io"),
        ("base64.channel.k8s.io", None),
        ("", None),
    ],
)
def test_exactly_one_offered_protocol_is_chosen_the_newest_we_speak(offered, chosen):
    assert websocket.choose(offered) == chosen


def test_an_upgrade_is_recognised_whatever_the_case():
    asked = {"connection": "keep-alive, Upgrade", "UPGRADE": "WebSocket", "Sec-Websocket-Key": "x"}
    assert websocket.is_upgrade(asked)
    assert not websocket.is_upgrade({**asked, "UPGRADE": "SPDY/3.1"})


@given(st.lists(st.tuples(st.integers(0, 2), st.binary(min_size=1, max_size=3000)), max_size=8), st.integers(1, 700))
def test_data_arrives_whole_and_in_order_however_the_network_cuts_it(messages, size):
    client, server = Channels(server=False), Channels(server=True)
    wire = b"".join(client.message(channel, data) for channel, data in messages)
    found = []
    for start in range(0, len(wire), size):
        found += server.feed(wire[start : start + size])[0]
    for number in range(3):
        assert b"".join(d for c, d in found if c == number) == b"".join(d for c, d in messages if c == number)


def test_data_in_pieces_is_passed_on_at_once_but_a_size_only_whole():
    client, server = Channels(server=False), Channels(server=True)
    wire = client.message(STDIN, b"x" * 1000)
    assert server.feed(wire[:500])[0][0][1].startswith(b"xxx")
    server.feed(wire[500:])
    wire = client.message(RESIZE, b'{"Width":80,"Height":24}')
    assert server.feed(wire[:20])[0] == []
    ((channel, data),) = server.feed(wire[20:])[0]
    assert (channel, websocket.size(data)) == (RESIZE, (80, 24))


def test_stdin_can_be_ended_in_v5_and_not_in_v4():
    server = Channels(server=True)
    assert server.feed(Channels(server=False).end(STDIN))[0] == [(CLOSE, b"\x00")]
    assert Channels(server=False, protocol=websocket.V4).end(STDIN) == b""


def test_a_ping_is_answered_and_is_no_data():
    server = Channels(server=True)
    found, reply = server.feed(b"\x89\x80\x00\x00\x00\x00")
    assert found == [] and reply == b"\x8a\x00"


def test_a_goodbye_is_answered_and_nothing_is_sent_after_it():
    client, server = Channels(server=False), Channels(server=True)
    _, reply = client.feed(server.message(STDOUT, b"last") + server.close())
    assert client.closed and reply
    assert client.message(STDIN, b"late") == b"" and server.message(STDOUT, b"late") == b""
    server.feed(reply)
    assert server.closed
    assert server.feed(b"anything") == ([], b"")


def test_what_is_no_websocket_is_told_so_and_no_longer_heard():
    server = Channels(server=True)
    found, reply = server.feed(b"GET / HTTP/1.1\r\n\r\n" * 10)
    assert found == [] and server.closed
    assert reply.startswith(b"\x88") and (1002).to_bytes(2, "big") in reply


def test_a_status_cannot_eat_the_memory():
    client, server = Channels(server=False), Channels(server=True)
    with pytest.raises(BadFrame):
        server.feed(client.message(RESIZE, b"x" * 100_000))


@pytest.mark.parametrize("code", [0, 1, 3, 137])
def test_the_exit_code_survives_the_journey(code):
    server, client = Channels(server=True), Channels(server=False)
    (((channel, data),), _) = client.feed(server.message(ERROR, websocket.status(code)))
    assert channel == ERROR and websocket.exit_code(data)[0] == code


def test_a_command_that_could_not_run_has_a_message_and_a_code():
    assert websocket.exit_code(websocket.failure("no such file")) == (1, "no such file")
