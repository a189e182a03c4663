"""What people see of each kind: the columns that `get` prints, made here so that every client prints the same.

A kind is one `Table`: its columns, and a function from an object and the present moment to the cells, in the order of
the columns. Everything is text made for reading (`1/1`, `Running`, `5m`); clients add only capitals and widths. The
columns of `-o wide` have priority 1. A kind without an entry shows its name and when it was created.

    columns.py      what a column and a table are
    pods.py         the largest: what a Pod's STATUS says
    workloads.py    what makes Pods
    network.py      Services and what belongs to them
    others.py       Nodes, Namespaces, Events, and the small kinds
    access.py       who has which role

A new kind: a line in `TABLES`, and its columns and cells in one of these files. Everything here is pure, but for what
`definitions` keeps. Read `columns.py` first, then `pods.py`; `forms.py` writes the tables.
"""

import functools
from collections.abc import Mapping

from minik8s.api import codec
from minik8s.api.meta import Object
from minik8s.apiserver.tables import access, network, others, pods, workloads
from minik8s.apiserver.tables.columns import BY_DEFAULT, Table

TABLES: Mapping[type[Object], Table] = {
    **pods.TABLES,
    **workloads.TABLES,
    **network.TABLES,
    **others.TABLES,
    **access.TABLES,
}


def of(cls: type[Object]) -> Table:
    return TABLES.get(cls, BY_DEFAULT)


@functools.cache
def definitions(cls: type[Object]) -> bytes:
    """The columns of a kind, encoded."""
    return codec.encode(of(cls).columns)


def row(cls: type[Object], value: bytes, now: float) -> bytes:
    """The row of an encoded object, encoded."""
    table, obj = of(cls), codec.decode(cls, value)
    found: dict[str, object] = {"cells": table.cells(obj, now)}
    conditions = table.conditions(obj)
    return codec.encode(found | {"conditions": conditions} if conditions else found)
