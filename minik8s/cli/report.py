"""The layout of `describe`: labels on the left, values in one column, lists below one another. Pure.

It is kubectl's layout: within a section all values begin in the same column, two blanks behind the longest label;
what is nested is indented by two.
"""

from collections.abc import Iterable, Mapping, Sequence

NONE = "<none>"
GAP = 2


class Report:
    """Lines under construction. A field is (depth, label, values); a text stands by itself."""

    def __init__(self) -> None:
        self._rows: list[tuple[int, str, str] | str] = []

    def field(self, label: str, value: object, depth: int = 0) -> None:
        """`Label:  value`; a value of several lines goes on below itself."""
        first, *more = str(value).split("\n") if str(value) else [""]
        self._rows.append((depth, f"{label}:", first))
        self._rows += [(depth, "", line) for line in more]

    def head(self, label: str, depth: int = 0) -> None:
        """`Label:` above what belongs to it."""
        self._rows.append("  " * depth + f"{label}:")

    def text(self, line: str, depth: int = 0) -> None:
        self._rows.append("  " * depth + line)

    def pairs(self, label: str, values: Mapping[str, str], sign: str = "=") -> None:
        """Labels or annotations, one a line."""
        shown = [f"{key}{sign}{value}" for key, value in sorted(values.items())]
        self.field(label, "\n".join(shown) or NONE)

    def table(self, headings: Sequence[str], rows: Iterable[Sequence[str]], depth: int = 1) -> None:
        """A small table, with a rule below each heading, as kubectl draws it."""
        cells = [list(headings), ["-" * len(heading) for heading in headings], *map(list, rows)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        for row in cells:
            padded = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
            self.text("  ".join(padded).rstrip(), depth)

    def lines(self) -> list[str]:
        """The text. Fields next to one another and equally deep share a column."""
        found: list[str] = []
        width = self._width()
        for row in self._rows:
            if isinstance(row, str):
                found.append(row)
                continue
            depth, label, value = row
            column = max(width.get(depth, 0), len(label) + GAP)
            found.append(("  " * depth + label.ljust(column) + value).rstrip())
        return found

    def _width(self) -> dict[int, int]:
        width: dict[int, int] = {}
        for row in self._rows:
            if not isinstance(row, str):
                width[row[0]] = max(width.get(row[0], 0), len(row[1]) + GAP)
        return width
