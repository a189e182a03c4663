"""The server's side of an upgrade: which protocol a request asks for, which of them is spoken, and the answer. Pure.

`exec`, `attach` and `port-forward` begin as an HTTP request that asks to go on in another protocol: WebSocket, which
names its dialects in `Sec-WebSocket-Protocol`, or SPDY/3.1, which names them in `X-Stream-Protocol-Version`. Exactly
one offered dialect is chosen and said in the answer. Read next: websocket.py, spdy.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from minik8s.streams import websocket

SPDY = "SPDY/3.1"
SPDY_VERSION = "X-Stream-Protocol-Version"


class Unusable(ValueError):
    """The request asks for no protocol that is spoken here."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a page speaks over each of the two, best first. "" stands for a client that names no dialect."""

    websocket: Sequence[str]
    spdy: Sequence[str]


@dataclass(frozen=True, slots=True)
class Agreed:
    """What both sides go on in, and the answer that says so."""

    spdy: bool
    protocol: str
    answer: bytes


def agree(headers: Mapping[str, str], spoken: Spoken) -> Agreed:
    """Choose; raises Unusable, in words for the client. Header names in any case."""
    low = {name.lower(): value for name, value in headers.items()}
    if websocket.is_upgrade(headers):
        protocol = _choose(low.get("sec-websocket-protocol", ""), spoken.websocket)
        return Agreed(False, protocol, websocket.switching(low["sec-websocket-key"], protocol))
    words = [word.strip().lower() for word in low.get("connection", "").split(",")]
    if "upgrade" in words and low.get("upgrade", "").lower() == SPDY.lower():
        protocol = _choose(low.get(SPDY_VERSION.lower(), ""), spoken.spdy)
        return Agreed(True, protocol, _switching(protocol))
    raise Unusable("an upgrade to WebSocket or SPDY/3.1 is needed")


def _choose(offered: str, spoken: Sequence[str]) -> str:
    names = [name.strip() for name in offered.split(",")]
    for name in spoken:
        if name in names:
            return name
    known = ", ".join(name for name in spoken if name)
    raise Unusable(f"unable to negotiate a protocol: client supports {names}, server accepts {known}")


def _switching(protocol: str) -> bytes:
    lines = (
        "HTTP/1.1 101 Switching Protocols",
        "Connection: Upgrade",
        f"Upgrade: {SPDY}",
        f"{SPDY_VERSION}: {protocol}",
    )
    return "\r\n".join((*lines, "", "")).encode()
