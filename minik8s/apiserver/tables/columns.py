"""What a column is, and a table: columns, and the function that fills a row. Pure.

Field by field they are meta.k8s.io's TableColumnDefinition and TableRow. The words of a description are shown by
clients that explain a table. Read next: pods.py.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from minik8s.api.durations import since
from minik8s.api.meta import Object, says

Cell = str | int | bool | None
Cells = list[Cell]


class Column(msgspec.Struct, frozen=True):
    """`priority` 0 is always shown, 1 with `-o wide`. All fields are written, as clients expect."""

    name: str
    type: str
    format: str
    description: str
    priority: int


class RowCondition(msgspec.Struct, frozen=True, kw_only=True):
    """What a client may sort out: a row of type Completed is over."""

    type: str
    status: str = says("True")
    reason: str
    message: str


def no_conditions(_: Any) -> Sequence[RowCondition]:
    return ()


@dataclass(frozen=True)
class Table:
    """How a kind is shown."""

    columns: tuple[Column, ...]
    cells: Callable[[Any, float], Cells]  # object, now → one cell for each column
    conditions: Callable[[Any], Sequence[RowCondition]] = no_conditions


def text(name: str, description: str) -> Column:
    return Column(name, "string", "", description, 0)


def number(name: str, description: str) -> Column:
    return Column(name, "integer", "", description, 0)


def wide(name: str, description: str) -> Column:
    """A column of `-o wide`."""
    return Column(name, "string", "", description, 1)


NAME = Column("Name", "string", "name", "What the object is called; unique among its kind in its namespace.", 0)
AGE = text("Age", "How long ago the object was created.")
CREATED = Column("Created At", "date", "", "When the object was created.", 0)


def age(obj: Object, now: float) -> str:
    return since(obj.metadata.creationTimestamp, now)


def _by_default(obj: Object, now: float) -> Cells:
    return [obj.metadata.name, obj.metadata.creationTimestamp]


BY_DEFAULT = Table((NAME, CREATED), _by_default)
