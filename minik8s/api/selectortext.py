"""Selectors as people write them: `app=web,tier!=db,env in (a, b),!legacy`, `metadata.name=web,status.phase!=Running`.

Text becomes words, words become conditions; what cannot be read is a ValueError in the words of Kubernetes' own
parser, which clients show as they come. Pure. What conditions mean is in selectors.py.
"""

import re
from collections.abc import Iterator

from minik8s.api.selectors import FieldTerm, Requirement
from minik8s.api.validation.fields import Problems
from minik8s.api.validation.metadata import check_key, check_labels

END = ""
SIGNS = "=!(),<>"
# A sign, or everything up to the next sign or blank.
_WORD = re.compile(rf"\s*(==|!=|[{re.escape(SIGNS)}]|[^{re.escape(SIGNS)}\s]+)")
OPERATORS = {"in": "In", "notin": "NotIn", "=": "In", "==": "In", "!=": "NotIn", ">": "Gt", "<": "Lt"}
KNOWN = "in, notin, =, ==, !=, gt, lt"


def parse_labels(text: str) -> list[Requirement]:
    """A label selector as conditions."""
    words = _Words(text)
    wanted = []
    while words.ahead != END:
        if not words.is_name and words.ahead != "!":
            raise ValueError(f"found '{words.ahead}', expected: !, identifier, or 'end of string'")
        try:
            wanted.append(_requirement(words))
        except ValueError as error:
            raise ValueError(f"unable to parse requirement: {error}") from None
        if words.ahead == END:
            break
        if words.next() != ",":
            raise ValueError(f"found '{words.last}', expected: ',' or 'end of string'")
        if not words.is_name and words.ahead != "!":
            raise ValueError(f"found '{words.ahead}', expected: identifier after ','")
    return wanted


class _Words:
    """The words of a selector, one at a time. After the last comes `END`, again and again."""

    def __init__(self, text: str) -> None:
        self._rest: Iterator[str] = iter(_WORD.findall(text))
        self.ahead = next(self._rest, END)
        self.last = END

    @property
    def is_name(self) -> bool:
        """Is the word ahead one that people choose, and no sign?"""
        return self.ahead != END and self.ahead[0] not in SIGNS

    def next(self) -> str:
        self.last, self.ahead = self.ahead, next(self._rest, END)
        return self.last

    def name(self) -> str:
        if not self.is_name:
            raise ValueError(f"found '{self.ahead}', expected: identifier")
        return self.next()


def _requirement(words: _Words) -> Requirement:
    absent = words.ahead == "!"
    if absent:
        words.next()
    key = words.name()
    _check(key, ())
    if words.ahead in (END, ","):
        return Requirement(key, "DoesNotExist" if absent else "Exists")
    sign = words.next()
    if sign not in OPERATORS:
        raise ValueError(f"found '{sign}', expected: {KNOWN}")
    values = _values(words) if sign in ("in", "notin") else (_value(words),)
    _check(key, values)
    if sign in "<>" and not re.fullmatch(r"[+-]?\d+", values[0]):
        number = "for 'Gt', 'Lt' operators, the value must be an integer"
        raise ValueError(f'values[0][{key}]: Invalid value: "{values[0]}": {number}')
    return Requirement(key, OPERATORS[sign], values)


def _value(words: _Words) -> str:
    return "" if words.ahead in (END, ",") else words.name()


def _values(words: _Words) -> tuple[str, ...]:
    """`(a, b)`; between two commas, or before the first, stands the empty value."""
    if words.next() != "(":
        raise ValueError(f"found '{words.last}' expected: '('")
    found = set()
    while True:
        found.add(words.next() if words.is_name else "")
        if words.ahead not in (",", ")"):
            raise ValueError(f"found '{words.ahead}', expected: ',' or ')'")
        if words.next() == ")":
            return tuple(sorted(found))


def _check(key: str, values: tuple[str, ...]) -> None:
    problems = Problems()
    check_key(problems, "key", key)
    for at, value in enumerate(values):
        check_labels(problems, f"values[{at}][{key}]", {"key": value})
    for cause in problems.causes:
        raise ValueError(f"{cause.field}: {cause.message}")


# --- Fields ----------------------------------------------------------------------------------------------------------


def parse_fields(text: str) -> list[FieldTerm]:
    """A field selector as conditions. A backslash takes a comma or an equals sign into the value."""
    terms = []
    for part in filter(None, re.findall(r"(?:\\.|[^,])+", text)):
        found = re.fullmatch(r"(?P<path>[^=!]*)(?P<sign>!=|==|=)(?P<value>(?:\\[,=\\]|[^\\=])*)", part)
        if not found:
            raise ValueError(f"invalid selector: '{text}'; can't understand '{part}'")
        value = re.sub(r"\\(.)", r"\1", found["value"])
        terms.append(FieldTerm(found["path"], found["sign"] != "!=", value))
    return terms
