"""Two lists of the same things in one order: what was asked for counts, and the others keep their place. Pure."""

from collections.abc import Hashable, Sequence
from typing import TypeVar

T = TypeVar("T")


def arranged(pairs: Sequence[tuple[Hashable, T]], wanted: Sequence[Hashable]) -> list[T]:
    """The values whose keys are `wanted`, in that order; the others keep their place as well as they can.

    A value that nobody asked for goes before the first wanted one that stood behind it.
    """
    rank = {key: at for at, key in reversed(list(enumerate(wanted)))}
    place = {key: at for at, (key, _) in reversed(list(enumerate(pairs)))}
    named = sorted((pair for pair in pairs if pair[0] in rank), key=lambda pair: rank[pair[0]])
    others = [pair for pair in pairs if pair[0] not in rank]
    result = []
    for key, value in named:
        while others and place[others[0][0]] < place[key]:
            result.append(others.pop(0)[1])
        result.append(value)
    return result + [value for _, value in others]
