"""A packet filter in memory, for tests: takes the same commands as the kernel and refuses what the kernel refuses.

`Fake.run` is one transaction on one table. It understands the commands that `ruleset.replacement` and
`changes.changes` write. It refuses what the real one refuses: deleting what something still points at, pointing at
what does not exist, adding an element that is there with another meaning, deleting one that is not there. Then
nothing of the transaction is in force.
"""

import re
from dataclasses import replace

from minik8s.nft.kernel import NftError
from minik8s.nft.parse import parse
from minik8s.nft.ruleset import Chain, Element, Rule, Set, Table

_COMMAND = re.compile(r"(add|delete|flush) (table|chain|rule|set|map|element) (\S+ \S+)(?: (\S+))?(?: (.*))?")
_TARGET = re.compile(r"\b(?:goto|jump) (\S+)")


class Fake:
    """One table of a pretended kernel; `log` holds every transaction that was accepted."""

    def __init__(self) -> None:
        self.table: Table | None = None
        self.log: list[str] = []
        self.refuse = ""  # transactions with this text in them are refused, as a kernel without some feature would

    def run(self, commands: str, dry: bool = False) -> str:
        if commands.startswith("list table"):
            if self.table is None:
                raise NftError("No such file or directory", commands)
            return self.table.text()
        table = self.table
        for command, text in _split(commands):
            table = self._command(table, command, text) if command else _merge(table, parse(text))
        if self.refuse and self.refuse in commands:
            raise NftError("Operation not supported", commands)
        _check(table, commands)
        if not dry:
            self.table = table
            self.log.append(commands)
        return ""

    def close(self) -> None:
        """Nothing is held open."""

    def _command(self, table: Table | None, command: re.Match[str], text: str) -> Table | None:
        verb, kind, at, name, rest = command.groups()
        if kind == "table":
            return _table_command(verb, at, table)
        if table is None:
            raise NftError("No such file or directory: table", text)
        if kind in ("chain", "rule"):
            return replace(table, chains=_chain_command(table, verb, kind, name, rest or ""))
        return replace(table, sets=_set_command(table, verb, kind, name, rest or ""))


def _split(commands: str) -> list[tuple[re.Match[str] | None, str]]:
    """Single commands, and the `table … { }` block as one."""
    parts: list[tuple[re.Match[str] | None, str]] = []
    lines = commands.splitlines()
    for number, line in enumerate(lines):
        if line.startswith("table "):
            return [*parts, (None, "\n".join(lines[number:]))]
        found = _COMMAND.fullmatch(line)
        if not found:
            raise NftError(f"syntax error: {line}", commands)
        parts.append((found, line))
    return parts


def _table_command(verb: str, at: str, table: Table | None) -> Table | None:
    if verb == "add":
        family, name = at.split()
        return table or Table(family, name)
    if table is None:
        raise NftError("No such file or directory", f"{verb} table {at}")
    if verb == "delete":
        return None
    return replace(table, chains={name: replace(chain, rules=()) for name, chain in table.chains.items()})


def _chain_command(table: Table, verb: str, kind: str, name: str, rest: str) -> dict[str, Chain]:
    chains = dict(table.chains)
    if verb == "add" and kind == "chain":
        block = f"table ip x {{\nchain {name} {{\n{_lines(rest)}\n}}\n}}"
        chains.setdefault(name, parse(block).chains[name])
        return chains
    if name not in chains:
        raise NftError("No such file or directory", f"{verb} {kind} {name}")
    if kind == "rule":
        rule = parse(f"table ip x {{\nchain c {{\n{rest}\n}}\n}}").chains["c"].rules[0]
        chains[name] = replace(chains[name], rules=(*chains[name].rules, rule))
    elif verb == "flush":
        chains[name] = replace(chains[name], rules=())
    elif chains.pop(name).rules or name in _pointed_at(replace(table, chains=chains)):
        raise NftError("Device or resource busy", f"delete chain {name}")
    return chains


def _set_command(table: Table, verb: str, kind: str, name: str, rest: str) -> dict[str, Set]:
    sets = dict(table.sets)
    if verb == "add" and kind != "element":
        made = parse(f"table ip x {{\n{kind} {name} {{\n{_lines(rest)}\n}}\n}}").sets[name]
        if name in sets and sets[name].definition() != made.definition():
            raise NftError("File exists", f"add {kind} {name}")
        sets.setdefault(name, made)
        return sets
    if name not in sets:
        raise NftError("No such file or directory", f"{verb} {kind} {name}")
    if kind == "element":
        sets[name] = _element_command(verb, sets[name], rest)
    elif verb == "flush":
        sets[name] = sets[name].with_elements([])
    elif any(f"@{name}" in rule.text.split() for chain in table.chains.values() for rule in chain.rules):
        raise NftError("Device or resource busy", f"delete {kind} {name}")
    else:
        del sets[name]
    return sets


def _element_command(verb: str, one: Set, rest: str) -> Set:
    kind = one.kind
    block = f"table ip x {{\n{kind} s {{\ntype t\nelements = {rest}\n}}\n}}"
    given = parse(block).sets["s"].elements
    members: dict[tuple[str, ...], Element] = dict(one.elements)
    for key, element in given.items():
        if verb == "delete":
            if key not in members:
                raise NftError("No such file or directory", f"delete element {key}")
            del members[key]
        elif members.setdefault(key, element).verdict != element.verdict:
            raise NftError("File exists", f"add element {key}")
    return one.with_elements(members.values())


def _merge(table: Table | None, new: Table) -> Table:
    """What a block adds to what is there."""
    if table is None:
        return new
    sets = dict(table.sets)
    for name, one in new.sets.items():
        old = sets.get(name)
        if old and old.definition() != one.definition():
            raise NftError("File exists", f"add set {name}")
        sets[name] = one.with_elements([*(old.elements.values() if old else ()), *one.elements.values()])
    chains = dict(table.chains)
    for name, chain in new.chains.items():
        rules: tuple[Rule, ...] = chains[name].rules if name in chains else ()
        chains[name] = replace(chain, rules=(*rules, *chain.rules))
    return replace(new, sets=sets, chains=chains)


def _check(table: Table | None, commands: str) -> None:
    """Everything that is pointed at must exist."""
    if table is None:
        return
    missing = _pointed_at(table) - table.chains.keys()
    words = {
        word[1:] for c in table.chains.values() for rule in c.rules for word in rule.text.split() if word[0] == "@"
    }
    missing |= words - table.sets.keys()
    if missing:
        raise NftError(f"No such file or directory: {sorted(missing)}", commands)


def _pointed_at(table: Table) -> set[str]:
    texts = [rule.text for chain in table.chains.values() for rule in chain.rules]
    texts += [element.verdict for one in table.sets.values() for element in one.elements.values()]
    return {found for text in texts for found in _TARGET.findall(text)}


def _lines(block: str) -> str:
    """`{ type x; flags y; }` on lines of its own."""
    inside = block.strip().removeprefix("{").removesuffix("}").strip()
    hook, found, rest = inside.partition("priority ")
    parts = [hook + found + rest] if found else inside.split(";")
    return "\n".join(part.strip() for part in parts if part.strip())
