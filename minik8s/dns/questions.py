"""Questions as they are asked: what `minik8s dns log` shows.

The loop writes down what passes only while somebody looks: the page switches the tap on, and without a reader it is
off again after a few seconds. Nobody looking costs the loop one comparison for each wake-up. What is written down is
the bytes; reading them is done for the reader, in the page's own thread.

Read next: pages.py.
"""

from collections import deque
from typing import Any

from minik8s import params
from minik8s.dns import foreign
from minik8s.host import clock


class Tap:
    """A bounded ring of (number, wall time, question, reply, client, protocol). Filled by the loop, read by pages."""

    def __init__(self) -> None:
        self.wanted_until = 0.0
        self._count = 0
        self._ring: deque[tuple[int, float, bytes, bytes | None, Any, str]] = deque(maxlen=params.DNS_TAP_ENTRIES)

    def saw(self, question: bytes, reply: bytes | None, client: Any, protocol: str) -> None:
        self._count += 1
        self._ring.append((self._count, clock.wall(), question, reply, client, protocol))

    def since(self, number: int) -> dict[str, Any]:
        """What was asked after the question of this number, and how many of those are no longer kept."""
        kept = [each for each in list(self._ring) if each[0] > number]
        missed = kept[0][0] - number - 1 if kept and number else 0
        last = kept[-1][0] if kept else number
        return {"last": last, "missed": missed, "questions": [_told(each) for each in kept]}


def _told(seen: tuple[int, float, bytes, bytes | None, Any, str]) -> dict[str, Any]:
    _, wall, question, reply, client, protocol = seen
    told: dict[str, Any] = {"wall": wall, "client": client[0], "protocol": protocol, "name": "", "type": ""}
    try:
        labels, at = foreign.name(question, 12)
        told |= {
            "name": foreign.readable(labels),
            "type": foreign.type_name(int.from_bytes(question[at : at + 2], "big")),
        }
    except (ValueError, IndexError):
        pass  # no name can be read from it; the code says what was made of it
    return told | answer(reply)


def answer(reply: bytes | None) -> dict[str, Any]:
    """A reply for people: {rcode, answers: [{name, ttl, type, data}]}."""
    if reply is None:
        return {"rcode": "no answer", "answers": []}
    try:
        read = foreign.read(reply)
    except ValueError:
        return {"rcode": foreign.rcode_name(reply[3] & 0xF), "answers": []}
    return {
        "rcode": foreign.rcode_name(read.rcode),
        "answers": [
            {
                "name": foreign.readable(record.owner),
                "ttl": record.ttl,
                "type": foreign.type_name(record.type),
                "data": foreign.text(record),
            }
            for record in read.answers
        ],
    }
