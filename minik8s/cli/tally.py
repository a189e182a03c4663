"""Counts what became of requests, and says it: as one line that moves, as a summary for people, as values. Pure.

The lines come from the test client (cluster/toolbox/client.py); counted here, not there, so that a run that is broken
off still has a summary. Invariant: every line is counted once, as ok or as one kind of loss.

Read next: traffic.py, which fetches the lines.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LOST = ("refused", "reset", "timedout", "noname", "noroute", "other")
_WORDS = {
    "refused": "connection refused",
    "reset": "connection reset",
    "timedout": "timed out",
    "noname": "name not found",
    "noroute": "no route to host",
    "other": "another error",
}
LIVE = "MINIK8S_LIVE"  # set for a client in a pipe: tell the counts all the time, in lines that begin with \r
BAR = 24
SHOWN_LOSSES = 1000


@dataclass
class Tally:
    """What has come back so far."""

    url: str
    origin: str  # from where: pod/client
    pods: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    first: float = 0.0
    last: float = 0.0
    slowest_ms: float = 0.0
    losses: list[tuple[float, str]] = field(default_factory=list)  # when it was begun, what became of it

    def add(self, line: bytes) -> bool:
        """Take in one line of the client; False if it is none of a request."""
        value = _parsed(line)
        if value is None or "outcome" not in value:
            return False
        self.outcomes[value["outcome"]] += 1
        if value.get("pod"):
            self.pods[value["pod"]] += 1
        self.first = min(self.first or value["at"], value["at"])
        self.last = max(self.last, value["at"])
        self.slowest_ms = max(self.slowest_ms, value["took_ms"])
        if value["outcome"] != "ok":
            self.losses.append((value["at"], value["outcome"]))
        return True

    @property
    def sent(self) -> int:
        return sum(self.outcomes.values())

    @property
    def ok(self) -> int:
        return self.outcomes["ok"]

    @property
    def lost(self) -> int:
        return self.sent - self.ok


def _parsed(line: bytes) -> Mapping[str, Any] | None:
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


# --- Words ------------------------------------------------------------------------------------------------------------


def live(tally: Tally) -> str:
    """One line, to be drawn over and over: counts by Pod, and what was lost."""
    pods = "  ".join(f"{_short(name)} {count}" for name, count in sorted(tally.pods.items()))
    lost = "  ".join(f"{kind} {tally.outcomes[kind]}" for kind in LOST if tally.outcomes[kind])
    return f"{tally.sent} sent  {pods}  {lost or 'none lost'}"[:79]


def _short(name: str) -> str:
    """The last part of a generated name: enough to tell siblings apart."""
    return name.rpartition("-")[2]


def summary(tally: Tally) -> str:
    """For people, and `parse` reads its first line back."""
    lines = [f"{tally.sent} requests to {tally.url} from {tally.origin}: {tally.ok} ok, {tally.lost} lost"]
    most = max(tally.pods.values(), default=1)
    for name, count in sorted(tally.pods.items()):
        share = f"{100 * count / tally.ok:.0f}%" if tally.ok else ""
        lines.append(f"  {name:<34}{count:>6} {share:>4}  {'#' * max(1, round(BAR * count / most))}")
    for kind in LOST:
        if tally.outcomes[kind]:
            lines.append(f"  {_WORDS[kind]:<34}{tally.outcomes[kind]:>6}")
    if tally.losses:
        begun = sorted(at for at, _ in tally.losses)
        lines.append(
            f"  lost were requests begun {begun[0] - tally.first:.2f} s to {begun[-1] - tally.first:.2f} s "
            "after the first one"
        )
    return "\n".join(lines)


_FIRST_LINE = re.compile(r"^(\d+) requests to (\S+) from (\S+): (\d+) ok, (\d+) lost$", re.MULTILINE)


@dataclass(frozen=True)
class Counts:
    """A summary that was printed, read back."""

    sent: int
    url: str
    origin: str
    ok: int
    lost: int
    kinds: tuple[tuple[str, int], ...] = ()  # of losses: (refused, 4), …


def parse(text: str) -> Counts | None:
    """The first summary in a text."""
    found = _FIRST_LINE.search(text)
    if not found:
        return None
    sent, url, origin, ok, lost = found.groups()
    kinds = ((kind, re.search(rf"^  {_WORDS[kind]} +(\d+)$", text, re.MULTILINE)) for kind in LOST)
    lost_by = tuple((kind, int(match[1])) for kind, match in kinds if match)
    return Counts(int(sent), url, origin, int(ok), int(lost), lost_by)


def values(tally: Tally) -> dict[str, Any]:
    """For `-o json`."""
    return {
        "url": tally.url,
        "from": tally.origin,
        "sent": tally.sent,
        "ok": tally.ok,
        "lost": tally.lost,
        "outcomes": {kind: tally.outcomes[kind] for kind in ("ok", *LOST)},
        "pods": dict(sorted(tally.pods.items())),
        "seconds": round(tally.last - tally.first, 3),
        "slowestMs": tally.slowest_ms,
        "losses": [{"at": at, "outcome": outcome} for at, outcome in sorted(tally.losses)[:SHOWN_LOSSES]],
    }
