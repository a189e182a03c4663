"""RFC 3339 text and seconds since 1970. Pure: what time it *is* comes from `host.clock`, as an argument."""

from datetime import UTC, datetime


def rfc3339(seconds: float, micro: bool = False) -> str:
    """`2026-01-31T12:00:00Z`, as metav1.Time writes it; with `micro` six digits more, as metav1.MicroTime."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ" if micro else "%Y-%m-%dT%H:%M:%SZ")


def moment(text: str | None) -> float | None:
    """Seconds since 1970, where there may be no text, or one that somebody else got wrong."""
    try:
        return parse(text) if text else None
    except ValueError:
        return None


def parse(text: str) -> float:
    """Seconds since 1970 of an RFC 3339 text. Raises ValueError when it is none."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"no time zone in {text!r}")
    return moment.timestamp()
