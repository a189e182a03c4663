"""kubectl's JSONPath, the part of it that people use: `{.items[*].metadata.name}`, `{range .items[*]}…{end}`, filters.

Pure: a template and plain values in, text out. Understood are fields (`.a.b`, `['a']`, `.a\\.b`), indices and slices
(`[0]`, `[-1]`, `[1:3]`), `[*]` and `.*`, unions (`['a','b']`), recursive descent (`..name`), filters
(`[?(@.type=="Ready")]` with == != < <= > >=, or for being there), `range … end`, `"text"`. Anything else raises
ValueError naming the part.
"""

import json
import operator
import re
from collections.abc import Callable, Iterator
from typing import Any

Step = Callable[[Any, Any], Iterator[Any]]  # (value, root) → values

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
_FIELD = re.compile(r"(?:\\.|[^.\[\]{}()\s,\\])+")
_FILTER = re.compile(r"\s*(@[^=!<>]*?)\s*(?:(==|!=|<=|>=|<|>)\s*(.+?))?\s*$")


def render(template: str, value: Any) -> str:
    """The template filled in. A template without braces is taken as one path."""
    text = (
        template
        if "{" in template
        else "{" + (template if template.startswith((".", "$", "[")) else f".{template}") + "}"
    )
    return "".join(_block(iter(_pieces(text)), value, value, inside=False))


def _pieces(template: str) -> list[tuple[bool, str]]:
    """(is an expression, text), in order."""
    found, at = [], 0
    for match in re.finditer(r"\{((?:\"[^\"]*\"|'[^']*'|[^{}\"'])*)\}", template):
        if match.start() > at:
            found.append((False, template[at : match.start()]))
        found.append((True, match[1].strip()))
        at = match.end()
    rest = template[at:]
    if "{" in rest:
        raise ValueError(f"unclosed action in jsonpath: {rest!r}")
    return found + ([(False, rest)] if rest else [])


def _block(pieces: Iterator[tuple[bool, str]], value: Any, root: Any, inside: bool) -> Iterator[str]:
    for is_expression, text in pieces:
        if not is_expression:
            yield text
        elif text == "end":
            return
        elif text.startswith("range"):
            body = _until_end(pieces)
            for each in _evaluate(text[5:].strip(), value, root):
                yield from _block(iter(body), each, root, inside=True)
        elif text[:1] in "\"'" and text:
            yield text[1:-1].encode().decode("unicode_escape")
        else:
            yield " ".join(_text(each) for each in _evaluate(text, value, root))


def _until_end(pieces: Iterator[tuple[bool, str]]) -> list[tuple[bool, str]]:
    depth = 1
    body: list[tuple[bool, str]] = []
    for piece in pieces:
        if piece[0] and piece[1].startswith("range"):
            depth += 1
        if piece == (True, "end"):
            depth -= 1
            if depth == 0:
                return body
        body.append(piece)
    raise ValueError("jsonpath: a range has no end")


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return json.dumps(value, separators=(",", ":"))


def _evaluate(path: str, value: Any, root: Any) -> list[Any]:
    values = [root if path.startswith("$") else value]
    for step in _steps(path.lstrip("$@")):
        values = [found for each in values for found in step(each, root)]
    return values


def _steps(path: str) -> list[Step]:
    steps: list[Step] = []
    at = 0
    while at < len(path):
        if path.startswith("..", at):
            steps.append(_descend)
            at += 1 if path[at + 2 : at + 3] != "[" else 2
        elif path[at] == ".":
            match = _FIELD.match(path, at + 1)
            if match is None:
                if at + 1 == len(path):
                    break  # `{.}`: the value itself
                raise ValueError(f"jsonpath: a field is missing in {path!r}")
            steps.append(_every if match[0] == "*" else _field(re.sub(r"\\(.)", r"\1", match[0])))
            at = match.end()
        elif path[at] == "[":
            end = _closing(path, at)
            steps.append(_bracket(path[at + 1 : end].strip()))
            at = end + 1
        else:
            raise ValueError(f"jsonpath: cannot read {path[at:]!r}")
    return steps


def _closing(path: str, at: int) -> int:
    depth, quote = 0, ""
    for i in range(at, len(path)):
        letter = path[i]
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        elif letter == "[":
            depth += 1
        elif letter == "]":
            depth -= 1
            if depth == 0:
                return i
    raise ValueError(f"jsonpath: unclosed bracket in {path!r}")


def _bracket(inner: str) -> Step:
    if inner == "*":
        return _every
    if inner.startswith("?(") and inner.endswith(")"):
        return _filter(inner[2:-1])
    if inner[:1] in ("'", '"'):
        names = [part.strip().strip("'\"") for part in inner.split(",")]
        return lambda value, root: (found for name in names for found in _field(name)(value, root))
    if re.fullmatch(r"-?\d+", inner):
        return _index(int(inner))
    match = re.fullmatch(r"(-?\d*):(-?\d*)", inner)
    if match:
        first, last = (int(each) if each else None for each in match.groups())
        return lambda value, _: iter(value[first:last] if isinstance(value, list) else [])
    raise ValueError(f"jsonpath: cannot read [{inner}]")


def _field(name: str) -> Step:
    def step(value: Any, _: Any) -> Iterator[Any]:
        if isinstance(value, dict) and name in value:
            yield value[name]

    return step


def _index(number: int) -> Step:
    def step(value: Any, _: Any) -> Iterator[Any]:
        if isinstance(value, list) and -len(value) <= number < len(value):
            yield value[number]

    return step


def _every(value: Any, _: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _descend(value: Any, root: Any) -> Iterator[Any]:
    yield value
    for each in _every(value, root):
        yield from _descend(each, root)


def _filter(condition: str) -> Step:
    match = _FILTER.match(condition)
    if match is None:
        raise ValueError(f"jsonpath: cannot read the filter {condition!r}")
    path, sign, literal = match.groups()

    def holds(value: Any, root: Any) -> bool:
        found = _evaluate(path, value, root)
        if sign is None:
            return bool(found)
        wanted = _evaluate(literal, value, root)[:1] if literal.startswith(("@", "$")) else [_literal(literal)]
        try:
            return bool(found and wanted) and _COMPARE[sign](found[0], wanted[0])
        except TypeError:
            return False

    return lambda value, root: (each for each in _every(value, root) if holds(each, root))


def _literal(text: str) -> Any:
    if text[:1] in "\"'" and text:
        return text[1:-1]
    try:
        return json.loads(text)
    except ValueError:
        raise ValueError(f"jsonpath: cannot read the value {text!r}") from None
