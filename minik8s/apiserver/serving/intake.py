"""Bytes of a connection to whole requests, within limits. Pure.

A request is given a thread only when all of it is here, so that a client who sends slowly costs a little memory and no
thread. This file only finds where a request ends; gunicorn's parser then reads it. Invariants: what is handed out is
one whole request; a head, a line, a body or a number of chunks over its limit is refused as soon as that is known;
where two readers could see two different ends (RFC 9112, 6.3: smuggling), it is refused. What was refused once is
refused for ever: the connection must be closed. Read next: connection.py.
"""

import re

from minik8s import params
from minik8s.apiserver import errors

END = b"\r\n\r\n"
_LENGTH = re.compile(rb"^content-length[ \t]*:[ \t]*(.*?)[ \t]*\r$", re.I | re.M)
_CODING = re.compile(rb"^transfer-encoding[ \t]*:[ \t]*(.*?)[ \t]*\r$", re.I | re.M)
_EXPECTS = re.compile(rb"^expect[ \t]*:[ \t]*100-continue[ \t]*\r$", re.I | re.M)
_SIZE = re.compile(rb"[0-9a-fA-F]{1,8}")
MOST_CHUNKS = 10_000


class Intake:
    """What has come in and is not yet a whole request."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._refusal: errors.Failure | None = None
        self._begin()

    def _begin(self) -> None:
        self._seen = 0  # so far there is no end of the head
        self._whole = -1  # the length of the request, once it is known
        self._chunk_at = 0  # where the next chunk begins; 0: the body is not in chunks
        self._chunks = 0
        self._body_at = 0
        self.expects = False  # the client waits for a "100 Continue" before it sends the body

    @property
    def begun(self) -> bool:
        """Whether a part of a request is here."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> None:
        self._buffer += data

    def take(self) -> bytes | None:
        """The next whole request, or None. Raises a Failure for one that will not be read."""
        if self._refusal is not None:
            raise self._refusal
        try:
            self._find_end()
        except errors.Failure as failure:
            self._refusal = failure
            raise
        if self._whole < 0 or len(self._buffer) < self._whole:
            return None
        found = bytes(self._buffer[: self._whole])
        del self._buffer[: self._whole]
        self._begin()
        return found

    def _find_end(self) -> None:
        if not self._body_at:
            self._read_head()
        if self._chunk_at:
            self._read_chunks()

    def _read_head(self) -> None:
        while self._buffer.startswith(b"\r\n"):  # RFC 9112, 2.2: some clients send one too many
            del self._buffer[:2]
        end = self._buffer.find(END, max(0, self._seen - len(END)))
        self._seen = len(self._buffer)
        line = self._buffer.find(b"\r\n", 0, params.MAX_REQUEST_LINE + 2)
        if line < 0 and len(self._buffer) > params.MAX_REQUEST_LINE:
            raise errors.uri_too_long(params.MAX_REQUEST_LINE)
        if max(end, self._seen if end < 0 else 0) > params.MAX_HEAD_BYTES:
            raise errors.head_too_large(params.MAX_HEAD_BYTES)
        if end >= 0:
            self._body_at = end + len(END)
            self._read_framing(bytes(self._buffer[: end + 2]))

    def _read_framing(self, head: bytes) -> None:
        """How the head says where the body ends."""
        lengths, codings = _LENGTH.findall(head), _CODING.findall(head)
        self.expects = bool(_EXPECTS.search(head))
        if codings:
            if lengths or len(codings) > 1 or codings[0].lower() != b"chunked":
                raise errors.bad_request("the length of the body is not clear: one Content-Length, or chunked alone")
            self._chunk_at = self._body_at
            return
        if len(lengths) > 1 or (lengths and not lengths[0].isdigit()):
            raise errors.bad_request("Content-Length must be one number")
        length = int(lengths[0][:12]) if lengths else 0
        if length > params.MAX_BODY_BYTES:
            raise errors.too_large(params.MAX_BODY_BYTES)
        self._whole = self._body_at + length

    def _read_chunks(self) -> None:
        """Go from chunk to chunk as far as they are here."""
        while self._whole < 0:
            line = self._buffer.find(b"\r\n", self._chunk_at, self._chunk_at + 256)
            if line < 0:
                if len(self._buffer) - self._chunk_at >= 256:
                    raise errors.bad_request("the size of a chunk is not clear")
                return
            size = _SIZE.match(self._buffer[self._chunk_at : line])
            if size is None:
                raise errors.bad_request("the size of a chunk is not a number")
            length, self._chunks = int(size[0], 16), self._chunks + 1
            if length == 0:
                self._read_trailer(line)
                return
            self._chunk_at = line + 2 + length + 2
            if self._chunk_at - self._body_at > params.MAX_BODY_BYTES or self._chunks > MOST_CHUNKS:
                raise errors.too_large(params.MAX_BODY_BYTES)
            if len(self._buffer) < self._chunk_at:
                return

    def _read_trailer(self, line: int) -> None:
        end = self._buffer.find(END, line)
        if end >= 0:
            self._whole = end + len(END)
        elif len(self._buffer) - line > params.MAX_HEAD_BYTES:
            raise errors.head_too_large(params.MAX_HEAD_BYTES)
