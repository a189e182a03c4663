"""Which objects are meant: label selectors (in objects and in text) and field selectors (in text).

Source: Kubernetes' "Labels and Selectors"; a missing key satisfies `!=` and `notin`.
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from minik8s.api.meta import LabelSelector


class Requirement(NamedTuple):
    """One condition on labels. Operators: In, NotIn, Exists, DoesNotExist."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def holds(self, labels: Mapping[str, str]) -> bool:
        if self.operator == "Exists":
            return self.key in labels
        if self.operator == "DoesNotExist":
            return self.key not in labels
        inside = labels.get(self.key) in self.values if self.key in labels else False
        return inside if self.operator == "In" else not inside


class FieldTerm(NamedTuple):
    """One condition on a field: equal, or not equal."""

    path: str
    equal: bool
    value: str


def requirements(selector: LabelSelector) -> list[Requirement]:
    """An object's selector as a list of conditions, all of which must hold."""
    exact = [Requirement(key, "In", (value,)) for key, value in sorted(selector.matchLabels.items())]
    return exact + [Requirement(each.key, each.operator, tuple(each.values)) for each in selector.matchExpressions]


def matches(selector: LabelSelector | Mapping[str, str] | None, labels: Mapping[str, str]) -> bool:
    """Does an object with these labels belong? None matches nothing; an empty selector matches everything."""
    if selector is None:
        return False
    if isinstance(selector, LabelSelector):
        return all(each.holds(labels) for each in requirements(selector))
    return all(labels.get(key) == value for key, value in selector.items())


def all_hold(wanted: Sequence[Requirement], labels: Mapping[str, str]) -> bool:
    return all(each.holds(labels) for each in wanted)


_KEY = r"[A-Za-z0-9](?:[A-Za-z0-9._/-]*[A-Za-z0-9])?"
_TERM = re.compile(
    rf"\s*(?:(?P<absent>!)\s*(?P<key1>{_KEY})"
    rf"|(?P<key2>{_KEY})\s*(?:(?P<op>==|=|!=)\s*(?P<value>[A-Za-z0-9._-]*)"
    rf"|\s(?P<set>in|notin)\s*\((?P<values>[^()]*)\))?)\s*(?:,|$)"
)


def _requirement(found: re.Match[str]) -> Requirement:
    if found["absent"]:
        return Requirement(found["key1"], "DoesNotExist")
    if found["op"]:
        return Requirement(found["key2"], "NotIn" if found["op"] == "!=" else "In", (found["value"],))
    if found["set"]:
        values = tuple(sorted(value.strip() for value in found["values"].split(",")))
        return Requirement(found["key2"], "In" if found["set"] == "in" else "NotIn", values)
    return Requirement(found["key2"], "Exists")


def parse_labels(text: str) -> list[Requirement]:
    """`app=web,tier!=db,env in (a, b),!legacy` as conditions. Raises ValueError naming the part that cannot be read."""
    wanted, at = [], 0
    text = text.strip()
    while at < len(text):
        found = _TERM.match(text, at)
        if not found or found.end() == at:
            raise ValueError(f"unable to parse label selector at {text[at:]!r}")
        wanted.append(_requirement(found))
        at = found.end()
    return wanted


def format_labels(selector: LabelSelector | Mapping[str, str] | None) -> str:
    """A selector as text that `parse_labels` reads, in the order kubectl prints it."""
    if selector is None:
        return ""
    if not isinstance(selector, LabelSelector):
        return ",".join(f"{key}={value}" for key, value in sorted(selector.items()))
    return ",".join(_format(each) for each in requirements(selector))


def _format(wanted: Requirement) -> str:
    if wanted.operator == "In" and len(wanted.values) == 1:
        return f"{wanted.key}={wanted.values[0]}"
    if wanted.operator in ("In", "NotIn"):
        return f"{wanted.key} {wanted.operator.lower()} ({','.join(wanted.values)})"
    return wanted.key if wanted.operator == "Exists" else f"!{wanted.key}"


def parse_fields(text: str) -> list[FieldTerm]:
    """`metadata.name=web,status.phase!=Running` as conditions.

    Raises ValueError naming the part that cannot be read.
    """
    terms = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        found = re.fullmatch(r"([A-Za-z][A-Za-z0-9.]*)\s*(!=|==|=)\s*(.*)", part)
        if not found:
            raise ValueError(f"invalid field selector: {part!r}; expected field=value or field!=value")
        terms.append(FieldTerm(found[1], found[2] != "!=", found[3]))
    return terms
