"""What upstream's API server can be asked: the operations of the official Python client, which is generated from it.

Each has a method, a path, the names of its parameters and the forms of a body that it takes. They stand in the code of
the client's private functions and nowhere else, so they are read out of its files: importing them all takes longer.
"""

import functools
import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Operation:
    query: frozenset[str]
    bodies: frozenset[str]  # content types


@functools.cache
def operations() -> dict[tuple[str, str], Operation]:
    """Method and path → what else may be said."""
    spec = importlib.util.find_spec("kubernetes")
    assert spec is not None and spec.origin
    found = {}
    for file in (Path(spec.origin).parent / "client" / "api").glob("*_api.py"):
        for function in re.findall(r"\n    def _\w+_serialize\(.*?(?=\n    def |\Z)", file.read_text(), re.DOTALL):
            method = _one(r"method='(\w+)'", function)
            path = _one(r"resource_path='([^']+)'", function)
            bodies = re.search(r"select_header_content_type\(\s*\[(.*?)\]", function, re.DOTALL)
            found[method, path] = Operation(
                frozenset(re.findall(r"_query_params\.append\(\('(\w+)'", function)),
                frozenset(re.findall(r"'([^']+)'", bodies[1])) if bodies else frozenset(),
            )
    return found


def _one(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    assert match, f"the client's code has no {pattern}"
    return match[1]
