"""Which objects are meant: conditions on labels and on fields. How they are written as text: selectortext.py.

Source: Kubernetes' "Labels and Selectors"; a missing key satisfies `!=` and `notin`.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from minik8s.api.meta import LabelSelector


class Requirement(NamedTuple):
    """One condition on labels. Operators: In, NotIn, Exists, DoesNotExist; Gt and Lt, in text only, compare numbers."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def holds(self, labels: Mapping[str, str]) -> bool:
        if self.operator == "Exists":
            return self.key in labels
        if self.operator == "DoesNotExist":
            return self.key not in labels
        if self.operator in ("Gt", "Lt"):
            return _compares(labels.get(self.key, ""), self.operator, int(self.values[0]))
        inside = labels.get(self.key) in self.values if self.key in labels else False
        return inside if self.operator == "In" else not inside


def _compares(text: str, operator: str, limit: int) -> bool:
    """A label that is no whole number is neither greater nor less."""
    try:
        return int(text) > limit if operator == "Gt" else int(text) < limit
    except ValueError:
        return False


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


def format_labels(selector: LabelSelector | Mapping[str, str] | None) -> str:
    """A selector as text that `selectortext.parse_labels` reads, in the order kubectl prints it."""
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
