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


_DECIMAL = {-9: "n", -6: "u", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T", 15: "P", 18: "E"}
_BINARY = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")


def canonical(value: str | int | float) -> str:
    """The one way to write it: no fraction, the largest suffix that allows that. Raises ValueError as `parse` does.

    Kubernetes stores quantities so: 0.5 is 500m, 1000m is 1, 0.5Gi is 512Mi. What was said in binary stays so where it
    can.
    """
    number = parse(value)
    written = _SHAPE.match(str(value))
    assert written
    if (written[2] or "").endswith("i") and number.denominator == 1 and abs(number) >= 1024:
        whole_number, power = int(number), 0
        while whole_number % 1024 == 0 and power < len(_BINARY) - 1:
            whole_number, power = whole_number // 1024, power + 1
        return f"{whole_number}{_BINARY[power]}"
    nanos = ceil(number * 10**9)
    exponent = -9
    while nanos and nanos % 1000 == 0 and exponent < 18:
        nanos, exponent = nanos // 1000, exponent + 3
    if not nanos:
        return "0"
    if "e" in written[1].lower() and not written[2]:
        return f"{nanos}e{exponent}" if exponent else str(nanos)
    return f"{nanos}{_DECIMAL[exponent]}"
