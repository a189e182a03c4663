"""Manifests as people write them: YAML or JSON, several documents, lists; each field with the line it stands on.

A manifest that cannot be used is a Problem with file, line and field, and does not keep the others from being used.
What must hold: no input makes this run long or take much memory (size, nesting and aliases are bounded); a value
reads as Kubernetes reads it (a date is text, 1:30 is text, a key set twice is an error).

Read next: checking.py, which compares a manifest with its kind; apply.py, which sends it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

MAX_BYTES = 3 * 1024 * 1024  # what the API server takes in one request; no object is larger
MAX_VALUES = 200_000  # after aliases were followed: ten lines of aliases can stand for billions of values
MAX_DEPTH = 100
SUFFIXES = (".yaml", ".yml", ".json")
# PyYAML knows these types of YAML 1.1; Kubernetes' parser reads them as text.
AS_TEXT = ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:value")

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(eq=False)
class Problem(Exception):
    """What is wrong with a manifest, and where."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}" if self.line else f"{self.file}: {self.message}"


@dataclass
class Manifest:
    """One object of a file, as plain values."""

    file: str
    value: dict[str, Any]
    lines: dict[str, int] = field(default_factory=dict)  # path of a field → its line

    def line(self, path: str = "") -> int:
        """The line of a field, or of the nearest field around it that is written down."""
        while path and path not in self.lines:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return self.lines.get(path, 1)

    def problem(self, path: str, message: str) -> Problem:
        return Problem(self.file, self.line(path), message)

    @property
    def apiVersion(self) -> str:
        return self.value.get("apiVersion") or ""

    @property
    def kind(self) -> str:
        return self.value.get("kind") or ""

    @property
    def name(self) -> str:
        return (self.value.get("metadata") or {}).get("name") or ""

    @property
    def namespace(self) -> str:
        return (self.value.get("metadata") or {}).get("namespace") or ""


def files(given: str) -> list[tuple[str, str | Path]]:
    """(name to show, where to read) of `-`, a file, or the manifests of a directory in the order of their names."""
    if given == "-":
        return [("stdin", "-")]
    path = Path(given)
    if path.is_dir():
        return [(str(each), each) for each in sorted(path.iterdir()) if each.suffix in SUFFIXES and each.is_file()]
    if not path.exists():
        raise Problem(given, 0, f'the path "{given}" does not exist')
    return [(given, path)]


def read(name: str, text: bytes) -> Iterator[Manifest | Problem]:
    """The objects of a file, in order, a Problem in place of each that cannot be read."""
    if len(text) > MAX_BYTES:
        size = len(text) / 1024 / 1024
        yield Problem(name, 0, f"{size:.1f} MB is too long for a manifest: {MAX_BYTES // 1024 // 1024} MB at most")
        return
    try:
        _check_depth(name, text.decode())
        for node in yaml.compose_all(text.decode(), Loader=_Loader):
            if node is not None and node.value != "":
                yield from _document(name, node)
    except UnicodeDecodeError as error:
        yield Problem(name, text[: error.start].count(b"\n") + 1, "this is not text (UTF-8)")
    except Problem as problem:
        yield problem
    except yaml.YAMLError as error:
        yield _syntax(name, error)


def _check_depth(name: str, text: str) -> None:
    """Refuse what is nested too deeply before it is composed: libyaml recurses without a limit there, and crashes."""
    depth = 0
    try:
        for event in yaml.parse(text, Loader=_Loader):
            if isinstance(event, (yaml.SequenceStartEvent, yaml.MappingStartEvent)):
                depth += 1
            elif isinstance(event, (yaml.SequenceEndEvent, yaml.MappingEndEvent)):
                depth -= 1
            if depth > MAX_DEPTH:
                line = event.start_mark.line + 1 if event.start_mark else 0
                raise Problem(name, line, _too_deep())
    except yaml.YAMLError as error:
        # Since 0.2.6 libyaml has a limit of its own, met while reading ahead: the same mistake, so the same words.
        if "nesting depth" in str(error):
            raise Problem(name, _syntax(name, error).line, _too_deep()) from None
        return  # told, with the documents before it, when they are composed


def _too_deep() -> str:
    return f"values are nested deeper than {MAX_DEPTH} levels"


def _syntax(name: str, error: yaml.YAMLError) -> Problem:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    what = getattr(error, "problem", None) or str(error)
    return Problem(name, mark.line + 1 if mark else 0, f"error parsing YAML: {what}")


def _document(name: str, node: yaml.Node) -> Iterator[Manifest | Problem]:
    reader = _Reader(name)
    try:
        value = reader.value(node, "", 0)
    except Problem as problem:
        yield problem
        return
    if not isinstance(value, dict):
        yield Problem(
            name, node.start_mark.line + 1, f"an object was expected, with apiVersion and kind; this is {words(value)}"
        )
        return
    reader.lines[""] = node.start_mark.line + 1
    manifest = Manifest(name, value, reader.lines)
    if manifest.kind.endswith("List") and isinstance(value.get("items"), list):
        yield from _items(manifest)
    else:
        yield manifest


def _items(whole: Manifest) -> Iterator[Manifest | Problem]:
    """The objects of a `kind: List`, each with its own lines."""
    for at, item in enumerate(whole.value["items"]):
        prefix = f"items[{at}]"
        lines = {path[len(prefix) :].lstrip("."): line for path, line in whole.lines.items() if path.startswith(prefix)}
        if isinstance(item, dict):
            yield Manifest(whole.file, item, lines)
        else:
            yield whole.problem(prefix, f"an object was expected in the list; this is {words(item)}")


def words(value: Any) -> str:
    """What a value is, for people."""
    match value:
        case None:
            return "nothing"
        case bool():
            return f"the boolean {str(value).lower()}"
        case int() | float():
            return f"the number {value}"
        case str():
            return f'the text "{value if len(value) <= 40 else value[:37] + "..."}"'
        case list():
            return "a list"
    return "a map"


class _Reader:
    """Turns nodes into values and notes the line of each field."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: dict[str, int] = {}
        self.count = 0
        self.constructor = yaml.SafeLoader("")

    def problem(self, node: yaml.Node, message: str) -> Problem:
        return Problem(self.name, node.start_mark.line + 1, message)

    def value(self, node: yaml.Node, path: str, depth: int) -> Any:
        self.count += 1
        if self.count > MAX_VALUES:
            raise self.problem(node, f"more than {MAX_VALUES} values, counting what aliases stand for")
        if depth > MAX_DEPTH:
            raise self.problem(node, _too_deep())
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path, depth)
        if isinstance(node, yaml.SequenceNode):
            found = []
            for at, each in enumerate(node.value):
                here = f"{path}[{at}]"
                self.lines.setdefault(here, each.start_mark.line + 1)
                found.append(self.value(each, here, depth + 1))
            return found
        return self._scalar(node)

    def _mapping(self, node: yaml.MappingNode, path: str, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                for each in value_node.value if isinstance(value_node, yaml.SequenceNode) else [value_node]:
                    inherited = self.value(each, path, depth + 1)
                    merged = {**(inherited if isinstance(inherited, dict) else {}), **merged}
                continue
            key = self._key(key_node)
            if key in found:
                raise self.problem(key_node, f'key "{key}" already set in map')
            here = f"{path}.{key}" if path else key
            self.lines[here] = key_node.start_mark.line + 1
            found[key] = self.value(value_node, here, depth + 1)
        return {**merged, **found}

    def _key(self, node: yaml.Node) -> str:
        value = self._scalar(node) if isinstance(node, yaml.ScalarNode) else None
        if value is None:
            raise self.problem(node, "a key must be text")
        return str(value).lower() if isinstance(value, bool) else str(value)

    def _scalar(self, node: yaml.Node) -> Any:
        number = node.tag in ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
        if node.tag in AS_TEXT or (number and ":" in node.value):
            return node.value
        if not node.tag.startswith("tag:yaml.org,2002:") or node.tag.endswith(":binary"):
            raise self.problem(node, f"a manifest has no values of type {node.tag}")
        try:
            return self.constructor.construct_object(node)
        except (ValueError, yaml.YAMLError):
            raise self.problem(node, f"cannot read the value {node.value!r}") from None
