"""`-o`: an object or a list as yaml, json, names, or through a jsonpath. Pure: values in, text out.

What must hold: keys in alphabetical order, as kubectl prints them; the server's bookkeeping of fields
(managedFields) is left out; several objects are wrapped in a List.
"""

import json
from collections.abc import Sequence
from typing import Any

import yaml

from minik8s.api import kinds
from minik8s.cli import jsonpath
from minik8s.cli.objects import title

FORMATS = ("wide", "yaml", "json", "name")
Value = dict[str, Any]


def check(form: str) -> None:
    """Raises ValueError for a format there is not."""
    if form and form not in FORMATS and not form.startswith(("jsonpath=", "jsonpath-file=")):
        allowed = ", ".join(["json", "jsonpath=TEMPLATE", "name", "wide", "yaml"])
        raise ValueError(
            f'unable to match a printer suitable for the output format "{form}", allowed formats are: {allowed}'
        )


def render(form: str, values: Sequence[Value], single: bool) -> str:
    """The text of one object (`single`), or of a list of them. Without a line's end where the format has none."""
    shown = [bare(value) for value in values]
    if form == "name":
        return "".join(
            f"{title(kinds.by_kind(each['apiVersion'], each['kind']), each['metadata']['name'])}\n" for each in shown
        )
    whole: Value = shown[0] if single and shown else listed(shown)
    if form == "json":
        return json.dumps(whole, indent=4, ensure_ascii=False) + "\n"
    if form == "yaml":
        return to_yaml(whole)
    return jsonpath.render(form.partition("=")[2], whole)


def listed(values: Sequence[Value]) -> Value:
    return {"apiVersion": "v1", "items": list(values), "kind": "List", "metadata": {"resourceVersion": ""}}


def bare(value: Value) -> Value:
    metadata = {key: each for key, each in value.get("metadata", {}).items() if key != "managedFields"}
    return {**value, "metadata": metadata}


def to_yaml(value: Any) -> str:
    return yaml.dump(value, Dumper=_Dumper, default_flow_style=False, sort_keys=True, allow_unicode=True, width=10_000)


class _Dumper(yaml.SafeDumper):
    """Text of several lines as a block, which is how it was written."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text and not any(line.endswith(" ") for line in text.split("\n")) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
