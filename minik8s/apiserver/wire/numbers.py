"""Which number means which field: the table by which protobuf.py reads messages.

A line of the table is a message and its fields, in the order of their numbers:

    OwnerReference: kind 3=name uid apiVersion controller:bool blockOwnerDeletion:bool

Fields count from 1; `3=` goes on counting from there. After a name: nothing, a text; `:T`, of type T; `*T`, a list
of it; `%T`, a map from texts to it; `>T`, a message whose fields JSON writes into the outer one. T is a message of
the table, or one of TYPES. Messages that nothing here uses (cloud volumes and the like) are `closed`: known by name,
so that their use can be refused by name, and not read.

Names of messages are Kubernetes' own; where two groups have one of the same name, that outside of core has its group
before it. Invariant: read only, and only when the first body in protobuf comes.
"""

import functools
import re
from typing import NamedTuple

from minik8s.apiserver.wire import numbers_core, numbers_groups

# Types that are no message of the table, see protobuf.py for how each is read. `Port`: a number or a name, 0 is none.
TYPES = frozenset(
    ("int", "bool", "bytes", "raw", "Time", "MicroTime", "Quantity", "IntOrString", "Port", "Json", "ExtraValue")
) | {"closed"}
_FIELD = re.compile(r"(?:(?P<number>\d+)=)?(?P<name>\w+)(?P<form>[:*%>]?)(?P<type>[\w.]*)")


class Field(NamedTuple):
    """`form` is "" or one of `: * % >`, as in the table; `type` "" is a text."""

    name: str
    form: str
    type: str


@functools.cache
def messages() -> dict[str, dict[int, Field]]:
    """Message → number → field."""
    found: dict[str, dict[int, Field]] = {}
    for line in _lines(numbers_core.TEXT + numbers_groups.TEXT):
        name, _, rest = line.partition(":")
        fields, number = found.setdefault(name, {}), 0
        for word in rest.split():
            read = _FIELD.fullmatch(word)
            assert read is not None, f"{name}: cannot read {word!r}"
            number = int(read["number"] or number + 1)
            fields[number] = Field(read["name"], read["form"], read["type"])
    return found


def _lines(text: str) -> list[str]:
    """Without remarks; a line that begins with blanks goes on with the one before it."""
    lines = re.sub(r"\n +", " ", re.sub(r"(?m)^#.*$", "", text)).split("\n")
    return [line for line in lines if line]


def message_of(api_version: str, kind: str) -> str | None:
    """The message of a kind; None when there is none."""
    group = api_version.partition("/")[0].partition(".")[0] if "/" in api_version else ""
    names = messages()
    return next((name for name in (f"{group}.{kind}", kind) if name in names), None)
