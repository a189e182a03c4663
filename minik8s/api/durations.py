"""How long ago, in the few letters that kubectl uses: 45s, 2m3s, 15m, 3h20m, 2d, 1y30d.

Pure: the present moment is an argument. The rule is client-go's HumanDuration: two units while the larger one is
small.
"""

from minik8s.api import times

MINUTE, HOUR, DAY, YEAR = 60, 3600, 86400, 365 * 86400


def human(seconds: float) -> str:
    """A length of time."""
    s = int(seconds)
    if s < -1:
        return "<invalid>"
    if s < 2 * MINUTE:
        return f"{max(s, 0)}s"
    for limit, unit, letter, part, small in (
        (10 * MINUTE, MINUTE, "m", 1, "s"),
        (3 * HOUR, MINUTE, "m", 0, ""),
        (8 * HOUR, HOUR, "h", MINUTE, "m"),
        (2 * DAY, HOUR, "h", 0, ""),
        (8 * DAY, DAY, "d", HOUR, "h"),
        (2 * YEAR, DAY, "d", 0, ""),
        (8 * YEAR, YEAR, "y", DAY, "d"),
    ):
        if s < limit:
            rest = s % unit // part if part else 0
            return f"{s // unit}{letter}" + (f"{rest}{small}" if rest else "")
    return f"{s // YEAR}y"


def since(text: str | None, now: float) -> str:
    """The age of a timestamp; of one that cannot be read it is as unknown as of none."""
    moment = times.moment(text)
    return "<unknown>" if moment is None else human(now - moment)
