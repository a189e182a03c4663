"""Quantities: `100m`, `128Mi`, `2`, `1e3`. Exact, because sums of floats are not.

Source: Kubernetes' resource.Quantity: decimal suffixes n u m k M G T P E, binary ones Ki … Ei, or an exponent.
"""

import re
from fractions import Fraction
from math import ceil

_SUFFIX = {
    "n": Fraction(1, 10**9),
    "u": Fraction(1, 10**6),
    "m": Fraction(1, 1000),
    "": Fraction(1),
    **{letter: Fraction(1000**power) for power, letter in enumerate("kMGTPE", 1)},
    **{f"{letter}i": Fraction(1024**power) for power, letter in enumerate("KMGTPE", 1)},
}
_SHAPE = re.compile(r"^([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?)([numkMGTPE]|[KMGTPE]i)?$")


def parse(value: str | int | float) -> Fraction:
    """The exact number. Raises ValueError when it is no quantity."""
    found = _SHAPE.match(str(value))
    if not found:
        raise ValueError(
            f"{value!r} is no quantity: a number with one of n u m k M G T P E Ki Mi Gi Ti Pi Ei behind it"
        )
    return Fraction(found[1]) * _SUFFIX[found[2] or ""]


def millis(value: str | int | float) -> int:
    """In thousandths, rounded up: the unit in which CPU is counted."""
    return ceil(parse(value) * 1000)


def whole(value: str | int | float) -> int:
    """As a whole number, rounded up: the unit in which memory and Pods are counted."""
    return ceil(parse(value))
