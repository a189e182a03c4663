"""Messages as bytes, most of them odd: what each deserves. Shared by the unit and the integration tests."""

import random
import struct

NAME = b"\3web\4shop\3svc\7cluster\5local\0"
A_IN = struct.pack("!HH", 1, 1)
OPT = b"\0" + struct.pack("!HHIH", 41, 1232, 0, 0)


def message(*parts: bytes, flags: int = 0x0100, counts: tuple[int, int, int, int] = (1, 0, 0, 0)) -> bytes:
    return struct.pack("!6H", 0x1122, flags, *counts) + b"".join(parts)


QUESTION = message(NAME, A_IN)

MALFORMED = {
    "the question is missing": message(),
    "no question is announced": message(counts=(0, 0, 0, 0)),
    "two questions": message(NAME, A_IN, NAME, A_IN, counts=(2, 0, 0, 0)),
    "an answer is announced": message(NAME, A_IN, counts=(1, 1, 0, 0)),
    "an authority is announced": message(NAME, A_IN, counts=(1, 0, 1, 0)),
    "the type is cut off": message(NAME, b"\0"),
    "a pointer to itself": message(b"\xc0\x0c", A_IN),
    "a pointer into the header": message(b"\xc0\x00", A_IN),
    "a label longer than 63": message(b"\x40" + b"a" * 64 + b"\0", A_IN),
    "a label of the kind 10": message(b"\x80" + b"a" * 64 + b"\0", A_IN),
    "a name longer than 255": message((b"\x3f" + b"a" * 63) * 4 + b"\0", A_IN),
    "a name without end": message(b"\3web"),
    "two OPT records": message(NAME, A_IN, OPT, OPT, counts=(1, 0, 0, 2)),
    "an OPT that is cut off": message(NAME, A_IN, OPT[:-3], counts=(1, 0, 0, 1)),
    "an OPT that is not there": message(NAME, A_IN, counts=(1, 0, 0, 1)),
    "an OPT with an owner": message(NAME, A_IN, b"\1x" + OPT, counts=(1, 0, 0, 1)),
    "an option that is longer than its OPT": message(NAME, A_IN, OPT[:-2] + b"\0\4\0\x0a\0\x32", counts=(1, 0, 0, 1)),
    "half an option": message(NAME, A_IN, OPT[:-2] + b"\0\2\0\x0a", counts=(1, 0, 0, 1)),
    "a pointer after a label": message(b"\3web\xc0\x0c", A_IN),
    "a name of 128 labels": message(b"\1a" * 128 + b"\0", A_IN),
    "an OPT whose data is cut off": message(NAME, A_IN, OPT[:-2] + b"\0\x09abc", counts=(1, 0, 0, 1)),
}

# What it is → the bytes, and the code they deserve; "" is silence.
RAW: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", ""),
    "shorter than a header": (b"\x11\x22\1\0\0\1\0\0\0\0\0", ""),
    "an answer": (message(NAME, A_IN, flags=0x8180), ""),
    "an answer that is malformed": (message(flags=0x8180), ""),
    "a notification (opcode 4)": (message(NAME, A_IN, flags=0x2000), "NOTIMP"),
    "an update (opcode 5)": (message(NAME, A_IN, flags=0x2800), "NOTIMP"),
    "a status query (opcode 2)": (message(NAME, A_IN, flags=0x1000), "NOTIMP"),
    "an inverse query (opcode 1)": (message(NAME, A_IN, flags=0x0800), "NOTIMP"),
    "an opcode nobody uses": (message(NAME, A_IN, flags=0x7800), "NOTIMP"),
    "a transfer": (message(NAME, struct.pack("!HH", 252, 1)), "REFUSED"),
    "an incremental transfer": (message(NAME, struct.pack("!HH", 251, 1)), "REFUSED"),
    "class CH": (message(NAME, struct.pack("!HH", 1, 3)), "REFUSED"),
    "class NONE": (message(NAME, struct.pack("!HH", 1, 254)), "REFUSED"),
    "class ANY": (message(NAME, struct.pack("!HH", 1, 255)), "REFUSED"),
    "trailing bytes": (message(NAME, A_IN, b"xyz"), "NOERROR"),
    "a name of 255 bytes": (message((b"\x3f" + b"a" * 63) * 3 + b"\x3d" + b"a" * 61 + b"\0", A_IN), "NXDOMAIN"),
    "a name of 127 labels": (message(b"\1a" * 127 + b"\0", A_IN), "NXDOMAIN"),
    "the bit Z": (message(NAME, A_IN, flags=0x0140), "NOERROR"),
    "a code in a question": (message(NAME, A_IN, flags=0x0103), "NOERROR"),
    "a cookie and padding": (
        message(NAME, A_IN, OPT[:-2] + b"\0\x12\0\x0a\0\x08cookie!!\0\x0c\0\2\0\0", counts=(1, 0, 0, 1)),
        "NOERROR",
    ),
    "TC set": (message(NAME, A_IN, flags=0x0300), "NOERROR"),
    "AD and CD set": (message(NAME, A_IN, flags=0x0130), "NOERROR"),
    "a dot inside a label": (message(b"\x08web.shop\3svc\7cluster\5local\0", A_IN), "NXDOMAIN"),
    "a byte that is no letter": (message(b"\3w\xffb\4shop\3svc\7cluster\5local\0", A_IN), "NXDOMAIN"),
    "an additional record that is no OPT": (
        message(NAME, A_IN, b"\0" + struct.pack("!HHIH", 1, 1, 0, 4) + b"abcd", counts=(1, 0, 0, 1)),
        "NOERROR",
    ),
    **{name: (data, "FORMERR") for name, data in MALFORMED.items()},
}


def mutated(data: bytes, dice: random.Random) -> bytes:
    """A few bytes changed, removed, inserted or flipped."""
    changed = bytearray(data)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(changed) or 1)
        match dice.randrange(4):
            case 0:
                changed[at : at + 1] = bytes((dice.randrange(256),))
            case 1:
                del changed[at : at + dice.randint(1, 8)]
            case 2:
                changed[at:at] = dice.randbytes(dice.randint(1, 8))
            case 3:
                changed[at : at + 1] = bytes((changed[at] ^ (1 << dice.randrange(8)),)) if at < len(changed) else b""
    return bytes(changed)
