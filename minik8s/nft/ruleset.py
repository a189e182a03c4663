"""A rule set as a value, and the text that a learner reads in `nft list table ip minik8s`.

Invariant: the same value always gives the same text, byte for byte, whatever order it was put together in: sets come
before chains because chains name them, base chains before ordinary ones because there a packet begins, elements are
sorted by key. Two values are equal exactly when their texts are.

A rule stays text (`ip daddr @cluster-ips goto refuse`): this is the language a learner meets everywhere else, so we
do not invent a second one. Only its comment is kept apart, because comments say who wrote a rule, not what it does.

Next: `changes.py` for the difference of two values, `walk.py` for what they do to a packet.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

Key = tuple[str, ...]

# The kernel keeps 128 bytes for a comment, with its terminating zero.
COMMENT_MAX = 127
HOOKS = ("prerouting", "input", "forward", "output", "postrouting")
_UNQUOTABLE = re.compile(r"[^ !#-\[\]-~]")
_DIGITS = re.compile(r"(\d+)")


@dataclass(frozen=True)
class Rule:
    """One line of a chain: what it does, and for whom."""

    text: str
    comment: str = ""

    def line(self) -> str:
        return f"{self.text}{_comment(self.comment)}"


@dataclass(frozen=True)
class Hook:
    """Where a base chain hangs in a packet's way through the kernel."""

    type: str
    hook: str
    priority: str

    def line(self) -> str:
        return f"type {self.type} hook {self.hook} priority {self.priority};"


@dataclass(frozen=True)
class Chain:
    """A list of rules. With a hook the kernel enters it by itself, without one only a jump, goto or map does."""

    name: str
    rules: tuple[Rule, ...] = ()
    hook: Hook | None = None
    comment: str = ""


@dataclass(frozen=True)
class Element:
    """One member of a set, or with a verdict one entry of a map."""

    key: Key
    verdict: str = ""
    comment: str = ""

    def line(self) -> str:
        verdict = f" : {self.verdict}" if self.verdict else ""
        return f"{' . '.join(self.key)}{_comment(self.comment)}{verdict}"


@dataclass(frozen=True)
class Set:
    """A set of keys, or (`is_map`) a map from keys to verdicts."""

    name: str
    type: str
    is_map: bool = False
    flags: tuple[str, ...] = ()
    timeout: str = ""
    size: int = 0
    elements: Mapping[Key, Element] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        return "map" if self.is_map else "set"

    def definition(self) -> list[str]:
        """All but the elements: what must be the same for two sets to be one."""
        lines = [f"type {self.type}{' : verdict' if self.is_map else ''};"]
        if self.flags:
            lines.append(f"flags {','.join(self.flags)};")
        if self.timeout:
            lines.append(f"timeout {self.timeout};")
        if self.size:
            lines.append(f"size {self.size};")
        return lines

    def with_elements(self, elements: Iterable[Element]) -> "Set":
        members = {element.key: element for element in elements}
        return Set(self.name, self.type, self.is_map, self.flags, self.timeout, self.size, members)


@dataclass(frozen=True)
class Table:
    """A whole table. Families are separate tables in the kernel, so here too: `ip` and `ip6`."""

    family: str
    name: str
    comment: str = ""
    sets: Mapping[str, Set] = field(default_factory=dict)
    chains: Mapping[str, Chain] = field(default_factory=dict)
    owned: bool = False  # it belongs to the connection that made it: nobody else may change it, and it goes with it

    @property
    def address(self) -> str:
        """How commands name it: `ip minik8s`."""
        return f"{self.family} {self.name}"

    def text(self, ordered: bool = True) -> str:
        """The table as `nft -f` reads it and people do. The kernel needs no order of elements, and sorting is dear."""
        lines = [f"table {self.address} {{"]
        if self.owned:
            lines.append("\tflags owner")
        if self.comment:
            lines.append(f'\tcomment "{quotable(self.comment)}"')
        for one in sorted(self.sets.values(), key=_set_order):
            lines += _set_lines(one, ordered)
        for chain in sorted(self.chains.values(), key=_chain_order):
            lines += _chain_lines(chain)
        return "\n".join([*lines, "}", ""])


def replacement(new: Table, found: Table | None = None, keep: str = "") -> str:
    """One transaction after which exactly `new` is there; no packet sees anything in between.

    Sets whose names begin with `keep` survive with their elements if `found` (the kernel's listing) has them and
    `new` wants them: the proxy's memory of which client sticks to which Pod. For this the table is emptied piece by
    piece; otherwise it is replaced whole.
    """
    kept = {
        name
        for name, one in (found.sets if found and keep else {}).items()
        if name.startswith(keep) and name in new.sets and new.sets[name].definition() == one.definition()
    }
    if found is None or not kept:
        # `add` first: deleting a table that is not there would fail.
        return f"add table {new.address}\ndelete table {new.address}\n{new.text(ordered=False)}"
    lines = [f"flush table {new.address}"]
    lines += [f"flush {one.kind} {new.address} {name}" for name, one in sorted(found.sets.items()) if name not in kept]
    lines += [f"delete chain {new.address} {name}" for name in sorted(found.chains)]
    lines += [f"delete {one.kind} {new.address} {name}" for name, one in sorted(found.sets.items()) if name not in kept]
    return "\n".join([*lines, new.text(ordered=False)])


def quotable(comment: str) -> str:
    """A comment the kernel takes: printable ASCII without quotes, not too long. Pods' names may come from anyone."""
    clean = _UNQUOTABLE.sub("?", comment)
    return clean if len(clean) <= COMMENT_MAX else clean[: COMMENT_MAX - 3] + "..."


def natural(name: str) -> list[str | int]:
    """A key to sort as people count: 10.96.0.9 before 10.96.0.10. Text and numbers take turns, so they never meet."""
    parts: list[str | int] = list(_DIGITS.split(name))
    parts[1::2] = map(int, parts[1::2])
    return parts


def duration(seconds: int) -> str:
    """As nft writes it: 10800 is 3h, 90 is 1m30s."""
    text = ""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, seconds = divmod(seconds, size)
        text += f"{count}{unit}" if count else ""
    return text or "0s"


def sorted_elements(elements: Iterable[Element]) -> list[Element]:
    return sorted(elements, key=lambda element: [natural(part) for part in element.key])


def _set_order(one: Set) -> tuple[bool, bool, str]:
    """Shared ones (without a slash in the name) first, maps before sets."""
    return "/" in one.name, not one.is_map, one.name


def _chain_order(chain: Chain) -> tuple[int, bool, str]:
    """As a packet meets them: hooks in their order, then shared steps, then the chains of single Services."""
    hook = HOOKS.index(chain.hook.hook) if chain.hook else len(HOOKS)
    return hook, "/" in chain.name, chain.name


def _comment(comment: str) -> str:
    return f' comment "{quotable(comment)}"' if comment else ""


def _set_lines(one: Set, ordered: bool) -> list[str]:
    lines = ["", f"\t{one.kind} {one.name} {{", *(f"\t\t{line.rstrip(';')}" for line in one.definition())]
    if one.elements:
        lines.append("\t\telements = {")
        elements = sorted_elements(one.elements.values()) if ordered else one.elements.values()
        lines += [f"\t\t\t{element.line()}," for element in elements]
        lines.append("\t\t}")
    return [*lines, "\t}"]


def _chain_lines(chain: Chain) -> list[str]:
    lines = ["", f"\tchain {chain.name} {{"]
    if chain.comment:
        lines.append(f'\t\tcomment "{quotable(chain.comment)}"')
    if chain.hook:
        lines.append(f"\t\t{chain.hook.line()}")
    return [*lines, *(f"\t\t{rule.line()}" for rule in chain.rules), "\t}"]
