"""SPDY/3.1, as far as Kubernetes uses it: frames of many streams over one connection. The server's side, without I/O.

kubectl before 1.30 speaks it for `exec`, and every version for `port-forward`. `Frames` turns bytes from the network
into what happened on which stream, and back. A frame is a control frame (first bit 1: a stream begins, is reset, a
ping) or data of a stream; both have eight bytes of head, with a length in 24 bits. Headers are compressed, with one
context for all of a connection in each direction, so no block may be skipped.

Invariants: every stream that the other side begins is accepted, or reset when there are too many; data is passed on
piece by piece as it comes, so that no frame is held whole; whatever is out of order raises BadFrame, after which the
connection is of no use. WINDOW_UPDATE is neither sent nor heeded, as in upstream's own library: a slow reader makes
the whole connection wait. Read next: spdy_dictionary.py, spdysession.py.
"""

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from minik8s.streams.session import BadFrame
from minik8s.streams.spdy_dictionary import DICTIONARY

SYN_STREAM, SYN_REPLY, RST_STREAM, SETTINGS, PING, GOAWAY, HEADERS, WINDOW_UPDATE = 1, 2, 3, 4, 6, 7, 8, 9
VERSION = 3
FIN = 0x01
CONTROL = 0x8000_0000
INVALID_STREAM, REFUSED_STREAM, CANCEL = 2, 3, 5  # why a stream is reset

MOST_STREAMS = 512  # open at once
MOST_CONTROL = 64 * 1024  # bytes of a control frame
MOST_HEADERS = 64 * 1024  # bytes of a header block after it was inflated
PIECE = 1024 * 1024  # bytes of data in one frame of ours


@dataclass(frozen=True, slots=True)
class Opened:
    """A stream began."""

    stream: int
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Data:
    stream: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Ended:
    """The other side will send nothing more on the stream; it still listens."""

    stream: int


@dataclass(frozen=True, slots=True)
class Reset:
    """The other side has given the stream up, in both directions."""

    stream: int


Event = Opened | Data | Ended | Reset


@dataclass(slots=True)
class _Stream:
    """Which directions are still open."""

    inward: bool = True
    outward: bool = True


@dataclass(slots=True)
class _Within:
    """A data frame that has not wholly come yet."""

    stream: int
    left: int
    last: bool


class Frames:
    """One connection."""

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(zdict=DICTIONARY)
        self._deflate = zlib.compressobj(zdict=DICTIONARY)
        self._buffer = bytearray()
        self._within: _Within | None = None
        self._streams: dict[int, _Stream] = {}
        self._newest = 0
        self._events: list[Event] = []
        self._reply = bytearray()
        self.closed = False  # the other side has said goodbye

    # --- In -----------------------------------------------------------------------------------------------------------

    def feed(self, data: bytes) -> tuple[list[Event], bytes]:
        """Bytes from the network → what happened, and bytes to answer at once."""
        self._buffer += data
        while self._piece() if self._within else self._frame():
            pass
        events, reply = self._events, bytes(self._reply)
        self._events, self._reply = [], bytearray()
        return events, reply

    def _piece(self) -> bool:
        """Pass on what is there of a data frame; True if there may be more to do."""
        within = self._within
        assert within is not None
        data = bytes(self._buffer[: within.left])
        del self._buffer[: len(data)]
        within.left -= len(data)
        stream = self._streams.get(within.stream)
        if data and stream is not None and stream.inward:
            self._events.append(Data(within.stream, data))
        if within.left:
            return False
        self._within = None
        if within.last:
            self._end_inward(within.stream)
        return bool(self._buffer)

    def _frame(self) -> bool:
        """Take the next frame's head, and all of a control frame; True if there was one."""
        if len(self._buffer) < 8:
            return False
        word, tail = struct.unpack_from(">II", self._buffer)
        flags, length = tail >> 24, tail & 0xFF_FFFF
        if not word & CONTROL:
            del self._buffer[:8]
            self._within = _Within(word, length, bool(flags & FIN))
            if word not in self._streams:
                self._refuse_data(word)
            return True
        if (word >> 16) & 0x7FFF != VERSION:
            raise BadFrame(f"version {(word >> 16) & 0x7FFF}")
        if length > MOST_CONTROL:
            raise BadFrame(f"a control frame of {length} bytes")
        if len(self._buffer) < 8 + length:
            return False
        payload = bytes(self._buffer[8 : 8 + length])
        del self._buffer[: 8 + length]
        self._control(word & 0xFFFF, flags, payload)
        return True

    def _control(self, kind: int, flags: int, payload: bytes) -> None:
        try:
            if kind == SYN_STREAM:
                self._begin(flags, payload)
            elif kind in (SYN_REPLY, HEADERS):
                self._headers(payload[4:])  # of no interest, but the compression goes on behind it
            elif kind == RST_STREAM:
                (number,) = struct.unpack_from(">I", payload)
                if self._streams.pop(number, None):
                    self._events.append(Reset(number))
            elif kind == PING:
                (number,) = struct.unpack(">I", payload)
                self._reply += _control(PING, payload) if number % 2 else b""
            elif kind == GOAWAY:
                self.closed = True
        except struct.error as error:
            raise BadFrame(f"a control frame of type {kind} is too short") from error

    def _begin(self, flags: int, payload: bytes) -> None:
        (number,) = struct.unpack_from(">I", payload)
        headers = self._headers(payload[10:])
        if number % 2 == 0 or number <= self._newest or number & CONTROL:
            raise BadFrame(f"stream {number} after stream {self._newest}")
        self._newest = number
        if len(self._streams) >= MOST_STREAMS:
            self._reply += _reset(number, REFUSED_STREAM)
            return
        self._streams[number] = _Stream()
        self._reply += _control(SYN_REPLY, struct.pack(">I", number) + self._block({}))
        self._events.append(Opened(number, headers))
        if flags & FIN:
            self._end_inward(number)

    def _end_inward(self, number: int) -> None:
        stream = self._streams.get(number)
        if stream is not None and stream.inward:
            stream.inward = False
            self._events.append(Ended(number))
            self._forget(number, stream)

    def _refuse_data(self, number: int) -> None:
        """A stream that was reset may still have data on its way; one that never was is an error."""
        if number > self._newest or number % 2 == 0:
            raise BadFrame(f"data on stream {number}, which never began")

    def _headers(self, block: bytes) -> dict[str, str]:
        try:
            plain = self._inflate.decompress(block, MOST_HEADERS)
        except zlib.error as error:
            raise BadFrame(f"headers: {error}") from error
        if self._inflate.unconsumed_tail or self._inflate.eof:
            raise BadFrame(f"headers of more than {MOST_HEADERS} bytes, or that end the compression")
        return _pairs(plain)

    # --- Out ----------------------------------------------------------------------------------------------------------

    def data(self, number: int, data: bytes) -> bytes:
        """The frames of some data on a stream; nothing for a stream that is at its end."""
        stream = self._streams.get(number)
        if stream is None or not stream.outward:
            return b""
        pieces = (data[at : at + PIECE] for at in range(0, len(data), PIECE))
        return b"".join(struct.pack(">II", number, len(piece)) + piece for piece in pieces)

    def end(self, number: int) -> bytes:
        """The frame that says that we send nothing more on a stream."""
        stream = self._streams.get(number)
        if stream is None or not stream.outward:
            return b""
        stream.outward = False
        self._forget(number, stream)
        return struct.pack(">II", number, FIN << 24)

    def reset(self, number: int, why: int = CANCEL) -> bytes:
        """The frame that gives a stream up."""
        return _reset(number, why) if self._streams.pop(number, None) else b""

    def goaway(self) -> bytes:
        """The frame that says goodbye."""
        return _control(GOAWAY, struct.pack(">II", self._newest, 0))

    def _block(self, headers: Mapping[str, str]) -> bytes:
        plain = bytearray(struct.pack(">I", len(headers)))
        for pair in headers.items():
            for text in pair:
                plain += struct.pack(">I", len(text.encode())) + text.encode()
        return self._deflate.compress(bytes(plain)) + self._deflate.flush(zlib.Z_SYNC_FLUSH)

    def _forget(self, number: int, stream: _Stream) -> None:
        if not stream.inward and not stream.outward:
            self._streams.pop(number, None)


def _control(kind: int, payload: bytes, flags: int = 0) -> bytes:
    return struct.pack(">II", CONTROL | VERSION << 16 | kind, flags << 24 | len(payload)) + payload


def _reset(number: int, why: int) -> bytes:
    return _control(RST_STREAM, struct.pack(">II", number, why))


def _pairs(plain: bytes) -> dict[str, str]:
    """A header block: how many, then name and value, each with its length before it."""
    words = []
    try:
        (count,) = struct.unpack_from(">I", plain)
        at = 4
        for _ in range(2 * count):
            (length,) = struct.unpack_from(">I", plain, at)
            words.append(plain[at + 4 : at + 4 + length])
            at += 4 + length
    except struct.error as error:
        raise BadFrame("a header block is too short") from error
    if at != len(plain):
        raise BadFrame("a header block has another length than its parts")
    texts = [word.decode("utf-8", "replace") for word in words]
    return {name.lower(): value for name, value in zip(texts[::2], texts[1::2], strict=True)}
