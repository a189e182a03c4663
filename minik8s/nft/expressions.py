"""One rule, read word by word, applied to one flow: the part of nft's language that our tables use.

A rule is a row of matches and statements, read from left to right; the first match that fails ends it. `evaluate`
gives None then, else what the rule did. Words are those of our own text and of the kernel's listing alike
(`0x00004000` is 0x4000).

Invariant: anything unknown raises `NotInTheLanguage` with the rule, so that a new kind of rule cannot be half
understood.

Next: `walk.py`, which asks this for rule after rule.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from minik8s.nft.ruleset import Set

_WORDS = re.compile(r'"[^"]*"|[{},]|[^\s{},]+')
_DNAT = re.compile(r"\[?([0-9a-fA-F.:]+?)\]?:(\d+)")
VERDICTS = ("accept", "drop", "return")


class NotInTheLanguage(ValueError):
    """The rule uses something the walker does not know."""


class _NoMatch(Exception):
    """A match of the rule failed."""


@dataclass
class Flow:
    """What netfilter knows of a packet on its way; statements change it."""

    fields: dict[str, str]  # saddr, daddr, sport, dport
    proto: str
    addresses: frozenset[str]
    masquerade: str
    pick: Callable[[int], int]
    mark: int = 0
    state: str = "new"
    status: set[str] = field(default_factory=set)

    def is_local(self, address: str) -> bool:
        return address in self.addresses or ipaddress.ip_address(address).is_loopback


@dataclass(frozen=True)
class Outcome:
    """What a rule that applied did. Without verdict the next rule is tried."""

    verdict: str = ""
    target: str = ""
    effect: str = "goes on"


def evaluate(text: str, flow: Flow, sets: Mapping[str, Set]) -> Outcome | None:
    """None: the rule does not apply."""
    reader = _Reader(text, flow, sets)
    try:
        return reader.run()
    except _NoMatch:
        return None
    except (IndexError, KeyError) as error:
        raise NotInTheLanguage(f"{text!r}: {error!r}") from error


class _Reader:
    """A cursor over the words of one rule."""

    def __init__(self, text: str, flow: Flow, sets: Mapping[str, Set]) -> None:
        self.text, self.flow, self.sets = text, flow, sets
        self.words = _WORDS.findall(text)
        self.at = 0
        self.done: list[str] = []

    def run(self) -> Outcome:
        while self.at < len(self.words):
            outcome = self.statement()
            if outcome:
                return outcome
        return Outcome(effect=", ".join(self.done) or "goes on")

    def take(self) -> str:
        self.at += 1
        return self.words[self.at - 1]

    def peek(self) -> str:
        return self.words[self.at] if self.at < len(self.words) else ""

    def skip(self, *wanted: str) -> bool:
        """Step over these words if they come next."""
        if tuple(self.words[self.at : self.at + len(wanted)]) != wanted:
            return False
        self.at += len(wanted)
        return True

    def statement(self) -> Outcome | None:
        """One statement, or one match: a statement with a verdict ends the rule."""
        statement = STATEMENTS.get(self.peek())
        if statement:
            self.take()
            return statement(self)
        if self.skip("meta", "mark", "set"):
            self.flow.mark = self.mark()
            self.done.append(f"mark becomes {self.flow.mark:#x}")
            return None
        return self.match()

    def match(self) -> Outcome | None:
        """`<selector> [. <selector>] [!=] <value>`, or `… vmap @map`."""
        key = [self.selector()]
        while self.skip("."):
            key.append(self.selector())
        if self.skip("vmap"):
            return self.look_up(tuple(key))
        unequal = self.skip("!=")
        self.skip("==")
        if self.holds(tuple(key)) == unequal:
            raise _NoMatch
        return None

    def look_up(self, key: tuple[str, ...]) -> Outcome:
        found = self.sets[self.take().removeprefix("@")].elements.get(key)
        if found is None:
            raise _NoMatch
        verdict, _, target = found.verdict.partition(" ")
        named = f" ({found.comment})" if found.comment else ""
        return Outcome(verdict, target, f"{found.verdict}{named}")

    def selector(self) -> str:
        """What the packet has where the rule looks."""
        read = SELECTORS.get(self.take())
        if read is None:
            raise NotInTheLanguage(f"{self.text!r}: {self.words[self.at - 1]!r}")
        return read(self)

    def mark(self) -> int:
        """`meta mark [& 0x…] [| 0x…]`."""
        self.skip("meta")
        self.skip("mark")
        value = self.flow.mark
        while self.peek() in ("&", "and", "|", "or"):
            operator, operand = self.take(), int(self.take(), 0)
            value = value & operand if operator in ("&", "and") else value | operand
        return value

    def holds(self, key: tuple[str, ...]) -> bool:
        """Is the key what stands on the right: a set by name, a set in braces, or one value?"""
        if self.peek().startswith("@"):
            members = list(self.sets[self.take()[1:]].elements)
        elif self.skip("{"):
            members = [self.value()]
            while self.skip(","):
                members.append(self.value())
            self.skip("}")
        else:
            members = [self.value()]
        return any(all(_equal(*pair) for pair in zip(key, member, strict=True)) for member in members)

    def value(self) -> tuple[str, ...]:
        parts = [self.take()]
        while self.skip("."):
            parts.append(self.take())
        return tuple(parts)


def _equal(have: str, wanted: str) -> bool:
    if "/" in wanted:
        return ipaddress.ip_address(have) in ipaddress.ip_network(wanted)
    if wanted.lower().startswith("0x"):
        return int(have, 0) == int(wanted, 0)
    return have == wanted


def _address(reader: _Reader) -> str:
    return reader.flow.fields[reader.take()]


def _port(proto: str) -> Callable[[_Reader], str]:
    def read(reader: _Reader) -> str:
        word = reader.take()
        if (proto != "th" and reader.flow.proto != proto) or reader.flow.proto not in ("tcp", "udp", "sctp"):
            raise _NoMatch
        return reader.flow.fields[word]

    return read


def _meta(reader: _Reader) -> str:
    return reader.flow.proto if reader.take() == "l4proto" else str(reader.mark())


def _fib(reader: _Reader) -> str:
    address = reader.flow.fields[reader.take()]
    reader.skip("type")
    return "local" if reader.flow.is_local(address) else "unicast"


def _conntrack(reader: _Reader) -> str:
    if reader.take() == "state":
        return reader.flow.state
    wanted = reader.peek()
    return wanted if wanted in reader.flow.status else ""


def _numgen(reader: _Reader) -> str:
    reader.take()  # random or inc
    reader.skip("mod")
    return str(reader.flow.pick(int(reader.take())))


SELECTORS: dict[str, Callable[[_Reader], str]] = {
    "ip": _address,
    "ip6": _address,
    "meta": _meta,
    "th": _port("th"),
    "tcp": _port("tcp"),
    "udp": _port("udp"),
    "sctp": _port("sctp"),
    "fib": _fib,
    "ct": _conntrack,
    "numgen": _numgen,
}


def _goes(verdict: str) -> Callable[[_Reader], Outcome]:
    def statement(reader: _Reader) -> Outcome:
        target = "" if verdict in VERDICTS else reader.take()
        return Outcome(verdict, target, f"{verdict} {target}".strip())

    return statement


def _reject(reader: _Reader) -> Outcome:
    how = " ".join(reader.words[reader.at :]).removeprefix("with ") or "icmp port-unreachable"
    return Outcome("reject", effect=f"refused: {how}")


def _dnat(reader: _Reader) -> Outcome:
    reader.skip("to")
    found = _DNAT.fullmatch(reader.take())
    if not found:
        raise NotInTheLanguage(f"{reader.text!r}: dnat to what?")
    reader.flow.fields.update(daddr=found[1], dport=found[2])
    reader.flow.status.add("dnat")
    return Outcome("accept", effect=f"destination becomes {found[1]}:{found[2]}")


def _masquerade(reader: _Reader) -> Outcome:
    reader.flow.fields["saddr"] = reader.flow.masquerade
    reader.flow.status.add("snat")
    return Outcome("accept", effect=f"source becomes {reader.flow.masquerade}")


def _update(reader: _Reader) -> None:
    name = reader.take()
    while reader.take() != "}":
        pass
    reader.done.append(f"remembers {reader.flow.fields['saddr']} in {name[1:]}")


def _counter(reader: _Reader) -> None:
    if reader.skip("packets"):
        reader.at += 3  # N bytes N


STATEMENTS: dict[str, Callable[[_Reader], Outcome | None]] = {
    **{verdict: _goes(verdict) for verdict in (*VERDICTS, "jump", "goto")},
    "reject": _reject,
    "dnat": _dnat,
    "masquerade": _masquerade,
    "update": _update,
    "counter": _counter,
}
