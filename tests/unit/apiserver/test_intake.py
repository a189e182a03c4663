"""Where a request ends, whatever the pieces it comes in; and what is refused before it is whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minik8s import params
from minik8s.apiserver import errors
from minik8s.apiserver.serving.intake import Intake

GET = b"GET /api/v1/pods HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /api/v1/pods HTTP/1.1\r\nHost: x\r\ncontent-length: 5\r\n\r\nhello"
CHUNKED = (
    b"PUT /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5;name=value\r\nhello\r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n"
)
EMPTY_CHUNKED = b"PUT /x HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n0\r\n\r\n"
WHOLE = [GET, POST, CHUNKED, EMPTY_CHUNKED]


def taken(intake):
    found = []
    while (request := intake.take()) is not None:
        found.append(request)
    return found


@given(st.lists(st.sampled_from(WHOLE), max_size=4), st.data())
def test_requests_come_out_whole_and_in_order_whatever_the_pieces(requests, data):
    stream = b"".join(requests)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    intake, found = Intake(), []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        intake.feed(stream[start:end])
        found += taken(intake)
    assert found == requests
    assert not intake.begun


def test_a_line_feed_too_many_between_requests_is_passed_over():
    intake = Intake()
    intake.feed(b"\r\n\r\n" + GET + b"\r\n" + GET)
    assert taken(intake) == [GET, GET]


def test_a_client_that_waits_for_a_word_before_its_body_is_noticed():
    intake = Intake()
    intake.feed(b"PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
    assert intake.take() is None and intake.expects
    intake.feed(b"abc")
    assert intake.take().endswith(b"abc") and not intake.expects


def head(*lines):
    return b"POST / HTTP/1.1\r\n" + b"".join(line + b"\r\n" for line in lines) + b"\r\n"


REFUSED = {
    "both ways to say the length": (head(b"Content-Length: 5", b"Transfer-Encoding: chunked"), 400),
    "two lengths": (head(b"Content-Length: 5", b"Content-Length: 6"), 400),
    "the same length twice": (head(b"Content-Length: 5", b"Content-Length: 5"), 400),
    "a list of lengths": (head(b"Content-Length: 5, 5"), 400),
    "a negative length": (head(b"Content-Length: -5"), 400),
    "a length with a sign": (head(b"Content-Length: +5"), 400),
    "a length in words": (head(b"Content-Length: five"), 400),
    "two codings": (head(b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity"), 400),
    "a coding that hides another": (head(b"Transfer-Encoding: gzip, chunked"), 400),
    "a coding with a tail": (head(b"Transfer-Encoding: chunked\x0b"), 400),
    "a size that is no number": (head(b"Transfer-Encoding: chunked") + b"xyz\r\n", 400),
    "a negative size": (head(b"Transfer-Encoding: chunked") + b"-1\r\n", 400),
    "a size without an end": (head(b"Transfer-Encoding: chunked") + b"1" * 300, 400),
    "a huge length": (head(b"Content-Length: 99999999999999999999"), 413),
    "a huge chunk": (head(b"Transfer-Encoding: chunked") + b"7fffffff\r\n", 413),
    "a flood of small chunks": (head(b"Transfer-Encoding: chunked") + b"1\r\nx\r\n" * 10_001, 413),
    "a trailer without an end": (head(b"Transfer-Encoding: chunked") + b"0\r\n" + b"A: b\r\n" * 20_000, 431),
    "an endless line": (b"GET /" + b"a" * params.MAX_REQUEST_LINE, 414),
    "an endless head": (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * params.MAX_HEAD_BYTES, 431),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_has_no_clear_end_or_is_over_a_limit_is_refused(case):
    data, code = REFUSED[case]
    intake = Intake()
    intake.feed(data)
    for _ in range(2):  # whoever looks again is told the same: a body is never taken for the next request
        with pytest.raises(errors.Failure) as refused:
            intake.take()
        assert refused.value.code == code
        intake.feed(GET)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_request_a_part_of_one_or_refused(data):
    intake = Intake()
    intake.feed(data)
    try:
        found = taken(intake)
    except errors.Failure as failure:
        assert 400 <= failure.code < 500
    else:
        assert all(b"\r\n\r\n" in each for each in found)
