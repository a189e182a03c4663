"""Are the kernel's rules those that the proxy wants? Pure: two tables in, their differences out.

The kernel lists a table in its own way: counters have values, redundant matches are gone, numbers are padded. So both
sides are brought to one form first (`canonical`), and only what a packet would notice counts: comments, counters,
handles and the memory of dynamic sets do not.

Read next: rules.py (what a rule means).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from minik8s.nft.ruleset import Chain, Element, Set, Table

_COUNTER = re.compile(r"\bcounter(?: packets \d+ bytes \d+)?\s*")
# As a match by itself; in a key (`ip daddr . meta l4proto . th dport`) it stays.
_PROTOCOL = re.compile(r"(?<!\. )\bmeta l4proto \S+ (?=reject\b)")
_HEX = re.compile(r"\b0x[0-9a-fA-F]+\b")
_IS_NOT_ZERO = re.compile(r"!= 0\b")
_PORT_UNREACHABLE = re.compile(r"\breject with icmp(?:v6)? (?:type )?port-unreachable\b")
# Chains and sets of single Services carry the Service's name behind these.
OF_SERVICES = ("svc/", "ext/", "fw/", "all/", "ep/", "aff/")


@dataclass(frozen=True, order=True)
class Difference:
    """One thing that is not as it should be. `wanted` is empty for what should not be there, `found` for what lacks."""

    where: str  # chain svc/default/web/http
    wanted: str = ""
    found: str = ""

    def __str__(self) -> str:
        if not self.found:
            return f"{self.where}: not in the kernel: {self.wanted}"
        if not self.wanted:
            return f"{self.where}: the proxy did not write: {self.found}"
        return f"{self.where}: {self.wanted} is now {self.found}"


def canonical(text: str) -> str:
    """A rule in one form, whoever wrote it down."""
    text = _PROTOCOL.sub("", _COUNTER.sub("", text))
    text = _PORT_UNREACHABLE.sub("reject", text)
    text = _HEX.sub(lambda found: str(int(found[0], 16)), text)
    return " ".join(_IS_NOT_ZERO.sub("!= 0", text).split())


def differences(wanted: Table, found: Table) -> list[Difference]:
    """All of them, in order of place."""
    return sorted([*_of_chains(wanted.chains, found.chains), *_of_sets(wanted.sets, found.sets)])


def concerning(share: Table, every: Iterable[Difference]) -> list[Difference]:
    """Those that touch one Service: its own chains, sets and elements, and what all Services share."""
    chains = {f"chain {name}" for name in share.chains}
    elements = {_line(one) for each in share.sets.values() for one in each.elements.values()}
    return [one for one in every if _touches(one, chains, elements)]


def _touches(one: Difference, chains: set[str], elements: set[str]) -> bool:
    kind, _, name = one.where.partition(" ")
    if kind == "chain":
        return one.where in chains or not name.startswith(OF_SERVICES)
    keys = {line.partition(" : ")[0] for line in elements}
    return any(text.partition(" : ")[0] in keys for text in (one.wanted, one.found) if text)


# --- Chains -----------------------------------------------------------------------------------------------------------


def _of_chains(wanted: Mapping[str, Chain], found: Mapping[str, Chain]) -> Iterable[Difference]:
    for name in sorted(wanted.keys() | found.keys()):
        where = f"chain {name}"
        if name not in found:
            yield Difference(where, wanted="the chain")
        elif name not in wanted:
            yield Difference(where, found="a chain")
        else:
            yield from _of_rules(where, _texts(wanted[name]), _texts(found[name]))


def _texts(chain: Chain) -> list[str]:
    hook = [f"hook {chain.hook.type} {chain.hook.hook}"] if chain.hook else []
    return hook + [canonical(rule.text) for rule in chain.rules]


def _of_rules(where: str, wanted: list[str], found: list[str]) -> Iterable[Difference]:
    """Rules that lack, rules too many; if it is neither, their order."""
    if wanted == found:
        return
    lacking, extra = _without(wanted, found), _without(found, wanted)
    yield from (Difference(where, wanted=text) for text in lacking)
    yield from (Difference(where, found=text) for text in extra)
    if not lacking and not extra:
        yield Difference(where, "; ".join(wanted), "; ".join(found))


def _without(some: list[str], others: list[str]) -> list[str]:
    left = list(others)
    result = []
    for text in some:
        if text in left:
            left.remove(text)
        else:
            result.append(text)
    return result


# --- Sets and maps ----------------------------------------------------------------------------------------------------


def _of_sets(wanted: Mapping[str, Set], found: Mapping[str, Set]) -> Iterable[Difference]:
    for name in sorted(wanted.keys() | found.keys()):
        kind = (wanted.get(name) or found[name]).kind
        where = f"{kind} {name}"
        if name not in found:
            yield Difference(where, wanted=f"the {kind}")
        elif name not in wanted:
            yield Difference(where, found=f"a {kind}")
        elif "dynamic" not in wanted[name].flags:
            yield from _of_elements(where, wanted[name], found[name])


def _of_elements(where: str, wanted: Set, found: Set) -> Iterable[Difference]:
    for key in sorted(wanted.elements.keys() | found.elements.keys()):
        one, other = wanted.elements.get(key), found.elements.get(key)
        lines = (_line(one) if one else "", _line(other) if other else "")
        if lines[0] != lines[1]:
            yield Difference(where, *lines)


def _line(one: Element) -> str:
    return " . ".join(one.key) + (f" : {one.verdict}" if one.verdict else "")
