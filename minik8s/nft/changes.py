"""The small transaction that leads from one rule set to another.

`changes(old, new)` gives the commands, one on each line, in the only order the kernel accepts: nothing may be deleted
while something points at it, nothing may be pointed at before it exists.

    1. map and set elements that go      (they point at chains)
    2. rules of chains that change or go (they point at chains and sets)
    3. chains, then sets that go
    4. sets, then chains that come
    5. rules, then elements that come

A changed chain is flushed and written anew as a whole: one Service port, a handful of rules. Invariant: applied to
`old` it gives `new`, and equal values give no command at all.

Both values may be *parts* of a table, the same part of each: a set that stands in both with some of its elements is
compared by those elements alone. That is how the proxy pays for what changed and not for what it has.

Next: `ruleset.py` for the values, `kernel.py` for who runs the commands.
"""

from collections.abc import Iterable

from minik8s.nft.ruleset import Chain, Element, Set, Table, quotable, sorted_elements


def changes(old: Table, new: Table) -> list[str]:
    """The commands between the two, in the order the kernel needs. Empty: nothing to do."""
    at = new.address
    gone_sets = {name for name, one in old.sets.items() if _redefined(one, new.sets.get(name))}
    new_sets = {name for name, one in new.sets.items() if _redefined(one, old.sets.get(name))}
    gone_chains = old.chains.keys() - new.chains.keys()
    new_chains = new.chains.keys() - old.chains.keys()
    rewritten = {
        name
        for name in old.chains.keys() & new.chains.keys()
        if _rewritten(old.chains[name], new.chains[name], gone_sets & new_sets)
    }
    return [
        *_element_commands("delete", at, old, new),
        *(f"flush chain {at} {name}" for name in sorted(gone_chains | rewritten)),
        *(f"delete chain {at} {name}" for name in sorted(gone_chains)),
        *(f"delete {old.sets[name].kind} {at} {name}" for name in sorted(gone_sets)),
        *(_add_set(at, new.sets[name]) for name in sorted(new_sets)),
        *(_add_chain(at, new.chains[name]) for name in sorted(new_chains)),
        *(
            f"add rule {at} {name} {rule.line()}"
            for name in sorted(new_chains | rewritten)
            for rule in new.chains[name].rules
        ),
        *_element_commands("add", at, new, old),
    ]


def _redefined(one: Set, other: Set | None) -> bool:
    return other is None or one.kind != other.kind or one.definition() != other.definition()


def _rewritten(old: Chain, new: Chain, redefined: set[str]) -> bool:
    """Does the chain change, or hold a set in place that must be made anew?"""
    if (old.hook, old.comment) != (new.hook, new.comment):
        raise ValueError(
            f"chain {new.name}: hook and comment belong to the name; the kernel cannot change them in place"
        )
    named = {word[1:] for rule in old.rules for word in rule.text.split() if word[0] == "@"}
    return old.rules != new.rules or not named.isdisjoint(redefined)


def _element_commands(verb: str, at: str, having: Table, other: Table) -> list[str]:
    """The elements `having` has and `other` has not, or has otherwise.

    To delete, seen from the old value; to add, seen from the new.
    """
    commands = []
    for name, one in sorted(having.sets.items()):
        there = other.sets.get(name)
        if there is not None and _redefined(one, there):
            there = None
        if verb == "delete" and there is None and not one.is_map:
            continue  # the whole set goes; only a map's elements hold chains in place
        theirs = there.elements if there else {}
        differ = [element for key, element in one.elements.items() if theirs.get(key) != element]
        if differ:
            commands.append(f"{verb} element {at} {name} {{ {_listed(differ)} }}")
    return commands


def _listed(elements: Iterable[Element]) -> str:
    # The verdict is given on deletion too: nft 1.0.6 takes a map element only with its value.
    return ", ".join(element.line() for element in sorted_elements(elements))


def _add_set(at: str, one: Set) -> str:
    return f"add {one.kind} {at} {one.name} {{ {' '.join(one.definition())} }}"


def _add_chain(at: str, chain: Chain) -> str:
    inside = [chain.hook.line()] if chain.hook else []
    if chain.comment:
        inside.append(f'comment "{quotable(chain.comment)}";')
    return f"add chain {at} {chain.name}" + (f" {{ {' '.join(inside)} }}" if inside else "")
