"""Leases for values that etcd shall delete by itself, shared by the values of about the same age.

A lease of its own for each Event would double the writes. So one lease serves all values with the same time to live
that are written within a sixtieth of it, and lives that much longer. Invariant: no value goes earlier than asked.
Read next: etcd.py.
"""

import threading
from collections.abc import Callable

from minik8s.host import clock


class Leases:
    """Hands out lease numbers by time to live."""

    def __init__(self, grant: Callable[[int], int], now: Callable[[], float] = clock.monotonic) -> None:
        self._grant = grant
        self._now = now
        self._lock = threading.Lock()  # guards _open
        self._open: dict[int, tuple[int, float]] = {}  # ttl -> lease, until when it may be given to more values

    def lease(self, ttl: int) -> int:
        """A lease that lasts at least `ttl` seconds from now."""
        with self._lock:
            number, until = self._open.get(ttl, (0, 0.0))
            if self._now() >= until:
                spare = max(1, ttl // 60)
                number = self._grant(ttl + spare)
                self._open[ttl] = (number, self._now() + spare)
            return number
