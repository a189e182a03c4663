"""Answers read from a bare socket."""

import socket

import pytest

from minik8s.streams import handshake


def answered(raw):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(raw)
        theirs.shutdown(socket.SHUT_WR)
        answer = handshake.read_answer(ours)
        return answer, b"".join(handshake.body(ours, answer))


def test_frames_that_come_with_the_head_are_kept():
    answer, rest = answered(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x82\x01\x01")
    assert (answer.code, answer.headers, answer.early) == (101, {"upgrade": "websocket"}, b"\x82\x01\x01")
    assert answer.raw.endswith(b"\r\n\r\n") and rest == b"\x82\x01\x01"


BODIES = [
    (b"HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nno!extra", b"no!"),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1;x=y\r\nd\r\n0\r\n\r\n", b"abcd"),
    (b"HTTP/1.0 200 OK\r\n\r\nto the end", b"to the end"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b""),
]


@pytest.mark.parametrize("raw, body", BODIES)
def test_a_body_ends_where_its_head_says(raw, body):
    assert answered(raw)[1] == body


@pytest.mark.parametrize("raw", [b"", b"HTTP/1.1 200", b"SSH-2.0-x\r\n\r\n"])
def test_what_is_no_answer_is_a_lost_connection(raw):
    with pytest.raises(ConnectionError):
        answered(raw)


def test_a_chunked_body_cut_off_is_not_taken_for_a_whole_one():
    with pytest.raises(ConnectionError):
        answered(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")


def test_a_header_cannot_smuggle_another():
    with pytest.raises(ValueError):
        handshake.request("GET", "/", {"X": "a\r\nY: b"})
