"""Whether a manifest fits its kind: unknown fields, wrong types, what is missing; each with its line.

Pure. The API server checks all of this again, and more (ranges, selectors, references); what it finds is given its
line by `refused`. Checking here first is what lets an error name the line that was written.

Read next: manifests.py.
"""

import difflib
import re
from typing import Any, get_args, get_type_hints

import msgspec

from minik8s.api import codec, kinds
from minik8s.api.meta import Object, Status
from minik8s.api.unknown import unknown_fields
from minik8s.cli.manifests import Manifest, Problem, words

_WHERE = re.compile(r"^(?P<what>.*) - at `(?P<path>\$.*)`$")
_EXPECTED = re.compile(r"Expected `(?P<wanted>[^`]*)`, got `(?P<got>[^`]*)`")
_MISSING = re.compile(r"Object missing required field `(?P<field>[^`]*)`")
_TYPES = {"str": "text", "int": "a whole number", "float": "a number", "bool": "true or false", "object": "a map"}
_TYPES |= {"array": "a list", "null": "nothing"}
# What the decoder calls the types of values.
_PYTHON = {"str": (str,), "int": (int,), "float": (float,), "bool": (bool,), "object": (dict,), "array": (list,)}
_PYTHON |= {"null": (type(None),)}


def kind_of(manifest: Manifest) -> type[Object]:
    """The manifest's kind; raises Problem when it says none, or one there is not."""
    for name in ("apiVersion", "kind"):
        if not isinstance(manifest.value.get(name), str) or not manifest.value[name]:
            raise manifest.problem(name, f"{name} not set: every object says what it is")
    try:
        return kinds.by_kind(manifest.apiVersion, manifest.kind)
    except KeyError:
        raise manifest.problem("kind", _no_kind(manifest)) from None


def _no_kind(manifest: Manifest) -> str:
    text = f'no matches for kind "{manifest.kind}" in version "{manifest.apiVersion}"'
    same = [cls.resource.apiVersion for cls in kinds.KINDS if cls.resource.kind == manifest.kind]
    if same:
        return f"{text}; {manifest.kind} is in {' and '.join(same)}"
    near = difflib.get_close_matches(manifest.kind, [cls.resource.kind for cls in kinds.KINDS], 1)
    return f"{text}; did you mean {near[0]}?" if near else text


def check(manifest: Manifest) -> list[Problem]:
    """Everything that can be seen to be wrong without asking the server."""
    cls = kind_of(manifest)
    metadata = manifest.value.get("metadata")
    if not isinstance(metadata, dict):
        return [manifest.problem("metadata", f"metadata: a map was expected, with a name; this is {words(metadata)}")]
    problems = [manifest.problem(path, _unknown(cls, path)) for path in unknown_fields(cls, manifest.value)]
    try:
        codec.from_dict(cls, manifest.value)
    except msgspec.ValidationError as error:
        problems.append(_wrong_type(manifest, str(error)))
    if not problems and not manifest.name and not metadata.get("generateName"):
        problems.append(manifest.problem("metadata", "metadata.name: an object needs a name"))
    return sorted(problems, key=lambda problem: problem.line)


def _unknown(cls: type[Object], path: str) -> str:
    """`unknown field "spec.replcas"; did you mean "replicas"?`"""
    parent, _, name = path.rpartition(".")
    near = difflib.get_close_matches(name, _fields(cls, parent), 1)
    return f'unknown field "{path}"' + (f'; did you mean "{near[0]}"?' if near else "")


def _fields(cls: type, path: str) -> list[str]:
    """The fields that the struct at a path has."""
    for part in filter(None, re.sub(r"\[\d+\]", "", path).split(".")):
        inner = _struct(get_type_hints(cls).get(part))
        if inner is None:
            return []
        cls = inner
    return [field.encode_name for field in msgspec.structs.fields(cls)]


def _struct(hint: Any) -> type[msgspec.Struct] | None:
    """The struct inside `X | None` or `list[X]`."""
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return hint
    return next((found for each in get_args(hint) if (found := _struct(each)) is not None), None)


def _wrong_type(manifest: Manifest, text: str) -> Problem:
    """What the decoder says, in plain words."""
    match = _WHERE.match(text)
    what, path = (match["what"], match["path"].lstrip("$").lstrip(".")) if match else (text, "")
    expected = _EXPECTED.search(what)
    path, value = _guilty(manifest.value, path, expected["got"] if expected else "")
    missing = _MISSING.search(what)
    if missing:
        path = f"{path}.{missing['field']}".lstrip(".")
        return manifest.problem(path, f"{path}: Required value")
    if expected:
        wanted = " or ".join(_TYPES.get(each.strip(), each.strip()) for each in expected["wanted"].split("|"))
        return manifest.problem(path, f"{path}: {wanted} was expected; this is {words(value)}")
    return manifest.problem(path, f"{path}: {what}" if path else what)


def _guilty(value: Any, path: str, got: str) -> tuple[str, Any]:
    """The field that the decoder means, and its value.

    It says `data[...]` for any value of a map: then it is the first of the type that it complains of.
    """
    place, dots, _ = path.partition("[...]")
    found = value_at(value, place)
    if dots and isinstance(found, dict):
        for key, each in found.items():
            if type(each) in _PYTHON.get(got, ()):
                return f"{place}.{key}", each
    return place, found


def value_at(value: Any, path: str) -> Any:
    """The value that stands at a path like `spec.ports[0].port`."""
    for part in re.findall(r"[^.\[\]]+", path):
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return value
    return value


def refused(manifest: Manifest, status: Status, text: str) -> list[Problem]:
    """What the server found wrong, each cause with the line of its field; `text` is the answer as a whole."""
    causes = status.details.causes if status.details else []
    if status.reason != "Invalid" or not causes:
        return [manifest.problem("", text)]
    head = f'The {manifest.kind} "{manifest.name}" is invalid: '
    return [
        manifest.problem(cause.field, head + (f"{cause.field}: " if cause.field else "") + cause.message)
        for cause in causes
    ]


def duplicate(first: Manifest, second: Manifest) -> Problem:
    where = f"{first.file}:{first.line('metadata.name')}"
    return second.problem("metadata.name", f'{second.kind} "{second.name}" is already defined at {where}')
