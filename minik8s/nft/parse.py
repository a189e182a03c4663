"""The kernel's listing, and our own text, back to the value.

`parse(text)` reads what `nft list table` prints (1.0.6 and later) and what `Table.text()` writes. The listing is not
our text: numbers come in the kernel's way, redundant matches are lost, counters have values. So a listing is compared
with listings only; what this module promises is that `parse(table.text()) == table`, and that chains, sets and
elements of a listing are found under their names.

Counters are dropped unless `counters=True`: two listings of the same rules are then the same value. So are the ages
of dynamic elements, because they are a clock's and not ours.

Next: `walk.py` walks packets through either kind of value.
"""

import re
from collections.abc import Iterator

from minik8s.nft.ruleset import Chain, Element, Hook, Key, Rule, Set, Table

_TABLE = re.compile(r"table (\S+) (\S+) \{")
_BLOCK = re.compile(r"(map|set|chain) (\S+) \{")
_HOOK = re.compile(r"type (\S+) hook (\S+) priority ([^;]+?);")
_COMMENT = re.compile(r' ?comment "([^"]*)"')
_COUNTER = re.compile(r"\bcounter packets \d+ bytes \d+")
_EXPIRY = re.compile(r" (?:timeout|expires) \S+")
_SPLIT = re.compile(r',(?=(?:[^"]*"[^"]*")*[^"]*$)')


class NotUnderstood(ValueError):
    """A line that no part of the grammar above fits."""


def parse(text: str, counters: bool = False) -> Table:
    """The (only) table of a listing."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    reader = iter(line for line in lines if not line.startswith("#"))
    found = _TABLE.fullmatch(next(reader, ""))
    if not found:
        raise NotUnderstood("the listing does not begin with a table")
    comment = ""
    sets: dict[str, Set] = {}
    chains: dict[str, Chain] = {}
    for line in reader:
        block = _BLOCK.fullmatch(line)
        if line == "}":
            return Table(found[1], found[2], comment, sets, chains)
        if block and block[1] == "chain":
            chains[block[2]] = _chain(block[2], reader, counters)
        elif block:
            sets[block[2]] = _set(block[1], block[2], reader)
        elif line.startswith("comment "):
            comment = _comment(line)[1]
        else:
            raise NotUnderstood(f"in table {found[2]}: {line}")
    raise NotUnderstood("the table does not end")


def _chain(name: str, lines: Iterator[str], counters: bool) -> Chain:
    rules: list[Rule] = []
    hook, comment = None, ""
    for line in lines:
        based = _HOOK.match(line)
        if line == "}":
            return Chain(name, tuple(rules), hook, comment)
        if based:
            hook = Hook(based[1], based[2], based[3])
        elif line.startswith("comment ") and not rules:
            comment = _comment(line)[1]
        else:
            rules.append(_rule(line, counters))
    raise NotUnderstood(f"chain {name} does not end")


def _rule(line: str, counters: bool) -> Rule:
    line = line.split(" # handle ")[0]
    text, comment = _comment(line)
    return Rule(text if counters else _COUNTER.sub("counter", text), comment)


def _set(kind: str, name: str, lines: Iterator[str]) -> Set:
    words: dict[str, str] = {}
    elements: dict[Key, Element] = {}
    for line in lines:
        if line == "}":
            return Set(
                name,
                words["type"].removesuffix(" : verdict"),
                kind == "map",
                tuple(words["flags"].split(",")) if "flags" in words else (),
                words.get("timeout", ""),
                int(words.get("size", 0)),
                elements,
            )
        if line.startswith("elements = {"):
            found = (_element(part) for part in _SPLIT.split(_braced(line, lines)) if part.strip())
            elements = {element.key: element for element in found}
        else:
            word, _, value = line.rstrip(";").partition(" ")
            words[word] = value
    raise NotUnderstood(f"{kind} {name} does not end")


def _braced(first: str, lines: Iterator[str]) -> str:
    """What stands between the braces of `elements = { … }`, over as many lines as it takes."""
    parts = [first.removeprefix("elements = {")]
    while not parts[-1].endswith("}"):
        parts.append(next(lines))
    return " ".join(parts)[:-1]


def _element(text: str) -> Element:
    text, comment = _comment(text.strip())
    key, _, verdict = text.partition(" : ")
    return Element(tuple(_EXPIRY.sub("", key).strip().split(" . ")), verdict, comment)


def _comment(text: str) -> tuple[str, str]:
    """The text without its comment, and the comment."""
    found = _COMMENT.search(text)
    if not found:
        return text, ""
    return text[: found.start()] + text[found.end() :], found[1]
