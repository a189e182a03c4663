"""A set of fields, as `fieldsV1` writes it, and what can be done with two of them.

A node is a dict; its keys are the parts of paths: `f:name` a field or a key of a map, `k:{…}` the element of a list
with that key, `v:…` a plain value in a list, and "." for "the node itself". An empty node stands for itself alone, so
{"f:spec": {"f:replicas": {}}} is the set of .spec.replicas. The whole set {} is empty.

Invariant: no function changes its arguments; results may share nodes with them. No node is there without a member at or
below it.
"""

from typing import Any

Fields = dict[str, Any]
SELF = "."
EMPTY: Fields = {}


def is_member(node: Fields) -> bool:
    """Is the node itself in the set, and not only something below it?"""
    return not node or SELF in node


def below(node: Fields) -> Fields:
    """What is below a node: the same without the node itself."""
    return {key: each for key, each in node.items() if key != SELF} if SELF in node else node


def node(member: bool, children: Fields) -> Fields | None:
    """A node with these children; None when there would be nothing in it."""
    if children:
        return {SELF: {}, **children} if member else children
    return {} if member else None


def union(left: Fields, right: Fields) -> Fields:
    if not left or not right:
        return left or right
    result = dict(left)
    for key, theirs in right.items():
        result[key] = _join(result[key], theirs) if key in result else theirs
    return result


def _join(left: Fields, right: Fields) -> Fields:
    if left == right:
        return left
    children = union(below(left), below(right))
    return node(is_member(left) or is_member(right), children) or {}


def minus(left: Fields, right: Fields) -> Fields:
    """What is in the left set and not in the right one. To have a node is not to have what is below it."""
    if not right or not left:
        return left
    result = {}
    for key, mine in left.items():
        kept: Fields | None = mine
        if key in right:
            theirs = right[key]
            kept = node(is_member(mine) and not is_member(theirs), minus(below(mine), below(theirs)))
        if kept is not None:
            result[key] = kept
    return result


def common(left: Fields, right: Fields) -> Fields:
    """What is in both sets."""
    result = {}
    for key in left.keys() & right.keys():
        mine, theirs = left[key], right[key]
        kept = node(is_member(mine) and is_member(theirs), common(below(mine), below(theirs)))
        if kept is not None:
            result[key] = kept
    return result


def members(fields: Fields, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """All paths that are in the set, sorted."""
    found = []
    for key in sorted(fields):
        if key == SELF:
            continue
        inner, here = fields[key], (*path, key)
        if is_member(inner):
            found.append(here)
        found += members(below(inner), here)
    return found


MAX_DEPTH = 64  # no kind is nearly as deep; a client's own set may be anything
_PREFIXES = ("f:", "k:", "v:", "i:")


def is_wellformed(fields: Any, depth: int = 0) -> bool:
    """Is what a client gives a set of fields at all?"""
    if not isinstance(fields, dict) or depth > MAX_DEPTH:
        return False
    return all(
        (key == SELF or key.startswith(_PREFIXES)) and is_wellformed(inner, depth + 1) for key, inner in fields.items()
    )
