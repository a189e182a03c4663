"""Cells in columns, as wide as they need to be. Pure. What stands in them comes from the API server."""

from collections.abc import Sequence
from typing import Any

GAP = "   "


def layout(headings: Sequence[str], cells: Sequence[Sequence[str]], widths: Sequence[int] = ()) -> list[str]:
    """Lines with each column as wide as its widest cell. `widths` are those of an earlier table that goes on below."""
    width = [max(map(len, column)) for column in zip(headings, *cells, strict=True)]
    width = [max(pair) for pair in zip(width, widths, strict=True)] if widths else width
    return [GAP.join(cell.ljust(w) for cell, w in zip(row, width, strict=True)).rstrip() for row in (headings, *cells)]


def text(cell: Any) -> str:
    """A cell's value on one line."""
    if isinstance(cell, bool):
        return str(cell).lower()
    first, *more = ("" if cell is None else str(cell)).split("\n")
    return first + "..." if more else first
