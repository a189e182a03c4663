"""The client's end of SPDY/3.1, written from the protocol's text and not from our framer, to judge it by."""

import struct
import zlib

from minik8s.streams.spdy_dictionary import DICTIONARY

NAMES = {1: "SYN_STREAM", 2: "SYN_REPLY", 3: "RST_STREAM", 6: "PING", 7: "GOAWAY"}


class Client:
    def __init__(self):
        self.packer, self.unpacker = zlib.compressobj(zdict=DICTIONARY), zlib.decompressobj(zdict=DICTIONARY)
        self.next = 1
        self.rest = b""

    def open(self, flags=0, **headers):
        """A new stream's number, and the frame that begins it."""
        number, self.next = self.next, self.next + 2
        return number, self.syn(number, flags, headers)

    def syn(self, number, flags, headers):
        plain = len(headers).to_bytes(4, "big")
        for word in (word for pair in headers.items() for word in pair):
            plain += len(word).to_bytes(4, "big") + word.encode()
        return control(1, struct.pack(">IIH", number, 0, 0) + self.pack(plain), flags)

    def pack(self, plain):
        return self.packer.compress(plain) + self.packer.flush(zlib.Z_SYNC_FLUSH)

    def read(self, data):
        """Bytes → ("SYN_REPLY", stream, b""), ("DATA", stream, data), ("FIN", stream, b""), …"""
        self.rest += data
        found = []
        while len(self.rest) >= 8:
            length = int.from_bytes(self.rest[5:8], "big")
            if len(self.rest) < 8 + length:
                break
            head, body, self.rest = self.rest[:8], self.rest[8 : 8 + length], self.rest[8 + length :]
            found += self.frame(head, body)
        return found

    def frame(self, head, body):
        if not head[0] & 0x80:
            number = int.from_bytes(head[:4], "big")
            data = [("DATA", number, body)] if body else []
            return data + ([("FIN", number, b"")] if head[4] & 1 else [])
        assert head[:2] == b"\x80\x03"
        kind = NAMES[head[3]]
        if kind == "SYN_REPLY":
            assert self.unpacker.decompress(body[4:]) == bytes(4)
            return [(kind, int.from_bytes(body[:4], "big"), b"")]
        return [(kind, int.from_bytes(body[:4], "big"), body[4:])]


def control(kind, payload, flags=0, version=3):
    return struct.pack(">HHI", 0x8000 | version, kind, flags << 24 | len(payload)) + payload


def data(number, payload, fin=False):
    return struct.pack(">II", number, int(fin) << 24 | len(payload)) + payload
