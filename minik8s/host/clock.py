"""Time, identifiers and randomness: the only place where a process learns something that no input told it.

Wall time is for people and API objects and may jump; monotonic time is for durations and never does. To wait, wait
for an event (`threading.Event.wait`), never for the clock alone.
"""

import secrets
import time
import uuid

# Kubernetes' alphabet for generated names: no vowels and no look-alikes, so no words come out and nobody misreads one.
ALPHABET = "bcdfghjklmnpqrstvwxz2456789"

CLOCK_MONOTONIC_COARSE = 6  # linux/time.h; Python has no name for it


def wall() -> float:
    """Seconds since 1970."""
    return time.time()


def monotonic() -> float:
    """Seconds since some fixed moment of this boot; the same for all processes of the machine."""
    return time.monotonic()


def ticks_per_second() -> int:
    """The kernel's HZ: some files of /proc count time in its ticks. The coarse clock moves once a tick."""
    return round(1 / time.clock_getres(CLOCK_MONOTONIC_COARSE))


def of_day(wall: float) -> str:
    """A wall time as people read it, in this machine's time zone: 14:03:27.123."""
    return time.strftime("%H:%M:%S", time.localtime(wall)) + f".{int(wall % 1 * 1000):03d}"


def http_date() -> str:
    """The wall time as HTTP's `Date` has it."""
    return time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime())


def uid() -> str:
    """A new object's metadata.uid."""
    return str(uuid.uuid4())


def suffix(length: int = 5) -> str:
    """The random end of a generated name, as in `web-7d4bf-x2k9p`."""
    bits, letters = secrets.randbits(5 * length + 64), []  # asked of the kernel once, not for each letter
    for _ in range(length):
        bits, at = divmod(bits, len(ALPHABET))
        letters.append(ALPHABET[at])
    return "".join(letters)


def random_bits(count: int) -> int:
    """A number of so many random bits that nobody can foresee."""
    return secrets.randbits(count)


def fraction() -> float:
    """A random number, at least 0 and less than 1: for jitter and for ties."""
    return secrets.randbelow(1 << 53) / (1 << 53)
