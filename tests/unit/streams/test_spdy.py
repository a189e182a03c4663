"""SPDY/3.1 frames: what a client written apart from ours sends and understands, and what hostile ones try."""

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.spdyclient import Client, control, data

from minik8s.streams import spdy
from minik8s.streams.session import BadFrame
from minik8s.streams.spdy import Data, Ended, Frames, Opened, Reset
from minik8s.streams.spdy_dictionary import DICTIONARY


def fed(frames, wire, size=1 << 20):
    """What happened and what was answered, with the wire cut into pieces of `size`."""
    events, reply = [], b""
    for at in range(0, len(wire), size):
        found, answer = frames.feed(wire[at : at + size])
        events, reply = events + found, reply + answer
    return events, reply


def joined(events, number):
    return b"".join(event.data for event in events if isinstance(event, Data) and event.stream == number)


def test_the_dictionary_is_the_protocols():
    assert (len(DICTIONARY), zlib.adler32(DICTIONARY)) == (1423, 0xE3C6A7C2)


def test_a_stream_begins_with_its_headers_and_is_answered():
    client, frames = Client(), Frames()
    first, begin = client.open(Streamtype="error")
    second, again = client.open(streamtype="data", port="80", requestid="0")
    events, reply = fed(frames, begin + again)
    assert events == [
        Opened(first, {"streamtype": "error"}),
        Opened(second, {"streamtype": "data", "port": "80", "requestid": "0"}),
    ]
    assert client.read(reply) == [("SYN_REPLY", first, b""), ("SYN_REPLY", second, b"")]


@given(
    st.lists(st.tuples(st.integers(0, 2), st.binary(max_size=3000)), max_size=12),
    st.integers(1, 5000),
)
def test_data_arrives_whole_in_order_and_on_its_own_stream_however_the_network_cuts_it(pieces, size):
    client, frames = Client(), Frames()
    numbers, begins = zip(*(client.open(streamtype=str(n)) for n in range(3)), strict=True)
    wire = b"".join(begins) + b"".join(data(numbers[n], piece) for n, piece in pieces)
    wire += b"".join(data(number, b"", fin=True) for number in numbers)
    events, _ = fed(frames, wire, size)
    for n, number in enumerate(numbers):
        assert joined(events, number) == b"".join(piece for m, piece in pieces if m == n)
        assert [e for e in events if e.stream == number][-1] == Ended(number)


@given(st.lists(st.binary(max_size=3000), max_size=8), st.integers(1, 2000))
def test_what_is_sent_can_be_read_by_a_client(pieces, size):
    client, frames = Client(), Frames()
    number, begin = client.open(streamtype="stdout")
    _, reply = fed(frames, begin)
    wire = reply + b"".join(frames.data(number, piece) for piece in pieces) + frames.end(number)
    read = [frame for at in range(0, len(wire), size) for frame in client.read(wire[at : at + size])]
    assert read[0] == ("SYN_REPLY", number, b"") and read[-1] == ("FIN", number, b"")
    assert b"".join(payload for kind, _, payload in read if kind == "DATA") == b"".join(pieces)


def test_more_than_a_frame_can_hold_is_sent_in_several():
    client, frames = Client(), Frames()
    number, begin = client.open()
    fed(frames, begin)
    big = bytes(1 << 24) + b"end"
    read = client.read(frames.data(number, big))
    assert len(read) > 16 and b"".join(payload for *_, payload in read) == big


def test_a_large_frame_is_passed_on_before_it_has_wholly_come():
    client, frames = Client(), Frames()
    number, begin = client.open()
    fed(frames, begin)
    assert fed(frames, struct.pack(">II", number, 0xFF_FFFF) + b"first")[0] == [Data(number, b"first")]
    assert fed(frames, b"second")[0] == [Data(number, b"second")]


def test_each_direction_ends_by_itself_and_then_nothing_more_is_sent():
    client, frames = Client(), Frames()
    number, begin = client.open()
    events, _ = fed(frames, begin + data(number, b"last", fin=True) + data(number, b"too late"))
    assert events[1:] == [Data(number, b"last"), Ended(number)]
    assert frames.data(number, b"answer")
    assert client.read(frames.end(number)) == [("FIN", number, b"")]
    assert (frames.data(number, b"x"), frames.end(number), frames.reset(number)) == (b"", b"", b"")


def test_a_stream_may_begin_at_its_end():
    client, frames = Client(), Frames()
    number, begin = client.open(flags=1)
    assert fed(frames, begin)[0][1:] == [Ended(number)]


def test_a_reset_stream_is_over_in_both_directions_and_late_data_is_dropped():
    client, frames = Client(), Frames()
    number, begin = client.open()
    other, second = client.open()
    events, _ = fed(frames, begin + second + control(3, struct.pack(">II", number, 5)) + data(number, b"late"))
    assert events[2:] == [Reset(number)]
    assert frames.data(number, b"x") == b""
    assert client.read(frames.reset(other))[0][:2] == ("RST_STREAM", other)


def test_a_ping_is_answered_and_our_own_come_back_in_silence():
    frames = Frames()
    assert fed(frames, control(6, struct.pack(">I", 7)))[1] == control(6, struct.pack(">I", 7))
    assert fed(frames, control(6, struct.pack(">I", 8)))[1] == b""


def test_settings_windows_and_what_nobody_knows_are_passed_over():
    frames = Frames()
    wire = control(4, bytes(12)) + control(9, bytes(8)) + control(99, b"?")
    assert fed(frames, wire) == ([], b"")


def test_goodbye_is_remembered_and_can_be_said():
    client, frames = Client(), Frames()
    number, begin = client.open()
    fed(frames, begin)
    assert client.read(frames.goaway())[0][:2] == ("GOAWAY", number)  # the last stream that was heard of
    assert not frames.closed
    fed(frames, control(7, struct.pack(">II", 0, 0)))
    assert frames.closed


def test_too_many_streams_are_refused_and_the_others_go_on():
    client, frames = Client(), Frames()
    opened = [client.open() for _ in range(spdy.MOST_STREAMS + 1)]
    events, reply = fed(frames, b"".join(begin for _, begin in opened))
    assert len(events) == spdy.MOST_STREAMS
    assert client.read(reply)[-1][:2] == ("RST_STREAM", opened[-1][0])
    assert fed(frames, data(opened[0][0], b"still"))[0] == [Data(opened[0][0], b"still")]


def bomb(client):
    return client.syn(1, 0, {"x": "0" * (1 << 20)})


def begun_twice(client):
    return client.syn(3, 0, {}) + client.syn(3, 0, {})


HOSTILE = {
    "another version": lambda client: control(1, bytes(20), version=2),
    "a control frame without end": lambda client: struct.pack(">HHI", 0x8003, 1, 0xFF_FFFF),
    "headers that are not compressed": lambda client: control(1, bytes(10) + b"no zlib at all"),
    "headers that inflate without end": bomb,
    "a count of headers that is not there": lambda client: control(
        1, b"\0\0\0\1" + bytes(6) + client.pack(b"\xff" * 4)
    ),
    "headers with something behind": lambda client: control(1, b"\0\0\0\1" + bytes(6) + client.pack(bytes(9))),
    "a stream of the server's numbers": lambda client: client.syn(2, 0, {}),
    "stream 0": lambda client: client.syn(0, 0, {}),
    "a stream that began already": begun_twice,
    "data of no stream": lambda client: data(1, b"x"),
    "a reset of two bytes": lambda client: control(3, b"\0\1"),
    "a ping of two bytes": lambda client: control(6, b"\0\1"),
    "a stream without a number": lambda client: control(1, b"\0"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_makes_no_sense_is_cut_off(what):
    with pytest.raises(BadFrame):
        fed(Frames(), HOSTILE[what](Client()))


@given(st.binary(max_size=400))
def test_noise_is_understood_or_refused_and_never_anything_else(noise):
    frames = Frames()
    try:
        events = fed(frames, noise)[0] + fed(frames, control(1, noise))[0]
    except BadFrame:
        return
    assert not events  # 400 bytes of noise are no compressed headers
